"""One page that shows a run or a sweep: self-contained, opens offline, asks nobody for anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from segrun.errors import ConfigError, SegrunError, StoreError

#: The page's file.
REPORT = "report.html"


def report_command(rest: Sequence[str]) -> int:
    """Do ``segrun report RUN|SWEEP``: write ``report.html`` there and say where it is.

    Raises
    ------
    SegrunError
        If there is nothing to report on, or it cannot be written.
    """
    if len(rest) != 1 or rest[0].startswith("-"):
        raise ConfigError(
            f"segrun report takes the directory of one run or sweep. Got {' '.join(rest)!r} instead"
        )
    path = write_report(Path(rest[0]))
    print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")  # noqa: T201
    return 0


def write_report(path: Path) -> Path:
    """Write ``report.html`` and its pictures into a run or sweep directory.

    A run that has a point to describe and no segments yet is described first.

    Parameters
    ----------
    path : Path
        Directory of a finished run, or of a sweep.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    SegrunError
        If it is neither, or the page cannot be written; nothing else is raised, so that a page
        that fails costs no run.
    """
    # Late: a wrong command line must not wait for scikit-learn and matplotlib.
    from segrun.report.html.run import write_run
    from segrun.report.html.sweep import is_sweep, write_sweep

    try:
        return write_sweep(path) if is_sweep(path) else write_run(path)
    except SegrunError:
        raise
    except Exception as error:
        raise StoreError(
            f"the report of {path} cannot be written: {type(error).__name__}: {error}"
        ) from error
