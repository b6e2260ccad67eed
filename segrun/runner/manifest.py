"""The end of a run: what its manifest says, however it ended."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from segrun import interrupt
from segrun.config import Experiment
from segrun.errors import StoreError
from segrun.features.augment import label
from segrun.rundir.directory import RunDirectory
from segrun.rundir.environment import own_code
from segrun.rundir.timings import Timings
from segrun.runner.evaluated import Evaluated

log = logging.getLogger("segrun.runner.run")


@dataclass(frozen=True)
class RunResult:
    """What a run came to.

    Attributes
    ----------
    directory : Path
        Where everything is.
    status : {"done", "incomplete", "failed"}
        incomplete: some points failed, failed: all; their rows in ``scores.csv`` say why.
    reason : str
        Why it failed, empty if it did not.
    selected : str or None
        Slug of the best point within the limits.
    points : mapping of str to int
        Number of points by status.
    undescribed : str
        Why the segments that were asked for are not there, empty if nothing went wrong with them.
    """

    directory: Path
    status: str
    reason: str
    selected: str | None
    points: dict[str, int]
    undescribed: str = ""

    @property
    def exit_code(self) -> int:
        """0 where all that was asked for is there, otherwise 1."""
        return 0 if self.status == "done" and not self.undescribed else 1


def finish(
    experiment: Experiment,
    out: RunDirectory,
    timings: Timings,
    evaluated: Evaluated,
    undescribed: str,
) -> RunResult:
    """Write the tables of times and, last, the manifest."""
    out.write_table("timings.csv", timings.table())
    if evaluated.flight.costs:
        out.write_table("preflight.csv", evaluated.flight.table(timings))
    status, reason = evaluated.status, evaluated.reason
    if reason:
        log.debug("the run failed: %s", reason)
    points = dict(Counter(outcome.status for outcome in evaluated.outcomes))
    facts = {**about(experiment), "points": points, **evaluated.facts}
    out.finish(status, reason, facts)
    return RunResult(out.path, status, reason, evaluated.selected, points, undescribed)


def about(experiment: Experiment) -> dict[str, Any]:
    """Return what a manifest says of the experiment."""
    return {
        "segrun": metadata.version("segrun"),
        "code": own_code(),
        "experiment": {
            "name": experiment.name,
            "dataset": experiment.dataset.name,
            "features": experiment.features.name,
            "augmentation": label(experiment.augmentation),
            "algo": experiment.algo.name,
            "engine": experiment.engine.name.value,
            "backend": experiment.backend.name.value,
        },
    }


def record_failure(
    experiment: Experiment, out: RunDirectory, error: BaseException, warned: list[str]
) -> None:
    """Say in the manifest how the run ended; what was finished stays."""
    interrupted = isinstance(error, KeyboardInterrupt) or interrupt.asked()
    status = "interrupted" if interrupted else "failed"
    reason = "stopped by the user" if interrupted else f"{type(error).__name__}: {error}"
    try:
        out.finish(status, reason, {**about(experiment), "warnings": warned})
    except StoreError as second:
        # Disk full, most likely: the marker UNFINISHED stays and says enough.
        log.error("the manifest could not be written: %s", second)


class _Texts(logging.Handler):
    """Keeps the texts of warnings, each once, in their order."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning; what failed stands elsewhere, with its reason."""
        text = record.getMessage()
        if record.levelno == logging.WARNING and text not in self.texts:
            self.texts.append(text)


@contextmanager
def listening() -> Iterator[list[str]]:
    """Give a list that the warnings of this process are added to while the context lasts."""
    logger, handler = logging.getLogger("segrun"), _Texts()
    logger.addHandler(handler)
    try:
        yield handler.texts
    finally:
        logger.removeHandler(handler)
