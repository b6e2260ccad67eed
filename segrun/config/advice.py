"""Settings written so that they work where they are pasted: in a shell, behind ``segrun``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence


def setting(key: str, value: object) -> str:
    """Return KEY=VALUE as a shell takes it.

    Parameters
    ----------
    key : str
        The key in full.
    value : object
        A text, number, list or mapping.
    """
    text = value if isinstance(value, str) else _element(value)
    return shlex.quote(f"{key}={text}")


def _element(value: object) -> str:
    """Return a value as it stands in a list or a mapping of the command line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_element(k)}: {_element(v)}' for k, v in value.items())}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_element, value))}]"
    text = str(value)
    bare = re.fullmatch(r"[A-Za-z_]([\w ./-]*\w)?", text, re.ASCII)
    if bare or not isinstance(value, str):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
