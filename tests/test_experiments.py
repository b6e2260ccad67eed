"""Every committed experiment composes, says its own name, and runs small."""

from pathlib import Path

import pytest

from segrun.config import conf_directory, read_yaml
from segrun.jobs import run_job as run
from segrun.rundir.finished import open_run
from segrun.rundir.store import read_csv
from segrun.segments.segment import read_segments

EXPERIMENTS = sorted(path.stem for path in (conf_directory() / "experiment").glob("*.yaml"))
#: Of the retailer; the others bring data of their own.
RETAIL = [name for name in EXPERIMENTS if name.startswith(("kit_", "bench_"))]

#: Published systems: what makes each small, the column and the names of its segments.
FORMS = {
    "alibaba_rfm": (["dataset.n_customers=200"], 5),
    "dataiku_weblogs": (["dataset.n_visitors=300"], 5),
    "dataflow_tiers": (["dataset.n_users=200"], 3),
    "dataflow_tiers_groups": (["dataset.n_users=300"], 3),
}

# The same experiment on fewer customers, without a download.
SMALL = ["dataset=synthetic_retail", "dataset.n_customers=60", "hydra.sweep.dir=sweep"]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_names_itself(name):
    content = read_yaml(conf_directory() / "experiment" / f"{name}.yaml")
    assert content["name"] == name


@pytest.mark.slow
def test_all_experiments_run_small(segrun, tmp_path):
    # Each brings its own sweep over backends, rounds and sizes: of these, one value.
    one = ["backend=sklearn", "timing.round=1", "augmentation=none", "augmentation.rows=null"]
    done = segrun("-m", "experiment=" + ",".join(RETAIL), *SMALL, *one, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = read_csv(tmp_path / "sweep" / "scores.csv")
    assert {row["name"] for row in rows} == set(RETAIL)
    assert {row["status"] for row in rows} == {"done"}
    for name in RETAIL:
        kmeans = "kmeans" in name or name == "bench_growth_scores"
        few = {"bench_kmeans_small": 6, "bench_many_customers": 1}
        expected = few.get(name, 27 if kmeans else 9)
        assert sum(row["name"] == name for row in rows) == expected


@pytest.mark.heavy
@pytest.mark.parametrize("name", FORMS)
def test_published_systems_find_segments_with_true_names(
    name, composed, tmp_path, check_names_are_true
):
    small, n_segments = FORMS[name]
    experiment = composed(f"experiment={name}", "report=none", "segments.stability.refits=0",
                          "backend=sklearn", *small)  # fmt: skip
    done = run(experiment, tmp_path / "run")
    assert done.status == "done"
    found = read_segments(open_run(tmp_path / "run"))
    assert len(found.segments) == n_segments
    assert len({segment.name for segment in found.segments}) == n_segments
    assert sum(segment.share for segment in found.segments) == pytest.approx(1)
    assert check_names_are_true(tmp_path / "run") > 0


@pytest.mark.slow
def test_algorithms_by_yaml_alone_run_and_give_labels(segrun, tmp_path):
    names = sorted(path.stem for path in Path(conf_directory() / "algo").glob("*.yaml"))
    done = segrun("-m", "algo=" + ",".join(names), "dataset.n_customers=300",
                  "hydra.sweep.dir=sweep", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = read_csv(tmp_path / "sweep" / "scores.csv")
    assert {row["algo"] for row in rows} == set(names)
    assert {row["status"] for row in rows} == {"done"}
