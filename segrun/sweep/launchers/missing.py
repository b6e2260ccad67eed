"""The error for a launcher whose library is not there."""

from __future__ import annotations

from segrun.errors import ConfigError


def missing(name: str, library: str, extra: str) -> ConfigError:
    """Return the error for a launcher whose library is not installed."""
    return ConfigError(
        f"hydra/launcher={name} needs {library}, which is not installed: pip install "
        f"'segrun[{extra}]'"
    )
