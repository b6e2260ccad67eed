"""Exported files: the rows of the input, unchanged, with the segment of each customer."""

import csv
import re
import shutil
from dataclasses import replace

import fastexcel
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.cli.export import export_command
from segrun.cli.segments import name_command
from segrun.config import from_plain
from segrun.data.datasets.synthetic_retail import generate
from segrun.errors import ConfigError, DataError, StoreError
from segrun.rundir.finished import open_run
from segrun.segments.describe import describe
from segrun.segments.segment import read_segments
from segrun.using.export.files import defused, write_frames

MARKUP = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "\r=x", "<b>Q&A</b>", "- gift"]


@pytest.fixture(scope="module")
def embedded(run_of, tmp_path_factory):
    """A run on the embedded data."""
    folder = tmp_path_factory.mktemp("embedded") / "run"
    return run_of(folder, "dataset.n_customers=80", "algo.params={n_clusters: 3, tol: 1e-4}")


@pytest.fixture(scope="module")
def own(run_of, tmp_path_factory):
    """A run on a CSV file of somebody's own, with markup in ids and texts, and its input."""
    folder = tmp_path_factory.mktemp("own")
    file = folder / "payments.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["=Account", "Booked", "Value", "Memo", "Size"])
        for i in range(60):
            who = MARKUP[i % 8] + str(i % 20)
            row = [who, f"{1 + i % 27}.{1 + i % 12}.2011", f"{-6 + i},50", MARKUP[i % 8], i % 7]
            writer.writerow(row)
        writer.writerow(["", "1.2.2011", "1,50", "a guest", 1])
    run = run_of(
        folder / "run", "dataset=transactions", f"dataset.path={file}", "features=rfm",
        "dataset.columns={customer: '=Account', date: Booked, amount: Value, quantity: null}",
        "features.drop_missing=needed_columns", "features.outliers.rule=none",
        "algo.params={n_clusters: 2, tol: 1e-4}",
    )  # fmt: skip
    return run, file


def cells(file):
    with file.open(newline="") as content:
        return list(csv.reader(content))


def labels(run):
    return dict(zip(run.customers.ids, run.labels(run.points[0]).tolist(), strict=True))


def export(run, *arguments):
    return export_command([str(run.path), "--point", run.points[0], *map(str, arguments)])


def test_every_row_of_the_input_comes_out_with_its_segment(embedded, tmp_path):
    file = tmp_path / "rows.parquet"
    assert export(embedded, "--to", file) == 0
    found, lines = pl.read_parquet(file), generate(80, 0)[0]
    assert found.drop("segment", "name").equals(lines)
    label = labels(embedded)
    expected = [label.get(i) for i in lines["CustomerID"]]
    assert found["segment"].to_list() == expected
    assert None in expected


def test_cells_of_a_csv_file_are_as_they_were_but_for_formulas(own, tmp_path):
    run, file = own
    out = tmp_path / "rows.csv"
    assert export(run, "--to", out) == 0
    before, after = cells(file), cells(out)
    assert len(before) == len(after) == 62
    for then, now in zip(before, after, strict=True):
        for cell, shown in zip(then, now, strict=False):
            risky = cell[:1] in set("=+-@\t\r") and not cell.lstrip("-").replace(",", "").isdigit()
            assert shown == ("'" + cell if risky else cell)
    assert [row[2] for row in after[1:3]] == ["-6,50", "-5,50"]


def test_parquet_and_excel_hold_ids_and_texts_unchanged(own, tmp_path):
    run, file = own
    texts = pl.read_csv(file, infer_schema=False)
    for name in ("rows.parquet", "rows.xlsx"):
        out = tmp_path / name
        assert export(run, "--to", out) == 0
        if name.endswith("xlsx"):
            found = fastexcel.read_excel(out).load_sheet(0).to_polars()
        else:
            found = pl.read_parquet(out)
            assert found.schema["Booked"] == pl.Datetime("us")
        for column in ("=Account", "Memo"):
            # A sheet has no empty text, and no carriage return.
            then = [None if t == "" else t.replace("\r", "\n") for t in texts[column].fill_null("")]
            now = [None if t is None else t.replace("\r", "\n") for t in found[column]]
            assert now == then
        assert found["Value"].to_list() == [float(v.replace(",", ".")) for v in texts["Value"]]
        segment = [None if i is None else labels(run)[i.strip()] for i in texts["=Account"]]
        assert [None if s is None else int(s) for s in found["segment"]] == segment


def test_no_cell_of_a_workbook_is_a_formula_or_a_link(own, tmp_path):
    import zipfile

    out = tmp_path / "rows.xlsx"
    write_frames({out: pl.DataFrame({"a": ["=1+1", "https://example.org", "mailto:a@b"]})})
    with zipfile.ZipFile(out) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    assert "=1+1" in sheet


