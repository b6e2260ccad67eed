"""The conformance suite catches what it is for: each wrong plugin fails the right test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

pytestmark = pytest.mark.heavy

#: A clusterer that does everything right, and the lines by which each wrong one differs.
CLUSTERER = """
import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data


class Halves(ClusterMixin, BaseEstimator):
    def __init__(self, quantile=0.5, random_state=None):
        self.quantile = quantile
        self.random_state = random_state

    def _labels(self, X):
        return (X[:, 0] > self.cut_).astype(int)

    def fit(self, X, y=None):
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        self.cut_ = np.quantile(X[:, 0], self.quantile)
        labels = self._labels(X)
        if len(np.unique(labels)) == 1:
            labels = labels * 0
        self.labels_ = labels
        return self

    def predict(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self._labels(X)
"""
PLUGIN = """
from segrun.algorithms.base import Algorithm
from NAME.clusterer import Halves


def make(backend, **params):
    params.pop("swallowed", None)
    return Halves(**params)


def fit_grid(backend, X, points):
    for point in points:
        yield Halves(**point).fit(X)


algorithm = Algorithm("NAME", make, "NAME.conf", fit_grid)
"""
YAML = """
name: NAME
params: {quantile: null, random_state: 0}
grid: {quantile: [0.3, 0.5]}
"""

FIT = "self.labels_ = labels"
CUT = "        labels = self._labels(X)"
ROAD = "Halves(**point).fit(X)"

#: What is wrong, the test that must fail, and the file with the line by which it differs.
WRONG = [
    ("labels from 1", "test_labels_are_numbers_from_0", "clusterer", FIT, f"{FIT} + 1"),
    ("float labels", "test_labels_are_numbers_from_0", "clusterer", FIT, f"{FIT} * 1.0"),
    ("a label less", "test_labels_are_numbers_from_0", "clusterer", FIT, f"{FIT}[:-1]"),
    ("noise as -7", "test_labels_are_numbers_from_0", "clusterer", FIT, f"{FIT} * -7"),
    (
        "unseeded", "test_the_same_seed", "clusterer",
        FIT, "self.labels_ = np.random.permutation(labels)",
    ),
    ("changes X", "test_the_input_is_not_changed", "clusterer", CUT, f"{CUT}; X += 1"),
    ("writes to X", "test_read_only_and_mapped", "clusterer", CUT, f"{CUT}; X[0] = X[0]"),
    (
        "other labels by the shared road", "test_the_shared_road", "plugin",
        "yield Halves(**point)", "yield Halves(0.9)",
    ),
    (
        "a model that cannot be saved", "test_a_saved_model", "clusterer",
        FIT, f"{FIT}; self.rows = (r for r in X)",
    ),
    (
        "predicts other labels", "test_rows_of_the_fit_are_assigned", "clusterer",
        "return self._labels(X)", "return 1 - self._labels(X)",
    ),
    (
        "predicts clusters that there are not", "test_new_rows_get_labels", "clusterer",
        "return self._labels(X)", "return np.where(X[:, 0] > 9e9, 0, 317)",
    ),
    (
        "a model of the shared road that cannot be saved", "test_a_saved_model", "plugin",
        f"yield {ROAD}", f"model = {ROAD}; model.note = lambda: 1; yield model",
    ),
    (
        "models of the shared road that predict other labels", "test_rows_of_the_fit", "plugin",
        f"yield {ROAD}", f"model = {ROAD}; model.cut_ = 0.1; yield model",
    ),
    (
        "a shared road that writes to X", "test_the_shared_road", "plugin",
        f"yield {ROAD}", f"X[0] = X[0]; yield {ROAD}",
    ),
    (
        "predicts other labels than it assigns", "test_rows_of_the_fit", "plugin",
        "fit_grid)", "fit_grid, assign=Halves.predict)\n"
        "Halves.predict = lambda self, X: 1 - algorithm.assign(self, X)",
    ),
    (
        "an axis that is fixed", "test_axes_of_the_grid", "yaml",
        "{quantile: null,", "{quantile: 0.5,",
    ),
    (
        "an axis that is no parameter", "test_axes_of_the_grid", "yaml",
        "grid: {", "grid: {speed: [1], ",
    ),
    (
        "searches what is no parameter", "test_the_search_space", "yaml",
        "grid: {", "search: {speed: [1, 2]}\ngrid: {",
    ),
    (
        "a search space that cannot be read", "test_the_search_space", "yaml",
        "grid: {", "search: {quantile: 'interval(0.9, 0.1)'}\ngrid: {",
    ),
    (
        "a parameter that is swallowed", "test_parameters_are_those", "yaml",
        "random_state: 0}", "random_state: 0, swallowed: 3}",
    ),
    (
        "a parameter that is not there", "test_every_point_can_be_made", "yaml",
        "random_state: 0}", "random_state: 0, speed: 3}",
    ),
    (
        "a seed that cannot be set", "test_a_random_state_is_a_parameter", "yaml",
        ", random_state: 0}", "}",
    ),
    (
        "excuses a check that is none", "test_checks_that_are_expected", "plugin",
        "fit_grid)", "fit_grid, expected_failed_checks={'check_speed': 'slow'})",
    ),
    (
        "excuses a check without a reason", "test_checks_that_are_expected", "plugin",
        "fit_grid)", "fit_grid, expected_failed_checks={'check_fit1d': ''})",
    ),
    ("another name in the YAML", "test_the_yaml_carries", "yaml", "name: NAME", "name: kmeans"),
    (
        "dies of one feature", "test_odd_tables", "clusterer",
        "ensure_min_samples=2)", "ensure_min_samples=2)\n        1 / (X.shape[1] - 1)",
    ),
    (
        "converts parameters", "test_scikit_learns_own_check", "clusterer",
        "self.quantile = quantile", "self.quantile = float(quantile) + 0",
    ),
]  # fmt: skip
FILES = {"clusterer": CLUSTERER, "plugin": PLUGIN, "yaml": YAML}


def install(folder, plugins):
    """Write plugins, by name, as one installed distribution."""
    info = folder / "plug-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1.0\n")
    entries = "".join(f"{name} = {name}.plugin:algorithm\n" for name in plugins)
    (info / "entry_points.txt").write_text(f"[segrun.algorithms]\n{entries}")
    for name, files in plugins.items():
        (folder / name / "conf" / "algo").mkdir(parents=True)
        (folder / name / "__init__.py").write_text("")
        for file in ("clusterer", "plugin"):
            (folder / name / f"{file}.py").write_text(files[file].replace("NAME", name))
        (folder / name / "conf" / "algo" / f"{name}.yaml").write_text(
            files["yaml"].replace("NAME", name)
        )


def run(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """Run the suite on every wrong plugin: names of the tests that fail, by what is wrong."""
    folder = tmp_path_factory.mktemp("wrong")
    plugins, module = {}, "from segrun.algorithms.testing import AlgorithmConformance\n"
    for number, (_, _, file, old, new) in enumerate(WRONG):
        assert old in FILES[file]
        plugins[f"wrong{number}"] = FILES | {file: FILES[file].replace(old, new)}
        module += f"\n\nclass Test{number}(AlgorithmConformance):\n    name = 'wrong{number}'\n"
    install(folder, plugins)
    (folder / "test_all.py").write_text(module)
    options = ["-q", "-p", "no:cacheprovider", "--tb=no", "--junitxml=found.xml"]
    # scikit-learn's checks take most of the time.
    options += ["-k", f"not own_check or Test{len(WRONG) - 1}"]
    done = run(folder, "pytest", *options, "test_all.py")
    # 1: tests were run, and some failed.
    assert done.returncode == 1, done.stdout
    found = {what: set() for what, *_ in WRONG}
    for case in ElementTree.parse(folder / "found.xml").iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            number = int(case.get("classname").rpartition("Test")[2])
            found[WRONG[number][0]].add(case.get("name"))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("what", "test"), [(what, test) for what, test, *_ in WRONG])
def test_a_wrong_plugin_fails_the_test_that_is_for_it(failed, what, test):
    assert any(name.startswith(test) for name in failed[what]), failed[what]


def test_a_right_plugin_passes_by_the_command(tmp_path):
    install(tmp_path, {"right": FILES})
    done = run(tmp_path, "segrun", "plugins", "check", "right")
    assert done.returncode == 0, done.stdout


def test_a_check_that_was_excused_and_passes_is_reported(tmp_path):
    excused = PLUGIN.replace("fit_grid)", "fit_grid, expected_failed_checks={'check_fit1d': 'x'})")
    install(tmp_path, {"right": FILES | {"plugin": excused}})
    done = run(tmp_path, "segrun", "plugins", "check", "right")
    assert done.returncode == 0, done.stdout
    assert re.search(r"^XPASS .*\[check_fit1d\]", done.stdout, re.MULTILINE), done.stdout


def test_what_fails_is_shown_with_its_point_and_values(tmp_path):
    wrong = CLUSTERER.replace("self.labels_ = labels", "self.labels_ = labels + 1")
    install(tmp_path, {"wrong": FILES | {"clusterer": wrong}})
    done = run(tmp_path, "segrun", "plugins", "check", "wrong")
    assert done.returncode == 1
    assert "AssertionError: quantile=0.3\nE   assert [1, 2] == [0, 1]" in done.stdout


def test_an_algorithm_of_another_name_than_its_entry_point_is_refused(tmp_path):
    other = PLUGIN.replace('"NAME", make', '"other", make')
    install(tmp_path, {"halves": FILES | {"plugin": other}})
    done = run(tmp_path, "segrun", "plugins", "check", "halves")
    assert done.returncode == 2
    assert "halves.plugin:algorithm calls itself 'other', not 'halves'" in done.stderr


def test_an_unknown_name_is_told_with_what_is_installed(tmp_path):
    install(tmp_path, {"halves": FILES})
    done = run(tmp_path, "segrun", "plugins", "check", "halfs")
    assert done.returncode == 2
    assert "Did you mean 'halves'? Installed: agglomerative" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_plugin_that_does_not_load_says_why(tmp_path):
    install(tmp_path, {"halves": FILES | {"plugin": "import numba_of_the_future\n"}})
    done = run(tmp_path, "segrun", "plugins", "check", "halves")
    assert done.returncode == 2
    assert "plug does not load (ModuleNotFoundError: No module named 'numba_of" in done.stderr


def test_without_pytest_the_command_says_how_to_get_it(tmp_path):
    # None is how Python says that a module must not be imported.
    code = "import sys; sys.modules['pytest'] = None; from segrun.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "plugins", "check", "kmeans"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "segrun: segrun plugins check needs pytest: pip install 'segrun[test]'\n"
    )
