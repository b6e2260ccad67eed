"""The features beside plain Python, customer by customer, for any lines and policies."""

import re
from collections import defaultdict
from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from segrun.config import (
    Amount,
    Cancellations,
    DropMissing,
    Orders,
)
from segrun.errors import DataError

START = datetime(2010, 12, 1)
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = (
    "January February March April May June July August September October November December"
).split()

lines_of_a_shop = st.lists(
    st.fixed_dictionaries(
        {
            "InvoiceNo": st.sampled_from(["1", "2", "C3", "C4", None]),
            "StockCode": st.just("A"),
            "Description": st.sampled_from(["LANTERN", None]),
            "Quantity": st.one_of(st.integers(-1000, 1000), st.none()),
            "InvoiceDate": st.one_of(
                st.integers(0, 374 * 1440).map(lambda m: START + timedelta(minutes=m)), st.none()
            ),
            "UnitPrice": st.one_of(
                st.integers(-100, 99_999).map(lambda pence: pence / 100), st.none()
            ),
            "CustomerID": st.sampled_from(["a", "b", "c", "10", None]),
            "Country": st.just("EIRE"),
        }
    ),
    min_size=1,
    max_size=30,
)


def plain(lines, config):
    """The features as one would compute them by hand, customer by customer."""
    needed = ["CustomerID", "Quantity", "InvoiceDate", "UnitPrice"]
    removes = config.cancellations is Cancellations.remove
    if config.orders is Orders.invoices or removes:
        needed.append("InvoiceNo")
    if config.drop_missing is DropMissing.any_column:
        needed = list(lines[0])
    kept = [x for x in lines if all(x[c] is not None for c in needed)]
    if removes:
        kept = [x for x in kept if not cancelled(x)]
    if config.reference_date:
        reference = datetime.fromisoformat(config.reference_date)
        kept = [x for x in kept if x["InvoiceDate"] <= reference]
    elif kept:
        reference = max(x["InvoiceDate"] for x in kept)
    of = defaultdict(list)
    for x in kept:
        of[x["CustomerID"]].append(x)
    return {c: one_customer(of[c], reference, config) for c in sorted(of)}


def cancelled(line):
    back = line["Quantity"] < 0 or line["Quantity"] * line["UnitPrice"] < 0
    return re.match("C[0-9]", line["InvoiceNo"]) is not None and back


def one_customer(bought, reference, config):
    total = sum(Fraction(round(x["UnitPrice"] * 100), 100) * x["Quantity"] for x in bought)
    if config.amount is Amount.mean_per_line:
        total /= len(bought)
    orders = len(bought)
    if config.orders is Orders.invoices:
        orders = len({x["InvoiceNo"] for x in bought})
    recency = (reference - max(x["InvoiceDate"] for x in bought)).days
    days = [x["InvoiceDate"].strftime("%A") for x in bought]
    months = [x["InvoiceDate"].strftime("%B") for x in bought]
    return [
        float(total), orders, recency,
        *(days.count(d) for d in sorted(DAYS) if d != "Saturday"),
        *(months.count(m) for m in sorted(MONTHS)),
    ]  # fmt: skip


# The fixtures hand out functions without state; a busy machine is no fault of the code.
@pytest.mark.heavy
@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=lines_of_a_shop,
    policy=st.fixed_dictionaries(
        {
            "drop_missing": st.sampled_from(DropMissing),
            "cancellations": st.sampled_from(Cancellations),
            "orders": st.sampled_from(Orders),
            "amount": st.sampled_from(Amount),
            "reference_date": st.sampled_from([None, "2011-06-30T12:00"]),
        }
    ),
)
def test_features_equal_plain_python(features, settings, lines, policy):
    expected = plain(lines, settings(**policy))
    distinct = {tuple(row) for row in expected.values()}
    if len(distinct) < 2:
        with pytest.raises(DataError):
            features(lines, **policy)
        return
    customers = features(lines, **policy).all_customers
    assert customers.ids.tolist() == list(expected)
    rows = zip(*(v.tolist() for v in customers.columns.values()), strict=True)
    assert [list(row) for row in rows] == list(expected.values())
