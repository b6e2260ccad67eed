"""New data that are not like the run's own, and runs that cannot be used: told, never guessed."""

import gzip
import json
import shutil

import polars as pl
import pytest

from segrun.cli.apply import apply_command
from segrun.data.datasets.synthetic_retail import generate
from segrun.errors import ConfigError, DataError, StoreError
from segrun.rundir.store import read_csv


@pytest.fixture(scope="module")
def frame():
    return generate(200, 0)[0]


@pytest.fixture(scope="module")
def stored(kmeans):
    return dict(zip(kmeans.customers.ids, kmeans.labels(kmeans.points[0]).tolist(), strict=True))


@pytest.fixture
def apply_to(kmeans, tmp_path):
    """Apply to a file: labels by id. What fails leaves nothing behind."""

    def applied(file, *arguments, run=kmeans.path):
        output = tmp_path / "out.csv"
        before = sorted(tmp_path.rglob("*"))
        try:
            point = ["--point", kmeans.points[0]]
            apply_command([*map(str, [run, file, "--output", output, *point, *arguments])])
        except Exception:
            assert sorted(tmp_path.rglob("*")) == before
            raise
        rows = read_csv(output)
        return {row["CustomerID"]: int(row["label"]) for row in rows if row["label"]}

    return applied


@pytest.mark.parametrize("column", ["CustomerID", "InvoiceDate", "Quantity", "UnitPrice"])
def test_a_missing_column_is_named(apply_to, frame, tmp_path, column):
    frame.drop(column).write_csv(tmp_path / "in.csv")
    with pytest.raises(DataError, match=f"in.csv lacks the column {column}.*Its columns: InvoiceN"):
        apply_to(tmp_path / "in.csv")


def test_more_columns_and_another_order_are_told_and_change_nothing(
    apply_to, frame, tmp_path, stored, run_of, capsys
):
    frame.write_csv(tmp_path / "in.csv")
    run = run_of(tmp_path / "run", "dataset=online_retail", f"dataset.path={tmp_path / 'in.csv'}",
                 "algo.grid.n_clusters=[3,4]", "algo.params.tol=1e-4")  # fmt: skip
    changed = frame.select(reversed(frame.columns)).with_columns(Colour=pl.lit("red"))
    changed.write_csv(tmp_path / "other.csv")
    found = apply_to(tmp_path / "other.csv", run=run.path)
    assert {i: found[i] for i in stored} == stored
    said = capsys.readouterr().out
    assert "columns that the run's input had not, not used: Colour" in said
    assert "columns in another order" in said


@pytest.mark.parametrize("turned", [False, True])
def test_a_column_that_is_called_otherwise_is_used_and_said_to_be(
    apply_to, frame, tmp_path, stored, run_of, capsys, turned
):
    second = {"InvoiceNo": "Invoice", "UnitPrice": "Price"}
    more = frame.rename(second).with_columns(Colour=pl.lit("red"))
    first, other = (more, frame) if turned else (frame, more)
    first.write_csv(tmp_path / "in.csv")
    other.write_csv(tmp_path / "other.csv")
    run = run_of(tmp_path / "run", "dataset=online_retail", f"dataset.path={tmp_path / 'in.csv'}",
                 "algo.grid.n_clusters=[3,4]", "algo.params.tol=1e-4")  # fmt: skip
    found = apply_to(tmp_path / "other.csv", run=run.path)
    assert {i: found[i] for i in stored} == stored
    said = [line for line in capsys.readouterr().out.splitlines() if "columns" in line]
    pairs = [pair[::-1] if turned else pair for pair in second.items()]
    shown = ", ".join(f"{now} (then {then})" for then, now in pairs)
    gone = "columns that only the run's input had, not needed: Colour"
    more = "columns that the run's input had not, not used: Colour"
    assert said == [
        f"columns that are called otherwise, used all the same: {shown}",
        gone if turned else more,
    ]


