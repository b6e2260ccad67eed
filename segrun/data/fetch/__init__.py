"""Public data: downloaded, checked and kept in the cache directory."""

from __future__ import annotations

import json
import logging
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from segrun.data.cache import cache_directory
from segrun.data.fetch.archive import Archive
from segrun.data.fetch.content import Content, count_content
from segrun.data.fetch.part import Part, storing
from segrun.data.fetch.transfer import WAITS, download
from segrun.errors import ConfigError, DataError, StoreError
from segrun.nearest import did_you_mean
from segrun.rundir.atomic import remove_leftovers, write_atomically
from segrun.rundir.store import sha256

__all__ = ["Content", "count_content", "fetch", "fetch_command"]

log = logging.getLogger("segrun.data.fetch")


@dataclass(frozen=True)
class _Published:
    """A published archive: where it is, about how large, and what must be in it."""

    url: str
    about_bytes: int
    content: Content


_PUBLISHED = {
    "online_retail": _Published(
        "https://archive.ics.uci.edu/static/public/352/online+retail.zip",
        # UCI's server does not always tell the length.
        23_000_000,
        Content(n_rows=541_909, n_customers=4_372, n_invoices=25_900),
    )
}


def fetch(
    name: str,
    *,
    url: str | None = None,
    folder: Path | None = None,
    expected: Content | None = None,
    waits: Sequence[float] = WAITS,
) -> Path:
    """Download, unpack and check public data, once: what is there and whole is not fetched again.

    Parameters
    ----------
    name : {"online_retail"}
        The data.
    url : str, optional
        Address of the zip archive. By default the environment variable ``SEGRUN_FETCH_URL``,
        or else the publisher's.
    folder : Path, optional
        Folder for the file. By default ``fetched`` in the cache directory.
    expected : Content, optional
        What must be in the file. By default what the publisher's has.
    waits : sequence of float, default=WAITS
        Seconds before each new attempt to download.

    Returns
    -------
    Path
        The file, ``<name>.xlsx`` or ``<name>.csv``. A record beside it, ``<name>.json``, has its
        address, time, checksum and content.

    Raises
    ------
    ConfigError
        If the name is unknown, or the address is none.
    DataError
        If it cannot be downloaded, is damaged, or has other content.
    StoreError
        If the folder cannot be written.
    """
    if name not in _PUBLISHED:
        raise ConfigError(
            f"there is no public data {name!r}.{did_you_mean(name, _PUBLISHED)} "
            f"Known: {', '.join(_PUBLISHED)}"
        )
    published = _PUBLISHED[name]
    folder = folder or cache_directory() / "fetched"
    if path := _kept(folder, name):
        log.info("%s is there and whole: nothing to fetch", path)
        return path
    address = _address(published.url, url)
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    part = Part(folder / f"{name}.zip.part", address)
    download(part, about_bytes=published.about_bytes, waits=waits)
    try:
        path = _put(part, name, expected or published.content)
    except DataError as error:
        part.discard()
        raise DataError(
            f"{address}: {error}. The download was removed; give the same command again, or "
            "take a mirror: SEGRUN_FETCH_URL=URL"
        ) from error
    part.discard()
    remove_leftovers(folder, name)
    return path


def fetch_command(arguments: list[str]) -> int:
    """Do ``segrun fetch NAME`` and return the exit code.

    Parameters
    ----------
    arguments : list of str
        The words after ``segrun fetch``.
    """
    if len(arguments) != 1:
        got = f"Got {shlex.join(arguments)} instead" if arguments else "None is given"
        return _usage(f"segrun fetch takes one name. {got}. Known: {', '.join(_PUBLISHED)}")
    # Without it, Python would show warnings only.
    logging.basicConfig(level=logging.INFO, format="segrun: %(message)s")
    try:
        path = fetch(arguments[0])
    except ConfigError as error:
        return _usage(str(error))
    run = shlex.join(["segrun", f"dataset={arguments[0]}", f"dataset.path={_hydra(path)}"])
    print(f"{path}\nTo run on it: {run}")  # noqa: T201
    return 0


def _usage(message: str) -> int:
    print(f"segrun: {message}\nSee segrun --help", file=sys.stderr)  # noqa: T201
    return 2


def _hydra(path: Path) -> str:
    """Quote a path with letters that Hydra's grammar would take for its own."""
    text = str(path)
    if all(letter.isalnum() or letter in "/-_.:\\" for letter in text):
        return text
    return "'" + text.replace("'", "\\'") + "'"


def _address(default: str, url: str | None) -> str:
    address = url or os.environ.get("SEGRUN_FETCH_URL") or default
    if not _is_web(address):
        raise ConfigError(
            f"SEGRUN_FETCH_URL={address!r} is no address to fetch from: "
            "it must be http://HOST/PATH or https://HOST/PATH, without a user's name"
        )
    return address


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
        # Both raise on what is none.
        _ = parts.port, (parts.hostname or "").encode("idna")
    except ValueError:
        return False
    plain = address.isascii() and address.isprintable() and " " not in address
    host = bool(parts.hostname) and "@" not in parts.netloc
    return plain and host and parts.scheme in ("http", "https")


def _kept(folder: Path, name: str) -> Path | None:
    """Return the file fetched before if it is what it was; remove it if it is not."""
    record = _read_record(folder / f"{name}.json")
    for path in (folder / f"{name}.xlsx", folder / f"{name}.csv"):
        if not path.is_file():
            continue
        if record.get("file") == path.name and record.get("sha256") == sha256(path):
            return path
        # Whoever names it as dataset.path must not read it meanwhile.
        log.warning("%s is not what was fetched (checksum): removed, fetched again", path)
        with storing(path):
            path.unlink()
    return None


def _read_record(path: Path) -> dict[str, object]:
    with suppress(OSError, ValueError):
        record = json.loads(path.read_text(encoding="utf-8"))
        return record if isinstance(record, dict) else {}
    return {}


def _put(part: Part, name: str, expected: Content) -> Path:
    """Unpack the data file, check it, and only then give it its name and record."""
    archive = Archive(part.path)
    path = part.path.with_name(name + archive.suffix)

    def fill(temporary: Path) -> None:
        archive.unpack(temporary)
        if differences := count_content(temporary).differences(expected):
            raise DataError(f"the data is not what was published: {differences}")

    _write(path, fill)
    record = {
        "file": path.name,
        "url": part.url,
        "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
        "sha256": sha256(path),
        "n_bytes": path.stat().st_size,
        "facts": asdict(expected),
    }
    text = json.dumps(record, indent=2) + "\n"
    _write(path.with_name(f"{name}.json"), lambda file: file.write_text(text, encoding="utf-8"))
    return path


def _write(path: Path, write: Callable[[Path], object]) -> None:
    try:
        write_atomically(path, write)
    except StoreError as error:
        raise StoreError(
            f"{error}. Make room or name another cache directory: SEGRUN_CACHE=DIR"
        ) from error
