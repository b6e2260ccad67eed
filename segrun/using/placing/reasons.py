"""Why a customer has no place among those that were clustered."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from segrun.features.built import Bounds
from segrun.rundir.customers import Customers
from segrun.rundir.sparse import SparseColumns


def undefined(customers: Customers, logged: Collection[str]) -> list[str]:
    """Say of each customer why it cannot be transformed, empty where it can.

    Parameters
    ----------
    customers : Customers
        New ones.
    logged : collection of str
        Features that go through log(1 + x).
    """
    found = [""] * len(customers)
    if isinstance(customers.columns, SparseColumns):
        return found
    for column, values in customers.columns.items():
        for i in np.flatnonzero(~np.isfinite(values)):
            found[i] = f"no {column}"
        if column in logged:
            for i in np.flatnonzero(values <= -1):
                found[i] = f"log(1 + {column}) is undefined for {values[i]:g}"
    return found


def outside(customers: Customers, bounds: Iterable[Bounds], least: int) -> list[str]:
    """Say of each customer why the run would have set it aside, empty where it would not.

    Parameters
    ----------
    customers : Customers
        New ones.
    bounds : iterable of Bounds
        Those that the outlier rule found.
    least : int
        Ratings that a user must have.
    """
    if isinstance(customers.columns, SparseColumns):
        n_rated = np.diff(customers.columns.matrix.indptr).tolist()
        return [f"{n} ratings, fewer than {least}" if n < least else "" for n in n_rated]
    found = [""] * len(customers)
    for bound in bounds:
        for i in np.flatnonzero(~bound.keep(customers)):
            value = customers.columns[bound.column][i]
            found[i] = found[i] or (
                f"{bound.column} {value:g} is outside {bound.low:g} .. {bound.high:g}"
            )
    return found
