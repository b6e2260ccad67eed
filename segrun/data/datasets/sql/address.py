"""Addresses of databases: ``postgresql://user@host/shop``, ``sqlite:///shop.db``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from segrun.config import FileConfig
from segrun.data.address import is_address, refuse_secret
from segrun.errors import ConfigError, DataError

_FORMS = {
    "postgresql": "postgresql://USER@HOST/DATABASE",
    "sqlite": "sqlite:///FILE",
    "duckdb": "duckdb:///FILE",
}
_SAME = {"postgres": "postgresql"}

#: A table's name, in parts, each as SQL has it.
_NAME = re.compile(r'(?:\w+|"(?:[^"]|"")+")(?:\.(?:\w+|"(?:[^"]|"")+"))*')


@dataclass(frozen=True)
class Address:
    """A database: what reads it, its address without a secret, and its file if it is one."""

    kind: str
    url: str
    file: Path | None = None


def address_of(text: str) -> Address:
    """Return the database that an address names."""
    refuse_secret(text, "dataset.path")
    scheme, _, rest = text.partition("://")
    kind = _SAME.get(scheme.lower(), scheme.lower())
    if kind not in _FORMS:
        raise ConfigError(
            f"dataset.path={scheme}://...: segrun reads files and folders, and databases by "
            f"{', '.join(_FORMS.values())}. Download, or export, what lies elsewhere"
        )
    if kind == "postgresql":
        return Address(kind, text)
    name = rest.removeprefix("/")
    if not rest.startswith("/") or name in ("", ":memory:"):
        raise ConfigError(
            f"dataset.path={text}: name the file of the database, {_FORMS[kind]}; a path from the "
            f"root has four strokes, {kind}:////data/FILE"
        )
    return Address(kind, text, Path(name).expanduser())


def check(config: FileConfig) -> None:
    """Refuse an address without a query, a query without an address."""
    if not is_address(config.path):
        if config.query is not None:
            raise ConfigError(
                f"dataset.query is for databases ({', '.join(_FORMS.values())}), but "
                f"dataset.path={config.path} is a file: leave the query out"
            )
        return
    address_of(config.path)
    if config.query is None or not config.query.strip():
        raise ConfigError(
            f"dataset.path={config.path} is a database: say which rows by dataset.query, a table's "
            "name or a SELECT"
        )


def statement(query: str) -> str:
    """Return a query; of a table's name alone, that of all its rows."""
    bare = query.strip().rstrip(";").rstrip()
    return f"SELECT * FROM {bare}" if _NAME.fullmatch(bare) else bare  # noqa: S608 - a name


def check_file(address: Address) -> None:
    """Refuse a file that is not there, which some databases would make."""
    file = address.file
    if file is None or not file.is_file():
        raise DataError(
            f"dataset.path={address.url}: there is no such file (looked in {Path.cwd()}). A path "
            f"from the root has four strokes, {address.kind}:////data/FILE"
        )


def moved(text: str, folder: Path) -> str:
    """Return a path or address as it is from anywhere, which was relative to a folder."""
    if not is_address(text):
        return str(folder / Path(text).expanduser())
    address = address_of(text)
    if address.file is None:
        return text
    return f"{address.kind}:///{folder.absolute() / address.file}"


def file_of(text: str) -> Path:
    """Return the path that a text is, or that of the database's file; of a server its address."""
    if not is_address(text):
        return Path(text).expanduser()
    return address_of(text).file or Path(text)
