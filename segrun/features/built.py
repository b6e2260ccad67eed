"""What every feature set comes to: one row per customer, and how it was come by."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from segrun.config import OutlierConfig
from segrun.customers import Customers
from segrun.errors import DataError
from segrun.features.outliers import set_aside
from segrun.idtype import id_type

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
        ``fitted`` what must be known to build the same columns of other data.
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
    outliers: OutlierConfig,
    facts: Mapping[str, Any],
    about: Customers | None = None,
) -> Built:
    """Apply the outlier rule and say what is clustered.

    Raises
    ------
    DataError
        If the outlier rule leaves nobody.
    """
    kept, removed = set_aside(everyone, outliers)
    told = {"customers": len(everyone), "set_aside": removed, "clustered": len(kept)}
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
