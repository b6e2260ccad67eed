"""Addresses such as ``postgresql://user@host/shop``; passwords are not to be in them."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from segrun.errors import ConfigError

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_address(text: str) -> bool:
    """Tell whether a text is no path but an address, of whatever."""
    return _ADDRESS.match(text) is not None


def refuse_secret(text: str, where: str) -> None:
    """Refuse an address that holds a password, before anything is written down."""
    for found in _ADDRESS.finditer(text):
        if _has_secret(text[found.start() :]):
            raise ConfigError(
                f"{where} holds a password, which would be stored with the results: leave it out, "
                "and give it by PGPASSWORD, ~/.pgpass or a service (postgresql://?service=NAME)"
            )


def _has_secret(address: str) -> bool:
    try:
        parts = urlsplit(address)
        asked = parse_qsl(parts.query, keep_blank_values=True)
        return parts.password is not None or any("password" in key.lower() for key, _ in asked)
    except ValueError:
        # What cannot be split may hold one.
        return "@" in address
