"""Names that somebody has given by hand: kept apart, so that they outlive a new description."""

from __future__ import annotations

from collections.abc import Mapping

from segrun.rundir.finished import FinishedRun

#: By point and by the algorithm's label, which a new order of the segments does not change.
GIVEN = "segments/names.json"


def given_names(run: FinishedRun, point: str) -> dict[int, str]:
    """Return the names given by hand to the clusters of a point, by label."""
    found = run.json(GIVEN).get(point, {})
    return {int(label): name for label, name in found.items()}


def with_names(run: FinishedRun, point: str, names: Mapping[int, str]) -> dict[str, object]:
    """Return what the file holds once these names, by label, are given as well."""
    before = run.json(GIVEN)
    own = {**before.get(point, {}), **{str(label): name for label, name in names.items()}}
    return {**before, point: own}
