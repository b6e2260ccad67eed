"""Where Hydra looks for sweepers and launchers; what they do is in ``segrun.sweep``.

Every program on Hydra in the environment imports this at its start: nothing heavy stands here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper


class _Told:
    """Keeps what Hydra tells at the start."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def setup(self, *, hydra_context: Any, task_function: Any, config: Any) -> None:
        """Keep the context, the function that runs a job, and the configuration."""
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config


class BasicSweeper(_Told, Sweeper):
    """Every combination of the values."""

    def sweep(self, arguments: list[str]) -> None:
        """Run a job per combination."""
        from segrun.sweep.grid import sweep

        sweep(self.config, self.hydra_context, self.task_function, arguments)


class OptunaSweeper(_Told, Sweeper):
    """Points drawn by Optuna."""

    def sweep(self, arguments: list[str]) -> None:
        """Run a job per trial."""
        from segrun.sweep.search import sweep

        sweep(self.config, self.hydra_context, self.task_function, arguments)


class _Launcher(_Told, Launcher):
    """Named by the settings alone: segrun's sweepers freeze their jobs and run them themselves."""

    def launch(self, *_batch: Any, **_named: Any) -> Sequence[Any]:
        """Refuse the batch of a sweeper of others, whose jobs are not frozen."""
        from segrun.errors import ConfigError

        raise ConfigError(
            f"{self.config.hydra.sweeper._target_} is no sweeper of segrun's: use "
            "hydra/sweeper=basic or hydra/sweeper=optuna"
        )


class BasicLauncher(_Launcher):
    """In this process."""


class ProcessLauncher(_Launcher):
    """In isolated worker processes."""


class JoblibLauncher(_Launcher):
    """In joblib's processes."""


class DaskLauncher(_Launcher):
    """On a Dask cluster."""


class SubmititLauncher(_Launcher):
    """On a batch system."""
