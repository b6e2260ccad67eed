"""How one configuration key is declared: meaning, default, range, and what it changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from omegaconf import MISSING


class Effect(Enum):
    """The first thing that a key changes; what comes later in this list follows from it."""

    DATA = "the features, and so everything"
    LABELS = "the labels of a point"
    SCORES = "scores, and which point is selected"
    TIMINGS = "which times are recorded"
    TELLING = "what else is told and kept of the same labels and scores"
    COST = "only seconds, memory or disk"
    NONE = "no result and no cost"


@dataclass(frozen=True)
class Range:
    """The numbers that a key may be; NaN is in no range."""

    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None

    def __contains__(self, value: float) -> bool:
        # Written this way round so that NaN is refused.
        return (
            (self.minimum is None or value >= self.minimum)
            and (self.maximum is None or value <= self.maximum)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
            and value == value  # noqa: PLR0124
        )

    def __str__(self) -> str:
        if self.minimum is not None and self.maximum is not None:
            return f"from {self.minimum} to {self.maximum}"
        words = {"at least": self.minimum, "above": self.above, "below": self.below,
                 "at most": self.maximum}  # fmt: skip
        return " and ".join(f"{word} {n}" for word, n in words.items() if n is not None)


def key(  # noqa: PLR0913 - all that is to be said of a key
    doc: str,
    default: Any = MISSING,
    *,
    effect: Effect,
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> Any:
    """Declare one configuration key.

    Parameters
    ----------
    doc : str
        Unit, meaning and allowed values; shown by error messages.
    default : Any, default=MISSING
        Value where the YAML gives none; ``MISSING`` makes the key mandatory.
    effect : Effect
        What it changes: content keys, cache keys and comparisons follow from it.
    minimum, maximum, above, below : float, optional
        The range of a number; null is always in it, where the type allows null.
    """
    about = {"doc": doc, "effect": effect, "range": Range(minimum, maximum, above, below)}
    if isinstance(default, (list, dict)):
        return field(default_factory=lambda: type(default)(default), metadata=about)
    return field(default=default, metadata=about)


def group(doc: str, default: type | None = None) -> Any:
    """Declare a group of keys, each of which says itself what it changes."""
    if default is None:
        return field(default=MISSING, metadata={"doc": doc})
    return field(default_factory=default, metadata={"doc": doc})


def stated(kind: str) -> Any:
    """Declare the key that says which kind of dataset or feature set has these keys."""
    doc = "Kind of the group: which keys there are, and what is done with them."
    return field(default=kind, kw_only=True, metadata={"doc": doc, "effect": Effect.DATA})
