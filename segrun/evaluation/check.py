"""What the `evaluation` group of the configuration may hold."""

from __future__ import annotations

from segrun.config import EvaluationConfig
from segrun.errors import ConfigError


def check(config: EvaluationConfig) -> None:
    """Refuse values of `evaluation` that are out of range."""
    counts = {
        "max_exact_rows": config.silhouette.max_exact_rows,
        "sample_rows": config.silhouette.sample_rows,
    }
    for key, value in counts.items():
        if value < 1:
            raise ConfigError(
                f"evaluation.silhouette.{key} must be at least 1 row. Got {value} instead"
            )
    for key in ("max_noise_share", "min_share", "max_share"):
        share = getattr(config, key)
        # Written this way round so that NaN is refused as well.
        if not 0 <= share <= 1:
            raise ConfigError(f"evaluation.{key} must be a share from 0 to 1. Got {share} instead")
    for key in ("min_clusters", "max_clusters"):
        number = getattr(config, key)
        if number is not None and number < 1:
            raise ConfigError(f"evaluation.{key} must be at least 1, or null. Got {number} instead")
    _in_order("share", config.min_share, config.max_share)
    if config.min_clusters is not None and config.max_clusters is not None:
        _in_order("clusters", config.min_clusters, config.max_clusters)


def _in_order(what: str, least: float, most: float) -> None:
    if least > most:
        raise ConfigError(
            f"evaluation.min_{what}={least:g} is above evaluation.max_{what}={most:g}: no point "
            "can be selected"
        )
