"""Studies: the same points after a kill, no trial doubled or lost, and who is the best."""

from __future__ import annotations

import json
import math
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from itertools import product
from pathlib import Path

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.engine import Engine

from segrun.algorithms.space.dimension import dimension
from segrun.algorithms.space.space import Base, Space
from segrun.errors import ConfigError, StoreError
from segrun.sweep.study.settings import SCORES, Objective, Settings, limits_of, settings_of
from segrun.sweep.study.study import Study
from segrun.sweep.study.trial import front

pytestmark = pytest.mark.heavy

ROOT = Path(__file__).parents[2]
ALGORITHMS = {
    "kmeans": {"n_clusters": "range(2, 31)", "tol": "tag(log, interval(1e-6, 1e-2))"},
    "dbscan": {"eps": "interval(0.1, 2.0)", "min_samples": [5, 10, None]},
    "birch": {"n_clusters": "int(interval(2, 12))", "threshold": "range(0.1, 1.0, 0.1)"},
}


def fast(connection, _record):
    """Leave out what is for a failure of the power alone: a kill is survived without it."""
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(autouse=True, scope="module")
def _fast():
    event.listen(Engine, "connect", fast)
    yield
    event.remove(Engine, "connect", fast)


def drawn(values):
    return {key: dimension(key, text) for key, text in values.items()}


def conditional():
    bases = []
    for algo, features in product(ALGORITHMS, ("rfm", "rfm_calendar")):
        params = {f"algo.params.{name}": text for name, text in ALGORITHMS[algo].items()}
        dimensions = drawn({**params, "transform.pca": "interval(0.5, 0.99)"})
        bases.append(Base({"algo": algo, "features": features}, dimensions))
    groups = {"algo": tuple(ALGORITHMS), "features": ("rfm", "rfm_calendar")}
    return Space(groups, tuple(bases))


def small(text="interval(0, 1)"):
    return Space({}, (Base({}, drawn({"x": text})),))


SILHOUETTE = (Objective("silhouette", "maximize"),)
BOTH = (*SILHOUETTE, Objective("davies_bouldin", "minimize"))


def settings(path, **changes):
    return replace(
        Settings(
            storage=f"sqlite:///{path}",
            name="segrun",
            objectives=SILHOUETTE,
            limits={},
            sampler="tpe",
            sampler_params={"n_startup_trials": 4},
            seed=42,
        ),
        **changes,
    )


#: Fast where nothing has to survive a process.
MEMORY = settings(":memory:", storage="sqlite://", sampler="random", sampler_params={})


def score(ask):
    """Return scores that depend on the point alone, some of them degenerate."""
    text = json.dumps(sorted(ask.params.items()), default=str)
    value = sum(text.encode()) % 997 / 997
    noise = sum(text.encode()) % 7 / 6
    if noise == 1:
        return {"silhouette": None, "davies_bouldin": None, "noise_share": 1.0, "n_clusters": 0}
    found = {"silhouette": value, "davies_bouldin": 1 + (1 - value) * noise, "noise_share": noise}
    return {**found, "n_clusters": 2 + len(text) % 9}


def run(study, n_trials, owner="me"):
    asks = []
    while (ask := study.ask(n_trials, owner)) is not None:
        study.tell(ask.number, score(ask), {"job": f"{ask.number}"})
        asks.append(ask)
    return asks


def child(*arguments):
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-W", "error", __file__, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def test_a_trial_draws_one_option_per_group_and_the_dimensions_of_that_base_alone():
    space = conditional()
    asks = run(Study(MEMORY, space), 40)
    assert {ask.choices["algo"] for ask in asks} == set(ALGORITHMS)
    for number, ask in enumerate(asks):
        assert ask.number == number
        base = space.base(ask.choices)
        assert list(ask.values) == list(base.dimensions)
        assert set(ask.params) == {"algo", "features", *space.names(base).values()}
        for key, value in ask.values.items():
            found = base.dimensions[key]
            allowed = found.values() if found.n_values else None
            assert value in allowed if allowed else found.low <= value <= found.high


