"""What rules leave out: which lines, how much of lines and money, and when that is told."""

import logging
import random
import re
import shlex
from dataclasses import replace

import pandas as pd
import polars as pl
import pytest

from segrun.config import Cancellations, DropMissing, OutlierRule, check_ranges
from segrun.data.datasets import load
from segrun.errors import ConfigError, DataError
from segrun.features import build, check

REMOVE = {"cancellations": Cancellations.remove}


@pytest.fixture
def orders(line):
    """Orders of a shop whose numbers begin with C for California: nothing is cancelled."""
    rng = random.Random(3)
    return [
        line(
            f"c{rng.randrange(40):02}", f"2016-{rng.randrange(1, 13):02}-11",
            price=rng.randrange(100, 5000) / 100,
            invoice=f"{rng.choice(['CA', 'CA', 'CA', 'US'])}-2016-{rng.randrange(1000, 2000)}",
        )
        for _ in range(400)
    ]  # fmt: skip


def test_an_order_number_that_begins_with_c_is_no_cancellation(features, orders):
    kept = features(orders, calendar=False)
    found = features(orders, calendar=False, **REMOVE)
    assert found.facts["dropped"]["features.cancellations=remove"] == 0
    assert found.all_customers.ids.tolist() == kept.all_customers.ids.tolist()
    assert len(found.all_customers) == len({one["CustomerID"] for one in orders})
    assert found.facts["removed"] == {}


@pytest.mark.parametrize(
    ("invoice", "quantity", "price", "cancelled"),
    [
        ("C536379", -1, 27.5, True),
        ("C536379", 1, -27.5, True),
        ("C536379", -1, 0.0, True),
        ("C536379", 1, 27.5, False),
        ("C536379", 1, 0.0, False),
        ("536379", -1, 27.5, False),
        ("CA-2016-1", -1, 27.5, False),
        ("c536379", -1, 27.5, False),
        ("XC536379", -1, 27.5, False),
        ("A563186", 1, -27.5, False),
    ],
)
def test_a_cancellation_is_c_before_digits_and_negative(
    features, line, invoice, quantity, price, cancelled
):
    lines = [line("a", "2011-03-01", 3), line("b", "2011-03-05", 9)]
    lines.append(line("a", "2011-03-02", quantity, price, invoice))
    found = features(lines, calendar=False, **REMOVE)
    assert found.facts["dropped"]["features.cancellations=remove"] == cancelled


def test_what_is_cancelled_can_be_declared(features, line):
    lines = [line("a", "2011-03-01", 3), line("b", "2011-03-05", 9), line("a", "2011-03-02", -2)]
    found = features(lines, calendar=False, cancelled_when="Quantity < 0", **REMOVE)
    assert found.facts["dropped"]["features.cancelled_when=Quantity < 0"] == 1
    # No invoice number is needed then.
    for one in lines:
        one["InvoiceNo"] = None
    needed = DropMissing.needed_columns
    found = features(lines, cancelled_when="Quantity < 0", drop_missing=needed, **REMOVE)
    assert found.facts["dropped"] == {
        "features.drop_missing=needed_columns": 0,
        "features.cancelled_when=Quantity < 0": 1,
    }


@pytest.mark.heavy
def test_a_declaration_that_has_no_effect_or_no_sense_is_refused(settings, composed):
    with pytest.raises(ConfigError, match=r"set features\.cancellations=remove as well"):
        check(settings(cancelled_when="Quantity < 0"))
    dataset = composed().dataset
    with pytest.raises(ConfigError, match=r"features\.cancelled_when=.*no column 'Status'"):
        check(settings(cancelled_when="Status == 'x'", **REMOVE), dataset)


@pytest.fixture
def gaps(line):
    """A table where the lines without a customer are few, or many, and dear."""

    def made(n_nameless, price=1.0):
        named = [line(f"c{i % 7}", f"2011-03-{i % 20 + 1:02}", i % 5 + 1) for i in range(100)]
        nameless = [line(None, "2011-03-02", -1, price) for _ in range(n_nameless)]
        return named + nameless

    return made


def told(caplog):
    return [r.getMessage() for r in caplog.records if "leaves out" in r.getMessage()]


@pytest.mark.parametrize(
    ("n", "price", "warned"), [(20, 1.0, False), (30, 0.01, True), (5, 20.0, True)]
)
def test_much_that_is_left_out_of_lines_or_money_is_a_warning(
    gaps, features, caplog, n, price, warned
):
    lines = gaps(n, price)
    caplog.set_level(logging.WARNING, "segrun.features")
    found = features(lines, calendar=False, warn_removed=0.2, allow_removed=0.8)
    table = pd.DataFrame(lines)
    size = (table["Quantity"] * table["UnitPrice"]).abs()
    gone = table["CustomerID"].isna()
    shares = f"{100 * gone.mean():.1f} % of lines, {100 * size[gone].sum() / size.sum():.1f} % of"
    rule = "features.drop_missing=any_column"
    assert told(caplog) == [f"{rule} leaves out {n} lines ({shares} gross Amount)"] * warned
    assert found.facts["removed"][rule] == {
        "n_lines": n,
        "share": {
            "lines": pytest.approx(gone.mean(), abs=1e-6),
            "Amount": pytest.approx(size[gone].sum() / size.sum(), abs=1e-6),
        },
        "sum": {"Amount": pytest.approx(-n * price)},
    }


