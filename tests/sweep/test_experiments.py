"""Several experiments in one sweep: composed, planned, run small, resumed and reproduced."""

import random
import shutil
from datetime import date, timedelta
from itertools import combinations

import pytest

from segrun.cli.compose import compose_experiment, launch
from segrun.cli.main import dispatch
from segrun.cli.reproduce import reproduce_command
from segrun.cli.session import Planning
from segrun.config import conf_directory, plain, read_yaml
from segrun.errors import ConfigError
from segrun.rundir.store import read_csv
from segrun.sweep.resume import resume_command

pytestmark = pytest.mark.heavy

#: One of each kind, with the number of jobs that it is by itself.
KINDS = {"kit_kmeans_x1": 1, "bench_dbscan_small": 9, "alibaba_rfm": 1}
MORE = {"kit_dbscan_x1_rfm": 1, "bench_kmeans_small": 9, "planted_types": 1}

SMALL = ["timing.round=0", "timing.repeats=1", "backend=sklearn", "report=none",
         "segments.stability.refits=0", "preflight.action=none", "hydra/launcher=basic",
         "hydra.sweep.dir=sweep"]  # fmt: skip


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    """A file as the UCI Online Retail data are: 40 customers over half a year."""
    rng = random.Random(5)
    lines = ["InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"]
    for number in range(400):
        customer = 12000 + number % 40
        day = date(2011, 1, 1) + timedelta(days=rng.randrange(180))
        price = rng.choice((1.25, 3.5, 10)) * (1 + number % 4)
        lines.append(f"{536000 + number},A1,CUP,{rng.randrange(1, 9)},{day:%Y-%m-%d} 10:00:00,"
                     f"{price},{customer},United Kingdom")  # fmt: skip
    path = tmp_path_factory.mktemp("sales") / "sales.csv"
    path.write_text("\n".join([*lines, ""]))
    return path


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEGRUN_CACHE", str(tmp_path / "cache"))
    return tmp_path


def plan(*overrides, capsys):
    capsys.readouterr()
    assert launch(["--multirun", *overrides], Planning()) == 0
    return capsys.readouterr().out


def together(pair, n_jobs, sales, here, capsys):
    """Take a pair of experiments all the way."""
    asked = [f"experiment={','.join(pair)}", "dataset=online_retail", f"dataset.path={sales}"]
    page = plan(*asked, capsys=capsys)
    assert f"{n_jobs} jobs: {n_jobs} missing" in page

    assert launch(["--multirun", *asked, *SMALL]) == 0
    rows = read_csv(here / "sweep" / "scores.csv")
    assert {row["name"] for row in rows} == set(pair)
    assert {row["status"] for row in rows} == {"done"}
    jobs = read_csv(here / "sweep" / "jobs.csv")
    assert len(jobs) == 2

    # As if it had been killed before the second began.
    shutil.rmtree(here / "sweep" / jobs[1]["job"])
    assert resume_command(["sweep"]) == 0
    assert len(read_csv(here / "sweep" / "scores.csv")) == len(rows)
    assert (here / "sweep" / jobs[1]["job"] / "segrun.log").is_file()

    capsys.readouterr()
    assert reproduce_command(["sweep", "hydra/launcher=basic"]) == 0
    assert "the same" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize("pair", list(combinations(KINDS, 2)), ids="-".join)
def test_a_pair_of_experiments_is_planned_run_resumed_and_reproduced(pair, sales, here, capsys):
    together(pair, sum(KINDS[name] for name in pair), sales, here, capsys)


@pytest.mark.slow
@pytest.mark.parametrize(
    "pair",
    [pair for pair in combinations(KINDS | MORE, 2) if not set(pair) <= set(KINDS)],
    ids="-".join,
)
def test_every_other_pair_is_planned_run_resumed_and_reproduced(pair, sales, here, capsys):
    together(pair, sum((KINDS | MORE)[name] for name in pair), sales, here, capsys)


