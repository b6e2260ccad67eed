"""Four rows against 32 columns at once, in vector registers, for any number of features.

A loop over features inside one over columns is not turned into vector code by the compiler
unless it knows the number of features. So the two innermost loops are written in its
intermediate language: eight registers of sixteen single-precision numbers add up, feature by
feature. On processors with narrower registers the same code takes several.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

#: Rows and columns of a block.
ROWS = 4
COLUMNS = 32

#: Columns of a tile: values from one feature to the next.
TILE = 64

_LANES = 16
_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, _LANES)
_SIZE = ir.IntType(64)
#: The order of operations stays; a product and a sum may be rounded once.
_FLAGS = ("contract",)

_ADDRESSES = types.void(types.intp, types.intp, types.intp, types.intp, types.intp)

Step = Callable[[ir.IRBuilder, Any, Any, Any], Any]


@intrinsic
def block_dots(typing_context, columns, rows, row_stride, n_features, out):  # type: ignore[no-untyped-def]
    """Store the dot products of 4 rows with 32 columns."""

    def step(builder: ir.IRBuilder, total: Any, column: Any, row: Any) -> Any:
        return builder.fadd(total, builder.fmul(column, row, flags=_FLAGS), flags=_FLAGS)

    return _ADDRESSES, _block(step)


@intrinsic
def block_squares(typing_context, columns, rows, row_stride, n_features, out):  # type: ignore[no-untyped-def]
    """Store the squared distances of 4 rows to 32 columns; see `block_dots`."""

    def step(builder: ir.IRBuilder, total: Any, column: Any, row: Any) -> Any:
        apart = builder.fsub(column, row, flags=_FLAGS)
        return builder.fadd(total, builder.fmul(apart, apart, flags=_FLAGS), flags=_FLAGS)

    return _ADDRESSES, _block(step)


def _block(step: Step) -> Callable[..., Any]:
    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
        columns, rows, stride, n_features, out = arguments
        columns, rows, out = (
            builder.inttoptr(address, _FLOAT.as_pointer()) for address in (columns, rows, out)
        )
        before = builder.block
        loop = builder.append_basic_block("feature")
        after = builder.append_basic_block("done")
        builder.branch(loop)
        builder.position_at_end(loop)
        feature = builder.phi(_SIZE)
        feature.add_incoming(ir.Constant(_SIZE, 0), before)
        totals = [builder.phi(_VECTOR) for _ in range(ROWS * COLUMNS // _LANES)]
        sums = _add(builder, step, totals, (columns, rows, stride, feature))
        following = builder.add(feature, ir.Constant(_SIZE, 1))
        feature.add_incoming(following, loop)
        for total, new in zip(totals, sums, strict=True):
            total.add_incoming(ir.Constant(_VECTOR, [0.0] * _LANES), before)
            total.add_incoming(new, loop)
        builder.cbranch(builder.icmp_signed("<", following, n_features), loop, after)
        builder.position_at_end(after)
        for number, total in enumerate(sums):
            place = builder.gep(out, [ir.Constant(_SIZE, number * _LANES)])
            builder.store(total, builder.bitcast(place, _VECTOR.as_pointer()), align=4)
        return _context.get_dummy_value()

    return generate


def _add(builder: ir.IRBuilder, step: Step, totals: list[Any], place: tuple[Any, ...]) -> list[Any]:
    """Return the totals with one feature added."""
    columns, rows, stride, feature = place
    first = builder.mul(feature, ir.Constant(_SIZE, TILE))
    column = []
    for number in range(COLUMNS // _LANES):
        offset = builder.add(first, ir.Constant(_SIZE, number * _LANES))
        address = builder.bitcast(builder.gep(columns, [offset]), _VECTOR.as_pointer())
        column.append(builder.load(address, align=4))
    found: list[Any] = []
    for number in range(ROWS):
        offset = builder.add(feature, builder.mul(stride, ir.Constant(_SIZE, number)))
        value = _broadcast(builder, builder.load(builder.gep(rows, [offset])))
        found += [
            step(builder, totals[len(found) + half], column[half], value)
            for half in range(len(column))
        ]
    return found


def _broadcast(builder: ir.IRBuilder, value: Any) -> Any:
    single = builder.insert_element(
        ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0)
    )
    mask = ir.Constant(ir.VectorType(ir.IntType(32), _LANES), [0] * _LANES)
    return builder.shuffle_vector(single, ir.Constant(_VECTOR, ir.Undefined), mask)


_MASK = types.intp(types.intp, types.float32)
_COUNT = types.intp(types.intp)


@intrinsic
def lanes_within(typing_context, values, limit):  # type: ignore[no-untyped-def]
    """Return a bit for each of 32 float32 values from an address on: at most `limit`, not NaN."""

    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
        address, limit = arguments
        wide = ir.VectorType(_FLOAT, COLUMNS)
        found = builder.load(builder.inttoptr(address, wide.as_pointer()), align=4)
        single = builder.insert_element(
            ir.Constant(wide, ir.Undefined), limit, ir.Constant(ir.IntType(32), 0)
        )
        mask = ir.Constant(ir.VectorType(ir.IntType(32), COLUMNS), [0] * COLUMNS)
        limits = builder.shuffle_vector(single, ir.Constant(wide, ir.Undefined), mask)
        bits = builder.bitcast(builder.fcmp_ordered("<=", found, limits), ir.IntType(COLUMNS))
        return builder.zext(bits, _SIZE)

    return _MASK, generate


@intrinsic
def count_bits(typing_context, bits):  # type: ignore[no-untyped-def]
    """Return how many bits are set."""

    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return _COUNT, generate


@intrinsic
def first_bit(typing_context, bits):  # type: ignore[no-untyped-def]
    """Return the number of the lowest bit that is set; at least one must be."""

    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return _COUNT, generate
