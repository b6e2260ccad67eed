"""Rules that name segments, and what else the `segments` group of the configuration may hold."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from segrun.config import SegmentsConfig
from segrun.errors import ConfigError
from segrun.features.condition import Tree, read_tree
from segrun.nearest import did_you_mean
from segrun.segments.clustering import named

if TYPE_CHECKING:
    from segrun.algorithms.grid import Point

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


#: `segments.order_by` that is no column.
SIZE = "size"
#: Letters of a name at the most.
MAX_LETTERS = 100


def check(
    config: SegmentsConfig, columns: Sequence[str] | None = None, texts: Sequence[str] = ()
) -> None:
    """Refuse columns that there are not, and rules that cannot be read.

    `columns` are those that customers may have, None where they are not known yet. `texts` are
    those of texts: they have no order, their values have a share. ConfigError names the key.
    """
    if not config.order_by:
        raise ConfigError("segments.order_by must be size or the name of a column. Got '' instead")
    _check_names(config)
    asked = [
        (f"segments.names.rules.{name}", column)
        for name, text in config.names.rules.items()
        for column in parse(text, f"segments.names.rules.{name}").columns()
    ]
    if config.order_by != SIZE:
        asked.append(("segments.order_by", config.order_by))
    if config.names.by is not None:
        asked.append(("segments.names.by", config.names.by))
    for key, column in asked:
        _check_column(key, column, columns, texts)


def _check_names(config: SegmentsConfig) -> None:
    names = config.names
    keys = {name: f"segments.names.rules.{name}" for name in names.rules}
    keys |= dict.fromkeys(names.ordered, "segments.names.ordered")
    for name, key in keys.items():
        if wrong := unfit(name):
            raise ConfigError(f"{key}: no segment can be called {name!r}: {wrong}")
    if names.ordered and names.by is None:
        raise ConfigError(
            f"segments.names.ordered={names.ordered} needs a column to go by: "
            "segments.names.by=COLUMN"
        )
    if len(set(names.ordered)) < len(names.ordered):
        raise ConfigError(f"segments.names.ordered={names.ordered} must be different names")


def check_point(config: SegmentsConfig, points: Sequence[Point]) -> None:
    """Refuse a point that a grid does not have, naming those that there are."""
    slugs = [point.slug for point in points]
    if config.point is None or config.point in slugs:
        return
    near = named(config.point, {point.slug: point.axes for point in points})
    cure = f" Name one of them: {', '.join(near)};" if near else did_you_mean(config.point, slugs)
    rest = "" if near else f" Points: {', '.join(slugs)};"
    raise ConfigError(
        f"segments.point={config.point} is no point of the grid.{cure}{rest} null: the selected one"
    )


def _check_column(key: str, name: str, columns: Sequence[str] | None, texts: Sequence[str]) -> None:
    if name.lower() in {text.lower() for text in texts}:
        raise ConfigError(
            f"{key}: {name} holds texts, which have no order. Take a column of numbers, or the "
            f"share of one of its values: {name}=VALUE"
        )
    known = None if columns is None else {column.lower() for column in columns}
    # A value of a text column: Country=France.
    if known is None or name.lower() in known or name.partition("=")[0].lower() in known:
        return
    raise ConfigError(
        f"{key}: there is no column {name!r}.{did_you_mean(name, columns or ())} Columns: "
        f"{', '.join(dict.fromkeys(columns or ()))}"
    )


def unfit(name: str) -> str:
    """Return why no segment can have a name, '' where one can."""
    if not name.strip() or len(name) > MAX_LETTERS or not name.isprintable():
        return f"a name has 1 to {MAX_LETTERS} letters, in one line"
    return ""