@pytest.mark.parametrize(
    ("asked", "n_jobs"),
    [
        (["experiment=kit_kmeans_x1,kit_kmeans_x10,kit_kmeans_x100", "dataset.path=FILE"], 3),
        (["experiment=kit_dbscan_x1,kit_dbscan_x10,kit_dbscan_x15", "dataset.path=FILE"], 3),
        (["algo=dbscan,hdbscan", "algo.params.metric=euclidean"], 2),
        (["dataset=online_retail,transactions", "dataset.path=FILE"], 2),
        (["algo=dbscan,hdbscan", "+algo.params.more=1", "algo.grid={eps: [1]}"], None),
        (["dataset=synthetic_retail,online_retail", "dataset.path=FILE"], None),
        (["hydra/sweeper=optuna", "dataset=online_retail,transactions", "dataset.path=FILE"], 0),
    ],
)  # fmt: skip
def test_an_override_is_checked_against_the_groups_that_each_job_chooses(
    asked, n_jobs, sales, here, capsys
):
    asked = [text.replace("FILE", str(sales)) for text in asked]
    if n_jobs is None:
        assert launch(["--multirun", *asked], Planning()) == 2
        assert "job " in capsys.readouterr().err
    else:
        page = plan(*asked, capsys=capsys)
        assert (f"{n_jobs} jobs" if n_jobs else "100 trials") in page


def test_a_value_of_the_sweep_itself_counts_where_others_do_not_fit_it(sales, here):
    """The first composition fails on dataset.path; the directory is named all the same."""
    asked = ["dataset=online_retail,online_retail", f"dataset.path={sales}", "name=mine"]
    small = [text for text in SMALL if not text.startswith("hydra.sweep.dir")]
    assert launch(["--multirun", *asked, *small, "algo.params.n_clusters=2"]) == 0
    (found,) = (here / "outputs").iterdir()
    assert found.name == "mine"


def test_an_experiment_brings_its_own_sweep_in_its_own_order(here, capsys):
    own = [(n, backend) for n in range(3) for backend in ("onedal", "sklearn", "native")]
    names = ["bench_kmeans_small", "bench_dbscan_small"]
    page = plan(f"experiment={','.join(names)}", capsys=capsys)
    wanted = [(name, n, backend) for name in names for n, backend in own]
    rows = [line.split() for line in page.splitlines()[1:] if " experiment=" in line]
    assert [
        (experiment, f"timing.round={n}", f"backend={backend}") for experiment, n, backend in wanted
    ] == [(row[3].partition("=")[2], row[1], row[2]) for row in rows]
    # What the command line says counts more, and keeps its place.
    page = plan(f"experiment={','.join(names)}", "backend=native,sklearn", "timing.round=4",
                capsys=capsys)  # fmt: skip
    assert "4 jobs" in page


def test_what_all_jobs_share_cannot_be_of_one_experiment(here, capsys):
    folder = here / "conf" / "experiment"
    folder.mkdir(parents=True)
    head = "# @package _global_\n"
    (folder / "a.yaml").write_text(head + "name: a\nhydra: {launcher: {n_jobs: 2}}\n")
    (folder / "b.yaml").write_text(head + "name: b\n")
    assert launch(["--multirun", "experiment=a,b"], Planning()) == 2
    said = capsys.readouterr().err
    assert "experiment=a sets hydra.launcher.n_jobs=2" in said
    assert "2 jobs" in plan("experiment=a,b", "hydra.launcher.n_jobs=2", capsys=capsys)
    # Of an optimiser too, which has one space.
    asked = ["--multirun", "hydra/sweeper=optuna", "experiment=b,bench_dbscan_small"]
    assert launch(asked, Planning()) == 2
    assert "timing.round=range(0,3)" in capsys.readouterr().err


def test_jobs_of_several_names_run_and_go_on_also_where_the_sweep_was_moved(here):
    small = ["algo=dbscan", "algo.params.eps=3", "algo.params.min_samples=3",
             "dataset.n_customers=60", "backend=sklearn", "hydra/launcher=basic"]  # fmt: skip
    assert launch(["--multirun", "name=a,b", *small]) == 0
    (sweep,) = (here / "outputs" / "default").iterdir()
    assert sorted(p.name for p in (here / "outputs").iterdir()) == ["default"]
    assert [row["name"] for row in read_csv(sweep / "scores.csv")] == ["a", "b"]
    moved = sweep.rename(here / "moved")
    shutil.rmtree(moved / "1-dbscan")
    assert resume_command(["moved"]) == 0
    assert (moved / "1-dbscan" / "segrun.log").is_file()
    assert {row["status"] for row in read_csv(moved / "scores.csv")} == {"done"}


#: Some of each kind and one that extends each kind of them; the others are slow together.
QUICK = {"kit_kmeans_x1", "kit_dbscan_x1", "bench_kmeans_small", "bench_growth_scores",
         "dataflow_tiers_groups", "alibaba_rfm", "dataiku_weblogs"}  # fmt: skip