def test_an_integer_is_drawn_as_one_and_a_float_step_as_hydra_writes_it():
    (ask,) = run(Study(MEMORY, small("range(3, 4)")), 1)
    assert repr(ask.values["x"]) == "3"
    study = Study(MEMORY, small("range(0.1, 1.0, 0.1)"))
    values = {ask.values["x"] for ask in run(study, 60)}
    assert values == set(dimension("x", "range(0.1, 1.0, 0.1)").values())
    assert 0.30000000000000004 in values or 0.3 in values


@pytest.mark.parametrize("sampler", ["tpe", "nsgaii", "random"])
def test_a_seed_decides_the_points_whatever_was_drawn_in_which_process(tmp_path, sampler):
    params = {"tpe": {"n_startup_trials": 4}, "nsgaii": {"population_size": 5}, "random": {}}
    changes = {
        "sampler": sampler,
        "sampler_params": params[sampler],
        "objectives": BOTH,
        "limits": {"noise_share": {"max": 0.5}},
    }
    undisturbed = settings("", storage="sqlite://", **changes)
    expected = run(Study(undisturbed, conditional()), 14)
    stopped = settings(tmp_path / "study.db", **changes)
    found = []
    for n_trials in (3, 4, 9, 14):
        found += run(Study(stopped, conditional()), n_trials)
    assert found == expected
    other = run(Study(replace(undisturbed, seed=43), conditional()), 3)
    assert [ask.params for ask in other] != [ask.params for ask in expected[:3]]


