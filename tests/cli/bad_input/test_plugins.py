"""Plugins that do not load, share a name or misbehave in their fit are named."""

import json

import pytest

from segrun.rundir.store import read_csv, read_manifest

SMALL = ["dataset.n_customers=100", "dataset=synthetic_retail"]

MODULE = '''
import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin

from segrun.algorithms.base import Algorithm


class Own(ClusterMixin, BaseEstimator):
    """Two clusters by the first feature, and whatever the test wants."""

    def __init__(self, k=2):
        self.k = k

    def fit(self, X, y=None):
        self.labels_ = self.labels(X, (X[:, 0] > 0).astype(np.int64))
        return self

    def fit_predict(self, X, y=None):
        return self.fit(X).labels_


class Raises(Own):
    def labels(self, X, good):
        raise RuntimeError("out of luck")


class Exits(Own):
    def labels(self, X, good):
        raise SystemExit(0)


class Short(Own):
    def labels(self, X, good):
        return good[:-1]


class Square(Own):
    def labels(self, X, good):
        return np.stack([good, good])


class Floats(Own):
    def labels(self, X, good):
        return good + 0.5


class Nothing(Own):
    def labels(self, X, good):
        return None


class Texts(Own):
    def labels(self, X, good):
        return good.astype(str)


class Below(Own):
    def labels(self, X, good):
        return good - 7


class Prints(Own):
    def labels(self, X, good):
        print("chatter of a plugin")
        return good


class Strange(Own):
    def labels(self, X, good):
        return good

    def predict(self, X):
        return np.where(X[:, 0] > 0, 317, 0)


class Helpless(Strange):
    def predict(self, X):
        raise KeyError("medoid 4")


def algorithm(cls):
    return Algorithm(
        name=cls.__name__.lower(), make=lambda backend, **params: cls(**params), conf="unruly"
    )
'''

CLASSES = ["Raises", "Exits", "Short", "Square", "Floats", "Nothing", "Texts", "Below", "Prints",
           "Strange", "Helpless"]  # fmt: skip


def install(site, distribution, entries):
    """Make a distribution that registers algorithms, as pip would."""
    info = site / f"{distribution}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    listed = "".join(f"{name} = {value}\n" for name, value in entries.items())
    (info / "entry_points.txt").write_text(f"[segrun.algorithms]\n{listed}")


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """A folder with a distribution whose plugin raises when it is imported."""
    site = tmp_path_factory.mktemp("site")
    install(site, "halfbaked", {"halfbaked": "halfbaked:algorithm"})
    (site / "halfbaked.py").write_text("import nowhere_to_be_found\n")
    return site


@pytest.fixture(scope="module")
def unruly(tmp_path_factory):
    """A folder with a distribution of algorithms that misbehave in their fit."""
    site = tmp_path_factory.mktemp("site")
    (site / "unruly" / "algo").mkdir(parents=True)
    makers = "".join(f"{c.lower()} = algorithm({c})\n" for c in CLASSES)
    (site / "unruly" / "__init__.py").write_text(MODULE + makers)
    install(site, "unruly", {c.lower(): f"unruly:{c.lower()}" for c in CLASSES})
    for name in map(str.lower, CLASSES):
        (site / "unruly" / "algo" / f"{name}.yaml").write_text(
            f"name: {name}\nparams: {{k: null}}\ngrid: {{k: [2, 3]}}\n"
        )
    return site


def test_a_plugin_that_does_not_load_is_a_warning_to_who_uses_another(segrun, tmp_path, broken):
    done = segrun(*SMALL, "algo.params.n_clusters=2", "algo.params.tol=1e-4", "hydra.run.dir=run",
                  cwd=tmp_path, PYTHONPATH=str(broken))  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if "halfbaked" in line]
    assert len(said) == 1, done.stderr
    assert "nowhere_to_be_found" in said[0]
    assert "Traceback" not in done.stderr
    assert read_manifest(tmp_path / "run")["status"] == "done"


@pytest.mark.parametrize("setting", ["algo=halfbaked", "algo.name=halfbaked"])
def test_a_plugin_that_does_not_load_is_refused_to_who_asks_for_it(
    segrun, tmp_path, broken, assert_refused, assert_nothing_whole, setting
):
    done = segrun(*SMALL, setting, cwd=tmp_path, PYTHONPATH=str(broken))
    assert_refused(done, "halfbaked", "nowhere_to_be_found", code=2)
    assert_nothing_whole(tmp_path)


