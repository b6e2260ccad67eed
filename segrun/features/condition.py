"""Conditions over the columns of a row: a small part of Python's grammar, and nothing else.

``Country == 'France' and Quantity > 0``. A row whose value is missing fulfils no comparison,
and none with ``not`` in front.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import reduce

import narwhals as nw

from segrun.config import ColumnKind
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean

_MAX_LETTERS = 2000

#: Texts, which stay as they are, and names in backticks.
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?P<name>[^`]+)`""")

#: Parts of a date, as numbers: Monday is 1, as in ISO 8601; Spark's Sunday would be 0.
_PARTS: Mapping[str, Callable[[nw.Expr], nw.Expr]] = {
    "month": lambda when: when.dt.month(),
    "weekday": lambda when: (when.dt.weekday() + 6) % 7 + 1,
    "hour": lambda when: when.dt.hour(),
}

_COMPARES: Mapping[type[ast.cmpop], Callable[[nw.Expr, object], nw.Expr]] = {
    ast.Eq: lambda one, other: one == other,
    ast.NotEq: lambda one, other: one != other,
    ast.Lt: lambda one, other: one < other,
    ast.LtE: lambda one, other: one <= other,
    ast.Gt: lambda one, other: one > other,
    ast.GtE: lambda one, other: one >= other,
}

_ALLOWED = (
    "Allowed are columns, texts in quotes, numbers, == != < <= > >=, in [...], is None, and, or, "
    "not, brackets, and month(), weekday() (Monday is 1) and hour() of a date"
)


@dataclass(frozen=True)
class Tree:
    """An expression in Python's grammar, names replaced by placeholders; nothing of it is run."""

    root: ast.expr
    names: Mapping[str, re.Match[str]]  # what stands in the text, by placeholder

    def shown(self, node: ast.expr) -> str:
        """Return a part of it as it stands in the text."""
        return _restored(ast.unparse(node), self.names)


def read_tree(text: str, where: str, names: re.Pattern[str], allowed: str) -> Tree:
    """Return the tree of an expression, in which every match of a group of `names` is a name.

    ConfigError, with the place and what is `allowed`, if the text cannot be read.
    """
    if len(text) > _MAX_LETTERS:
        raise ConfigError(f"{where} has {len(text)} letters: at most {_MAX_LETTERS}")
    found: dict[str, re.Match[str]] = {}

    def placeholder(match: re.Match[str]) -> str:
        if match.lastgroup is None:
            return match[0]
        found[name := f"column_{len(found)}_of_segrun"] = match
        return name

    source = names.sub(placeholder, text.strip())
    try:
        with warnings.catch_warnings():
            # A backslash before any letter.
            warnings.simplefilter("ignore", SyntaxWarning)
            root = ast.parse(source, mode="eval").body
        # What is nested too deeply to be written is so for readers, too.
        ast.unparse(root)
        return Tree(root, found)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        before, rest = text.strip(), ""
        if isinstance(error, SyntaxError) and error.lineno == 1 and error.offset:
            before, rest = source[: error.offset - 1], source[error.offset - 1 :].strip()
        at = len(text) - len(text.lstrip()) + len(_restored(before, found)) + 1
        token = re.match(r"`[^`]*`|\w+|.", _restored(rest, found))
        stands = f"{token[0]!r} stands at letter {at}" if token else f"it ends at letter {at}"
        raise ConfigError(f"{where}: {text!r} cannot be read: {stands}. {allowed}") from error


def _restored(source: str, names: Mapping[str, re.Match[str]]) -> str:
    return re.sub(r"column_\d+_of_segrun", lambda one: names.get(one[0], one)[0], source)


@dataclass(frozen=True)
class _Value:
    """One side of a comparison: a column, or a part of a date."""

    expr: nw.Expr
    kind: ColumnKind
    shown: str