@pytest.mark.slow
def test_two_processes_share_a_study_and_no_trial_is_doubled_or_lost(tmp_path):
    path = tmp_path / "study.db"
    workers = [child("share", str(path), owner, "60") for owner in ("a", "b")]
    asked = [worker.communicate(timeout=120)[0].split() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert all(asked), "one did all"
    numbers = [int(number) for found in asked for number in found]
    assert sorted(numbers) == list(range(60))
    found = Study(shared(path), small()).trials()
    assert [trial.number for trial in found] == list(range(60))
    assert Counter(trial.state for trial in found) == {"COMPLETE": 60}
    assert [Counter(trial.attrs["owner"] for trial in found)[owner] for owner in "ab"] == [
        len(numbers) for numbers in asked
    ]


def shared(path):
    return settings(path, sampler="random", sampler_params={})


@pytest.mark.parametrize("when", ["asked", "told"])
def test_a_killed_study_asks_for_the_points_of_an_undisturbed_one(tmp_path, when):
    expected = run(Study(settings("", storage="sqlite://"), conditional()), 12)
    path = tmp_path / "study.db"
    with child("slow", str(path)) as worker:
        for line in worker.stdout:
            if line == f"{when} 7\n":
                break
        worker.kill()
    study = Study(settings(path), conditional())
    assert study.resume_running("another") == []
    found = study.resume_running("me")
    assert found == ([expected[7]] if when == "asked" else found[:1])
    for ask in found:
        study.tell(ask.number, score(ask), {"job": f"{ask.number}"})
    run(study, 12)
    assert [trial.params for trial in study.trials()] == [ask.params for ask in expected]
    assert {trial.state for trial in study.trials()} == {"COMPLETE"}


@pytest.mark.parametrize("n_drawn", [0, 1, 2])
def test_a_trial_that_was_half_drawn_at_a_kill_is_drawn_to_its_end(tmp_path, n_drawn):
    first, second = (settings(tmp_path / f"{name}.db") for name in "ab")
    expected = run(Study(first, conditional()), 7)
    study = Study(second, conditional())
    run(study, 6)
    trial = study._study.ask()
    for group in list(study.space.groups)[:n_drawn]:
        trial.suggest_categorical(group, study.space.groups[group])
    assert study.trials()[-1].choices == {}
    # It counts among the seven, and is nobody's: whoever asks next gets it.
    assert Study(second, conditional()).ask(7, "me") == expected[6]


def test_failed_and_degenerate_trials_end_nothing():
    study = Study(MEMORY, small())
    for number in range(9):
        ask = study.ask(9, "me")
        nan = {"silhouette": math.nan, "noise_share": None}
        told = [None, {"silhouette": None}, nan, {"silhouette": 0.1 * number}][number % 4]
        study.tell(ask.number, told, {"reason": "it is broken" if told is None else ""})
    assert study.ask(9, "me") is None
    found = study.trials()
    assert [trial.state for trial in found[:4]] == ["FAIL", "COMPLETE", "COMPLETE", "COMPLETE"]
    assert found[0].attrs["reason"] == "it is broken"
    assert [trial.values for trial in found[:4]] == [(), (-1.0,), (-1.0,), (pytest.approx(0.3),)]
    assert found[1].attrs["degenerate"] == ["silhouette"]
    assert "reason" not in found[1].attrs
    assert found[2].attrs["scores"] == {"silhouette": None, "noise_share": None}
    assert [trial.number for trial in study.best()] == [7]


def test_nothing_but_degenerate_results_has_no_best():
    study = Study(MEMORY, small())
    study.tell(study.ask(1, "me").number, {"silhouette": None}, {})
    assert study.best() == []


@pytest.mark.parametrize("name", SCORES)
def test_every_score_has_a_worst_value_or_the_trial_fails(name):
    direction = SCORES[name].direction or "maximize"
    study = Study(replace(MEMORY, objectives=(Objective(name, direction),)), small())
    study.tell(study.ask(2, "me").number, {}, {})
    study.tell(study.ask(2, "me").number, {name: 0.5}, {})
    first, second = study.trials()
    if SCORES[name].worst is None:
        assert first.state == "FAIL"
        assert f"{name} is undefined" in first.attrs["reason"]
    else:
        assert first.values == (SCORES[name].worst,)
    assert second.values == (0.5,)
    assert [trial.number for trial in study.best()] == [1]


def test_infinity_as_the_worst_value_survives_in_the_file(tmp_path):
    chosen = settings(tmp_path / "s.db", objectives=BOTH)
    study = Study(chosen, small())
    study.tell(study.ask(1, "me").number, {"silhouette": 0.5}, {})
    assert Study(chosen, small()).trials()[0].values == (0.5, math.inf)
    assert len(run(Study(chosen, small()), 12)) == 11


def test_coverage_is_what_is_not_noise():
    chosen = replace(MEMORY, objectives=(Objective("coverage", "maximize"),))
    study = Study(chosen, small())
    study.tell(study.ask(1, "me").number, {"noise_share": 0.25}, {})
    assert study.best()[0].values == (0.75,)


def test_few_clusters_as_a_goal_have_no_worst_value():
    chosen = replace(MEMORY, objectives=(Objective("n_clusters", "minimize"),))
    study = Study(chosen, small())
    study.tell(study.ask(1, "me").number, {"n_clusters": None}, {})
    assert study.trials()[0].state == "FAIL"


@pytest.mark.parametrize("sampler", ["tpe", "nsgaii"])
def test_two_objectives_have_their_pareto_front(sampler):
    study = Study(
        replace(
            MEMORY,
            objectives=BOTH,
            sampler=sampler,
            limits={"noise_share": {"max": 0.5}, "n_clusters": {"min": 3, "max": 9}},
        ),
        conditional(),
    )
    asks = run(study, 40)
    within = {}
    for ask in asks:
        found = score(ask)
        if found["noise_share"] <= 0.5 and 3 <= found["n_clusters"] <= 9:
            within[ask.number] = (found["silhouette"], found["davies_bouldin"])
    expected = [
        number
        for number, (s, d) in within.items()
        if not any(a >= s and b <= d and (a, b) != (s, d) for a, b in within.values())
    ]
    best = study.best()
    assert [trial.number for trial in best] == expected
    assert [trial.values for trial in best] == [within[number] for number in expected]
    for trial in best:
        assert (trial.choices, trial.drawn) == (
            asks[trial.number].choices,
            asks[trial.number].values,
        )
        assert trial.params == asks[trial.number].params


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), max_size=25))
def test_the_front_is_whom_nobody_dominates(points):
    losses = dict(enumerate(points))
    expected = {
        number
        for number, mine in losses.items()
        if not any(
            other != mine and all(a <= b for a, b in zip(other, mine, strict=True))
            for other in points
        )
    }
    assert set(front(losses)) == expected


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid", "nsgaii"])
def test_only_trials_within_the_limits_are_best(sampler):
    chosen = replace(MEMORY, sampler=sampler, limits={"n_clusters": {"min": 3, "max": 12}})
    study = Study(chosen, small("range(0, 5)"))
    for n_clusters in (2, 13, None):
        ask = study.ask(None, "me")
        study.tell(ask.number, {"silhouette": 0.9, "n_clusters": n_clusters}, {})
    assert study.best() == []
    for n_clusters, silhouette in ((12, 0.4), (3, 0.4)):
        ask = study.ask(None, "me")
        study.tell(ask.number, {"silhouette": silhouette, "n_clusters": n_clusters}, {})
    assert [trial.number for trial in study.best()] == [3]