def test_two_plugins_of_one_name_are_refused_with_both_distributions(
    segrun, tmp_path, assert_refused, assert_nothing_whole
):
    install(tmp_path / "site", "one-of-two", {"twin": "a:b"})
    install(tmp_path / "site", "two_of_two", {"twin": "c:d"})
    done = segrun(*SMALL, cwd=tmp_path, PYTHONPATH=str(tmp_path / "site"))
    assert_refused(done, "'twin'", "one-of-two 1.0", "two_of_two 1.0", "Uninstall", code=2)
    assert_nothing_whole(tmp_path)


@pytest.fixture(scope="module")
def misbehaved(segrun, tmp_path_factory, unruly):
    """A sweep over all of them: what was said, and where it is."""
    folder = tmp_path_factory.mktemp("sweep")
    names = ",".join(map(str.lower, CLASSES))
    done = segrun("-m", *SMALL, f"algo={names}", "hydra.sweep.dir=sweep",
                  "hydra.sweep.subdir=${algo.name}", cwd=folder,
                  PYTHONPATH=str(unruly))  # fmt: skip
    return done, folder / "sweep"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("raises", ["RuntimeError: out of luck"]),
        ("short", ["labels", "shape"]),
        ("square", ["labels", "shape"]),
        ("floats", ["labels", "float"]),
        ("nothing", ["labels"]),
        ("texts", ["labels"]),
        ("below", ["labels", "-7"]),
    ],
)
def test_a_fit_that_misbehaves_is_a_failed_point_with_its_reason(misbehaved, name, words):
    done, sweep = misbehaved
    assert json.loads((sweep / name / "manifest.json").read_text())["status"] == "failed"
    rows = read_csv(sweep / name / "scores.csv")
    assert [row["status"] for row in rows] == ["failed", "failed"]
    for word in words:
        assert word in rows[0]["reason"]
    # All points share the reason, so that it is told once.
    told = [line for line in done.stderr.splitlines() if line.startswith(f"ERROR: {name} ")]
    assert len(told) == 1, done.stderr
    assert (
        not list((sweep / name).rglob("*.parquet")) or not (sweep / name / "predictions").exists()
    )
    assert not (sweep / name / "models").exists()


def test_a_fit_that_exits_with_0_is_a_failure_all_the_same(misbehaved):
    done, sweep = misbehaved
    assert done.returncode == 1
    manifest = read_manifest(sweep / "exits")
    assert manifest["status"] == "failed"
    assert "exits" in done.stderr
    assert "SystemExit" in done.stderr


def test_what_a_plugin_prints_is_no_result(misbehaved):
    done, sweep = misbehaved
    assert read_manifest(sweep / "prints")["status"] == "done"
    assert "chatter" not in done.stdout


def test_fits_that_misbehave_show_no_traceback_and_the_sweep_says_1(misbehaved, assert_clear):
    done, sweep = misbehaved
    assert done.returncode == 1
    assert_clear(done.stderr)
    assert sorted(p.parent.name for p in sweep.glob("*/manifest.json")) == sorted(
        map(str.lower, CLASSES)
    )


@pytest.fixture(scope="module")
def later(segrun, tmp_path_factory):
    """Sales of customers that no run has seen."""
    folder = tmp_path_factory.mktemp("later")
    done = segrun("generate", "dataset=synthetic_retail", "dataset.n_customers=60", "seed=3",
                  "--output", "later.csv", cwd=folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "later.csv"


@pytest.mark.parametrize("command", ["apply", "ingest"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("strange", ["labels of clusters that do not exist", "317", "0 to 1"]),
        ("helpless", ["KeyError: 'medoid 4'"]),
    ],
)
def test_labels_of_clusters_that_do_not_exist_are_refused_with_the_plugins_name(
    segrun, misbehaved, later, unruly, tmp_path, assert_refused, name, command, words
):
    run = misbehaved[1] / name
    more = ["--output", "placed.csv"] if command == "apply" else []
    done = segrun(command, str(run), str(later), "--point", "k=2", *more, cwd=tmp_path,
                  PYTHONPATH=str(unruly))  # fmt: skip
    assert_refused(done, "plugin unruly 1.0", f"segrun plugins check {name}", *words, code=1)
    assert list(tmp_path.iterdir()) == []
    if command == "ingest":
        # The state holds the run's own input and no batch.
        again = segrun("ingest", str(run), cwd=tmp_path, PYTHONPATH=str(unruly))
        assert "later.csv" not in again.stdout
        assert again.returncode == 0, again.stderr
