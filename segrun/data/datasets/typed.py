"""From a large CSV file to typed Parquet: a sample, one pass, and a look whether all was right."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import polars as pl

from segrun.config import BadLines, FileConfig, RecordsConfig
from segrun.data.cache.digests import is_still, remember, remembered, state
from segrun.data.cache.directory import unwritable as unwritable_cache
from segrun.data.datasets import sample
from segrun.data.datasets.account import Account, FileFacts, account_of
from segrun.data.datasets.bytescan import ByteScan
from segrun.data.datasets.csvfile import distinct
from segrun.data.datasets.onepass import Pass, each_closed, each_whole, read_once
from segrun.data.datasets.sample import Guess, Sampling
from segrun.data.datasets.table import POLARS_ERRORS
from segrun.data.datasets.textfile import Utf8File, unwritable
from segrun.errors import DataError
from segrun.formats import in_bytes
from segrun.progress import Progress

log = logging.getLogger("segrun.data.datasets")

#: The name of the rows in the folder that is filled.
ROWS = "rows.parquet"

_POLL_SECONDS = 0.5

#: A disk with less is full.
_LEAST_FREE_BYTES = 2**20


class NoUtf8(Exception):  # noqa: N818 - no error: the file is read another way
    """The text is in another encoding."""


def typed(
    config: FileConfig, text: Utf8File, folder: Path, target: Path, sampling: Sampling
) -> Account | None:
    """Read a text file into Parquet, None where a row contradicts what the sample told.

    Parameters
    ----------
    config : FileConfig
        Its settings.
    text : Utf8File
        Its content, in UTF-8 by all appearance.
    folder : Path
        Folder for temporary copies.
    target : Path
        Folder that the rows go to, as `ROWS`.
    sampling : Sampling
        How much of it is looked at first.

    Raises
    ------
    NoUtf8
        If the text is in another encoding.
    """
    before = state(text.path)
    guess = _guessed(config, text, folder, sampling)
    if guess is None:
        return None
    # Of a temporary copy nobody asks it.
    asked = text.path.parent != folder and remembered(text.path) is None
    scan = ByteScan(text.path, guess.separator, digest=asked)
    scan.start()
    try:
        found = _attempted(config, text, guess, scan, target / ROWS)
        told = scan.found()
    except OSError as error:
        raise unwritable_cache(target.parent.parent, error) from error
    finally:
        scan.stop()
    if not is_still(text.path, before):
        raise changed(config.path)
    if told.sha256:
        remember(text.path, told.sha256, before)
    if found is None and not told.utf8:
        # polars refused it, wherever it came upon the byte.
        raise NoUtf8
    if found is None or not _one_per_id(config, target / ROWS):
        return None
    columns = dict.fromkeys(distinct(guess.names), pl.String())
    file = FileFacts({"encoding": text.encoding}, columns)
    return account_of(config, guess.mapped, found.readings, file, found.surveyed)


def changed(name: str) -> DataError:
    """Return the error of a file that is written to while it is read."""
    return DataError(
        f"dataset.path={name} was changed while it was read: read it again once it is finished"
    )


def _guessed(config: FileConfig, text: Utf8File, folder: Path, sampling: Sampling) -> Guess | None:
    some = Utf8File(folder / "sample.csv", text.encoding)
    try:
        sample.take(text.path, some.path, sampling)
        some.path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise NoUtf8 from error
    except OSError as error:
        raise unwritable(folder.parent, error) from error
    try:
        return sample.guess(config, some, folder)
    except DataError as error:
        # Of the whole file it may not be true, or can be said better.
        log.debug("the sample does not tell how %s is read: %s", config.path, error)
        return None
    finally:
        some.path.unlink(missing_ok=True)


def _attempted(
    config: FileConfig, text: Utf8File, guess: Guess, scan: ByteScan, parquet: Path
) -> Pass | None:
    """Return what the first pass that fits every row came to, None where none does."""
    while True:
        try:
            with _shown(config.path, text.path, scan):
                found = read_once(text.path, config, guess, parquet)
                fits = found.fits and _all_whole(found, config, guess, scan, text.path)
        except POLARS_ERRORS as error:
            # Of a full disk polars raises an error of its own.
            full = shutil.disk_usage(parquet.parent).free < _LEAST_FREE_BYTES
            if full or os.strerror(errno.ENOSPC) in str(error):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
            log.debug("%s: %s does not fit: %s", config.path, guess, error)
        else:
            if not scan.found().utf8:
                raise NoUtf8
            if fits:
                return found
            log.debug("%s: %s does not fit: %s", config.path, guess, found)
            guess = replace(guess, fractions=found.fractions, dots=found.dots)
        if not guess.as_is and guess.quotes:
            return None
        # Once more, with nothing taken for granted.
        guess = replace(guess, as_is=frozenset(), quotes=True)


def _all_whole(found: Pass, config: FileConfig, guess: Guess, scan: ByteScan, path: Path) -> bool:
    """Tell whether every row has the header's number of fields, and quotes are as they should be.

    Where the last field of every row is there, none has too few; where there are no more
    separators than that takes, none has too many. Of a file with quotes polars says the latter,
    where it reads every column.
    """
    told, n_fields = scan.found(), len(guess.names)
    if found.whole and guess.quotes:
        whole = True
    elif told.quotes or not guess.quotes:
        n_separators = (found.readings.n_lines + 1) * (n_fields - 1)
        whole = found.whole and not told.quotes and told.n_separators == n_separators
    else:
        whole = each_whole(path, guess.separator, n_fields)
    # Where bad lines are left out, each is looked at for itself.
    if whole and config.bad_lines is not BadLines.refuse and told.quotes:
        return each_closed(path, guess.separator)
    return whole


def _one_per_id(config: FileConfig, parquet: Path) -> bool:
    if not isinstance(config, RecordsConfig) or not config.one_per_id:
        return True
    ids = pl.scan_parquet(parquet).select(pl.col(config.id))
    found = ids.select(n=pl.len(), n_ids=pl.all().drop_nulls().n_unique())
    n, n_ids = found.collect(engine="streaming").row(0)
    return bool(n == n_ids)


@contextmanager
def _shown(name: str, path: Path, scan: ByteScan) -> Iterator[None]:
    """Show how much of a file polars has read, which does not tell itself."""
    ended, n_bytes = Event(), path.stat().st_size
    label = f"reading {Path(name).name} ({in_bytes(n_bytes)})"
    began = _n_read_bytes() - scan.n_read_bytes

    def watch() -> None:
        with Progress(label, 100) as progress:
            while not ended.wait(_POLL_SECONDS):
                n_read = _n_read_bytes() - scan.n_read_bytes - began
                progress.reach(min(0.99, n_read / n_bytes))

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _n_read_bytes() -> int:
    """Return what this process has read from files; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/io").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
