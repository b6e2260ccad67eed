"""The shape of the rows that a state is made of: their columns, as the run's own input has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import narwhals as nw

from segrun.config import ColumnKind
from segrun.data.datasets.rows import ID_COLUMN, Rows, invoice_lines, transaction_kinds
from segrun.errors import DataError

_DTYPES = {
    "String": nw.String(), "Int64": nw.Int64(), "Float64": nw.Float64(),
    "Datetime": nw.Datetime("us"), "Boolean": nw.Boolean(),
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """The columns of the rows.

    Attributes
    ----------
    transactions : bool
        Whether they are transactions; else rows about entities.
    key, id_column : str
        The id's column, and what results call it.
    kinds : mapping of str to str
        Of rows about entities: what the other columns hold.
    columns : mapping of str to str
        Data type by column, the id's included.
    names : mapping of str to str
        What the input calls the columns; empty where it has no others.
    """

    transactions: bool
    key: str
    id_column: str
    kinds: Mapping[str, str]
    columns: Mapping[str, str]
    names: Mapping[str, str]

    @classmethod
    def of(cls, source: Rows) -> Shape:
        """Return the shape of what a dataset delivers."""
        schema, names = source.frame.collect_schema(), source.facts.get("names", {})
        columns = {name: type(dtype).__name__ for name, dtype in schema.items()}
        if source.key == ID_COLUMN and source.kinds == transaction_kinds(list(columns)):
            return cls(True, ID_COLUMN, source.id_column, {}, columns, names)
        kinds = {name: kind.value for name, kind in source.kinds.items()}
        return cls(False, source.key, source.id_column, kinds, columns, names)

    def plain(self) -> dict[str, Any]:
        """Return the shape as values that JSON knows."""
        return asdict(self)

    def blank(self) -> Rows:
        """Return a source of this shape without any row."""
        schema = {name: _DTYPES[dtype] for name, dtype in self.columns.items()}
        facts = {"names": self.names} if self.names else {}
        empty: dict[str, list[Any]] = {name: [] for name in schema}
        frame = nw.from_dict(empty, schema=schema, backend="polars").lazy()
        if self.transactions:
            return invoice_lines(frame, self.id_column, {}, facts)
        kinds = {name: ColumnKind(kind) for name, kind in self.kinds.items()}
        return Rows(frame, self.key, self.id_column, kinds, {}, facts)

    def matched(self, source: Rows) -> Rows:
        """Return the rows of a batch with the columns of this shape and no others.

        A rule that looks at every column then looks at the same ones in each batch.

        Raises
        ------
        DataError
            If the batch lacks one.
        """
        names = source.frame.collect_schema().names()
        gone = [name for name in self.columns if name not in names]
        if gone:
            raise DataError(
                f"it has no {', '.join(gone)}, which the run's own input has: of rows with other "
                "columns, other lines would count"
            )
        kinds = {name: kind for name, kind in source.kinds.items() if name in self.columns}
        return replace(source, frame=source.frame.select(*self.columns), kinds=kinds)