@pytest.mark.heavy
@given(texts=st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_no_text_of_a_csv_file_begins_a_formula(texts):
    shown = defused(pl.DataFrame({"a": pl.Series(texts, dtype=pl.String)}))["a"].to_list()
    for text, cell in zip(texts, shown, strict=True):
        assert cell in (text, f"'{text}")
        if cell and cell[0] in "=+-@\t\r\n":
            # A number, which a spreadsheet may show otherwise but does not compute.
            assert re.fullmatch(r"[-+][\d.,' ]+(e[-+]?\d+)?%?", cell, re.IGNORECASE)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"), ("+1", "+1"), ("-6", "-6"), ("-1.234,5", "-1.234,5"),
        ("+49 30", "+49 30"),
        ("-2+3", "'-2+3"), ("@x", "'@x"), ("\t=x", "'\t=x"), ("\r", "'\r"), ("-", "'-"), ("", ""),
        ("-1e5", "-1e5"), ("+1e5x", "'+1e5x"), ("\uff1d1", "'\uff1d1"), ("a=b", "a=b"),
        ("-.5", "-.5"),
    ],
)  # fmt: skip
def test_what_a_spreadsheet_takes_for_a_formula_gets_an_apostrophe(text, shown):
    assert defused(pl.DataFrame({"a": [text, None]}))["a"].to_list() == [shown, None]
    assert defused(pl.DataFrame({text: [1]})).columns == [shown]


def test_segments_are_split_into_files_with_safe_names(own, tmp_path):
    run, _ = own
    out = tmp_path / "out.csv"
    assert export(run, "--to", out, "--split") == 0
    files = sorted(p.name for p in tmp_path.iterdir())
    assert files == ["out-0.csv", "out-1.csv", "out-none.csv"]
    n_lines = sum(p.read_text().count("\n") - 1 for p in tmp_path.iterdir())
    assert n_lines >= 61
    with pytest.raises(StoreError, match=r"out-0\.csv exists"):
        export(run, "--to", out, "--split")


def test_names_of_segments_come_with_them_and_lead_nowhere_as_file_names(own, tmp_path):
    """Names are by hand, and may be anything."""
    run = open_run(shutil.copytree(own[0].path, tmp_path / "run"))
    settings = from_plain(run.experiment).segments
    stable = replace(settings.stability, refits=0)
    found = describe(run, replace(settings, point=run.points[0], stability=stable))
    names = ["../../etc/passwd", "=Gänse & <b>Größe</b>"]
    assert name_command([str(run.path), f"0={names[0]}", f"1={names[1]}"]) == 0
    run, folder = open_run(run.path), tmp_path / "files"
    assert export_command([str(run.path), "--to", str(folder / "out.csv"), "--split"]) == 0
    assert sorted(p.name for p in folder.iterdir()) == [
        "out-0-etc-passwd.csv", "out-1-ganse-b-grosse-b.csv", "out-none.csv"
    ]  # fmt: skip
    assert cells(folder / "out-1-ganse-b-grosse-b.csv")[1][-1] == f"'{names[1]}"
    assert export_command([str(run.path), "--to", str(folder / "out.parquet")]) == 0
    rows = pl.read_parquet(folder / "out.parquet").group_by("segment", "name").len()
    sizes = {row[0]: row[1] for row in rows.select("segment", "name").rows()}
    assert sizes == {0: names[0], 1: names[1], None: None}
    assert [s.label for s in found.segments] == [s.label for s in read_segments(run).segments]


def test_a_table_is_joined_by_id(own, tmp_path):
    run, _ = own
    other, out = tmp_path / "other.csv", tmp_path / "out.parquet"
    ids = sorted(run.customers.ids)
    with other.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["who", "Memo", "score"])
        writer.writerows([i, "theirs", k] for k, i in enumerate(ids[:-1]))
    assert export(run, "--to", out, "--join", other, "--on", "who") == 0
    found = pl.read_parquet(out)
    score = {i: str(k) for k, i in enumerate(ids[:-1])}
    # Blanks around an id do not make it another one.
    assert found["score"].to_list() == [score.get((i or "").strip()) for i in found["=Account"]]
    assert {"Memo", "Memo_joined"} < set(found.columns)
    with pytest.raises(DataError, match=r"--on whom: .* Did you mean 'who'\?"):
        export(run, "--to", tmp_path / "x.csv", "--join", other, "--on", "whom")
    other.write_text("who,score\na,1\na,2\n")
    with pytest.raises(DataError, match="1 ids more than once, such as a"):
        export(run, "--to", tmp_path / "x.csv", "--join", other, "--on", "who")


def test_a_join_tells_how_many_customers_it_found_and_refuses_none(embedded, tmp_path, capsys):
    other, out = tmp_path / "other.csv", tmp_path / "out.csv"
    everyone = embedded.all_customers.ids
    other.write_text(f"id,score\n{everyone[0]},1\n{everyone[1]},2\nnobody,3\n")
    asked = ["--to", out, "--customers", "--join", other, "--on", "id"]
    assert export(embedded, *asked) == 0
    assert f"2 of {len(everyone)} customers found in {other}\n" in capsys.readouterr().out
    assert pl.read_csv(out)["score"].to_list()[:3] == [1, 2, None]
    out.unlink()
    for text, shown in (("id,score\n#7,1\n", "the table '#7'"), ("id,score\n,1\n", "has none")):
        other.write_text(text)
        with pytest.raises(DataError, match=f"none of {len(everyone)} customers .* {shown}"):
            export(embedded, *asked)
    assert not out.exists()


