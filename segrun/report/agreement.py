"""Whether two runs of the same grid came to the same clusters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from segrun.rundir.finished import FinishedRun
from segrun.rundir.store import labels_name


@dataclass(frozen=True)
class Agreement:
    """How two label sets, or those of several points, compare.

    Attributes
    ----------
    ari : float
        Adjusted Rand index, 1 for the same clusters under any numbers; noise counts as one more
        cluster. Of several points the least.
    inertia_ratio : float or None
        Inertia by that of the baseline; of several points the one furthest from 1. None where
        the algorithm has no inertia.
    n_identical : int
        Points whose labels are equal, number by number.
    """

    ari: float
    inertia_ratio: float | None
    n_identical: int


def agree(baseline: FinishedRun, other: FinishedRun, point: str) -> Agreement:
    """Compare the labels of one point with the baseline's."""
    ratio = _inertia_ratio(baseline.done[point], other.done[point])
    if _digest(baseline, point) == _digest(other, point):
        return Agreement(1.0, ratio, 1)
    # Late: scikit-learn takes over a second to import.
    from sklearn.metrics import adjusted_rand_score

    one, two = baseline.labels(point), other.labels(point)
    identical = bool((one == two).all())
    return Agreement(float(adjusted_rand_score(one, two)), ratio, int(identical))


def overall(agreements: Iterable[Agreement]) -> Agreement:
    """Return what several points have in common: the worst of each."""
    every = list(agreements)
    ratios = [one.inertia_ratio for one in every if one.inertia_ratio is not None]
    return Agreement(
        min(one.ari for one in every),
        max(ratios, key=lambda ratio: abs(ratio - 1), default=None),
        sum(one.n_identical for one in every),
    )


def same_each_round(runs: Sequence[FinishedRun], points: Iterable[str]) -> bool:
    """Tell whether all rounds of one backend came to the same labels."""
    return all(len({_digest(run, point) for run in runs}) == 1 for point in points)


def _digest(run: FinishedRun, point: str) -> str:
    """Return the digest of a point's label file: equal files hold equal labels."""
    return run.files[labels_name(point)]


def _inertia_ratio(baseline: Mapping[str, str], other: Mapping[str, str]) -> float | None:
    one, two = baseline["inertia"], other["inertia"]
    return float(two) / float(one) if one and two and float(one) else None
