"""One file, one definition, every engine: the same features to the last bit."""

from contextlib import ExitStack
from datetime import datetime
from fractions import Fraction

import narwhals as nw
import polars as pl
import pytest

from segrun.data.datasets import invoice_lines
from segrun.data.engines import ENGINES, hand_over

# Modin says so of each step that it leaves to pandas.
pytestmark = pytest.mark.filterwarnings("ignore:.*(efaulting to pandas|modin).*")

OTHERS = [name for name in ENGINES if name != "polars"]

RFM = {
    "kit": (),
    "22 columns": ("features=rfm_calendar", "features.weekdays=all"),
    "invoices": (
        "features=rfm", "features.orders=invoices", "features.cancellations=remove",
        "features.amount=total", "features.drop_missing=needed_columns",
    ),
    "declared": (
        "features=rfm", "features.cancellations=remove",
        "features.cancelled_when='Quantity < 0 or InvoiceNo is None'",
    ),
    "until": ("features=rfm", "features.reference_date=2011-12-31"),
}  # fmt: skip

#: Every function, with and without conditions; conditions with everything that they can hold.
COLUMNS = {
    "Rows": {"function": "count"},
    "NotEarly": {"function": "count", "where": "not InvoiceDate < '2011-06-01'"},
    "NotFrom": {"function": "count", "where": "not Country in ['EIRE', 'NA']"},
    "Nowhere": {"function": "count", "where": "Country is None or StockCode is None"},
    "Sundays": {"function": "count", "where": "weekday(InvoiceDate) == 7"},
    "NotWinter": {"function": "count", "where": "not month(InvoiceDate) in [12, 1, 2]"},
    "Late": {"function": "count", "where": "hour(InvoiceDate) >= 12 and not Quantity < 0"},
    "Own": {"function": "count", "where": "InvoiceNo != StockCode"},
    "Items": {"function": "distinct", "of": "StockCode"},
    "Bought": {"function": "distinct", "of": "StockCode", "where": "Quantity > 0"},
    "Moments": {"function": "distinct", "of": "InvoiceDate"},
    "Prices": {"function": "distinct", "of": "UnitPrice"},
    "Pieces": {"function": "sum", "of": "Quantity"},
    "Spent": {"function": "sum", "of": "Quantity * UnitPrice"},
    "Price": {"function": "mean", "of": "UnitPrice", "where": "UnitPrice > 0", "missing": 0},
    "Least": {"function": "min", "of": "UnitPrice", "missing": 0},
    "Most": {"function": "max", "of": "Quantity", "missing": 0},
    "FirstItem": {"function": "first", "of": "StockCode", "cluster": False, "missing": "none"},
    "LastText": {"function": "last", "of": "Description", "cluster": False, "missing": "none"},
    "FirstPrice": {"function": "first", "of": "UnitPrice", "missing": 0},
    "LastQuantity": {"function": "last", "of": "Quantity", "missing": 0},
    "Returned": {"function": "share", "where": "Quantity < 0"},
    "ReturnedSpent": {
        "function": "share", "of": "UnitPrice", "where": "Quantity < 0", "missing": 0,
    },
    "Since": {"function": "days_since", "missing": 0},
    "SinceMany": {"function": "days_since", "where": "Quantity > 5", "missing": 0},
    "SinceFirst": {"function": "days_since_first", "missing": 0},
    "In": {"function": "sum", "of": "Quantity", "per": "Country"},
}  # fmt: skip


SOME = {"where": "Country != 'EIRE' and Quantity > -10", "reference_date": "2012-01-01"}

#: What is set on the command line, and what is changed in the features that come of it.
FEATURES = {
    **{name: (overrides, {}) for name, overrides in RFM.items()},
    "aggregate": (("features=aggregate",), {"columns": COLUMNS}),
    "aggregate, some": (("features=aggregate",), {"columns": COLUMNS, **SOME}),
}


@pytest.fixture(scope="module")
def expected(opened, features, bits):
    """What polars computes, by file and feature set."""
    found = {}
    for fine in (False, True):
        with ExitStack() as stack:
            rows = opened(stack, fine=fine)
            for name, given in FEATURES.items():
                found[fine, name] = bits(features(rows, *given))
    return found


@pytest.fixture(scope="module", params=OTHERS)
def engine(request, installed, opened):
    """Rows of the awkward file, opened by an engine."""
    with ExitStack() as stack:
        yield opened(stack, installed(request.param))


@pytest.fixture(scope="module", params=OTHERS)
def fine_engine(request, installed, opened):
    """Prices with more than six decimals among them."""
    with ExitStack() as stack:
        yield opened(stack, installed(request.param), fine=True)


@pytest.mark.heavy
@pytest.mark.parametrize("name", FEATURES)
def test_features_are_those_of_polars_to_the_last_bit(engine, name, expected, features, bits):
    assert bits(features(engine, *FEATURES[name])) == expected[False, name]


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["kit", "aggregate"])
def test_so_they_are_where_prices_have_more_than_six_decimals(
    fine_engine, name, expected, features, bits
):
    assert bits(features(fine_engine, *FEATURES[name])) == expected[True, name]


@pytest.mark.heavy
@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize(("n_lines", "pieces"), [(1, 2**53), (5, 4 * 10**9)], ids=["one", "sum"])
def test_amounts_beyond_64_bits_are_exact_alike(name, n_lines, pieces, installed, opened, features):
    # At a thousand: no whole number of 64 bits in millionths, or several that come to none.
    line = {
        "InvoiceNo": "1", "StockCode": "A", "Description": "x", "Quantity": pieces,
        "InvoiceDate": datetime(2011, 1, 1), "UnitPrice": 1000.0, "CustomerID": "7",
        "Country": "EIRE",
    }  # fmt: skip
    other = {**line, "CustomerID": "8", "UnitPrice": 0.1}
    frame = nw.from_native(pl.LazyFrame([*[line] * n_lines, other]))
    rows = invoice_lines(frame, "CustomerID", {}, {"n_missing": {}})
    with hand_over(rows, installed(name), opened.cache) as handed:
        rfm = features(handed, ("features=rfm", "features.amount=total"), {}).all_customers
        columns = {"Spent": COLUMNS["Spent"]}
        own = features(handed, ("features=aggregate",), {"columns": columns}).all_customers
    exact = [float(n_lines * pieces * 1000), float(Fraction(pieces, 10))]
    assert rfm.columns["Amount"].tolist() == own.columns["Spent"].tolist() == exact


@pytest.mark.heavy
@pytest.mark.parametrize("fine", [False, True])
@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("kit", {}),
        ("22 columns", {"saturdays": True}),
        (
            "invoices",
            {"invoices": True, "cancellations": False, "mean": False},
        ),
    ],
)
def test_polars_gives_what_plain_python_does(fine, name, rules, awkward, opened, features):
    needed = ["Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "InvoiceNo"]
    complete = needed if name == "invoices" else awkward.HEADER
    plain = awkward.rfm(awkward.lines(fine), complete=complete, **rules)
    with ExitStack() as stack:
        found = features(opened(stack, fine=fine), *FEATURES[name]).all_customers
    assert list(found.ids) == list(plain)
    rows = [list(row) for row in zip(*(v.tolist() for v in found.columns.values()), strict=True)]
    assert rows == [row[: len(found.columns)] for row in plain.values()]
