"""Describing a run: from its directory alone, the same each time; its failure costs no run."""

import shlex
import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.metrics import adjusted_rand_score

from segrun.cli.export import export_command
from segrun.cli.segments import describe_command, name_command
from segrun.config.override import segments_config
from segrun.data.datasets.synthetic_retail import generate
from segrun.errors import ConfigError, DataError, StoreError
from segrun.jobs import run_job as run
from segrun.report.html.reported import ReportedRun
from segrun.rundir.finished import open_run
from segrun.rundir.store import read_csv
from segrun.rundir.timings import Timings
from segrun.segments.describe import describe, describe_stage
from segrun.segments.segment import is_described, read_segments

pytestmark = pytest.mark.heavy

FILES = (
    "profile.csv facts.csv criteria.csv stability.csv separability.csv confusion.csv rules.txt "
    "members.parquet settings.json segments.json"
).split()


@pytest.fixture
def copy(small, tmp_path):
    """A copy of the run that may be changed."""
    return shutil.copytree(small.path, tmp_path / "run")


def described(path, *overrides):
    run = open_run(path)
    return describe(run, segments_config(run.experiment, overrides))


def contents(path):
    return {name: (path / "segments" / name).read_bytes() for name in FILES}


def test_the_planted_types_are_recovered(planted):
    """Must show 2: adjusted Rand index of at least 0.9 against the types that were planted."""
    assert planted.selected == "n_clusters=5,tol=0.0001"
    members = pl.read_parquet(planted.path / "segments" / "members.parquet")
    truth = generate(600, 0, 6.0)[1]
    both = members.join(truth, on="CustomerID")
    assert len(both) == 600
    assert adjusted_rand_score(both["type"], both["segment"]) >= 0.9


def test_the_facts_name_what_was_planted(planted):
    members = pl.read_parquet(planted.path / "segments" / "members.parquet")
    both = members.join(generate(600, 0, 6.0)[1], on="CustomerID")
    types = {
        str(number): Counter(group["type"]).most_common(1)[0][0]
        for (number,), group in both.group_by("segment")
    }
    assert set(types.values()) == {"wholesaler", "regular", "gift_season", "one_timer", "lapsed"}
    facts = read_csv(planted.path / "segments" / "facts.csv")
    told = {
        (types[row["segment"]], row["column"], float(row["effect"]) > 0)
        for row in facts
        if int(row["rank"]) <= 6
    }
    assert told >= {
        ("wholesaler", "NumberOfOrders", True), ("wholesaler", "Amount", True),
        ("regular", "months", True),
        ("gift_season", "October", True), ("gift_season", "November", True),
        ("gift_season", "December", True),
        ("one_timer", "NumberOfOrders", False),
        ("lapsed", "January", True), ("lapsed", "February", True), ("lapsed", "March", True),
        ("lapsed", "Recency", True),
    }  # fmt: skip
    texts = {types[row["segment"]]: row["text"] for row in facts if row["column"] == "months"}
    assert "of their purchases are in October to December" in texts["gift_season"]


def test_lines_that_are_counted_are_called_lines_beside_invoices(planted):
    facts = read_csv(planted.path / "segments" / "facts.csv")
    told = [row["text"] for row in facts if row["column"] == "NumberOfOrders"]
    assert told
    assert all("NumberOfOrders (lines)" in text for text in told)
    # Which would contradict it otherwise.
    assert "Invoices" in pl.read_parquet(planted.file("about.parquet")).columns
    assert "NumberOfOrders (lines)" in ReportedRun(planted, read_segments(planted)).features


def test_the_run_describes_itself_and_has_a_timing_of_it(planted):
    stages = [row["stage"] for row in read_csv(planted.path / "timings.csv")]
    assert stages.count("describe") == 1
    assert {f"segments/{name}" for name in FILES} <= set(planted.files)
    assert all(planted.file(f"segments/{name}") for name in FILES)


def test_described_again_every_file_is_the_same(planted, tmp_path):
    """Must show 6: the same seed, the same numbers, to the last byte."""
    path = shutil.copytree(planted.path, tmp_path / "run")
    described(path)
    assert contents(path) == contents(planted.path)


