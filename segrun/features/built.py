"""What every feature set comes to: one row per customer, and how it was come by."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import AggregateConfig, RfmConfig, TableConfig
from segrun.errors import DataError
from segrun.features.outliers import staying
from segrun.features.removed import by_customers
from segrun.rundir.customers import Customers, id_type

log = logging.getLogger("segrun.features")


@dataclass(frozen=True)
class Built:
    """The customers of a dataset.

    Attributes
    ----------
    all_customers : Customers
        Every customer, before the outlier rule.
    customers : Customers
        Those that are clustered, ordered by id as text.
    facts : mapping
        Rows read and dropped by each rule, date range, customers set aside by each column; under
        ``removed`` how much that is (see `segrun.features.removed`), and under ``kept`` what is
        clustered: both together are the input; under ``fitted`` what must be known to build the
        same columns of other data.
    about : Customers or None
        Columns that are not clustered on, rows as `all_customers`; text columns hold str objects,
        None where missing.
    """

    all_customers: Customers
    customers: Customers
    facts: Mapping[str, Any]
    about: Customers | None = None

    def written_as(self, told: Mapping[str, Any]) -> Built:
        """Return the same with the ids as the input writes them; see `id_type`."""
        kind = id_type(told, self.all_customers.ids)
        return Built(
            replace(self.all_customers, id_type=kind),
            replace(self.customers, id_type=kind),
            self.facts,
            None if self.about is None else replace(self.about, id_type=kind),
        )


def settle(
    everyone: Customers,
    config: RfmConfig | AggregateConfig | TableConfig,
    facts: Mapping[str, Any],
    about: Customers | None = None,
    lost: Callable[[NDArray[np.bool_]], Mapping[str, Any]] = by_customers,
) -> Built:
    """Apply the outlier rule and say what is clustered.

    Parameters
    ----------
    everyone : Customers
        Every customer.
    config : RfmConfig, AggregateConfig or TableConfig
        The rule.
    facts : mapping
        What is known of the rows.
    about : Customers, optional
        What is not clustered on.
    lost : callable, optional
        Tells how much goes with some customers.

    Raises
    ------
    DataError
        If the outlier rule leaves nobody.
    """
    rows, removed = staying(everyone, config.outliers)
    kept = everyone if len(rows) == len(everyone) else everyone.take(rows)
    told: dict[str, Any] = {
        "customers": len(everyone),
        "set_aside": removed,
        "clustered": len(kept),
    }
    told = {**told, "removed": dict(facts.get("removed", {}))}
    outside = np.ones(len(everyone), dtype=bool)
    outside[rows] = False
    told["kept"] = lost(~outside)
    if kept is not everyone:
        rule = f"features.outliers.rule={config.outliers.rule.value}"
        told["removed"][rule] = lost(outside)
    aside = ", ".join(f"{n} by {column}" for column, n in removed.items())
    log.info(
        "%d customers, %d of them clustered%s",
        len(everyone), len(kept), f" (set aside: {aside})" if aside else "",
    )  # fmt: skip
    return Built(everyone, kept, {**facts, **told}, about)


def check_constant(customers: Customers) -> None:
    """Refuse customers who are all alike, and warn of columns that tell nothing apart.

    Raises
    ------
    DataError
        If every column is constant.
    """
    constant = [name for name, v in customers.columns.items() if (v == v[:1]).all()]
    if len(constant) == len(customers.columns):
        raise DataError(
            f"every feature is constant over the {len(customers)} customers: there is nothing to "
            "cluster. Look at the drop rules and at features.outliers"
        )
    if constant:
        log.warning("constant columns, which tell nothing apart: %s", ", ".join(constant))
