"""What the `evaluation` group of the configuration may hold."""

from __future__ import annotations

from segrun.config import EvaluationConfig
from segrun.errors import ConfigError


def check(config: EvaluationConfig) -> None:
    """Refuse values of `evaluation` that are out of range.

    Parameters
    ----------
    config : EvaluationConfig
        The group as composed.

    Raises
    ------
    ConfigError
        Naming the key, the value and the allowed range.
    """
    counts = {
        "max_exact_rows": config.silhouette.max_exact_rows,
        "sample_rows": config.silhouette.sample_rows,
    }
    for key, value in counts.items():
        if value < 1:
            raise ConfigError(
                f"evaluation.silhouette.{key} must be at least 1 row. Got {value} instead"
            )
    # Written this way round so that NaN is refused as well.
    if not 0 <= config.max_noise_share <= 1:
        raise ConfigError(
            "evaluation.max_noise_share must be a share from 0 to 1. "
            f"Got {config.max_noise_share} instead"
        )