def test_numbers_names_and_sizes_agree_in_every_table(copy):
    segments = described(copy)
    members = pl.read_parquet(copy / "segments" / "members.parquet")
    sizes = dict(members.group_by("segment").len().iter_rows())
    names = {str(s.number): s.name for s in segments.segments}
    for segment in segments.segments:
        assert sizes[segment.number] == segment.size
    # Customers that were set aside are in none.
    assert sizes.pop(-1) == len(open_run(copy).all_customers) - len(open_run(copy).customers)
    assert [s.size for s in segments.segments] == sorted(sizes.values(), reverse=True)
    assert sum(s.share for s in segments.segments) == pytest.approx(1)
    for table in ("profile", "facts", "stability"):
        for row in read_csv(copy / "segments" / f"{table}.csv"):
            assert row["name"] == names.get(row["segment"], "")
    assert read_segments(open_run(copy)).to_json() == segments.to_json()


def test_the_profile_is_that_of_the_members(copy):
    described(copy)
    members = pl.read_parquet(copy / "segments" / "members.parquet")
    features = pl.read_parquet(copy / "features_all.parquet")
    both = pd.DataFrame(features.join(members, on="CustomerID").to_dict(as_series=False))
    for row in read_csv(copy / "segments" / "profile.csv"):
        if row["clustered"] == "true":
            own = both[both["segment"] == int(row["segment"])][row["column"]]
            assert float(row["mean"]) == pytest.approx(own.mean())
            assert float(row["q95"]) == pytest.approx(own.quantile(0.95))
            overall = both[both["segment"] >= 0][row["column"]]
            assert float(row["overall_mean"]) == pytest.approx(overall.mean())
            z = (own.mean() - overall.mean()) / overall.std(ddof=0)
            assert float(row["z"]) == pytest.approx(z)


def test_in_order_of_a_column_the_lowest_mean_comes_first(copy):
    described(copy, "segments.order_by=recency", "segments.point=n_clusters=4,tol=0.0001")
    means = [float(row["mean"]) for row in read_csv(copy / "segments" / "profile.csv")
             if row["column"] == "Recency"]  # fmt: skip
    assert len(means) == 4
    assert means == sorted(means)


@pytest.mark.parametrize("policy", ["drop", "own", "keep"])
def test_customers_set_aside_go_where_the_policy_says(finished, tmp_path, policy):
    run = finished(
        tmp_path / "run", "features=rfm", "dataset.n_customers=120", "algo.params.tol=1e-4",
        "algo.params.n_clusters=3", "features.outliers.low=0.1", "features.outliers.high=0.8",
        "features.outliers.factor=0.6", "features.allow_removed=1", "segments.stability.refits=0",
    )  # fmt: skip
    n_aside = len(run.all_customers) - len(run.customers)
    assert n_aside > 5
    segments = described(run.path, f"segments.outliers={policy}")
    members = pl.read_parquet(run.path / "segments" / "members.parquet")
    assert members["CustomerID"].sort().to_list() == sorted(run.all_customers.ids)
    outside = members.filter(pl.col("name") == "")
    assert len(outside) == (n_aside if policy == "drop" else 0)
    assert set(outside["segment"]) <= {-1}
    last = segments.segments[-1]
    assert (last.number == -1 and last.name == "Outliers" and last.size == n_aside) == (
        policy == "own"
    )
    if policy == "keep":
        X = np.column_stack(list(run.all_customers.columns.values()))
        predicted = run.model(segments.point).predict(X)
        label_of = dict(zip(run.all_customers.ids, predicted, strict=True))
        numbers = {s.label: s.number for s in segments.segments}
        for key, number in zip(members["CustomerID"], members["segment"], strict=True):
            assert number == numbers[label_of[key]]


