"""``segrun report``: one page with everything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from segrun.errors import ConfigError
from segrun.formats import in_bytes
from segrun.report.html import write_report


def report_command(rest: Sequence[str]) -> int:
    """Do ``segrun report RUN|SWEEP``: write ``report.html`` there and say where it is."""
    # Late: a wrong command line must not wait for scikit-learn and matplotlib.
    from segrun.report.html.sweep import is_sweep
    from segrun.rundir.finished import open_run
    from segrun.using.ingest.since import told

    if len(rest) != 1 or rest[0].startswith("-"):
        raise ConfigError(
            f"segrun report takes the directory of one run or sweep. Got {' '.join(rest)!r} instead"
        )
    path = Path(rest[0])
    path = write_report(path, "" if is_sweep(path) else told(open_run(path)))
    print(f"{path} ({in_bytes(path.stat().st_size)})")  # noqa: T201
    return 0
