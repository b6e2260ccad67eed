"""Tables whose columns have types: Parquet files, one or several that are one table."""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate, groupby
from pathlib import PurePath
from typing import Any

import polars as pl

from segrun.data.datasets.quoting import clipped
from segrun.data.datasets.source import Source, partition
from segrun.data.datasets.table import LINE, POLARS_ERRORS, Table, check_columns
from segrun.errors import DataError

#: Parquet takes some ten times as much in memory.
_MAX_SMALL_BYTES = 20_000_000

#: Above it, float64 does not hold every whole number.
_LARGEST_WHOLE = 2**53

_TEXTS = (pl.String, pl.Categorical, pl.Enum)
_DATES = (pl.Date, pl.Datetime)

Schema = Mapping[str, pl.DataType]


class FrameTable(Table):
    """A table that polars has as a frame."""

    place = "row"

    def __init__(
        self, rows: pl.LazyFrame, name: str, first: int, small: bool, facts: Mapping[str, Any]
    ) -> None:
        self.small = small
        self._name, self._first, self.facts = name, first, facts
        self.names = rows.collect_schema().names()
        self._rows = self._shown = rows
        self._empty = pl.all_horizontal(pl.all().is_null())

    def frame(self) -> pl.LazyFrame:
        """Return every row that has a value."""
        return self._rows.filter(~self._empty)

    def numbered(self) -> pl.LazyFrame:
        """Return the same rows with their numbers."""
        return self._numbered(self._rows)

    def _numbered(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        numbered = rows.with_row_index(LINE, self._first)
        empty = pl.all_horizontal(pl.exclude(LINE).is_null())
        return numbered.filter(~empty).with_columns(pl.col(LINE).cast(pl.Int64))

    def texts(self, numbers: Collection[int]) -> Iterator[tuple[int, str]]:
        """Yield rows as lines of CSV."""
        wanted = pl.col(LINE).is_in(list(numbers))
        for number, *values in self._numbered(self._shown).filter(wanted).collect().iter_rows():
            text = io.StringIO()
            csv.writer(text, lineterminator="").writerow(values)
            yield number, text.getvalue()

    def type_of(self, column: str) -> str | None:
        """Return the type of a column; that of a decimal number is as good as none."""
        found = self._rows.collect_schema()[column]
        if found.is_decimal():
            return None
        return str(found.base_type()) if found.is_numeric() else "String"

    def explain(self, error: BaseException | None) -> DataError:
        """Say that the file is damaged."""
        return damaged(self._name, error)


def damaged(name: str, error: BaseException | None) -> DataError:
    """Return what to say of a file that its reader refuses."""
    first = str(error).splitlines()[0]
    return DataError(
        f"dataset.path={name} is damaged, or not what its name or its first bytes say ({first}): "
        "copy or export it again"
    )


def _as_meant(rows: pl.LazyFrame) -> pl.LazyFrame:
    # 2.55 of 32 bits is 2.549999952316284 of 64; it is the text that is meant.
    return rows.with_columns(pl.col(pl.Float32).cast(pl.String).cast(pl.Float64))


class ParquetTable(FrameTable):
    """A Parquet file, or several that are one table."""

    def __init__(self, source: Source, name: str) -> None:
        self._parts = source.parts or (source,)
        small = source.n_bytes <= _MAX_SMALL_BYTES
        super().__init__(scan(self._parts, name), name, 1, small, {"format": "parquet"})

    def spot(self, number: int) -> tuple[str, int]:
        """Return the file and the number of the row in it."""
        heights = (pl.scan_parquet(p.path, glob=False).select(pl.len()).collect().item()
                   for p in self._parts)  # fmt: skip
        starts = [0, *accumulate(heights)]
        place = bisect_right(starts, number - 1) - 1
        return self._parts[place].name, number - starts[place]

    def explain(self, error: BaseException | None) -> DataError:
        """Name the file that is damaged."""
        for part in self._parts:
            rows = pl.scan_parquet(part.path, glob=False)
            try:
                rows.select(pl.all().null_count()).collect(engine="streaming")
            except POLARS_ERRORS as found:
                return damaged(str(part.path), found)
        return super().explain(error)


def scan(parts: Sequence[Source], name: str, *, mixed: bool = False) -> pl.LazyFrame:
    """Return the rows of Parquet files, each column in one type."""
    schemas = [_schema(part) for part in parts]
    for part, schema in zip(parts[1:], schemas[1:], strict=True):
        check_columns(name, (parts[0].name, list(schemas[0])), (part.name, list(schema)))
    types = {column: _common(column, parts, schemas, name, mixed) for column in schemas[0]}
    # Thousands of files at once take a fraction of the time of one by one.
    runs = groupby(zip(schemas, parts, strict=True), key=lambda pair: dict(pair[0]))
    groups = [(schema, [part for _, part in run]) for schema, run in runs]
    frames = []
    for schema, own in groups:
        rows = _as_meant(_scan_alike(own, schema, name))
        frames.append(rows.select(*(_cast(c, schema[c], t) for c, t in types.items()),
                                  pl.exclude(list(types))))  # fmt: skip
    _check_whole(groups, types, name)
    return pl.concat(frames)


def _schema(part: Source) -> Schema:
    try:
        return pl.read_parquet_schema(part.path)
    except POLARS_ERRORS as error:
        raise damaged(str(part.path), error) from error


def _scan_alike(parts: Sequence[Source], schema: Schema, name: str) -> pl.LazyFrame:
    paths = [part.path for part in parts]
    own = list(parts[0].partition)
    if not own:
        return pl.scan_parquet(paths, glob=False, hive_partitioning=False)
    # polars takes the folders above for columns, too, instead of those in the files.
    seen = partition(PurePath(paths[0]))
    above = [key for key in seen if key not in own]
    if taken := [key for key in above if key in schema]:
        raise DataError(
            f"dataset.path={name} lies below a folder {taken[0]}=..., and its files have a column "
            f"{clipped(taken[0])}: move it"
        )
    rows = pl.scan_parquet(
        paths, glob=False, hive_partitioning=True, hive_schema=dict.fromkeys(seen, pl.String())
    )
    return rows.drop(above)


def _common(
    column: str, parts: Sequence[Source], schemas: Sequence[Schema], name: str, mixed: bool
) -> pl.DataType:
    """Return the type that holds a column of every file: pandas writes 1, 2 and 1.0, none."""
    first: dict[pl.DataType, Source] = {}
    for part, schema in zip(parts, schemas, strict=True):
        found = pl.Float64() if schema[column] == pl.Float32 else schema[column]
        if found != pl.Null:
            first.setdefault(found, part)
    kinds = list(first) or [pl.Null()]
    if len(kinds) == 1:
        return kinds[0]
    if all(isinstance(kind, _TEXTS) for kind in kinds):
        return pl.String()
    if all(isinstance(kind, _DATES) for kind in kinds):
        return pl.Datetime("us")
    if all(kind.is_integer() for kind in kinds):
        return pl.Int64()
    if all(kind.is_numeric() for kind in kinds):
        return pl.Float64()
    if mixed:
        return pl.String()
    shown = ", ".join(f"{kind} in {part.name}" for kind, part in first.items())
    raise DataError(
        f"dataset.path={name}: the column {clipped(column)} is {shown}. Give it one type in all "
        "files"
    )


def _cast(column: str, found: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    values = pl.col(column)
    if isinstance(found, pl.Datetime) and found != wanted:
        # What the clock on the wall said.
        values = values.dt.replace_time_zone(None)
    return values if found == wanted else values.cast(wanted)


def _check_whole(
    groups: Sequence[tuple[Schema, Sequence[Source]]], types: Schema, name: str
) -> None:
    """Refuse whole numbers, such as ids, that would change where others have fractions."""
    for schema, parts in groups:
        mixed = [c for c, t in types.items() if t == pl.Float64 and schema[c].is_integer()]
        if not mixed:
            continue
        largest = _scan_alike(parts, schema, name).select(pl.col(mixed).cast(pl.Int128).abs().max())
        for column, value in largest.collect(engine="streaming").row(0, named=True).items():
            if value is not None and value > _LARGEST_WHOLE:
                raise DataError(
                    f"dataset.path={name}: the column {clipped(column)} has whole numbers up to "
                    f"{value} in {parts[0].name}, but fractions in another file, where such "
                    "numbers lose digits. Give it one type in all files"
                )
