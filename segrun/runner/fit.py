"""Fit every point of the grid; store model and labels as each point finishes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.backend import Backend, Fit
from segrun.algorithms.base import Algorithm
from segrun.algorithms.foreign import only_errors, told, told_of_fit
from segrun.algorithms.grid import Point
from segrun.config import ModelsKept
from segrun.errors import PreflightError, StoreError
from segrun.features.transform import Transformed
from segrun.progress import Progress
from segrun.rundir.customers import Customers
from segrun.rundir.directory import POINTS, RunDirectory
from segrun.rundir.models import pipeline
from segrun.rundir.timings import Timing, Timings

log = logging.getLogger("segrun.runner.fit")


@dataclass
class Outcome:
    """What became of one grid point."""

    point: Point
    status: str = "done"
    reason: str = ""
    labels: NDArray[np.int64] | None = None
    inertia: float | None = None
    n_iter: int | None = None
    converged: bool | None = None


def note(outcome: Outcome, key: str) -> dict[str, Any]:
    """Return what ``points.json`` holds of a finished point."""
    told = ("inertia", "n_iter", "converged")
    return {"key": key, **{name: getattr(outcome, name) for name in told}}


def known_outcomes(
    directory: RunDirectory, points: Sequence[Point], keys: Mapping[str, str], models: ModelsKept
) -> dict[str, Outcome]:
    """Return the points that an earlier attempt has finished, and that are still what they were."""
    notes = directory.points()
    found = {}
    for point in points:
        known = notes.get(point.slug)
        if known is None or known["key"] != keys[point.slug]:
            continue
        labels = directory.labels(point.slug)
        if labels is None or (models is ModelsKept.all and not directory.has_model(point.slug)):
            continue
        told = {name: value for name, value in known.items() if name != "key"}
        found[point.slug] = Outcome(point, labels=labels, **told)
    return found


@dataclass(frozen=True)
class GridFitter:
    """Everything that the fits of one grid share."""

    algorithm: Algorithm
    backend: Backend
    customers: Customers
    transformed: Transformed
    directory: RunDirectory
    timings: Timings
    models: ModelsKept
    origin: str = ""
    share: bool = True
    keys: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, Outcome] = field(default_factory=dict)
    reached: Callable[[float], None] = lambda share: None  # noqa: ARG005
    _told: set[str] = field(default_factory=set)
    _notes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._notes.update({s: note(o, self.keys.get(s, "")) for s, o in self.known.items()})

    def fit_grid(self, points: Sequence[Point], repeats: int) -> list[Outcome]:
        """Fit every point `repeats` times, repeats interleaved over the grid.

        Interleaving spreads drifts of the machine over all points. Model and labels come
        from the first fit; a later one that gives other labels is a warning.
        """
        outcomes = [self.known.get(point.slug) or Outcome(point) for point in points]
        with Progress(self.algorithm.name, len(points) * repeats) as progress:
            for repeat in range(repeats):
                left = [outcome for outcome in outcomes if not self._fitted(outcome, repeat)]
                for _ in range(len(outcomes) - len(left)):
                    progress.advance("known")
                shared = self._fit_shared(left, repeat, progress)
                for outcome in left:
                    if outcome.point.slug in shared:
                        continue
                    if outcome.status == "failed":
                        progress.advance("skipped")
                    else:
                        self._fit_point(outcome, repeat)
                        self._advance(progress, outcome.status)
                self.directory.write_table("timings.csv", self.timings.table())
        return outcomes

    def _advance(self, progress: Progress, status: str) -> None:
        progress.advance(status)
        n_known = progress.counts["known"]
        self.reached((progress.counts.total() - n_known) / (progress.total - n_known))

    def _fitted(self, outcome: Outcome, repeat: int) -> bool:
        """Tell whether an earlier attempt has done this fit."""
        slug = outcome.point.slug
        known = slug in self.known
        return known and (repeat == 0 or (slug, repeat) in self.timings.fitted_before())

    def _fit_shared(self, outcomes: Sequence[Outcome], repeat: int, progress: Progress) -> set[str]:
        """Take the algorithm's faster road and return the points that it brought to an end."""
        road = self.algorithm.fit_grid
        if road is None or not self.share:
            return set()
        outcomes = [outcome for outcome in outcomes if self._shares(outcome.point)]
        if not outcomes:
            return set()
        points = [outcome.point.params for outcome in outcomes]
        fits = self.backend.fit_grid(road, self.transformed.Z, points)
        rows: list[Timing] = []
        try:
            for outcome in outcomes:
                if outcome.status == "failed":
                    break
                with self.timings.stage("fit", outcome.point.slug, repeat) as timing:
                    timing.shared = True
                    fit = self._timed(timing, outcome.point, lambda: next(fits))
                self._take(outcome, fit, repeat)
                rows.append(timing)
                self._advance(progress, outcome.status)
        except (StoreError, PreflightError):
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - points can be fitted alone
            log.warning(
                "the shared road of %s failed (%s): the points left are fitted one by one",
                self._named(), told(error),
            )  # fmt: skip
            # The point's row comes again when it is fitted alone.
            self.timings.drop_shared(after=len(rows), repeat=repeat)
        for name in ("wall_seconds", "cpu_seconds"):
            # What one point took is not known apart: an equal share, so that the sum is right.
            each = sum(getattr(row, name) for row in rows) / max(1, len(rows))
            for row in rows:
                setattr(row, name, each)
        cold = any(row.cold for row in rows)
        for row in rows:
            # Each has a share of what came first.
            row.cold = cold
        return {row.point for row in rows}

    def _shares(self, point: Point) -> bool:
        shares = self.algorithm.shares
        return shares is None or shares(self.algorithm.make(self.backend, **point.params))

    def _fit_point(self, outcome: Outcome, repeat: int) -> None:
        slug = outcome.point.slug
        try:
            with self.timings.stage("fit", slug, repeat) as timing:
                fit = self._timed(timing, outcome.point, lambda: self._fit(outcome.point))
            self._take(outcome, fit, repeat)
        except StoreError:
            # Nothing more can be written, so nothing more is fitted.
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the other points must go on
            self._fail(outcome, self._reason(outcome.point, error), repeat)

    def _fit(self, point: Point) -> Fit:
        estimator = self.algorithm.make(self.backend, **point.params)
        return self.backend.fit(estimator, self.transformed.Z)

    def _timed(self, timing: Timing, point: Point, work: Callable[[], Fit]) -> Fit:
        """Let a fit bring its own times and what ran; say what it warned of and printed."""
        timing.backend_asked = self.backend.name
        try:
            fit = work()
        except (Exception, SystemExit) as error:
            timing.reason = self._reason(point, error)
            raise
        timing.wall_seconds, timing.cpu_seconds = fit.wall_seconds, fit.cpu_seconds
        timing.backend_ran, timing.reason, timing.cold = fit.ran, fit.reason, fit.cold
        for warning in fit.warnings:
            log.warning("%s %s: %s", self.algorithm.name, timing.point, warning)
        if fit.printed.strip():
            # stdout is for results.
            log.info("%s %s printed: %s", self._named(), timing.point, fit.printed.strip())
        return fit

    def _reason(self, point: Point, error: BaseException) -> str:
        try:
            estimator = self.algorithm.make(self.backend, **point.params)
        except (Exception, SystemExit):  # noqa: BLE001 - there is none then
            estimator = None
        return told_of_fit(error, estimator, len(self.customers), point.axes)

    def _take(self, outcome: Outcome, fit: Fit, repeat: int) -> None:
        if repeat == 0:
            self._accept(outcome, fit)
        elif outcome.labels is None or not np.array_equal(fit.labels, outcome.labels):
            slug = outcome.point.slug
            log.warning("%s: repeat %d gave other labels than the first fit", slug, repeat)

    def _fail(self, outcome: Outcome, reason: str, repeat: int) -> None:
        slug = outcome.point.slug
        log.debug("traceback of %s", slug, exc_info=True)
        if repeat > 0:
            # The first fit stands; timings.csv has the reason.
            log.warning("%s: repeat %d failed: %s", slug, repeat, reason)
            return
        outcome.status, outcome.reason = "failed", reason
        # A reason that all points share is told once on the terminal; scores.csv has all.
        level = logging.DEBUG if reason in self._told else logging.ERROR
        self._told.add(reason)
        log.log(level, "%s %s failed: %s", self._named(), slug, reason)

    def _named(self) -> str:
        return f"{self.algorithm.name} ({self.origin})" if self.origin else self.algorithm.name

    def _accept(self, outcome: Outcome, fit: Fit) -> None:
        slug = outcome.point.slug
        with self.timings.stage("store", slug):
            # The model first: where labels stand, the point is whole.
            if self.models is not ModelsKept.none:
                # Pickling is the plugin's own code again.
                with only_errors():
                    self.directory.write_model(slug, self._pipeline(fit.model))
            self.directory.write_labels(slug, self.customers, fit.labels)
        self.directory.write_table("timings.csv", self.timings.table())
        outcome.labels = fit.labels
        outcome.inertia = _number(fit.model, "inertia_")
        n_iter = _number(fit.model, "n_iter_")
        outcome.n_iter = None if n_iter is None else int(n_iter)
        outcome.converged = converged(fit.model, fit.warnings)
        # Last: what is noted here need not be fitted again.
        self._notes[slug] = note(outcome, self.keys.get(slug, ""))
        self.directory.write_json(POINTS, self._notes)

    def _pipeline(self, model: Any) -> Any:
        names, steps = self.transformed.names, self.transformed.steps
        return pipeline(names, steps, (self.algorithm.name, model))


def _number(model: Any, attribute: str) -> float | None:
    value = getattr(model, attribute, None)
    return float(value) if isinstance(value, int | float | np.number) else None


_CATEGORY = "ConvergenceWarning: "
#: scikit-learn's k-means and Birch have it where they find fewer clusters than they were asked for
#: ("Number of distinct clusters ...", "Number of subclusters ..."): that is no cut-off.
_FEWER = f"{_CATEGORY}Number of "


def converged(model: Any, warnings: Sequence[str]) -> bool | None:
    """Tell whether a fit converged."""
    told = getattr(model, "converged_", None)
    if isinstance(told, bool | np.bool_):
        return bool(told)
    taken, most = getattr(model, "n_iter_", None), getattr(model, "max_iter", None)
    if isinstance(taken, int | np.integer) and isinstance(most, int | np.integer):
        return bool(taken < most)
    cut_off = any(text.startswith(_CATEGORY) and not text.startswith(_FEWER) for text in warnings)
    return False if cut_off else None