def test_names_by_hand_appear_everywhere_and_outlive_a_new_description(copy, capsys):
    described(copy, "segments.point=n_clusters=3,tol=0.0001")
    assert name_command([str(copy), "0=A & B, Ltd.", "2=Gift <shops>"]) == 0
    assert "Gift <shops>" in capsys.readouterr().out

    def names():
        run = open_run(copy)
        for table in ("profile", "facts", "stability"):
            found = {row["segment"]: row["name"] for row in run.table(f"segments/{table}.csv")}
            assert found.pop("", "") == ""
            assert found == {str(s.number): s.name for s in read_segments(run).segments}
        members = pl.read_parquet(run.file("segments/members.parquet"))
        named = members.filter(pl.col("segment") >= 0)["name"]
        assert set(named) == {s.name for s in read_segments(run).segments}
        rules = run.file("segments/rules.txt").read_text()
        assert all(f": {s.name}\n" in rules for s in read_segments(run).segments)
        return [s.name for s in read_segments(run).segments]

    before = names()
    assert before[0] == "A & B, Ltd."
    assert before[2] == "Gift <shops>"
    # In another order the same segments keep them.
    described(copy, "segments.point=n_clusters=3,tol=0.0001", "segments.order_by=Amount")
    assert sorted(names()) == sorted(before)
    # Another point has none of them.
    described(copy, "segments.point=n_clusters=2,tol=0.0001")
    assert not set(names()) & {"A & B, Ltd.", "Gift <shops>"}


def test_no_table_has_a_formula_of_a_name(copy):
    described(copy)
    name_command([str(copy), "0==cmd|' /C calc'!A0"])
    described(copy)
    assert read_segments(open_run(copy)).segments[0].name == "=cmd|' /C calc'!A0"
    for table in ("profile", "facts", "stability"):
        text = (copy / "segments" / f"{table}.csv").read_text()
        assert ",'=cmd|' /C calc'!A0," in text
        assert ",=cmd" not in text
        # And read as it was given.
        names = {row["name"] for row in read_csv(copy / "segments" / f"{table}.csv")}
        assert "=cmd|' /C calc'!A0" in names


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["7=x"], r"no segment 7\. Segments: 0 \("),
        (["0="], "cannot be called ''"),
        (["0=  "], "cannot be called ''"),
        (["0=two\nlines"], "in one line"),
        (["0=Same", "1=same"], "segment 1 is"),
        (["0=" + "x" * 101], "1 to 100 letters"),
    ],
)
def test_names_that_cannot_stand_are_refused_and_change_nothing(copy, arguments, told):
    described(copy)
    before = contents(copy)
    with pytest.raises(DataError, match=told):
        name_command([str(copy), *arguments])
    assert contents(copy) == before


@pytest.mark.parametrize(
    ("command", "arguments", "told"),
    [
        (name_command, [], "no name is given"),
        (name_command, ["Gift shops"], "is no name of a segment"),
        (name_command, ["0=a", "0=b"], "segment 0 is given two names"),
        (describe_command, ["segments.pont=1"], r"segments\.pont"),
        (describe_command, ["order_by=size"], "is no setting of the segments"),
        (describe_command, ["segments.outliers=lose"], r"segments\.outliers.*drop, keep, own"),
        (describe_command, ["segments.stability.share=1"], r"share must be above 0 and below 1"),
        (describe_command, ["--point"], "expected one argument"),
        (describe_command, ["--pont", "n_clusters=9"], "unrecognized arguments: --pont"),
        (describe_command, ["--point", "n_clusters=9"], "is no point of .*Did you mean"),
        (
            describe_command,
            ["segments.point=n_clusters=9"],
            "is no point of .*Did you mean 'n_clusters=",
        ),
    ],
)
def test_wrong_commands_are_refused(small, command, arguments, told):
    with pytest.raises(ConfigError, match=told):
        command([str(small.path), *arguments])


def test_a_point_is_named_as_apply_and_export_name_it(small, copy):
    point = small.points[-1]
    assert describe_command([str(copy), "--point", point, "segments.stability.refits=0"]) == 0
    assert read_segments(open_run(copy)).point == point


