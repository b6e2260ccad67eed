"""What the `preflight` group of the configuration may hold."""

from __future__ import annotations

from segrun.config import PreflightConfig
from segrun.errors import ConfigError


def check(config: PreflightConfig) -> None:
    """Refuse values of `preflight` that are out of range.

    Raises
    ------
    ConfigError
        Naming the key, the value and the allowed range.
    """
    # Written this way round so that NaN is refused as well.
    if config.max_seconds is not None and not config.max_seconds > 0:
        raise ConfigError(
            "preflight.max_seconds must be above 0, or null for no limit. "
            f"Got {config.max_seconds:g} instead"
        )
    if not 0 < config.max_memory_share <= 1:
        raise ConfigError(
            "preflight.max_memory_share must be a share above 0 and up to 1. "
            f"Got {config.max_memory_share:g} instead"
        )
