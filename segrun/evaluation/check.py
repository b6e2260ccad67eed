"""What the `evaluation` group of the configuration may hold."""

from __future__ import annotations

from segrun.config import EvaluationConfig
from segrun.errors import ConfigError


def check(config: EvaluationConfig) -> None:
    """Refuse limits that no point can be within.

    Parameters
    ----------
    config : EvaluationConfig
        The group as composed.

    Raises
    ------
    ConfigError
        Naming both keys and values.
    """
    _in_order("share", config.min_share, config.max_share)
    if config.min_clusters is not None and config.max_clusters is not None:
        _in_order("clusters", config.min_clusters, config.max_clusters)


def _in_order(what: str, least: float, most: float) -> None:
    if least > most:
        raise ConfigError(
            f"evaluation.min_{what}={least:g} is above evaluation.max_{what}={most:g}: no point "
            "can be selected"
        )