def test_each_matrix_has_a_best_of_its_own():
    study = Study(MEMORY, small("range(0, 5)"))
    for matrix, silhouette in (("a", 0.2), ("b", 0.9), ("a", 0.4), ("b", 0.7)):
        ask = study.ask(None, "me")
        study.tell(ask.number, {"silhouette": silhouette}, {"matrix": matrix})
    assert [trial.number for trial in study.best()] == [1, 2]


def test_what_did_not_converge_is_not_the_best_whatever_else_is_limited():
    own = {"n_clusters": {"min": 3}}
    evaluation = {"max_noise_share": 0.5, "min_share": 0, "max_share": 1, "min_clusters": None,
                  "max_clusters": None}  # fmt: skip

    def limits(allowed):
        found = limits_of({**evaluation, "allow_unconverged": allowed})
        sweeper = {"storage": "sqlite://", "study_name": "s", "objectives": None, "sampler": "tpe",
                   "sampler_params": None, "limits": own}  # fmt: skip
        about = {"sweeper": sweeper, "limits": found, "seed": 0, "bases": []}
        return settings_of(about, Path()).limits

    assert limits(allowed=True) == own
    study = Study(replace(MEMORY, limits=limits(allowed=False)), small("range(0, 5)"))
    for converged, silhouette in ((0.0, 0.9), (1.0, 0.4)):
        ask = study.ask(None, "me")
        scores = {"silhouette": silhouette, "n_clusters": 4, "converged": converged}
        study.tell(ask.number, scores, {})
    assert [trial.number for trial in study.best()] == [1]


def test_a_sampler_learns_the_limits():
    def n_large(limits):
        """Return how many of the later points are large, which is good but noisy."""
        study = Study(settings("", storage="sqlite://", limits=limits), small())
        for _ in range(30):
            ask = study.ask(30, "me")
            study.tell(
                ask.number, dict.fromkeys(("silhouette", "noise_share"), ask.values["x"]), {}
            )
        assert study.best()[0].drawn["x"] == study.best()[0].values[0]
        return sum(trial.drawn["x"] > 0.8 for trial in study.trials()[10:])

    assert n_large({"noise_share": {"max": 0.5}}) <= 3
    assert n_large({}) >= 10


@pytest.mark.parametrize("n_trials", [None, 4])
def test_a_grid_hands_out_every_point_once_in_order(tmp_path, n_trials):
    bases = []
    for algo, values in {"a": {"k": "range(2, 4)"}, "b": {"k": [7], "t": [0.1, None]}}.items():
        dimensions = drawn({f"algo.params.{name}": text for name, text in values.items()})
        bases.append(Base({"algo": algo}, dimensions))
    space = Space({"algo": ("a", "b")}, tuple(bases))
    chosen = settings(tmp_path / "s.db", sampler="grid", sampler_params={})
    study = Study(chosen, space)
    first = study.ask(n_trials, "me")
    study.tell(first.number, None, {})
    study.tell(first.number, {"silhouette": 0.5}, {})
    found = [first, *run(Study(chosen, space), n_trials)]
    assert [ask.params for ask in found] == list(space.grid())
    assert [ask.number for ask in found] == [0, 2, 3, 4]


