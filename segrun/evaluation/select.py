"""The choice of the best point of a grid, within the limits of the configuration."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from segrun.config import Criterion, EvaluationConfig
from segrun.errors import ConfigError

if TYPE_CHECKING:
    from segrun.evaluation.scores import Scores

log = logging.getLogger("segrun.runner.run")

#: What is known of one point: the fields of `Scores`, and ``inertia``; None where undefined.
Values = Mapping[str, Any]

_LIMITS = (
    ("noise_share", "max_noise_share"),
    ("smallest_share", "min_share"),
    ("largest_share", "max_share"),
    ("n_clusters", "min_clusters"),
    ("n_clusters", "max_clusters"),
)
_UNCONVERGED = "did not converge (allow_unconverged is false)"
_PYPLOT = "matplotlib.pyplot"


def select(
    scores: Mapping[str, Scores],
    config: EvaluationConfig,
    inertias: Mapping[str, float | None] | None = None,
) -> str | None:
    """Return the best point, by the criterion, of those within the limits; of equals the first.

    Without limits an algorithm that marks noise could win by discarding customers, since the
    scores are over the rows that are in a cluster.
    """
    known = inertias or {}
    points = {point: vars(score) | {"inertia": known.get(point)} for point, score in scores.items()}
    within = {slug: point for slug, point in points.items() if not broken_limits(point, config)}
    return best(within, config.criterion)


def best(points: Mapping[str, Values], criterion: Criterion) -> str | None:
    """Return the point that a criterion would pick, of equals the first; None without any."""
    if criterion is Criterion.elbow:
        return _at_the_knee(points)
    name = criterion.value
    known = {
        point: value for point, values in points.items() if (value := values[name]) is not None
    }
    choose = min if criterion is Criterion.davies_bouldin else max
    return choose(known, key=known.__getitem__, default=None)


def broken_limits(point: Values, config: EvaluationConfig) -> str:
    """Return the limits that a point breaks, such as ``noise_share 0.62 > max_noise_share 0.5``."""
    told = [_broken(name, point[name], key, getattr(config, key)) for name, key in _LIMITS]
    if point["converged"] is False and not config.allow_unconverged:
        told.append(_UNCONVERGED)
    return "; ".join(text for text in told if text)


def _broken(name: str, value: float | None, key: str, limit: float | None) -> str:
    if value is None or limit is None:
        return ""
    low = key.startswith("min_")
    if (value >= limit) if low else (value <= limit):
        return ""
    return f"{name} {value:.4g} {'<' if low else '>'} {key} {limit:g}"


def check(config: EvaluationConfig) -> None:
    """Refuse limits that no point can be within: ConfigError, naming both keys and values."""
    pairs = [("share", config.min_share, config.max_share)]
    if config.min_clusters is not None and config.max_clusters is not None:
        pairs.append(("clusters", config.min_clusters, config.max_clusters))
    for what, least, most in pairs:
        if least > most:
            raise ConfigError(
                f"evaluation.min_{what}={least:g} is above evaluation.max_{what}={most:g}: no "
                "point can be selected"
            )


def warn_of_limits(
    scores: Mapping[str, Scores], selected: str | None, limits: EvaluationConfig
) -> None:
    """Warn of points that are not selected as they did not converge, and where none is selected."""
    told = [broken_limits(vars(score), limits) for score in scores.values()]
    n_unconverged = sum(_UNCONVERGED in text for text in told)
    if n_unconverged:
        log.warning(
            "%d of %d points did not converge and are not selected: raise algo.params.max_iter, or "
            "allow them with evaluation.allow_unconverged=true", n_unconverged, len(scores),
        )  # fmt: skip
    if selected is not None or not scores:
        return
    if n_within := told.count(""):
        log.warning(
            "no point is selected: the criterion %s (evaluation.criterion) is defined for none "
            "of the %d points within the limits", limits.criterion.value, n_within,
        )  # fmt: skip
    else:
        log.warning(
            "no point is selected: none is within the limits of evaluation. The least noise_share "
            "of all points is %.3f; the first point: %s",
            min(score.noise_share for score in scores.values()), told[0],
        )  # fmt: skip


def _at_the_knee(points: Mapping[str, Values]) -> str | None:
    # Several points may have one number of clusters: the tightest stands for it.
    tightest: dict[int, tuple[float, str]] = {}
    for point, values in points.items():
        count, inertia = values["n_clusters"], values["inertia"]
        if count is not None and inertia is not None:
            known = tightest.get(int(count), (inertia, point))
            tightest[int(count)] = min(known, (inertia, point), key=lambda pair: pair[0])
    found = _knee({count: inertia for count, (inertia, _) in tightest.items()})
    return None if found is None else tightest[found][1]


def _knee(inertia: Mapping[int, float]) -> int | None:
    """Return the number of clusters after which the inertia falls slowly; None without a knee.

    Satopaa, Albrecht, Irwin and Raghavan (2011), Finding a "Kneedle" in a Haystack, 31st ICDCS
    Workshops, 166-171.
    """
    if len(inertia) < 3:
        return None
    counts = sorted(inertia)
    with warnings.catch_warnings():
        # A curve without a knee is an answer, not a fault.
        warnings.simplefilter("ignore")
        found = _locator()(
            counts, [inertia[k] for k in counts], curve="convex", direction="decreasing"
        ).knee
    return None if found is None else int(found)


def _locator() -> Any:
    # kneed imports pyplot for drawings of its own, which takes longer than all that is done here:
    # where nobody has it yet, it is hidden meanwhile.
    hidden = _PYPLOT not in sys.modules
    if hidden:
        sys.modules[_PYPLOT] = None  # type: ignore[assignment]
    try:
        from kneed import KneeLocator
    finally:
        if hidden:
            del sys.modules[_PYPLOT]
    return KneeLocator
