"""What an engine has computed, as a table of polars: small, one row per entity or fewer."""

from __future__ import annotations

from typing import Any

import narwhals as nw


def collected(frame: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """Compute a lazy frame by its own engine and return the result.

    Parameters
    ----------
    frame : LazyFrame
        Rows of any engine, aggregated.
    """
    if frame.implementation is nw.Implementation.POLARS:
        return frame.collect("polars", engine="streaming")
    from segrun.data.engines import collect

    return collect(frame)
