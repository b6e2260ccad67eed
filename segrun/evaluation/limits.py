"""The limits that a point must be within to be selected."""

from __future__ import annotations

from typing import Protocol

from segrun.config import EvaluationConfig

UNCONVERGED = "did not converge (allow_unconverged is false)"


class Shape(Protocol):
    """What limits are of: see ``Scores``."""

    @property
    def n_clusters(self) -> int:
        """Clusters, without noise."""

    @property
    def noise_share(self) -> float:
        """Share of the rows in no cluster."""

    @property
    def smallest_share(self) -> float | None:
        """Share of the smallest cluster, None without any."""

    @property
    def largest_share(self) -> float | None:
        """Share of the largest cluster, None without any."""

    @property
    def converged(self) -> bool | None:
        """Whether the fit did, None where nothing tells."""


def broken_limits(point: Shape, config: EvaluationConfig) -> str:
    """Return the limits that a point breaks, such as ``noise_share 0.62 > max_noise_share 0.5``.

    Parameters
    ----------
    point : Shape
        Number of clusters, shares of all rows, and whether the fit converged.
    config : EvaluationConfig
        The limits.

    Returns
    -------
    str
        Empty where the point is within all of them; several are parted by semicolons.
    """
    checks = (
        ("noise_share", point.noise_share, "max_noise_share"),
        ("smallest_share", point.smallest_share, "min_share"),
        ("largest_share", point.largest_share, "max_share"),
        ("n_clusters", point.n_clusters, "min_clusters"),
        ("n_clusters", point.n_clusters, "max_clusters"),
    )
    told = [_broken(name, value, key, getattr(config, key)) for name, value, key in checks]
    if point.converged is False and not config.allow_unconverged:
        told.append(UNCONVERGED)
    return "; ".join(text for text in told if text)


def _broken(name: str, value: float | None, key: str, limit: float | None) -> str:
    if value is None or limit is None:
        return ""
    low = key.startswith("min_")
    if (value >= limit) if low else (value <= limit):
        return ""
    return f"{name} {value:.4g} {'<' if low else '>'} {key} {limit:g}"