def test_a_joined_name_that_is_taken_is_refused(embedded, tmp_path):
    """The second Amount would be called as the table's other column is."""
    other = tmp_path / "other.csv"
    other.write_text(f"id,Amount,Amount_joined\n{embedded.all_customers.ids[0]},1,2\n")
    with pytest.raises(DataError, match=r"would be called Amount_joined, .* rename one of them"):
        export(embedded, "--to", tmp_path / "x.csv", "--customers", "--join", other, "--on", "id")
    assert [p.name for p in tmp_path.iterdir()] == ["other.csv"]


def test_customers_come_with_their_features(embedded, tmp_path):
    out = tmp_path / "customers.parquet"
    assert export(embedded, "--to", out, "--customers") == 0
    found = pl.read_parquet(out)
    everyone = embedded.all_customers
    assert found["CustomerID"].to_list() == list(everyone.ids)
    assert found["Amount"].to_list() == list(everyone.columns["Amount"])
    assert found["segment"].to_list() == [labels(embedded).get(i) for i in everyone.ids]


def test_copies_of_customers_are_in_no_row_of_the_input(run_of, tmp_path):
    run = run_of(tmp_path / "run", "dataset.n_customers=40", "augmentation.factor=2",
                 "algo.params={n_clusters: 2, tol: 1e-4}")  # fmt: skip
    with pytest.raises(StoreError, match="--customers"):
        export(run, "--to", tmp_path / "x.csv")
    assert export(run, "--to", tmp_path / "c.parquet", "--customers") == 0
    found = pl.read_parquet(tmp_path / "c.parquet")
    assert found["segment"].to_list() == run.labels(run.points[0]).tolist()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "x.txt"], ".csv, .parquet, .xlsx"),
        (["--to", "x.csv", "--table", "t"], "--table is for databases"),
        (["--to", "sqlite:///x.db", "--split"], "--split is for files"),
        (["--to", "x.csv", "--join", "y.csv"], "go together"),
        (["--to", "x.csv", "--as", "label=x"], "segment=COLUMN"),
        (["--to"], "expected one argument"),
        (["--to", "x.csv", "--unknown"], "unrecognized arguments: --unknown"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(embedded, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=said):
        export(embedded, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_columns_of_the_same_name_are_refused_and_can_be_called_otherwise(run_of, tmp_path):
    file = tmp_path / "in.csv"
    file.write_text("id,name,t,v\n" + "".join(f"c{i % 9},n{i},2011-01-{1 + i % 20:02},{i}\n"
                                             for i in range(40)))  # fmt: skip
    run = run_of(tmp_path / "run", "dataset=transactions", f"dataset.path={file}", "features=rfm",
                 "dataset.columns={customer: id, date: t, amount: v}",
                 "features.outliers.rule=none",
                 "algo.params={n_clusters: 2, tol: 1e-4}")  # fmt: skip
    with pytest.raises(DataError, match="--as name=segrun_name"):
        export(run, "--to", tmp_path / "x.csv")
    assert export(run, "--to", tmp_path / "x.csv", "--as", "name=cluster_labels") == 0
    assert pl.read_csv(tmp_path / "x.csv").columns == [
        "id", "name", "t", "v", "segment", "cluster_labels"
    ]  # fmt: skip


def test_an_input_that_is_gone_or_another_is_refused(own, tmp_path):
    run, file = own
    moved = tmp_path / "moved.csv"
    moved.write_bytes(file.read_bytes())
    content = file.read_bytes()
    try:
        file.write_text("changed")
        with pytest.raises(StoreError, match=r"payments.csv is not the file that .* read"):
            export(run, "--to", tmp_path / "x.csv")
        file.unlink()
        with pytest.raises(StoreError, match="--input FILE"):
            export(run, "--to", tmp_path / "x.csv")
        assert export(run, "--to", tmp_path / "x.csv", "--input", moved) == 0
    finally:
        file.write_bytes(content)


def test_a_sheet_that_cannot_hold_the_rows_is_refused(tmp_path):
    with pytest.raises(StoreError, match="letters, a cell holds 32767"):
        write_frames({tmp_path / "x.xlsx": pl.DataFrame({"a": ["x" * 40_000]})})
    with pytest.raises(StoreError, match="1048575 below its header"):
        write_frames({tmp_path / "x.xlsx": pl.DataFrame({"a": range(1_048_576)})})
    assert list(tmp_path.iterdir()) == []


def test_of_several_files_all_are_written_or_none(tmp_path):
    (tmp_path / "file").write_text("")
    frame = pl.DataFrame({"a": [1]})
    with pytest.raises(StoreError, match=r"cannot write .*file"):
        write_frames({tmp_path / "a.csv": frame, tmp_path / "file" / "b.csv": frame})
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
