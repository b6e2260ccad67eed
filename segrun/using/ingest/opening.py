"""The state of a run, opened by one process at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segrun.errors import SegrunError, StoreError
from segrun.rundir.claim import INGESTED, locked
from segrun.rundir.environment import own_code
from segrun.rundir.finished import FinishedRun, open_run
from segrun.segments.clustering import chosen_point
from segrun.using.ingest.begin import Wanted, begin
from segrun.using.ingest.database import STATE, connected, fact, is_empty, known_fact
from segrun.using.ingest.ledger import Ledger

log = logging.getLogger("segrun.using.ingest")

#: How long another ingest may go on before this one gives up.
_WAIT_SECONDS = 60


def has_state(run: FinishedRun) -> bool:
    """Tell whether anything was ever ingested into a run."""
    file = run.path / INGESTED / STATE
    return file.is_file() and file.stat().st_size > 0


def make_state(path: Path) -> None:
    """Make the state of a run that has just ended; see `opened`."""
    try:
        with opened(open_run(path)):
            pass
    except SegrunError as error:
        raise type(error)(
            f"store.state=true: {error}. The run itself is done: segrun ingest {path} FILE makes "
            "its state later"
        ) from error


@contextmanager
def opened(run: FinishedRun, wanted: Wanted = Wanted()) -> Iterator[Ledger]:  # noqa: B008 - frozen
    """Open the state of a run; where there is none, it is made from the run's own input.

    Parameters
    ----------
    run : FinishedRun
        The run.
    wanted : Wanted, optional
        How a new state begins; another keeps to what it began with.

    Raises
    ------
    ClaimError
        If another process has it for too long, or it cannot be written.
    StoreError
        If it is damaged, or of another run or point.
    """
    folder = run.path / INGESTED
    busy = f"another process is ingesting into {run.path}: wait until it has ended"
    lock = locked(folder, _WAIT_SECONDS, busy)
    try:
        with connected(folder / STATE) as connection:
            if is_empty(connection):
                own = run.manifest["input"]
                log.warning(
                    "%s has no state yet: made once, from its own input, %s",
                    run.path, own.get("path") or own.get("source"),
                )  # fmt: skip
                begin(connection, run, wanted, chosen_point(run, wanted.point))
            kept = fact(connection, "placing")["point"]
            if fact(connection, "run") != run.manifest.get("key"):
                raise StoreError(
                    f"{folder / STATE} is the state of another run: remove it and ingest again"
                )
            if wanted.point not in (None, kept):
                raise StoreError(
                    f"{folder / STATE} has the labels of the point {kept}, not of {wanted.point}: "
                    "to go on with another one, copy the run without its folder ingest"
                )
            if (then := known_fact(connection, "code")) != own_code():
                log.warning(
                    "%s was last written by other code of segrun (%s then, %s now): what is stored "
                    "stands, new rows are added by the code of now. To have all of it by one code, "
                    "run again and ingest into the new run",
                    folder / STATE, then or "not known", own_code(),
                )  # fmt: skip
            yield Ledger(run, connection)
    finally:
        lock.release()
