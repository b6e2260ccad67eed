"""The type and the writing that ids have in the input, in which results give them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

#: A whole number as people write it: no id with a zero or a plus in front is one.
_WHOLE = r"^(0|-?[1-9]\d{0,17})$"


@dataclass(frozen=True)
class IdType:
    """How ids stand in the input; everywhere inside they are text, ``17850`` for 17850.0.

    Attributes
    ----------
    name : str
        Name of the polars type.
    suffix : str
        What stands behind each of them where they are text, ``.0``, and is left out inside.
    """

    name: str = "String"
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


def id_type(told: Mapping[str, Any], ids: NDArray[np.object_]) -> IdType:
    """Return the type of ids.

    Parameters
    ----------
    told : mapping
        What a dataset says of them: ``id_type``, the type of the file's column, None where it has
        none (CSV), and ``id_suffix``; nothing of ids that segrun makes, which are text.
    ids : ndarray of str objects
        All of them.
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
