"""One page that shows a run or a sweep: self-contained, opens offline, asks nobody for anything."""

from __future__ import annotations

from pathlib import Path

from segrun.errors import SegrunError, StoreError


def write_report(path: Path, later: str = "") -> Path:
    """Write ``report.html`` and its pictures into a run or sweep directory; return the page.

    A run that has a point to describe and no segments yet is described first. `later` is a
    sentence about what came to the run after it had ended. Only SegrunError is raised, so that a
    page that fails costs no run.
    """
    # Late: a wrong command line must not wait for scikit-learn and matplotlib.
    from segrun.report.html.run import write_run
    from segrun.report.html.sweep import is_sweep, write_sweep

    try:
        return write_sweep(path) if is_sweep(path) else write_run(path, later)
    except SegrunError:
        raise
    except Exception as error:
        raise StoreError(
            f"the report of {path} cannot be written: {type(error).__name__}: {error}"
        ) from error