def test_a_run_that_is_not_there_or_not_described_or_changed_is_refused(small, copy):
    with pytest.raises(ConfigError, match="which run"):
        describe_command([])
    with pytest.raises(StoreError, match="has no segments yet: segrun describe"):
        name_command([str(small.path), "0=x"])
    with pytest.raises(StoreError, match="is no directory"):
        describe_command([str(copy / "nowhere")])
    features = copy / "features.parquet"
    features.write_bytes(features.read_bytes() + b"\0")
    with pytest.raises(StoreError, match=r"features\.parquet is not the file"):
        describe_command([str(copy)])
    assert not (copy / "segments").exists()


@pytest.mark.parametrize("key", ["segments.order_by=Recncy", "segments.names.rules.A=Recncy > 3"])
def test_a_column_that_the_run_lacks_is_refused_with_those_it_has(copy, key):
    with pytest.raises(DataError, match=r"no column 'Recncy'\. Did you mean 'Recency'"):
        described(copy, key)
    assert not (copy / "segments").exists()


def test_where_no_point_is_within_the_limits_that_is_said(finished, tmp_path):
    run = finished(
        tmp_path / "run", "features=rfm", "dataset.n_customers=80", "algo.params.tol=1e-4",
        "algo.grid.n_clusters=[2,3]", "evaluation.min_clusters=9", "segments.describe=true",
        "segments.stability.refits=2",
    )  # fmt: skip
    assert run.selected is None
    assert not run.has("segments/segments.json")
    assert {row["limit"] for row in run.scores} == {
        "n_clusters 2 < min_clusters 9", "n_clusters 3 < min_clusters 9"
    }  # fmt: skip
    with pytest.raises(StoreError, match=r"n_clusters 2 < min_clusters 9.*segrun describe") as told:
        described(run.path)
    # What it says can be pasted: the point is described, and its limit told.
    command = shlex.split(str(told.value).partition("Name one: ")[2].partition(". Points")[0])
    assert command[:3] == ["segrun", "describe", str(run.path)]
    segments = described(run.path, *command[3:])
    assert segments.point == "n_clusters=2,tol=0.0001"
    texts = {warning["kind"]: warning["text"] for warning in segments.warnings}
    assert texts["limits"] == "None of the 2 points satisfies the limits of evaluation"
    criteria = read_csv(run.path / "segments" / "criteria.csv")
    assert {row["point"] for row in criteria} == {""}


def test_without_models_the_segments_are_the_same(finished, tmp_path):
    overrides = ["features=rfm", "transform=log_standard", "features.cancellations=remove",
                 "dataset.n_customers=100", "algo.params.tol=1e-4", "algo.params.n_clusters=3",
                 "segments=full", "segments.stability.refits=2"]  # fmt: skip
    kept = finished(tmp_path / "kept", *overrides)
    bare = finished(tmp_path / "bare", *overrides, "store.models=none")
    assert not bare.has_model("n_clusters=3,tol=0.0001")
    assert contents(kept.path) == contents(bare.path)


@pytest.mark.parametrize("name", ["name", "segment"])
def test_an_id_column_of_any_name_is_kept(finished, tmp_path, name):
    table = tmp_path / "table.csv"
    rows = [f"c{row},{row % 2 * 10 + row / 100}\n" for row in range(20)]
    table.write_text(f"{name},a\n{''.join(rows)}")
    run = finished(
        tmp_path / "run", "features=table", "dataset=table", f"dataset.path={table}",
        f"dataset.id={name}", "+dataset.columns={a: number}", "algo.grid.n_clusters=[2]",
        "algo.params.tol=1e-4", "segments=full", "segments.stability.refits=0",
    )  # fmt: skip
    members = pl.read_parquet(run.path / "segments" / "members.parquet")
    assert members.columns == ["customer", "segment", "name"]
    assert sorted(members["customer"]) == sorted(f"c{row}" for row in range(20))
    assert members["segment"].to_list() == ReportedRun(run, read_segments(run)).numbers.tolist()
    name_command([str(run.path), "0=First"])
    again = pl.read_parquet(run.path / "segments" / "members.parquet")
    assert again["customer"].to_list() == members["customer"].to_list()
    assert set(again.filter(pl.col("segment") == 0)["name"]) == {"First"}
    # Its rows have a column of that name, so that the segments' needs another.
    to = ["--to", str(tmp_path / "out.csv"), "--as", "segment=number,name=called"]
    assert export_command([str(run.path), *to]) == 0
    both = pl.read_csv(tmp_path / "out.csv").join(members, left_on=name, right_on="customer")
    assert len(both) == 20
    assert (both["number"] == both["segment" if name == "name" else "segment_right"]).all()


