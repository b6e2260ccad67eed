"""Which grid point of a run counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from segrun.config import Criterion, read_value
from segrun.errors import ConfigError, StoreError
from segrun.evaluation.select import best
from segrun.formats import as_float
from segrun.nearest import did_you_mean
from segrun.rundir.finished import FinishedRun
from segrun.segments.segment import is_described, read_segments

#: Axes of a grid that say how a fit goes, not what is asked of it: among their values the run
#: chooses by its scores.
_HOW = {"tol"}


def chosen_point(run: FinishedRun, asked: str | None) -> str:
    """Return the point asked for, else that of the segments, else the selected one.

    Raises
    ------
    ConfigError
        If the run has no such point.
    StoreError
        If it has no labels of it, or selected none.
    """
    found = None if asked is None else asked_point(run, asked)
    if found is None and is_described(run):
        found = read_segments(run).point
    found = found or run.selected
    if found is None:
        raise StoreError(
            f"{run.path} selected no point: name one with --point. Points: {', '.join(run.points)}"
        )
    return found


def asked_point(run: FinishedRun, asked: str) -> str:
    """Return the point of a run that a text names, in full or by some of its values.

    Of several that differ in ``tol`` alone, the best by the silhouette within the limits of the
    run's evaluation.

    Raises
    ------
    ConfigError
        If there is none, or there are several.
    StoreError
        If it did not come to labels.
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
    values = {slug: {"silhouette": as_float(rows[slug]["silhouette"])} for slug in found}
    within = {slug: values[slug] for slug in found if not rows[slug].get("limit")}
    return best(within, Criterion.silhouette) or found[0]


def named(asked: str, axes: Mapping[str, Mapping[str, object]]) -> Sequence[str]:
    """Return the points that have every value that a text such as ``n_clusters=5`` names.

    Parameters
    ----------
    asked : str
        ``axis=value``, several of them divided by commas.
    axes : mapping of str to mapping
        Values by axis, by point.
    """
    pairs = [part.partition("=") for part in asked.split(",")]
    try:
        wanted = {axis.strip(): read_value(text) for axis, equals, text in pairs if equals}
    except ConfigError:
        return []
    if len(wanted) < len(pairs):
        return []
    return [slug for slug, own in axes.items() if wanted.items() <= own.items()]


def _axes(row: Mapping[str, str]) -> dict[str, object]:
    """Return the values of a point by axis, as YAML has them."""
    given = {name: text for name, text in row.items() if name.startswith("param_") and text}
    return {name.removeprefix("param_"): read_value(text) for name, text in given.items()}
