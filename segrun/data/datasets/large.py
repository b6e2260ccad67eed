"""Large CSV files: read once into typed Parquet, which the cache directory keeps for later runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl

from segrun.config import CacheConfig, Copies, FileConfig, RatingsFileConfig, RecordsConfig
from segrun.data.cache.digests import is_still, remember, remembered, state
from segrun.data.cache.directory import locked
from segrun.data.cache.directory import unwritable as unwritable_cache
from segrun.data.cache.entry import Entry, entries, key_of, making
from segrun.data.datasets import sample
from segrun.data.datasets.account import Account, FileFacts, account_of, deliver
from segrun.data.datasets.bytescan import ByteScan
from segrun.data.datasets.csvfile import distinct
from segrun.data.datasets.onepass import NoUtf8, read_checked
from segrun.data.datasets.rows import Rows
from segrun.data.datasets.sample import Guess, Sampling
from segrun.data.datasets.source import FileKind, Source
from segrun.data.datasets.textfile import (
    Utf8File,
    as_utf8,
    is_packed,
    is_utf8_by_all_appearance,
    unwritable,
)
from segrun.errors import DataError
from segrun.rundir.environment import own_code

log = logging.getLogger("segrun.data.datasets")

#: The name of the rows in the folder that is filled.
ROWS = "rows.parquet"

#: Text is seldom packed to less than this share of its size.
_MOST_PACKED = 20


@dataclass(frozen=True)
class LargeFile:
    """An input that may be large.

    Attributes
    ----------
    config : FileConfig
        Its settings.
    source : Source
        Where it is.
    cache, folder : Path
        The cache directory, and a folder for temporary copies.
    settings : CacheConfig
        What is large, and whether tables are kept.
    sampling : Sampling
        How much of it is looked at before it is read.
    """

    config: FileConfig
    source: Source
    cache: Path
    folder: Path
    settings: CacheConfig
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def may_be_large(self) -> bool:
        """Whether it is a CSV file of such a size, as far as its packed size tells."""
        source, config = self.source, self.config
        if isinstance(config, RatingsFileConfig) or config.duplicates is Copies.drop:
            return False
        if source.parts or source.kind is not FileKind.text:
            return False
        factor = _MOST_PACKED if is_packed(source.path) else 1
        return source.n_bytes * factor >= self.settings.min_bytes

    @property
    def about(self) -> dict[str, Any]:
        """What its table depends on besides its content."""
        settings = {k: v for k, v in asdict(self.config).items() if k not in ("name", "path")}
        made_by = {"code": own_code(), "polars": metadata.version("polars")}
        return {"kind": type(self.config).__name__, **settings, **made_by}

    @property
    def entry(self) -> Entry:
        """Its table in the cache; this takes the digest of its content."""
        return Entry("tables", key_of(self.source.sha256, self.about), self.cache)


@contextmanager
def opened(file: LargeFile) -> Iterator[Rows | Utf8File | None]:
    """Give the rows of a large CSV file, which can be used as long as the context lasts.

    Where it takes the strict reading: its text if it had to be unpacked or recoded, else None.
    """
    if not file.may_be_large:
        yield None
        return
    with ExitStack() as stack:
        if file.settings.use:
            yield _from_cache(file, stack)
            return
        target = file.folder / "table"
        target.mkdir()
        account, text = _read(file, target)
        yield text if account is None else _rows(file, account, target)


def _from_cache(file: LargeFile, stack: ExitStack) -> Rows | Utf8File | None:
    """Return the rows that are kept, after they were read if need be."""
    is_new = False
    # Before the file is read its content is not known: who reads it is told by its state.
    before = state(file.source.path)
    name = key_of(str(file.source.path.resolve()), before, file.about)
    with locked(file.cache, f"read-{name}", lambda: _wait(file)):
        entry = file.entry if _is_known(file) else None
        if entry is None or entry.told() is None:
            with making("tables", file.cache) as target:
                account, text = _read(file, target)
                if account is None:
                    return text
                is_new, entry = True, file.entry
                if not is_still(file.source.path, before):
                    # The digest is of the one content, the table may be of the other.
                    raise _changed(file.config.path)
                facts = {"account": asdict(account), "n_bytes": file.source.n_bytes}
                entry.keep(target, f"table of {file.config.path}", facts)
    told = stack.enter_context(entry.using())
    if told is None:
        # Cleared this very moment.
        return None
    account = Account(**told["facts"]["account"])
    return _rows(file, account, entry.path, from_cache=not is_new)


def _rows(file: LargeFile, account: Account, folder: Path, *, from_cache: bool = False) -> Rows:
    parquet = folder / ROWS
    where = "from the cache" if from_cache else "read"
    more: dict[str, Any] = {"files": (parquet,), "from_cache": from_cache}
    frame = pl.scan_parquet(parquet, glob=False)
    return deliver(file.config, file.source, frame, account, where, **more)


def _read(file: LargeFile, target: Path) -> tuple[Account | None, Utf8File | None]:
    config, path, folder = file.config, file.source.path, file.folder
    if is_utf8_by_all_appearance(path, config.encoding):
        encoding = "utf-8" if config.encoding == "auto" else config.encoding
        try:
            return _typed(config, Utf8File(path, encoding), folder, target, file.sampling), None
        except NoUtf8:
            log.debug("%s is no UTF-8", path)
    text = as_utf8(file.source, config.encoding, folder)
    if text.path.stat().st_size < file.settings.min_bytes:
        return None, text
    return _typed(config, text, folder, target, file.sampling), text


def _wait(file: LargeFile) -> None:
    log.info("another process reads %s: waiting for its table", file.config.path)


def _is_known(file: LargeFile) -> bool:
    """Tell whether to look for a table before the file is read.

    A digest is a pass over the file, best taken while it is read; unless its table may be there.
    """
    source = file.source
    if is_packed(source.path) or remembered(source.path) is not None:
        return True
    kept = [entry.told() for entry in entries(file.cache) if entry.kind == "tables"]
    return any(told and told["facts"].get("n_bytes") == source.n_bytes for told in kept)


def _typed(
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
        found = read_checked(config, text, guess, scan, target / ROWS)
        told = scan.found()
    except OSError as error:
        raise unwritable_cache(target.parent.parent, error) from error
    finally:
        scan.stop()
    if not is_still(text.path, before):
        raise _changed(config.path)
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


def _changed(name: str) -> DataError:
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


def _one_per_id(config: FileConfig, parquet: Path) -> bool:
    if not isinstance(config, RecordsConfig) or not config.one_per_id:
        return True
    ids = pl.scan_parquet(parquet).select(pl.col(config.id))
    found = ids.select(n=pl.len(), n_ids=pl.all().drop_nulls().n_unique())
    n, n_ids = found.collect(engine="streaming").row(0)
    return bool(n == n_ids)