@dataclass(frozen=True)
class _Reader:
    """Reads one condition; `where` is the key that it stands under."""

    text: str
    where: str
    kinds: Mapping[str, ColumnKind]
    tree: Tree

    def fault(self, said: str) -> ConfigError:
        return ConfigError(f"{self.where}={self.text!r}: {said}")

    def read(self, node: ast.expr, *, negated: bool = False) -> nw.Expr:
        """Return true or false for every row, never null: engines differ in what they make of it.

        So `not` goes down to the comparisons, each of which knows whether a value is missing.
        """
        if isinstance(node, ast.BoolOp):
            parts = [self.read(value, negated=negated) for value in node.values]
            return _joined(parts, both=isinstance(node.op, ast.And) is not negated)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.read(node.operand, negated=not negated)
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            pairs = zip(node.ops, sides, sides[1:], strict=False)
            parts = [self.compare(*pair, negated=negated) for pair in pairs]
            return _joined(parts, both=not negated)
        raise self.fault(f"{self.tree.shown(node)} is no comparison. {_ALLOWED}")

    def compare(
        self, operator: ast.cmpop, left: ast.expr, right: ast.expr, *, negated: bool
    ) -> nw.Expr:
        if _is_constant(left) and not _is_constant(right) and type(operator) in _MIRRORED:
            operator, left, right = _MIRRORED[type(operator)](), right, left
        value = self.value(left)
        if isinstance(operator, ast.In | ast.NotIn):
            found = value.expr.is_in(self.options(value, right))
            return _told(found, isinstance(operator, ast.NotIn) is not negated, value)
        if isinstance(operator, ast.Is | ast.IsNot):
            if not (isinstance(right, ast.Constant) and right.value is None):
                raise self.fault(f"only `is None` and `is not None` are asked. {_ALLOWED}")
            missing = value.expr.is_null()
            return ~missing if isinstance(operator, ast.IsNot) is not negated else missing
        if not _is_constant(right):
            other = self.value(right)
            return _told(self.columns(operator, value, other), negated, value, other)
        found = self.constant(operator, value, ast.literal_eval(right))
        return _told(found, negated, value)

    def value(self, node: ast.expr) -> _Value:
        if isinstance(node, ast.Name):
            quoted = self.tree.names.get(node.id)
            name = quoted["name"] if quoted else node.id
            if name not in self.kinds:
                raise self.fault(
                    f"there is no column {name!r}.{did_you_mean(name, self.kinds)} "
                    f"Columns: {', '.join(self.kinds)}"
                )
            kind = self.kinds[name]
            number = kind is ColumnKind.number
            return _Value(nw.col(name).cast(nw.Float64) if number else nw.col(name), kind, name)
        if isinstance(node, ast.Call):
            return self.part(node)
        raise self.fault(f"{self.tree.shown(node)} is no column. {_ALLOWED}")

    def part(self, node: ast.Call) -> _Value:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _PARTS or len(node.args) != 1 or node.keywords:
            raise self.fault(f"{self.tree.shown(node)} is not known. {_ALLOWED}")
        of = self.value(node.args[0])
        if of.kind is not ColumnKind.date:
            raise self.fault(f"{name}() is of a date, but {of.shown} holds {of.kind.value}")
        expr = _PARTS[name](of.expr).cast(nw.Float64)
        return _Value(expr, ColumnKind.number, f"{name}({of.shown})")

    def options(self, value: _Value, node: ast.expr) -> list[object]:
        if not isinstance(node, ast.List | ast.Tuple) or not node.elts:
            raise self.fault(f"write `{value.shown} in [...]` with one value at least")
        if value.kind is ColumnKind.date:
            raise self.fault(f"{value.shown} is a date: compare it with <, <=, > or >=")
        for item in node.elts:
            if not _is_constant(item):
                raise self.fault(f"{self.tree.shown(item)} is no text or number. {_ALLOWED}")
        return [self.typed(value, ast.literal_eval(item)) for item in node.elts]

    def columns(self, operator: ast.cmpop, one: _Value, other: _Value) -> nw.Expr:
        if one.kind is not other.kind:
            raise self.fault(
                f"{one.shown} holds {one.kind.value}, {other.shown} {other.kind.value}: they "
                "cannot be compared"
            )
        return self.compared(operator, one, other.expr)

    def constant(self, operator: ast.cmpop, value: _Value, constant: object) -> nw.Expr:
        if value.kind is ColumnKind.date:
            return self.dated(operator, value, constant)
        return self.compared(operator, value, self.typed(value, constant))

    def compared(self, operator: ast.cmpop, value: _Value, other: object) -> nw.Expr:
        if value.kind is ColumnKind.text and not isinstance(operator, ast.Eq | ast.NotEq):
            raise self.fault(f"{value.shown} holds text, which has no order: use == or !=")
        return _COMPARES[type(operator)](value.expr, other)

    def typed(self, value: _Value, constant: object) -> object:
        text = isinstance(constant, str)
        number = isinstance(constant, int | float) and not isinstance(constant, bool)
        if value.kind is ColumnKind.text and text:
            return constant
        if value.kind is ColumnKind.number and number:
            try:
                return float(constant)  # type: ignore[arg-type]
            except OverflowError:
                pass
        wanted = "a text in quotes" if value.kind is ColumnKind.text else "a number"
        raise self.fault(f"{value.shown} is compared with {constant!r}: give it {wanted}")

    def dated(self, operator: ast.cmpop, value: _Value, constant: object) -> nw.Expr:
        """Compare with a moment, or with a whole day: up to a day means up to its end."""
        begin, end = self.moments(value, constant)
        if isinstance(operator, ast.Eq | ast.NotEq):
            within = (value.expr >= begin) & (value.expr <= end)
            return within if isinstance(operator, ast.Eq) else ~within
        bound = end if isinstance(operator, ast.LtE | ast.Gt) else begin
        return _COMPARES[type(operator)](value.expr, bound)

    def moments(self, value: _Value, constant: object) -> tuple[datetime, datetime]:
        try:
            text = str(constant)
            if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
                day = date.fromisoformat(text)
                return datetime.combine(day, time.min), datetime.combine(day, time.max)
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is not None or not isinstance(constant, str):
            raise self.fault(
                f"{value.shown} is a date, compared with {constant!r}: write '2011-12-09' or "
                "'2011-12-09T12:50'"
            )
        return moment, moment


_MIRRORED: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.Eq, ast.NotEq: ast.NotEq, ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
}  # fmt: skip


def condition(text: str, kinds: Mapping[str, ColumnKind], where: str) -> nw.Expr:
    """Return a condition as an expression: true or false for every row.

    Parameters
    ----------
    text : str
        The condition; names that are no words stand in backticks.
    kinds : mapping of str to ColumnKind
        The columns that it may name.
    where : str
        The configuration key that it stands under, for messages.

    Raises
    ------
    ConfigError
        If it is anything but comparisons of these columns, or compares what cannot be.
    """
    tree = read_tree(text, where, _QUOTED, _ALLOWED)
    return _Reader(text, where, kinds, tree).read(tree.root)


def _joined(parts: list[nw.Expr], *, both: bool) -> nw.Expr:
    return reduce(lambda a, b: a & b if both else a | b, parts)


def _told(found: nw.Expr, negated: bool, *values: _Value) -> nw.Expr:
    """Return what a comparison says, or its contrary; false where a value is missing."""
    known = reduce(lambda a, b: a & b, [~value.expr.is_null() for value in values])
    said = ~found if negated else found
    return nw.when(known).then(said).otherwise(nw.lit(value=False))


def _is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
        return isinstance(node, ast.Constant) and isinstance(node.value, int | float)
    return isinstance(node, ast.Constant)
