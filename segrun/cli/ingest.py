"""``segrun ingest``: the command."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from segrun.cli.arguments import Arguments, misuse
from segrun.cli.pages import COMMANDS
from segrun.data.address import refuse_secret
from segrun.errors import KnownBatchError, SegrunError
from segrun.rundir.finished import open_run
from segrun.using.ingest.batches import Ingested, Move, moves_table
from segrun.using.ingest.ledger import Ledger, StateOptions, has_state, opened
from segrun.using.ingest.since import batch_line, state_page, write_outputs


def ingest_command(arguments: Sequence[str]) -> int:
    """Do what the arguments of ``segrun ingest`` ask for and return the exit code."""
    asked = _arguments().read(arguments)
    changes = [text for text in asked["files"] if _is_change(text)]
    files = [text for text in asked["files"] if not _is_change(text)]
    if asked["force"] and asked["skip_known"]:
        raise misuse("ingest", "--force and --skip-known contradict each other")
    for file in (*files, asked["input"] or ""):
        # Before any message names it.
        refuse_secret(file, "FILE")
    run = open_run(Path(asked["run"]).expanduser())
    if not files and not has_state(run):
        print(f"{run.path}: nothing was ingested yet. {COMMANDS['ingest'].usage}")  # noqa: T201
        return 0
    with (
        _warnings(shown=not asked["quiet"]),
        opened(run, StateOptions(asked["point"], asked["nearest"], asked["input"])) as ledger,
    ):
        _do(ledger, files, changes, asked)
    return 0


def _do(
    ledger: Ledger, files: Sequence[str], changes: Sequence[str], asked: dict[str, Any]
) -> None:
    say = _silent if asked["quiet"] else _say
    found = [*_ingested(ledger, files, changes, asked)]
    if asked["refresh"]:
        found.append(ledger.refresh())
        say(batch_line(found[-1]))
    moves = sum((batch.moves for batch in found), Counter[Move]())
    if moves:
        say("\n" + moves_table(moves, ledger.placing.segments))
    if asked["features"]:
        say("\n".join(f"written: {file}" for file in write_outputs(ledger)))
    if not found and not asked["features"]:
        say(state_page(ledger))


def _ingested(
    ledger: Ledger, files: Sequence[str], changes: Sequence[str], asked: dict[str, Any]
) -> list[Ingested]:
    found: list[Ingested] = []
    say = _silent if asked["quiet"] else _say
    for file in files:
        try:
            found.append(ledger.ingest(file, changes, force=asked["force"]))
        except KnownBatchError as error:
            if not asked["skip_known"]:
                raise KnownBatchError(_where(error, found, len(files))) from error
            say(f"{file}: ingested before, passed over")
        except SegrunError as error:
            raise type(error)(_where(error, found, len(files), file)) from error
        else:
            say(batch_line(found[-1]))
    return found


def _where(error: SegrunError, found: Sequence[Ingested], n_files: int, file: str = "") -> str:
    """Say which file an error is about, and what became of those in front of it."""
    text = str(error)
    said = text if not file or file in text else f"{file}: {text}"
    if n_files < 2:
        return f"{said}. Nothing of it is ingested"
    return (
        f"{said}. Nothing of it is ingested; the {len(found)} in front of it are, those behind not"
    )


@contextmanager
def _warnings(*, shown: bool) -> Iterator[None]:
    log = logging.getLogger("segrun")
    before = log.level
    if not shown:
        log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _is_change(text: str) -> bool:
    return text.startswith("dataset.") and "=" in text


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def _silent(_text: str) -> None:
    pass


def _arguments() -> Arguments:
    parser = Arguments("ingest")
    parser.add_argument("run")
    parser.add_argument("files", nargs="*")
    for option in ("--input", "--point"):
        parser.add_argument(option)
    for flag in ("--force", "--skip-known", "--refresh", "--features", "--nearest", "--quiet"):
        parser.add_argument(flag, action="store_true")
    return parser
