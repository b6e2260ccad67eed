"""How one configuration key is declared."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from omegaconf import MISSING


def key(doc: str, default: Any = MISSING) -> Any:
    """Declare one configuration key together with its documentation.

    Parameters
    ----------
    doc : str
        Unit, meaning and allowed values; shown by error messages.
    default : Any, default=MISSING
        Value where the YAML gives none; ``MISSING`` makes the key mandatory.
    """
    if isinstance(default, (list, dict)):
        return field(default_factory=lambda: type(default)(default), metadata={"doc": doc})
    return field(default=default, metadata={"doc": doc})


def stated(kind: str) -> Any:
    """Declare the key that says which kind of dataset or feature set has these keys."""
    doc = "Kind of the group: which keys there are, and what is done with them."
    return field(default=kind, kw_only=True, metadata={"doc": doc})