@pytest.mark.heavy
def test_more_is_an_error_whose_advice_can_be_pasted(gaps, features, composed):
    lines, limits = gaps(450), {"allow_removed": composed("features=rfm").features.allow_removed}
    assert limits["allow_removed"] == 0.8
    with pytest.raises(DataError, match=r"leaves out 450 lines \(81\.8 % of lines") as error:
        features(lines, calendar=False, **limits)
    advice = shlex.split(re.search(r"meant: (\S+)$", str(error.value))[1])
    allowed = composed("features=rfm", *advice).features.allow_removed
    assert len(features(lines, calendar=False, allow_removed=allowed).all_customers) == 7


def test_customers_set_aside_are_told_with_their_lines_and_money(features, line, caplog):
    lines = [line(f"c{i:02}", "2011-03-01", i + 1) for i in range(20)]
    lines += [line("rich", "2011-03-02", 100, 0.5), line("rich", "2011-03-02", -10)]
    caplog.set_level(logging.WARNING, "segrun.features")
    rule = {"rule": OutlierRule.quantile, "low": 0.05, "high": 0.9, "columns": ["NumberOfOrders"]}
    found = features(lines, calendar=False, outliers=rule | {"factor": 0.5})
    assert found.facts["set_aside"] == {"NumberOfOrders": 1}
    assert found.facts["removed"]["features.outliers.rule=quantile"] == {
        "n_customers": 1,
        "n_lines": 2,
        "share": {
            "customers": pytest.approx(1 / 21, abs=1e-6),
            "lines": pytest.approx(2 / 22, abs=1e-6),
            "Amount": pytest.approx(60 / (60 + 210), abs=1e-6),
        },
        "sum": {"Amount": 40.0},
    }
    assert told(caplog) == [
        "features.outliers.rule=quantile leaves out 1 customer (4.8 % of customers, 9.1 % of "
        "lines, 22.2 % of gross Amount)"
    ]


def test_declared_columns_tell_what_they_add_up(declaring, caplog):
    frame = pl.DataFrame({"id": list("aabbcc"), "paid": [1.0, 2.0, 3.0, -4.0, 5.0, 60.0]})
    columns = {
        "Rows": declaring.column("count"),
        "Paid": declaring.column("sum", "paid"),
        "Back": declaring.column("sum", "paid", where="paid < 0"),
    }
    caplog.set_level(logging.WARNING, "segrun.features")
    found = build(declaring.rows_of(frame), declaring.aggregate(columns, where="paid > 1"))
    assert found.facts["removed"]["features.where=paid > 1"] == {
        "n_lines": 2,
        "share": {"lines": pytest.approx(1 / 3, abs=1e-6), "paid": pytest.approx(5 / 75, abs=1e-6)},
        "sum": {"paid": -3.0},
    }
    assert len(told(caplog)) == 1
    config = declaring.aggregate(columns, where="paid > 4", allow_removed=0.5)
    with pytest.raises(DataError, match=r"paid > 4 leaves out 4 lines \(66\.7 % of lines, 13\.3 %"):
        build(declaring.rows_of(frame), config)


def test_on_the_real_file_the_same_is_cancelled_as_ever(online_retail, composed, tmp_path):
    experiment = composed(
        "features=rfm", "dataset=online_retail", f"dataset.path={online_retail}",
        "features.cancellations=remove", "features.drop_missing=needed_columns",
    )  # fmt: skip
    with load(experiment.dataset, 0, tmp_path) as source:
        found = build(source, experiment.features)
    lines = pd.read_csv(online_retail, dtype=str, encoding="latin-1")
    named = lines.dropna(subset=["CustomerID"])
    amount = named["Quantity"].astype(int) * named["UnitPrice"].astype(float)
    marked = named["InvoiceNo"].str.startswith("C")
    removed = found.facts["removed"]["features.cancellations=remove"]
    assert removed["n_lines"] == marked.sum() == 8905
    assert removed["sum"]["Amount"] == pytest.approx(amount[marked].sum())
    nameless = found.facts["removed"]["features.drop_missing=needed_columns"]
    assert nameless["n_lines"] == len(lines) - len(named) == 135080
    assert nameless["sum"]["Amount"] == pytest.approx(1447682.12)
    # Lines that count, and those that are left out, are all there are.
    removed = found.facts["removed"].values()
    n_left_out = sum(one["n_lines"] for one in removed if "n_customers" not in one)
    kept = named[~marked].groupby("CustomerID").size()
    assert kept.sum() == found.facts["n_lines"] - n_left_out
    assert len(kept) == len(found.all_customers)


def test_shares_that_are_none_are_refused(settings):
    with pytest.raises(ConfigError, match=r"features\.warn_removed must be from 0 to 1\. Got 20"):
        check_ranges(replace(settings(), warn_removed=20), "features")
