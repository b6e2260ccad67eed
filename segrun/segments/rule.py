"""Rules that name a segment: conditions on its medians, ``Recency < q20 and not Amount > 2``.

A column stands for the segment's median (of a category for its share), ``q20``, ``mean`` and
``median`` for those of all customers in the column that they are compared with.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from segrun.errors import ConfigError
from segrun.features.condition import Tree, read_tree

#: Numbers and the words of logic stay as they are. All other words are names, Python's too: a
#: column may be called `class`.
_NAMES = re.compile(
    r"\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|(?:and|or|not)\b|`(?P<quoted>[^`]+)`"
    r"|q(?P<quantile>\d{1,2}(?:\.\d+)?)(?!\w)|(?P<word>[^\W\d]\w*)"
)
_LOGIC = re.compile(r"`[^`]*`|\b(?:and|or|not)\b", re.IGNORECASE)

_COMPARES: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    # Unlike operator.ne this is False for NaN, as the others are.
    ast.Eq: operator.eq, ast.NotEq: lambda one, other: one < other or one > other,
}  # fmt: skip

_ALLOWED = (
    "Allowed are columns (in backticks where they have other letters than a word: `Net Amount`), "
    "numbers, q20, mean, median, < <= > >= == !=, and, or, not, brackets"
)


class SegmentValues(Protocol):
    """What a rule is asked of: one segment among all customers."""

    def of_segment(self, column: str) -> float:
        """Return the segment's median of a column, of a category its share."""

    def of_all(self, column: str, what: str | float) -> float:
        """Return ``mean``, ``median`` or a quantile, 0 to 1, of a column over all customers."""


@dataclass(frozen=True)
class NameRule:
    """A rule that was read."""

    text: str
    key: str
    tree: Tree

    def holds(self, values: SegmentValues) -> bool:
        """Tell whether a segment fits."""
        return self._holds(self.tree.root, values)

    def columns(self) -> Iterator[str]:
        """Yield the columns that it compares."""
        names = (node for node in ast.walk(self.tree.root) if isinstance(node, ast.Name))
        return (column for name in names if (column := self._column(name)))

    def _holds(self, node: ast.expr, values: SegmentValues) -> bool:
        if isinstance(node, ast.BoolOp):
            held = (self._holds(part, values) for part in node.values)
            return all(held) if isinstance(node.op, ast.And) else any(held)
        if isinstance(node, ast.UnaryOp):
            return not self._holds(node.operand, values)
        assert isinstance(node, ast.Compare)
        sides = [node.left, *node.comparators]
        column = next(filter(None, map(self._column, sides)))
        pairs = pairwise(self._number(side, column, values) for side in sides)
        return all(_COMPARES[type(op)](*pair) for op, pair in zip(node.ops, pairs, strict=True))

    def _column(self, node: ast.expr) -> str:
        """Return the column that one side of a comparison is, '' for anything else."""
        match = self.tree.names[node.id] if isinstance(node, ast.Name) else None
        if match is None or match["quantile"] or match["word"] in ("mean", "median"):
            return ""
        return match["quoted"] or match["word"]

    def _number(self, node: ast.expr, column: str, values: SegmentValues) -> float:
        if not isinstance(node, ast.Name):
            return float(ast.unparse(node))
        if own := self._column(node):
            return values.of_segment(own)
        match = self.tree.names[node.id]
        quantile = match["quantile"]
        return values.of_all(column, float(quantile) / 100 if quantile else match["word"])

    def check(self, node: ast.expr) -> None:
        """Refuse anything but comparisons of columns with numbers and with each other."""
        if isinstance(node, ast.BoolOp):
            for part in node.values:
                self.check(part)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self.check(node.operand)
        elif isinstance(node, ast.Compare) and all(type(op) in _COMPARES for op in node.ops):
            sides = [node.left, *node.comparators]
            for side in sides:
                if not isinstance(side, ast.Name) and not _is_number(side):
                    raise self._fault(side, "is no column and no number")
            if not any(map(self._column, sides)):
                raise ConfigError(f"{self.key}: {self.text!r} compares no column of the segment")
        else:
            raise self._fault(node, "is no comparison")

    def _fault(self, node: ast.expr, said: str) -> ConfigError:
        shown = self.tree.shown(node)
        return ConfigError(f"{self.key}: {self.text!r} cannot be read: {shown} {said}. {_ALLOWED}")


def parse(text: str, key: str) -> NameRule:
    """Return the rule that a text is; `key` is the configuration key that holds it.

    ConfigError if it is none: with the place, and what is allowed.
    """
    source = _LOGIC.sub(lambda word: word[0] if "`" in word[0] else word[0].lower(), text)
    rule = NameRule(text, key, read_tree(re.sub(r"\s", " ", source), key, _NAMES, _ALLOWED))
    rule.check(rule.tree.root)
    return rule


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)