@pytest.mark.parametrize(
    ("column", "expression", "said"),
    [
        ("Quantity", pl.lit("six"), "Quantity is 'six', not a whole number"),
        ("UnitPrice", pl.lit("2.55 each"), "UnitPrice is '2.55 each', not a number"),
        ("InvoiceDate", pl.lit("yesterday"), "dates cannot be read"),
        ("InvoiceDate", pl.lit(7), "dates cannot be read"),
        ("Quantity", pl.struct("Quantity"), "the column Quantity holds Struct"),
        ("CustomerID", pl.concat_list("CustomerID"), "the column CustomerID holds List"),
    ],
)
def test_a_column_of_another_type_is_refused(apply_to, frame, tmp_path, column, expression, said):
    frame.with_columns(expression.alias(column)).write_parquet(tmp_path / "in.parquet")
    with pytest.raises(DataError, match=said):
        apply_to(tmp_path / "in.parquet")


def test_a_column_of_another_type_with_the_same_values_is_read(apply_to, frame, tmp_path, stored):
    ids = frame["CustomerID"].cast(pl.Float64)
    other = frame.with_columns(ids, pl.col("Quantity").cast(pl.String))
    other.write_parquet(tmp_path / "in.parquet")
    found = apply_to(tmp_path / "in.parquet")
    # The ids are as this file has them.
    assert {i: found[f"{i}.0"] for i in stored} == stored


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty: 0 bytes"),
        (b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n",
         "has a header and no line below it"),
        (gzip.compress(b"", mtime=0), "nothing but blank lines"),
        (b"%PDF-1.4", "PDF"),
    ],
)  # fmt: skip
def test_an_empty_file_and_one_that_is_no_table_are_refused(apply_to, tmp_path, content, said):
    (tmp_path / "in.csv").write_bytes(content)
    with pytest.raises(DataError, match=said):
        apply_to(tmp_path / "in.csv")


def test_a_window_without_a_line_is_told(apply_to, lines):
    with pytest.raises(DataError, match="no line"):
        apply_to(lines, "--from", "2031-01-01")


def test_dates_that_can_be_read_in_two_ways_are_read_as_then(run_of, frame, tmp_path, stored):
    """All days of a file may be below 13; the run's own file has told which number is the day."""
    dates = frame["InvoiceDate"].dt.strftime("%d/%m/%Y %H:%M")
    frame.with_columns(dates).write_csv(tmp_path / "all.csv")
    run = run_of(tmp_path / "run", "dataset=online_retail", f"dataset.path={tmp_path / 'all.csv'}",
                 "algo.params={n_clusters: 3, tol: 1e-4}")  # fmt: skip
    early = frame.with_columns(dates).filter(frame["InvoiceDate"].dt.day() < 13)
    early.write_csv(tmp_path / "early.csv")
    (point,) = run.points
    output = tmp_path / "out.parquet"
    arguments = [run.path, tmp_path / "early.csv", "--point", point, "--output", output]
    assert apply_command([*map(str, arguments)]) == 0
    clean = early.drop_nulls()
    assert set(pl.read_parquet(output)["CustomerID"]) == set(clean["CustomerID"].cast(pl.Int64))


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (["--from", "9/12/2011"], ConfigError, "--from 9/12/2011: write an ISO date"),
        (["--to", "2011-12-09T10:00+01:00"], ConfigError, "has a time zone"),
        (["--reference-date", "soon"], ConfigError, "is no ISO date"),
        (["seed=1"], ConfigError, "only dataset.KEY=VALUE can be changed"),
        (
            ["dataset.colour=red"],
            ConfigError,
            "unknown key dataset.colour. Keys there: name, kind, path",
        ),
        (["--unknown"], ConfigError, "unrecognized arguments"),
        (["--point", "n_clusters=99,tol=1"], ConfigError, "Points: n_clusters=3,tol=0.0001"),
        (["--output", "out.txt"], ConfigError, r"\.csv, \.parquet, \.xlsx"),
        (["--output", "sqlite:///x.db"], ConfigError, "segrun export RUN --to DATABASE_URL"),
    ],
)
def test_wrong_arguments_are_refused(apply_to, lines, arguments, error, said):
    with pytest.raises(error, match=said):
        apply_to(lines, *arguments)