EXPERIMENTS = [
    pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow)
    for name in sorted(path.stem for path in (conf_directory() / "experiment").glob("*.yaml"))
]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_leaves_another_algorithm_as_it_is(name, sales, capsys):
    own = compose_experiment([f"experiment={name}", *_path(name, sales)])
    capsys.readouterr()
    # A mixed one would have keys of both.
    found = compose_experiment([f"experiment={name}", "algo=birch", *_path(name, sales)])
    assert plain(found)["algo"] == plain(compose_experiment(["algo=birch"]))["algo"]
    assert found.segments.point is None or found.segments.point == own.segments.point
    has_own = "algo" in read_yaml(conf_directory() / "experiment" / f"{name}.yaml")
    assert ("algo=birch is asked for" in capsys.readouterr().err) == has_own
    # Named, its own algorithm is what it is without being named.
    named = compose_experiment([f"experiment={name}", f"algo={own.algo.name}", *_path(name, sales)])
    assert plain(named) == plain(own)


def _path(name, sales):
    text = (conf_directory() / "experiment" / f"{name}.yaml").read_text()
    needs = "override /dataset: online_retail" in text or name == "bench_growth_scores"
    return [f"dataset.path={sales}"] if needs else []


def test_what_an_experiment_sets_of_a_dataset_stays_with_that_dataset(sales, capsys):
    found = compose_experiment(
        ["experiment=bench_kmeans_small", "dataset=online_retail", f"dataset.path={sales}"]
    )
    assert found.dataset.name == "online_retail"
    assert "its settings of dataset are left out" in capsys.readouterr().err
    assert compose_experiment(["experiment=bench_kmeans_small"]).dataset.n_customers == 1000
    assert not capsys.readouterr().err


@pytest.mark.parametrize("grid", ["algo.grid.n_clusters=[3,5]", "algo.grid={n_clusters: [3,5]}"])
def test_values_of_an_axis_that_is_fixed_are_refused(grid, here, capsys):
    with pytest.raises(ConfigError, match=r"algo\.params\.n_clusters=null"):
        compose_experiment(["algo.params.n_clusters=7", grid])
    assert launch(["--multirun", "seed=1,2", "algo.params.n_clusters=7", grid], Planning()) == 2
    assert "algo.params.n_clusters=7 fixes n_clusters" in capsys.readouterr().err
    # The advice, pasted.
    freed = compose_experiment(["experiment=dataflow_tiers", grid, "algo.params.n_clusters=null"])
    assert freed.algo.grid["n_clusters"] == [3, 5]


@pytest.mark.parametrize(
    "key", ["sweeper.pruner", "launcher.n_job", "sweep.folder", "++hydra.sweeper.n_trails"]
)
def test_a_key_that_is_added_to_hydras_settings_is_refused(key, here, capsys):
    asked = key if key.startswith("+") else f"+hydra.{key}"
    assert launch(["--multirun", "hydra/sweeper=optuna", f"{asked}=1"], Planning()) == 2
    assert f"unknown key {asked.lstrip('+')}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "asked",
    [["mine.yaml", "-m", "seed=1,2"], ["-m", "mine.yaml", "seed=1,2"],
     ["mine.yaml", "seed=1,2", "-m"], ["experiment=x", "-m", "seed=1,2"],
     ["plan", "mine.yaml", "seed=1,2"]],
)  # fmt: skip
def test_options_and_a_file_may_stand_anywhere(asked, here, capsys):
    text = "# @package _global_\nname: mine\ndataset: {n_customers: 50}\n"
    (here / "mine.yaml").write_text(text)
    (here / "conf" / "experiment").mkdir(parents=True)
    (here / "conf" / "experiment" / "x.yaml").write_text(text)
    small = ["algo.params.n_clusters=2", "algo.params.tol=0.1", "backend=sklearn",
             "hydra/launcher=basic", "hydra.sweep.dir=sweep"]  # fmt: skip
    assert dispatch([*asked, *small]) == 0
    assert "1-kmeans" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "wanted"),
    [("segrun plan eng", "engine="), ("segrun mine.yaml eng", "engine="),
     ("segrun algo=dbscan -m eng", "engine="), ("segrun plan --estimate algo=db", "algo=dbscan"),
     ("segrun resume ", ""), ("segrun plan '", "")],
)  # fmt: skip
def test_tab_completes_and_never_complains(line, wanted, monkeypatch, here, capsys):
    monkeypatch.setenv("COMP_LINE", line)
    dispatch(["-sc", "query=bash"])
    said = capsys.readouterr()
    assert said.err == ""
    assert wanted in said.out
    assert bool(wanted) == bool(said.out.strip())
