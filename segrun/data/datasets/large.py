"""Large inputs: read once into typed Parquet, which the cache directory keeps for later runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl

from segrun.config import CacheConfig, Copies, FileConfig, RatingsFileConfig
from segrun.data.cache.digests import is_still, remembered, state
from segrun.data.cache.directory import locked
from segrun.data.cache.entry import Entry, entries, key_of, making
from segrun.data.datasets.account import Account, delivered, from_plain, tell
from segrun.data.datasets.rows import Rows
from segrun.data.datasets.source import Kind, Source
from segrun.data.datasets.textfile import Utf8File, as_utf8, is_packed, is_utf8_by_all_appearance
from segrun.data.datasets.typed import ROWS, NoUtf8, Sampling, changed, typed
from segrun.rundir.environment import own_code

log = logging.getLogger("segrun.data.datasets")

#: Text is seldom packed to less than this share of its size.
_MOST_PACKED = 20


@dataclass(frozen=True)
class Reading:
    """A large input that is to be read.

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
    sampling: Sampling = Sampling()  # noqa: RUF009 - frozen


@dataclass(frozen=True)
class Opened:
    """What became of an input.

    Attributes
    ----------
    rows : Rows, Rows or None
        Its rows, None where it takes the exact road to read it.
    text : Utf8File or None
        Its text, where it had to be unpacked or recoded.
    """

    rows: Rows | None = None
    text: Utf8File | None = None


@contextmanager
def opened(reading: Reading) -> Iterator[Opened]:
    """Open a large CSV file; what is given can be used as long as the context lasts.

    Raises
    ------
    DataError
        If the file is no text, damaged, or changes while it is read.
    StoreError
        If the cache cannot be written.
    """
    if not _may_be_large(reading):
        yield Opened()
        return
    with ExitStack() as stack:
        yield _opened(reading, stack)


def _may_be_large(reading: Reading) -> bool:
    source, config = reading.source, reading.config
    if isinstance(config, RatingsFileConfig) or source.parts or config.duplicates is Copies.drop:
        return False
    if source.kind is not Kind.text:
        return False
    factor = _MOST_PACKED if is_packed(source.path) else 1
    return source.n_bytes * factor >= reading.settings.min_bytes


def _opened(reading: Reading, stack: ExitStack) -> Opened:
    if not reading.settings.use:
        target = reading.folder / "table"
        target.mkdir()
        account, text = _read(reading, target)
        return _given(reading, account, text, target, from_cache=False)
    made: tuple[Account | None, Utf8File | None] | None = None
    # Before the file is read its content is not known: who reads it is told by its state.
    before = state(reading.source.path)
    name = key_of(str(reading.source.path.resolve()), before, _about(reading))
    with locked(reading.cache, f"read-{name}", lambda: _wait(reading)):
        entry = _entry(reading) if _is_known(reading) else None
        if entry is None or entry.told() is None:
            with making("tables", reading.cache) as target:
                made = _read(reading, target)
                account, text = made
                if account is None:
                    return Opened(None, text)
                entry = _entry(reading)
                if not is_still(reading.source.path, before):
                    # The digest is of the one content, the table may be of the other.
                    raise changed(reading.config.path)
                facts = {**account.plain(), "n_bytes": reading.source.n_bytes}
                entry.keep(target, f"table of {reading.config.path}", facts)
    told = stack.enter_context(entry.using())
    if told is None:
        # Cleared this very moment.
        return Opened()
    facts = {k: v for k, v in told["facts"].items() if k != "n_bytes"}
    account = from_plain(facts)
    return _given(reading, account, None, entry.path, from_cache=made is None)


def _given(
    reading: Reading, account: Account | None, text: Utf8File | None, folder: Path,
    *, from_cache: bool,
) -> Opened:  # fmt: skip
    if account is None:
        return Opened(None, text)
    where = "from the cache" if from_cache else "read"
    tell(reading.config, account, where=where)
    file = folder / ROWS
    rows = pl.scan_parquet(file, glob=False)
    more: dict[str, Any] = {"files": (file,), "from_cache": from_cache}
    return Opened(delivered(reading.config, reading.source, rows, account, **more))


def _read(reading: Reading, target: Path) -> tuple[Account | None, Utf8File | None]:
    config, source, folder = reading.config, reading.source, reading.folder
    if is_utf8_by_all_appearance(source.path, config.encoding):
        try:
            content = Utf8File(
                source.path, "utf-8" if config.encoding == "auto" else config.encoding
            )
            return typed(config, content, folder, target, reading.sampling), None
        except NoUtf8:
            log.debug("%s is no UTF-8", source.path)
    text = as_utf8(source, config.encoding, folder)
    if text.path.stat().st_size < reading.settings.min_bytes:
        return None, text
    return typed(config, text, folder, target, reading.sampling), text


def _wait(reading: Reading) -> None:
    log.info("another process reads %s: waiting for its table", reading.config.path)


def _is_known(reading: Reading) -> bool:
    """Tell whether to look for a table before the file is read.

    A digest is a pass over the file, best taken while it is read; unless a table may lie there.
    """
    source = reading.source
    if is_packed(source.path) or remembered(source.path) is not None:
        return True
    kept = [entry.told() for entry in entries(reading.cache) if entry.kind == "tables"]
    return any(told and told["facts"].get("n_bytes") == source.n_bytes for told in kept)


def _entry(reading: Reading) -> Entry:
    key = key_of(reading.source.sha256, _about(reading))
    return Entry("tables", key, reading.cache)


def _about(reading: Reading) -> dict[str, Any]:
    """Return what a table depends on besides the content of its file."""
    config = reading.config
    settings = {k: v for k, v in asdict(config).items() if k not in ("name", "path")}
    made_by = {"code": own_code(), "polars": metadata.version("polars")}
    return {"kind": type(config).__name__, **settings, **made_by}
