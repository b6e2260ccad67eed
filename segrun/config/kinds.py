"""What the types of keys say beyond themselves."""

from __future__ import annotations

from dataclasses import is_dataclass
from enum import Enum
from typing import Any, get_args


def choice_of(kind: Any) -> type[Enum] | None:
    """Return the choices of a key, of one that may be null, too."""
    first = (*get_args(kind), None)[0] if type(None) in get_args(kind) else kind
    return first if isinstance(first, type) and issubclass(first, Enum) else None


def item_type(kind: Any) -> type | None:
    """Return the type of a mapping's values where the schema has one for them."""
    item = (*get_args(kind), None, None)[1]
    typed = isinstance(item, type) and (is_dataclass(item) or issubclass(item, Enum))
    return item if typed else None
