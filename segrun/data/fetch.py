"""Public data: downloaded by scikit-learn, unpacked, its content checked, kept in the cache."""

from __future__ import annotations

import json
import logging
import os
import shlex
import socket
import ssl
import sys
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from segrun.data.cache import cache_directory
from segrun.data.content import Content, count_content
from segrun.errors import ConfigError, DataError, StoreError
from segrun.nearest import did_you_mean
from segrun.rundir.atomic import remove_leftovers, write_atomically, write_text
from segrun.rundir.store import sha256

log = logging.getLogger("segrun.data.fetch")

_SUFFIXES = (".xlsx", ".csv")

#: More than this is no table of transactions but a mistake, or a bomb.
_MAX_BYTES = 2 * 10**9

#: For connecting and for each read, not for the whole.
_TIMEOUT_SECONDS = 30.0
_N_RETRIES = 4
_PIECE_BYTES = 2**20


#: Address and content of published archives.
_PUBLISHED = {
    "online_retail": (
        "https://archive.ics.uci.edu/static/public/352/online+retail.zip",
        Content(n_rows=541_909, n_customers=4_372, n_invoices=25_900),
    )
}


def fetch(
    name: str,
    *,
    url: str | None = None,
    folder: Path | None = None,
    expected: Content | None = None,
    delay_seconds: int = 2,
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
    delay_seconds : int, default=2
        Before each new attempt to download.

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
    published, content = _PUBLISHED[name]
    folder = folder or cache_directory() / "fetched"
    with _storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if path := _kept(folder, name):
        log.info("%s is there and whole: nothing to fetch", path)
        return path
    address = _address(url or os.environ.get("SEGRUN_FETCH_URL") or published)
    archive = _downloaded(address, folder, f"{name}.zip", delay_seconds)
    try:
        path = _unpacked(archive, folder / name, address, expected or content)
    except DataError as error:
        archive.unlink()
        raise DataError(
            f"{address}: {error}. The download was removed; give the same command again, or "
            "take a mirror: SEGRUN_FETCH_URL=URL"
        ) from error
    archive.unlink()
    remove_leftovers(folder, name)
    return path


def fetch_command(arguments: list[str]) -> int:
    """Do ``segrun fetch NAME`` and return the exit code."""
    if len(arguments) != 1:
        got = f"Got {shlex.join(arguments)} instead" if arguments else "None is given"
        return _usage(f"segrun fetch takes one name. {got}. Known: {', '.join(_PUBLISHED)}")
    # Without it, Python would show warnings only.
    logging.basicConfig(level=logging.INFO, format="segrun: %(message)s")
    try:
        path = fetch(arguments[0])
    except ConfigError as error:
        return _usage(str(error))
    text = str(path)
    if not all(letter.isalnum() or letter in "/-_.:\\" for letter in text):
        # Letters that Hydra's grammar would take for its own.
        text = "'" + text.replace("'", "\\'") + "'"
    run = shlex.join(["segrun", f"dataset={arguments[0]}", f"dataset.path={text}"])
    print(f"{path}\nTo run on it: {run}")  # noqa: T201
    return 0


def _usage(message: str) -> int:
    print(f"segrun: {message}\nSee segrun --help", file=sys.stderr)  # noqa: T201
    return 2


def _address(address: str) -> str:
    """Return the address if it is one of the web, without a user's name."""
    try:
        parts = urlsplit(address)
        # Both raise on what is none.
        _ = parts.port, (parts.hostname or "").encode("idna")
        host = bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        host = False
    plain = address.isascii() and address.isprintable() and " " not in address
    if not (plain and host and parts.scheme in ("http", "https")):
        raise ConfigError(
            f"SEGRUN_FETCH_URL={address!r} is no address to fetch from: "
            "it must be http://HOST/PATH or https://HOST/PATH, without a user's name"
        )
    return address


def _kept(folder: Path, name: str) -> Path | None:
    """Return the file fetched before if it is what it was; remove it if it is not."""
    record: Any = None
    with suppress(OSError, ValueError):
        record = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    for path in (folder / f"{name}{suffix}" for suffix in _SUFFIXES):
        if not path.is_file():
            continue
        if isinstance(record, dict) and record.get("sha256") == sha256(path):
            return path
        # Whoever names it as dataset.path must not read it meanwhile.
        log.warning("%s is not what was fetched (checksum): removed, fetched again", path)
        with _storing(path):
            path.unlink()
    return None


def _downloaded(address: str, folder: Path, name: str, delay_seconds: int) -> Path:
    """Return the archive, downloaded unless it is there."""
    # Late: scikit-learn takes over a second to import.
    from sklearn.datasets import fetch_file

    log.info("fetching %s", address)
    try:
        with _storing(folder / name), _patience():
            return Path(fetch_file(address, folder, name, None, _N_RETRIES, delay_seconds))
    except (URLError, TimeoutError, ConnectionError, HTTPException, ssl.SSLError) as error:
        answer = f"answers {error.code} {error.reason}" if isinstance(error, HTTPError) else error
        if isinstance(error, HTTPError):
            error.close()
        raise DataError(
            f"{address} was not fetched: {answer}. Check the address, the network and HTTPS_PROXY; "
            "behind a proxy with a certificate of its own, SSL_CERT_FILE=FILE. From a mirror: "
            "SEGRUN_FETCH_URL=URL"
        ) from error


@contextmanager
def _patience() -> Iterator[None]:
    """Leave a silent server after a while, and tell in the log of new attempts."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT_SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = lambda message, *_, **__: log.warning("%s", message)
            yield
    finally:
        socket.setdefaulttimeout(before)


def _unpacked(archive: Path, stem: Path, address: str, expected: Content) -> Path:
    """Unpack the data file, check it, and only then give it its name and record."""
    with _undamaged(), zipfile.ZipFile(archive) as opened:
        member = _data_member(opened.infolist())
    path = stem.with_suffix(Path(member.filename).suffix.lower())

    def fill(temporary: Path) -> None:
        # The name in the archive is not used: nothing is ever written elsewhere.
        with temporary.open("wb") as file:
            for piece in _pieces(archive, member):
                file.write(piece)
        if differences := count_content(temporary).differences(expected):
            raise DataError(f"the data is not what was published: {differences}")

    record: dict[str, Any] = {"file": path.name, "url": address}
    with _storing(path):
        write_atomically(path, fill)
        record |= {
            "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
            "sha256": sha256(path),
            "n_bytes": path.stat().st_size,
            "facts": asdict(expected),
        }
        write_text(stem.with_suffix(".json"), json.dumps(record, indent=2) + "\n")
    return path


@contextmanager
def _storing(path: Path) -> Iterator[None]:
    """Say what to do where a file cannot be written."""
    try:
        yield
    except (URLError, TimeoutError, ConnectionError, ssl.SSLError):
        # Errors of the network, which are OSErrors, too.
        raise
    except OSError as error:
        raise _unwritable(f"cannot write {path}: {error.strerror or error}") from error
    except StoreError as error:
        raise _unwritable(str(error)) from error


def _unwritable(said: str) -> StoreError:
    return StoreError(f"{said}. Make room or name another cache directory: SEGRUN_CACHE=DIR")


def _pieces(archive: Path, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what a member holds; its checksum is compared at its end."""
    with _undamaged(), zipfile.ZipFile(archive) as opened, opened.open(member) as source:
        while piece := source.read(_PIECE_BYTES):
            yield piece


@contextmanager
def _undamaged() -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        # Bad lengths, methods, flags: BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ...
        raise DataError(f"the zip archive is truncated or damaged ({error})") from error


def _data_member(members: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """Return the one data file of an archive."""
    # macOS packs a shadow of each file into __MACOSX/.
    data = [
        member
        for member in members
        if member.filename.lower().endswith(_SUFFIXES)
        and not member.filename.startswith("__MACOSX/")
    ]
    if len(data) != 1:
        names = [member.filename for member in members]
        shown = ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")
        raise DataError(
            f"the zip archive must have one .xlsx or .csv file, it has {len(data)}. "
            f"In it: {shown or 'nothing'}"
        )
    if data[0].file_size > _MAX_BYTES:
        raise DataError(
            f"{data[0].filename!r} in the zip archive unpacks to {data[0].file_size:,} bytes, "
            f"more than {_MAX_BYTES:,}"
        )
    return data[0]