def test_a_failed_trial_that_succeeds_later_is_added(tmp_path):
    chosen = settings(tmp_path / "s.db", limits={"n_clusters": {"max": 9}})
    study = Study(chosen, conditional())
    ask = study.ask(2, "me")
    study.tell(ask.number, None, {"reason": "out of memory"})
    for _ in range(2):  # told twice, as after a kill
        study.tell(ask.number, {"silhouette": 0.5, "n_clusters": 3}, {"job": "0"})
    failed, again = study.trials()
    assert (failed.state, failed.job, again.state, again.job) == ("FAIL", 0, "COMPLETE", 0)
    assert (again.drawn, again.choices, again.params) == (ask.values, ask.choices, ask.params)
    assert again.attrs["retry_of"] == 0
    assert [trial.number for trial in study.best()] == [1]
    # The retry is no further trial.
    assert [ask.number for ask in run(study, 3)] == [2, 3]


def test_only_what_is_running_or_has_failed_can_be_told():
    study = Study(MEMORY, small())
    study.tell(study.ask(1, "me").number, {"silhouette": 0.5}, {})
    with pytest.raises(StoreError, match=r"trial 0 .* is COMPLETE: only a running or failed one"):
        study.tell(0, {"silhouette": 0.5}, {})
    with pytest.raises(StoreError, match="has no trial 7"):
        study.tell(7, None, {})


def test_a_trial_that_was_queued_through_optuna_is_run(tmp_path):
    study = Study(settings(tmp_path / "s.db"), small())
    study._study.enqueue_trial({"x": 0.125})
    assert [ask.values for ask in run(study, 1)] == [{"x": 0.125}]


def test_another_space_under_the_same_name_is_refused(tmp_path):
    chosen = settings(tmp_path / "s.db")
    Study(chosen, small())
    Study(chosen, small("interval(0, 1.0)"))
    with pytest.raises(ConfigError, match="searches another space") as caught:
        Study(chosen, small("interval(0, 2)"))
    assert "x is float 0.0..1.0 there and float 0.0..2.0 here" in str(caught.value)
    assert "hydra.sweeper.study_name=" in str(caught.value)
    assert str(tmp_path / "s.db") in str(caught.value)
    with pytest.raises(ConfigError, match=r"groups\.algo is nothing there and \[\"kmeans\""):
        Study(chosen, conditional())
    run(Study(replace(chosen, name="other"), conditional()), 1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"objectives": BOTH}, 'objectives is .* there and .*"davies_bouldin", "minimize"'),
        ({"limits": {"n_clusters": {"max": 9}}}, r"limits\.n_clusters is nothing there and"),
        ({"sampler": "grid", "sampler_params": {}}, "sampler is tpe, random or nsgaii there"),
    ],
)
def test_a_study_with_other_settings_is_refused(tmp_path, change, says):
    chosen = settings(tmp_path / "s.db")
    Study(chosen, small("range(0, 3)"))
    with pytest.raises(ConfigError, match=f"has other settings: .*{says}"):
        Study(replace(chosen, **change), small("range(0, 3)"))


def test_a_study_may_go_on_with_another_sampler_and_seed(tmp_path):
    run(Study(settings(tmp_path / "s.db"), small()), 2)
    other = settings(tmp_path / "s.db", seed=1, sampler="random", sampler_params={})
    assert len(run(Study(other, small()), 4)) == 2


def test_somebody_elses_study_is_refused(tmp_path):
    chosen = settings(tmp_path / "s.db")
    theirs = optuna.create_study(storage=chosen.storage, study_name="segrun", direction="maximize")
    theirs.optimize(lambda trial: trial.suggest_float("y", 0, 1), n_trials=1)
    theirs._storage._backend.engine.dispose()
    with pytest.raises(ConfigError, match="was not made by segrun: give this search a name"):
        Study(chosen, small())


