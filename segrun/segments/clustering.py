"""One grid point of a finished run: which one counts, its rows, labels and matrix."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.grid import Point, points
from segrun.config import Criterion, Experiment, from_plain, read_value
from segrun.errors import ConfigError, StoreError
from segrun.evaluation.select import best
from segrun.formats import as_float
from segrun.nearest import did_you_mean
from segrun.rundir.customers import Customers
from segrun.rundir.finished import FinishedRun
from segrun.rundir.sparse import filled
from segrun.segments.segment import is_described, read_segments

#: Axes of a grid that say how a fit goes, not what is asked of it: among their values the run
#: chooses by its scores.
_HOW = {"tol"}


@dataclass(frozen=True)
class Clustering:
    """What is known of one grid point of a run."""

    experiment: Experiment
    point: Point
    customers: Customers  # the rows that were clustered
    labels: NDArray[np.int64]  # of these rows, noise -1
    steps: Sequence[tuple[str, Any]]  # fitted transformers in front of the algorithm
    Z: NDArray[np.float64]  # (n_samples, n_components): the matrix that was clustered
    model: Any  # the fitted clusterer, None where the run did not keep it


def read_clustering(run: FinishedRun, asked: str | None) -> Clustering:
    """Return one point of a run: the one asked for, otherwise the selected one."""
    experiment = from_plain(run.experiment)
    slug = run.selected if asked is None else asked_point(run, asked)
    if slug is None:
        raise _none_selected(run)
    point = next(point for point in points(experiment.algo) if point.slug == slug)
    customers, labels = run.customers, run.labels(slug)
    if run.has_model(slug):
        *steps, (_, model) = run.model(slug).steps
        Z = transformed(customers, steps)
    else:
        from segrun.features.transform import fit_transform

        found = fit_transform(customers, experiment.transform, experiment.seed)
        steps, model, Z = list(found.steps), None, found.Z
    return Clustering(experiment, point, customers, labels, steps, Z, model)


def _none_selected(run: FinishedRun) -> StoreError:
    broken = [f"{row['point']}: {row['limit']}" for row in run.scores if row.get("limit")]
    why = f" ({'; '.join(broken[:3])}{', ...' if len(broken) > 3 else ''})" if broken else ""
    return StoreError(
        f"{run.path} has selected no point: none is within the limits of evaluation and has "
        f"the score that the choice goes by{why}. Name one: segrun describe "
        f"{shlex.quote(str(run.path))} \"segments.point='{next(iter(run.points), 'POINT')}'\". "
        f"Points: {', '.join(run.points)}"
    )


def transformed(customers: Customers, steps: Sequence[tuple[str, Any]]) -> NDArray[np.float64]:
    """Return customers after fitted steps, as the algorithm would see them."""
    X = customers.matrix()
    for _, step in steps:
        X = step.transform(X)
    return filled(X)


def chosen_point(run: FinishedRun, asked: str | None) -> str:
    """Return the point asked for, else that of the segments, else the selected one.

    ConfigError if the run has no such point, StoreError if it has no labels of it or selected none.
    """
    if asked is not None:
        return asked_point(run, asked)
    found = read_segments(run).point if is_described(run) else run.selected
    if found is None:
        raise StoreError(
            f"{run.path} selected no point: name one with --point. Points: {', '.join(run.points)}"
        )
    return found


def asked_point(run: FinishedRun, asked: str) -> str:
    """Return the point of a run that a text names, in full or by some of its values.

    Of several that differ in ``tol`` alone, the best by the silhouette within the limits of the
    run's evaluation.
    """
    rows = run.done
    if asked in rows:
        return asked
    if any(row["point"] == asked for row in run.scores):
        raise StoreError(f"{run.path}: the point {asked} failed, so it has no segments")
    axes = {slug: _axes(row) for slug, row in rows.items()}
    found = named(asked, axes)
    if not found:
        raise ConfigError(
            f"{asked} is no point of {run.path}.{did_you_mean(asked, rows)} "
            f"Points: {', '.join(rows)}"
        )
    kinds = {tuple((k, v) for k, v in axes[slug].items() if k not in _HOW) for slug in found}
    if len(kinds) > 1:
        raise ConfigError(f"{asked} names several points of {run.path}: {', '.join(found)}")
    within = {
        slug: {"silhouette": as_float(rows[slug]["silhouette"])}
        for slug in found
        if not rows[slug].get("limit")
    }
    return best(within, Criterion.silhouette) or found[0]


def named(asked: str, axes: Mapping[str, Mapping[str, object]]) -> Sequence[str]:
    """Return the points that have every value that a text such as ``n_clusters=5,tol=0.1`` names.

    `axes` are the values by axis, by point.
    """
    pairs = [part.partition("=") for part in asked.split(",")]
    try:
        values = {axis.strip(): read_value(text) for axis, equals, text in pairs if equals}
    except ConfigError:
        return []
    if len(values) < len(pairs):
        return []
    return [slug for slug, own in axes.items() if values.items() <= own.items()]


def _axes(row: Mapping[str, str]) -> dict[str, object]:
    """Return the values of a point by axis, as YAML has them."""
    given = {name: text for name, text in row.items() if name.startswith("param_") and text}
    return {name.removeprefix("param_"): read_value(text) for name, text in given.items()}