@pytest.mark.parametrize("policy", ["drop", "keep", "own"])
def test_noise_alone_is_told_and_costs_nothing(finished, tmp_path, policy):
    run = finished(
        tmp_path / "run", "features=rfm", "dataset.n_customers=30", "algo=dbscan",
        "algo.grid.eps=[0.001]", "algo.grid.min_samples=[5]", "segments.describe=true",
    )  # fmt: skip
    segments = described(
        run.path, "segments.point='min_samples=5,eps=0.001'", f"segments.outliers={policy}"
    )
    assert "all_noise" in {warning["kind"] for warning in segments.warnings}
    assert [s.number for s in segments.segments] == ([-1] if policy == "own" else [])


def test_a_name_by_hand_of_a_segment_that_is_only_listed_outlives_a_description(finished, tmp_path):
    path = tmp_path / "run"
    finished(
        path, "features=rfm", "dataset.n_customers=450", "algo.grid.n_clusters=[205]",
        "algo.params.tol=1e-4", "segments=full", "segments.stability.refits=0",
    )  # fmt: skip
    profiled = {row["segment"] for row in read_csv(path / "segments" / "profile.csv")}
    number = next(
        s.number for s in read_segments(open_run(path)).segments if str(s.number) not in profiled
    )
    name_command([str(path), f"{number}=Tiny"])
    assert described(path).name(number) == "Tiny"


SMALL = ["backend=sklearn", "features=rfm", "dataset.n_customers=60", "algo.params.tol=1e-4",
         "algo.grid.n_clusters=[2,3]", "segments=full", "segments.stability.refits=0",
         "report=html"]  # fmt: skip


def test_what_was_run_stands_when_it_cannot_be_described(composed, tmp_path, caplog):
    bare = run(composed(*SMALL, "segments.describe=false", "report=none"), tmp_path / "bare")
    # No column is known before the data are read, where some are only found in them.
    wrong = "segments.order_by=Nowhere"
    counted = ["features=aggregate", wrong, "+features.columns={Country: {function: count, "
               "per: Country}, Lines: {function: count}}"]  # fmt: skip
    path = tmp_path / "run"
    result = run(composed(*SMALL, *counted), path)
    assert (result.status, result.exit_code) == ("done", 1)
    assert "order_by: there is no column 'Nowhere'" in result.undescribed
    assert f"segrun describe {path}" in caplog.text
    found = open_run(path)
    assert found.selected == result.selected
    assert not is_described(found)
    assert not [name for name in found.files if name.startswith("segments/")]
    assert {row["status"] for row in read_csv(path / "scores.csv")} == {"done"}
    assert bare.exit_code == 0
    describe(found, segments_config(found.experiment, ["segments.order_by=Lines"]))
    assert is_described(open_run(path))


def test_no_error_of_describing_costs_the_run(composed, tmp_path, caplog):
    """Whatever it is: no bug of ours in the segments may cost somebody a night of fits."""
    experiment = composed(*SMALL, "segments.describe=false", "report=none")
    run(experiment, tmp_path / "run")
    found = open_run(tmp_path / "run")
    labels = found.labels(found.selected)
    # What no configuration can be, so that nobody foresees it.
    odd = replace(experiment, segments=replace(experiment.segments, names=None))
    with found.amend() as out:
        why = describe_stage(odd, out, Timings(), {"selected": found.selected})
    assert why.startswith("the segments are not described: AttributeError: ")
    assert "segrun describe" in caplog.text
    after = open_run(found.path)
    assert not is_described(after)
    assert np.array_equal(after.labels(found.selected), labels)