def test_optunas_own_loader_and_dashboard_see_a_plain_study(tmp_path):
    chosen = settings(tmp_path / "s.db", objectives=BOTH)
    run(Study(chosen, conditional()), 5)
    storage = optuna.storages.RDBStorage(chosen.storage)
    study = optuna.load_study(study_name="segrun", storage=storage)
    assert study.metric_names == ["silhouette", "davies_bouldin"]
    assert len(study.trials) == 5
    storage.engine.dispose()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"objectives": (Objective("silhuette", "maximize"),)}, "Did you mean 'silhouette'"),
        ({"objectives": (Objective("silhouette", "maximise"),)}, "Did you mean 'maximize'"),
        ({"objectives": (Objective("silhouette", "minimize"),)}, "the worst of it"),
        ({"limits": {"noise": {"max": 0.5}}}, "Did you mean 'noise_share'"),
        ({"limits": {"noise_share": 0.5}}, r"noise_share is 0\.5: give \{min"),
        ({"limits": {"noise_share": {"maximum": 0.5}}}, "give {min"),
        ({"limits": {"noise_share": {"max": "half"}}}, "noise_share.max is 'half'"),
        ({"limits": {"noise_share": {"max": math.nan}}}, "finite number"),
        ({"limits": {"n_clusters": {"min": 5, "max": 3}}}, "min 5 above max 3"),
        ({"sampler": "tpa"}, "Did you mean 'tpe'"),
        ({"sampler_params": {"n_startup": 3}}, "Did you mean 'n_startup_trials'"),
        ({"sampler_params": {"seed": 3}}, "has 'seed'"),
        ({"sampler": "nsgaii", "sampler_params": {"population_size": 1}}, "population_size"),
        ({"sampler": "grid", "sampler_params": {"a": 1}}, "Parameters: none"),
        ({"sampler": "grid", "sampler_params": {}}, "x: float .* is an interval"),
    ],
)
def test_a_setting_that_is_wrong_is_refused(change, says):
    base = replace(MEMORY, sampler="tpe")
    with pytest.raises(ConfigError, match=says):
        Study(replace(base, **change), small())


def test_a_storage_that_cannot_be_opened_is_named_with_the_cure(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        StoreError, match=r"file/study\.db cannot be opened .*hydra\.sweeper\.storage"
    ):
        Study(settings(tmp_path / "file" / "study.db"), small())
    (tmp_path / "junk.db").write_text("this is no database " * 99)
    with pytest.raises(StoreError, match="not a database"):
        Study(settings(tmp_path / "junk.db"), small())
    with pytest.raises(StoreError, match="nosuch"):
        Study(settings("", storage="nosuch://me:secret@host/db"), small())
    with pytest.raises(StoreError, match=r"no address .*hydra\.sweeper\.storage"):
        Study(settings("", storage="no address"), small())


def test_a_password_is_never_shown():
    with pytest.raises(StoreError) as caught:
        Study(settings("", storage="nosuch://me:secret@host/db"), small())
    assert "secret" not in str(caught.value)


def test_a_storage_that_cannot_be_written_is_named_with_the_cure(tmp_path):
    path = tmp_path / "study.db"
    Study(settings(path), small())
    with pytest.raises(StoreError, match=r"readonly database\): name a database that can be"):
        Study(settings(f"file:{path}?mode=ro&uri=true"), small()).ask(3, "me")


def test_a_database_that_another_program_holds_is_waited_for(tmp_path):
    study = Study(settings(tmp_path / "s.db"), small())
    holder = sqlite3.connect(tmp_path / "s.db", check_same_thread=False, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(0.5, lambda: holder.execute("COMMIT"))
    timer.start()
    assert study.ask(3, "me").number == 0
    timer.join()
    holder.close()


def test_a_database_that_is_held_for_good_is_named(tmp_path):
    study = Study(settings(f"{tmp_path / 's.db'}?timeout=0.05"), small())
    holder = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match=r"locked\): another program holds it"):
        study.ask(3, "me")
    holder.execute("COMMIT")
    holder.close()
    assert study.ask(3, "me").number == 0


def worker(what, path, *arguments):
    event.listen(Engine, "connect", fast)
    if what == "share":
        owner, n_trials = arguments
        for ask in run(Study(shared(path), small()), int(n_trials), owner):
            print(ask.number)  # noqa: T201
        return
    study = Study(settings(path), conditional())
    while (ask := study.ask(12, "me")) is not None:
        print("asked", ask.number, flush=True)  # noqa: T201
        time.sleep(0.1)
        study.tell(ask.number, score(ask), {"job": f"{ask.number}"})
        print("told", ask.number, flush=True)  # noqa: T201


if __name__ == "__main__":
    worker(*sys.argv[1:])