def test_an_output_that_exists_is_only_replaced_by_force(apply_to, lines, tmp_path):
    (tmp_path / "out.csv").write_text("precious")
    with pytest.raises(StoreError, match=r"out\.csv exists: .*--force"):
        apply_to(lines)
    assert (tmp_path / "out.csv").read_text() == "precious"
    assert apply_to(lines, "--force")


def copied(run, folder):
    return shutil.copytree(run.path, folder / "copy")


def test_an_unfinished_run_is_refused(kmeans, apply_to, lines, tmp_path):
    copy = copied(kmeans, tmp_path)
    (copy / "manifest.json").unlink()
    (copy / "UNFINISHED").write_text("")
    with pytest.raises(StoreError, match=r"copy is unfinished \(.*UNFINISHED\)"):
        apply_to(lines, run=copy)


def test_a_run_of_another_version_is_refused(kmeans, apply_to, lines, tmp_path):
    copy = copied(kmeans, tmp_path)
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "segrun": "7.3.0"}))
    with pytest.raises(StoreError, match=r"manifest.json was written by segrun 7\.3\.0"):
        apply_to(lines, run=copy)


@pytest.mark.parametrize(
    "name", ["features.parquet", "features_all.parquet", "experiment.yaml", "scores.csv",
             "models/{point}.joblib", "predictions/{point}.parquet"]
)  # fmt: skip
@pytest.mark.parametrize("harm", ["changed", "removed"])
def test_a_file_that_does_not_match_the_manifest_is_named(
    kmeans, apply_to, lines, tmp_path, name, harm
):
    copy = copied(kmeans, tmp_path)
    file = copy / name.format(point=kmeans.points[0])
    if harm == "removed":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(StoreError, match=f"{file.name}.* (is missing|is not the file that)"):
        apply_to(lines, run=copy)


def test_a_run_without_models_says_so(run_of, apply_to, lines, tmp_path):
    run = run_of(tmp_path / "run", "dataset.n_customers=50", "store.models=none",
                 "algo.grid.n_clusters=[3]", "algo.params.tol=1e-4")  # fmt: skip
    with pytest.raises(StoreError, match=r"no model of n_clusters=3.*store\.models=none"):
        apply_to(lines, run=run.path)


def test_a_customer_whose_logarithm_is_undefined_is_in_no_segment(run_of, frame, tmp_path):
    run = run_of(tmp_path / "run", "dataset.n_customers=200", "features=rfm",
                 "features.cancellations=remove", "transform=log_standard",
                 "algo.params={n_clusters: 3, tol: 1e-4}")  # fmt: skip
    clean = frame.filter(~pl.col("InvoiceNo").str.starts_with("C"))
    who = run.customers.ids[3]
    one = clean.filter(pl.col("CustomerID") == who).head(1)
    back = one.with_columns(pl.lit("returns-only").alias("CustomerID"), -pl.col("Quantity"),
                            UnitPrice=pl.lit(9.0))  # fmt: skip
    pl.concat([clean, back]).write_csv(tmp_path / "in.csv")
    output = tmp_path / "out.csv"
    arguments = [run.path, tmp_path / "in.csv", "--point", run.points[0], "--output", output]
    assert apply_command([*map(str, arguments)]) == 0
    rows = {row["CustomerID"]: row for row in read_csv(output)}
    assert rows[who]["label"] != ""
    assert rows["returns-only"]["label"] == rows["returns-only"]["segment"] == ""
    assert rows["returns-only"]["note"].startswith("log(1 + Amount) is undefined for -")


TABLE = "who,age,city\n" + "".join(
    f"p{i},{20 + i % 50},{('Bonn', 'Ulm', 'Köln')[i % 3]}\n" for i in range(60)
)


