"""What an engine other than polars has computed, as a frame of polars."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import narwhals as nw

if TYPE_CHECKING:
    import polars as pl


def collect(frame: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """Compute a lazy frame by its own engine.

    Parameters
    ----------
    frame : LazyFrame
        Rows of an engine that `hand_over` has opened, aggregated.
    """
    reader = import_module(f"segrun.data.engines.{frame.implementation.value}")
    found: pl.DataFrame = reader.to_polars(frame.to_native())
    return nw.from_native(found, eager_only=True)
