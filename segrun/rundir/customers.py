"""The customer table: what the features build, augmentation replicates and algorithms cluster.

Ids are text inside; results give them again in the type and the writing of the input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segrun.rundir.sparse import SparseColumns

if TYPE_CHECKING:
    import polars as pl

#: Names that result files have for themselves.
TAKEN = ("label", "replica")

_BLOCK_ROWS = 4096

#: A whole number as people write it: no id with a zero or a plus in front is one.
_WHOLE = r"^(0|-?[1-9]\d{0,17})$"


@dataclass(frozen=True)
class IdType:
    """How ids stand in the input; everywhere inside they are text, ``17850`` for 17850.0."""

    name: str = "String"  #: Name of the polars type
    #: What stands behind each of them where they are text, ``.0``, and is left out inside.
    suffix: str = ""

    def written(self, ids: NDArray[np.object_]) -> pl.Series:
        """Return ids as the input has them; as text where one of them is none of its type."""
        import polars as pl

        text = pl.Series(ids, dtype=pl.String)
        if self.name == "String":
            return text + self.suffix if self.suffix else text
        typed = text.cast(getattr(pl, self.name), strict=False)
        return typed if _inside(typed).equals(text) else text

    def read(self, column: NDArray[Any]) -> NDArray[np.object_]:
        """Return what `written` gave as the text that it was made of."""
        import polars as pl

        text = _inside(pl.Series(column))
        return (text.str.strip_suffix(self.suffix) if self.suffix else text).to_numpy()


#: That of ids that segrun makes.
TEXT = IdType()


@dataclass(frozen=True)
class Customers:
    """One row per customer (or per copy of a customer)."""

    id_column: str  #: Name of the id column in the input
    ids: NDArray[np.object_]  #: Customer ids, always text
    #: The features in order, ``int64`` or ``float64``; SparseColumns for ratings.
    columns: Mapping[str, NDArray[np.int64] | NDArray[np.float64]]
    #: Number of the copy, from 0, where the table was augmented.
    replica: NDArray[np.int64] | None = None
    id_type: IdType = TEXT  #: How results write the ids: as they stand in the input

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def feature_names(self) -> list[str]:
        """Names of the features, in order."""
        return list(self.columns)

    @cached_property
    def written_ids(self) -> Any:
        """The ids as a polars Series of the type that they have in the input."""
        return self.id_type.written(self.ids)

    def bare(self) -> Customers:
        """Return the ids without any feature."""
        return replace(self, columns={})

    def X(self) -> NDArray[np.float64]:  # noqa: N802 - the field's name for it
        """Return the features as a C-contiguous float64 array of shape (n_samples, n_features)."""
        if isinstance(self.columns, SparseColumns):
            dense: NDArray[np.float64] = self.columns.matrix.toarray()
            return dense
        # Into its place at once: no second copy of all columns. Rows that fit into the cache at a
        # time, since a whole column is written to every line of memory.
        found = np.empty((len(self), len(self.columns)))
        for start in range(0, len(self), _BLOCK_ROWS):
            rows = slice(start, start + _BLOCK_ROWS)
            for place, values in enumerate(self.columns.values()):
                found[rows, place] = values[rows]
        return found

    def matrix(self) -> Any:
        """Return the features as scikit-learn takes them: a CSR array where sparse, else `X`."""
        return self.columns.matrix if isinstance(self.columns, SparseColumns) else self.X()

    def joined(self, below: Customers) -> Customers:
        """Return the rows of both, those of `below` last, with the same features.

        Where only these have no `replica`, it is 0 for them.
        """
        columns: Mapping[str, Any]
        if isinstance(self.columns, SparseColumns):
            assert isinstance(below.columns, SparseColumns)
            columns = self.columns.joined(below.columns)
        else:
            columns = {n: np.concatenate([v, below.columns[n]]) for n, v in self.columns.items()}
        replica = self.replica
        if replica is not None:
            more = below.replica if below.replica is not None else np.zeros(len(below), np.int64)
            replica = np.append(replica, more)
        return replace(self, ids=np.append(self.ids, below.ids), columns=columns, replica=replica)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Customers:
        """Return the chosen rows as a new table; those of a slice are not copied, unless sparse."""
        if isinstance(self.columns, SparseColumns):
            columns: Mapping[str, Any] = self.columns.take(rows)
        else:
            columns = {name: values[rows] for name, values in self.columns.items()}
        return replace(
            self,
            ids=self.ids[rows],
            columns=columns,
            replica=None if self.replica is None else self.replica[rows],
        )


def id_type(told: Mapping[str, Any], ids: NDArray[np.object_]) -> IdType:
    """Return the type of all ids, by what their dataset says of them.

    That is ``id_type``, the type of the file's column, None where it has none (CSV), and
    ``id_suffix``; nothing of ids that segrun makes, which are text.
    """
    if "id_type" not in told:
        return TEXT
    suffix = told.get("id_suffix", "")
    name = told["id_type"] or _guessed(ids, fractions=bool(told.get("whole_ids")))
    return IdType(name, "" if name != "String" else suffix)


def stored_type(column: NDArray[Any], told: Mapping[str, Any]) -> IdType:
    """Return the type of the ids in a file of a run; what is told of them as for `id_type`."""
    if column.dtype.kind in "iuf":
        import polars as pl

        return IdType(str(pl.Series(column[:0]).dtype))
    return IdType(suffix=told.get("id_suffix", ""))


def _guessed(ids: NDArray[np.object_], *, fractions: bool) -> str:
    """Return the type that readers of CSV files give to texts like these."""
    import polars as pl

    if not pl.Series(ids, dtype=pl.String).str.contains(_WHOLE).all():
        return "String"
    return "Float64" if fractions else "Int64"


def _inside(ids: pl.Series) -> pl.Series:
    import polars as pl

    if not ids.dtype.is_float():
        return ids.cast(pl.String)
    whole = ids.cast(pl.Int64, strict=False)
    return pl.select(
        pl.when(whole == ids).then(whole.cast(pl.String)).otherwise(ids.cast(pl.String))
    ).to_series()