@pytest.fixture(scope="module")
def table_run(run_of, tmp_path_factory):
    """A run on a table with a category."""
    folder = tmp_path_factory.mktemp("table")
    (folder / "people.csv").write_text(TABLE)
    return run_of(
        folder / "run", "dataset=table", f"dataset.path={folder / 'people.csv'}",
        "dataset.id=who", "+dataset.columns={age: number, city: text}", "features=table",
        "algo.params={n_clusters: 3, tol: 1e-4}",
    )  # fmt: skip


def table_labels(run, text, folder):
    (folder / "new.csv").write_text(text)
    output = folder / "out.csv"
    point = run.points[0]
    arguments = [run.path, folder / "new.csv", "--point", point, "--output", output, "--force"]
    assert apply_command([*map(str, arguments)]) == 0
    return {row["who"]: int(row["label"]) for row in read_csv(output)}


def test_a_table_is_encoded_as_then(table_run, tmp_path):
    stored = dict(
        zip(table_run.customers.ids, table_run.labels(table_run.points[0]).tolist(), strict=True)
    )
    assert table_labels(table_run, TABLE, tmp_path) == stored
    # One row: two of the three cities are not there.
    assert table_labels(table_run, "city,who,age\nUlm,p1,21\n", tmp_path) == {"p1": stored["p1"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("who,age,city\nx,30,Atlantis\n", "city.*Atlantis"),
        ("who,age\nx,30\n", "the column city is not there"),
        ("who,age,city\nx,old,Bonn\n", "age is 'old', not a number"),
        ("who,age,city\nx,,Bonn\n", "age has no value for 1 of 1 customers"),
        ("who,age,city\nx,30,Bonn\nx,31,Ulm\n", "x"),
        ("who,age,city\n", "has a header and no line below it"),
    ],
)
def test_a_table_that_is_not_like_the_first_is_refused(table_run, tmp_path, text, said):
    with pytest.raises(DataError, match=said):
        table_labels(table_run, text, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["new.csv"]


@pytest.mark.parametrize("row", ["x,30,Atlantis", "x,30,", "x,,Bonn"])
def test_a_setting_that_would_help_is_said_to_be_one_of_the_run(table_run, tmp_path, row):
    """Only dataset.KEY=VALUE is taken by the command."""
    with pytest.raises(DataError, match=r"features\.columns\..*settings of the run.*run it again"):
        table_labels(table_run, f"who,age,city\n{row}\n", tmp_path)


def test_what_is_no_matter_of_settings_is_not_said_to_be_one(table_run, tmp_path):
    with pytest.raises(DataError, match=r"not a number.*read its own input\)$"):
        table_labels(table_run, "who,age,city\nx,old,Bonn\n", tmp_path)


def test_the_rows_of_the_input_come_with_a_column_more(table_run, tmp_path):
    file, output = tmp_path / "new.csv", tmp_path / "out.csv"
    file.write_text("who,name,age,city\np1,=HYPERLINK(1),21,Ulm\np1x,b,70,Bonn\n")
    arguments = [table_run.path, file, "--point", table_run.points[0], "--output", output, "--rows",
                 "--as", "name=cluster_labels"]  # fmt: skip
    assert apply_command([*map(str, arguments)]) == 0
    lines = output.read_text().splitlines()
    assert lines[0] == "who,name,age,city,segment,cluster_labels"
    assert lines[1].startswith("p1,'=HYPERLINK(1),21,Ulm,")


def test_the_command_itself_refuses_in_one_message(segrun, kmeans, lines, tmp_path):
    done = segrun("apply", str(kmeans.path), str(tmp_path / "none.csv"), "--output", "out.csv",
                  cwd=tmp_path)  # fmt: skip
    assert done.returncode == 1
    assert "there is no such file" in done.stderr
    assert "Traceback" not in done.stderr
    done = segrun("apply", str(kmeans.path), cwd=tmp_path)
    assert done.returncode == 2
    assert "Usage: segrun apply RUN INPUT" in done.stderr
    assert list(tmp_path.iterdir()) == []
