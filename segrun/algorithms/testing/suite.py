"""The suite itself, one test per property."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib  # noqa: TID251 - a saved model must come back the same
import numpy as np
import pytest
from numpy.typing import NDArray

from segrun.algorithms import Point, points, registry, resolve
from segrun.algorithms import check as check_points
from segrun.algorithms.backend import Backend, Fit
from segrun.algorithms.base import Algorithm
from segrun.algorithms.foreign import placed
from segrun.algorithms.space.dimension import dimension
from segrun.algorithms.testing.subject import (
    SEED,
    assigned,
    check_cases,
    check_name,
    composed,
    modules,
    own_parameters,
    roads_of,
    tables,
)
from segrun.config import AlgoConfig


class AlgorithmConformance:
    """What segrun relies on, as tests; see the module.

    Attributes
    ----------
    name : str
        The algorithm, as ``algo=NAME`` has it.
    backend : {"onedal", "sklearn"}
        The backend asked for.
    min_agreement : float
        Share of the rows of a fit that ``predict`` or ``assign`` must give the label of the fit.
        Lower it only where the algorithm is about something else, and say why.
    """

    name: str
    backend: str = "onedal"
    min_agreement: float = 1.0

    @pytest.fixture(params=list(tables()))
    def X(self, request: pytest.FixtureRequest) -> NDArray[np.float64]:  # noqa: N802
        """Return each table in turn; override it for data of your own."""
        table: NDArray[np.float64] = tables()[request.param]
        return table

    @pytest.fixture
    def config(self) -> AlgoConfig:
        """Return the algorithm's YAML as `segrun algo=NAME` composes it."""
        return composed(self.name)

    @pytest.fixture
    def algorithm(self, config: AlgoConfig) -> Algorithm:
        """Return the algorithm as segrun calls it."""
        return resolve(config, SEED)

    @pytest.fixture
    def some(self, config: AlgoConfig) -> list[Point]:
        """Return the first, the middle and the last point of the grid."""
        grid = points(config)
        return [grid[i] for i in sorted({0, len(grid) // 2, len(grid) - 1})]

    @pytest.fixture
    def fit(self, algorithm: Algorithm) -> Callable[[Point, NDArray[Any]], Fit]:
        """Fit one point on a table."""

        def fitted(point: Point, X: NDArray[Any]) -> Fit:
            backend = Backend(self.backend)
            return backend.fit(algorithm.make(backend, **point.params), X)

        return fitted

    @pytest.fixture
    def road(
        self, algorithm: Algorithm, config: AlgoConfig
    ) -> Callable[[NDArray[Any]], Iterator[tuple[Point, Fit]]]:
        """Fit the whole grid by `fit_grid`, on a table that cannot be written."""
        if algorithm.fit_grid is None:
            pytest.skip("the algorithm has no fit_grid")
        fit_grid, grid = algorithm.fit_grid, points(config)

        def fitted(X: NDArray[Any]) -> Iterator[tuple[Point, Fit]]:
            frozen = X.copy()
            frozen.setflags(write=False)
            shared = Backend(self.backend).fit_grid(fit_grid, frozen, [p.params for p in grid])
            yield from zip(grid, shared, strict=True)

        return fitted

    @pytest.fixture(params=["alone", "fit_grid"])
    def fits(
        self,
        request: pytest.FixtureRequest,
        fit: Callable[[Point, NDArray[Any]], Fit],
        some: list[Point],
    ) -> Callable[[NDArray[Any]], Iterator[tuple[Point, Fit]]]:
        """Fit points as a run does, which stores the models of either road as they come."""
        if request.param == "fit_grid":
            found: Callable[..., Any] = request.getfixturevalue("road")
            return found
        return lambda X: ((point, fit(point, X)) for point in some)

    def test_the_yaml_carries_the_name(self, config: AlgoConfig) -> None:
        """`algo=NAME`, the file NAME.yaml and its key `name` say the same."""
        assert config.name == self.name

    def test_the_entry_point_and_the_algorithm_carry_the_name(self, config: AlgoConfig) -> None:
        """What is registered under a name calls itself by that name."""
        if config.estimator is not None:
            pytest.skip("an algorithm by YAML alone has no entry point")
        found = registry.algorithms()
        assert self.name in found, f"not installed; installed: {', '.join(found)}"
        assert found[self.name].algorithm.name == self.name

    def test_axes_of_the_grid_are_open_parameters_with_values(self, config: AlgoConfig) -> None:
        """Every axis stands in `params` as null, so that it can be fixed, and has values."""
        for axis, values in config.grid.items():
            assert axis in config.params, f"grid.{axis} is not in params"
            assert config.params[axis] is None, f"params.{axis} must be null: it is an axis"
            assert values, f"grid.{axis} has no values"

    def test_the_search_space_is_one_of_parameters(self, config: AlgoConfig) -> None:
        """Every key of `search` stands in `params`, and an optimiser can draw from what it says."""
        for name, values in config.search.items():
            assert name in config.params, f"search.{name} is not in params"
            if values is not None:
                dimension(f"search.{name}", values)

    def test_parameters_are_those_of_the_constructor(
        self, config: AlgoConfig, some: list[Point]
    ) -> None:
        """Every parameter is one of the estimator, or of the plugin's own `make`."""
        estimator = resolve(config, SEED).make(Backend(self.backend), **some[0].params)
        known = set(estimator.get_params(deep=False)) | own_parameters(config)
        assert set(config.params) <= known, f"unknown: {set(config.params) - known}"

    def test_a_random_state_is_a_parameter(self, config: AlgoConfig, some: list[Point]) -> None:
        """Else `fit_grid` would not get the seed that a fit alone gets."""
        estimator = resolve(config, SEED).make(Backend(self.backend), **some[0].params)
        if "random_state" in estimator.get_params(deep=False):
            assert "random_state" in config.params, "write random_state: ${seed} in params"

    def test_every_point_can_be_made(self, config: AlgoConfig) -> None:
        """Every combination of the grid's values is accepted before any data is read."""
        check_points(config, Backend(self.backend), SEED)

    def test_labels_are_numbers_from_0_without_gaps_and_noise_is_minus_1(
        self, fit: Callable[..., Fit], some: list[Point], X: NDArray[np.float64]
    ) -> None:
        """One whole number per row."""
        for point in some:
            labels = fit(point, X).labels
            assert labels.shape == (len(X),)
            clusters = np.unique(labels[labels >= 0])
            assert clusters.tolist() == list(range(len(clusters))), point.slug

    def test_the_same_seed_gives_the_same_labels(
        self, fit: Callable[..., Fit], some: list[Point], X: NDArray[np.float64]
    ) -> None:
        """Nothing but the seed decides, neither an earlier fit nor the global random state."""
        for point in some:
            np.random.seed(1)  # noqa: NPY002 - what a plugin may draw from by mistake
            first = fit(point, X).labels
            np.random.seed(2)  # noqa: NPY002
            assert np.array_equal(fit(point, X).labels, first), point.slug

    def test_the_input_is_not_changed(
        self, fit: Callable[..., Fit], some: list[Point], X: NDArray[np.float64]
    ) -> None:
        """All points of a grid are fitted on one array."""
        before = X.copy()
        for point in some:
            fit(point, X)
            assert np.array_equal(X, before), point.slug

    def test_read_only_and_mapped_input_and_either_order_give_the_same_labels(
        self, fit: Callable[..., Fit], some: list[Point], X: NDArray[np.float64], tmp_path: Path
    ) -> None:
        """Workers get the table as a read-only memory map."""
        np.save(tmp_path / "X.npy", X)
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        frozen = X.copy()
        frozen.setflags(write=False)
        for point in some:
            expected = fit(point, X).labels
            for other in (frozen, mapped, np.asfortranarray(X)):
                assert np.array_equal(fit(point, other).labels, expected), point.slug

    def test_the_shared_road_gives_the_labels_of_fitting_alone(
        self, road: Callable[..., Any], fit: Callable[..., Fit], X: NDArray[np.float64]
    ) -> None:
        """`fit_grid` is faster, and nothing else."""
        for point, shared in road(X):
            assert np.array_equal(shared.labels, fit(point, X).labels), point.slug

    def test_a_saved_model_comes_back_the_same_without_the_accelerator(
        self,
        algorithm: Algorithm,
        fits: Callable[..., Iterator[tuple[Point, Fit]]],
        X: NDArray[np.float64],
        tmp_path: Path,
    ) -> None:
        """Joblib writes and reads it; it names no module of scikit-learn-intelex."""
        for point, found in fits(X):
            model = found.model
            joblib.dump(model, tmp_path / "model.joblib")
            again = joblib.load(tmp_path / "model.joblib")
            named = {module.partition(".")[0] for module in modules(model)}
            assert not named & {"sklearnex", "onedal", "daal4py"}, point.slug
            for attribute in ("labels_", "cluster_centers_"):
                if hasattr(model, attribute):
                    same = getattr(again, attribute)
                    assert np.array_equal(getattr(model, attribute), same), attribute
            before, after = (assigned(algorithm, one, X) for one in (model, again))
            for how, labels in before.items():
                assert np.array_equal(after[how], labels), f"{point.slug}: {how}"

    def test_rows_of_the_fit_are_assigned_as_they_were_fitted(
        self,
        algorithm: Algorithm,
        fits: Callable[..., Iterator[tuple[Point, Fit]]],
        X: NDArray[np.float64],
    ) -> None:
        """`predict` of the model and `assign` of the plugin, noise included."""
        for point, found in fits(X):
            answers = assigned(algorithm, found.model, X)
            if not answers:
                pytest.skip("neither predict nor assign: new rows cannot be labelled")
            for how, labels in answers.items():
                assert labels.shape == (len(X),), how
                agreement = float((labels == found.labels).mean())
                told = f"{point.slug}: {agreement:.3f} agree by {how}"
                assert agreement >= self.min_agreement, told

    def test_new_rows_get_labels_of_clusters_that_there_are(
        self,
        algorithm: Algorithm,
        fits: Callable[..., Iterator[tuple[Point, Fit]]],
        X: NDArray[np.float64],
    ) -> None:
        """Rows between and beyond those of the fit, as `segrun apply` and `ingest` ask for."""
        new = np.concatenate([(X + X[::-1]) / 2, 3 * X])
        for point, found in fits(X):
            roads = dict(roads_of(algorithm, found.model))
            if not roads:
                pytest.skip("neither predict nor assign: new rows cannot be labelled")
            for how, road in roads.items():
                placed(road, found.model, new, found.labels, f"{point.slug}: {how}")

    @pytest.mark.parametrize(
        "shape", ["one feature", "few rows", "equal rows"], ids=lambda shape: shape
    )
    def test_odd_tables_give_labels_or_a_value_error(
        self, fit: Callable[..., Fit], some: list[Point], shape: str
    ) -> None:
        """Never anything else: a crash would take the whole grid down."""
        X = tables()["blobs"]
        odd = {"one feature": X[:, :1], "few rows": X[:3], "equal rows": np.ones((50, 2))}[shape]
        for point in some:
            try:
                labels = fit(point, np.ascontiguousarray(odd)).labels
            except ValueError:
                continue
            assert labels.shape == (len(odd),)

    def test_checks_that_are_expected_to_fail_have_a_reason_and_exist(
        self, algorithm: Algorithm
    ) -> None:
        """A name that is mistyped would excuse nothing."""
        expected = algorithm.expected_failed_checks
        assert all(reason.strip() for reason in expected.values())
        there = {check_name(case.values[1]) for case in check_cases(self.name, self.backend)}
        assert set(expected) <= there, f"no such checks: {sorted(set(expected) - there)}"

    @pytest.mark.filterwarnings("ignore")
    def test_scikit_learns_own_check(self, estimator: Any, estimator_check: Any) -> None:
        """One of scikit-learn's estimator checks; Algorithm.expected_failed_checks may fail."""
        estimator_check(estimator)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test of each of scikit-learn's checks."""
        if "estimator_check" in metafunc.fixturenames:
            cases = check_cases(self.name, self.backend)
            metafunc.parametrize(("estimator", "estimator_check"), cases)
