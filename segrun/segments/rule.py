"""Rules that name a segment: comparisons of its columns, in a language of its own.

``Recency < q20 and (Amount > 2 or not `Country=France` > 0.5)``: a column stands for the
segment's median (of a category for its share), ``q20``, ``mean`` and ``median`` for those of all
customers in the column that they are compared with. Nothing of it is run as Python.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from segrun.errors import ConfigError

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)|`(?P<quoted>[^`]+)`"
    r"|q(?P<quantile>\d{1,2}(?:\.\d+)?)(?!\w)|(?P<word>[^\W\d]\w*)|(?P<sign><=|>=|==|!=|<|>|\(|\)))"
)
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    # Unlike operator.ne this is False for NaN, as the others are.
    "==": operator.eq, "!=": lambda one, other: one < other or one > other,
}  # fmt: skip


class Values(Protocol):
    """What a rule is asked of: one segment among all customers."""

    def of_segment(self, column: str) -> float:
        """Return the segment's median of a column, of a category its share."""

    def of_all(self, column: str, what: str | float) -> float:
        """Return ``mean``, ``median`` or a quantile, 0 to 1, of a column over all customers."""


@dataclass(frozen=True)
class Operand:
    """A number, a column, or a word for something of all customers."""

    number: float | None = None
    column: str = ""
    overall: str | float = ""


@dataclass(frozen=True)
class Comparison:
    """Operands with signs between them; all must hold."""

    operands: Sequence[Operand]
    signs: Sequence[str]

    def holds(self, values: Values) -> bool:
        """Tell whether a segment fits."""
        numbers = [self._number(operand, values) for operand in self.operands]
        pairs = zip(self.signs, pairwise(numbers), strict=True)
        return all(_COMPARE[sign](*pair) for sign, pair in pairs)

    def _number(self, operand: Operand, values: Values) -> float:
        if operand.number is not None:
            return operand.number
        if operand.column:
            return values.of_segment(operand.column)
        return values.of_all(next(self.columns()), operand.overall)

    def columns(self) -> Iterator[str]:
        """Yield the columns that it compares."""
        return (operand.column for operand in self.operands if operand.column)


@dataclass(frozen=True)
class Logic:
    """``and``, ``or`` or ``not`` of other rules."""

    word: str
    parts: Sequence[Rule]

    def holds(self, values: Values) -> bool:
        """Tell whether a segment fits."""
        held = (part.holds(values) for part in self.parts)
        if self.word == "not":
            return not next(held)
        return all(held) if self.word == "and" else any(held)

    def columns(self) -> Iterator[str]:
        """Yield the columns that it compares."""
        return (column for part in self.parts for column in part.columns())


Rule = Comparison | Logic


def parse(text: str, key: str) -> Rule:
    """Return the rule that a text is.

    Parameters
    ----------
    text : str
        Such as ``Recency < q20 and Amount > q80``.
    key : str
        The configuration key that holds it, for messages.

    Raises
    ------
    ConfigError
        If it is none: with the place, and what is allowed there.
    """
    return _Parser(text, key).rule()


class _Parser:
    """Recursive descent; `or` binds least."""

    def __init__(self, text: str, key: str) -> None:
        self.text, self.key = text, key
        self.tokens = self._tokens()
        self.place = 0

    def rule(self) -> Rule:
        found = self._any()
        if self._kind() != "end":
            raise self._wrong("'and', 'or' or the end")
        return found

    def _tokens(self) -> list[tuple[str, str, int]]:
        found, at, text = [], 0, self.text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                rest = text[at:].lstrip()
                raise ConfigError(
                    f"{self.key}: {self.text!r} has {rest[0]!r} at letter "
                    f"{len(text) - len(rest) + 1}, "
                    "which is no part of a rule. A column whose name has other letters than "
                    "these stands in backticks: `Net Amount` > q80"
                )
            kind = str(match.lastgroup)
            found.append((kind, match[kind], match.start(kind) + 1))
            at = match.end()
        return [*found, ("end", "", len(text) + 1)]

    def _kind(self) -> str:
        return self.tokens[self.place][0]

    def _take(self, *words: str) -> str:
        """Return the next token's text and pass it if it is one of these words, otherwise ''."""
        kind, text, _ = self.tokens[self.place]
        if kind in ("word", "sign") and text.lower() in words:
            self.place += 1
            return text.lower()
        return ""

    def _any(self) -> Rule:
        parts = [self._all()]
        while self._take("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Logic("or", parts)

    def _all(self) -> Rule:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Logic("and", parts)

    def _one(self) -> Rule:
        if self._take("not"):
            return Logic("not", [self._one()])
        if self._take("("):
            inner = self._any()
            if not self._take(")"):
                raise self._wrong("')'")
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        operands, signs = [self._operand()], []
        while sign := self._take(*_COMPARE):
            signs.append(sign)
            operands.append(self._operand())
        found = Comparison(operands, signs)
        if not signs:
            raise self._wrong("a comparison: <, <=, >, >=, == or !=")
        if next(found.columns(), None) is None:
            raise ConfigError(f"{self.key}: {self.text!r} compares no column of the segment")
        return found

    def _operand(self) -> Operand:
        kind, text, _ = self.tokens[self.place]
        if kind not in ("number", "quoted", "quantile", "word") or text.lower() in (
            "and",
            "or",
            "not",
        ):
            raise self._wrong("a column, a number, q20, mean or median")
        self.place += 1
        if kind == "number":
            return Operand(number=float(text))
        if kind == "quantile":
            return Operand(overall=float(text) / 100)
        if kind == "word" and text in ("mean", "median"):
            return Operand(overall=text)
        return Operand(column=text)

    def _wrong(self, expected: str) -> ConfigError:
        kind, text, at = self.tokens[self.place]
        found = "it ends" if kind == "end" else f"{text!r} stands"
        return ConfigError(
            f"{self.key}: {self.text!r} cannot be read: {found} at letter {at}, where {expected} "
            "should be"
        )
