"""The page of what was read, and warnings where data do not look as transactions do."""

from __future__ import annotations

import logging

import polars as pl
import pytest

pytestmark = pytest.mark.heavy

HEADER = "who,when,what\n"
COLUMNS = {"customer": "who", "date": "when", "amount": "what"}


@pytest.fixture
def told(open_file, caplog):
    """Read lines and return the page and the warnings."""

    def opened(lines, header=HEADER, **changes):
        with (
            caplog.at_level(logging.INFO, "segrun.data.datasets"),
            open_file(header + lines, COLUMNS, **changes) as transactions,
        ):
            pass
        page = [r.getMessage() for r in caplog.records if r.levelno == logging.INFO]
        warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
        return page, warnings, transactions.facts

    return opened


def lines(n=20, year=2011):
    return "".join(f"c{i % 7},{year}-{i % 12 + 1:02}-13,{i}.5\n" for i in range(n))


def test_the_page_tells_rows_dates_gaps_copies_and_currency(told):
    page, warnings, facts = told(lines() + "c1,2011-02-13,\n,2011-03-13,7.5\nc1,2011-02-13,1.5\n")
    assert "23 lines read" in page[0]
    assert "dates as %Y-%m-%d" in page[0]
    assert page[1].strip() == "dates from 2011-01-13 to 2011-12-13"
    assert page[2].strip() == "missing: what 4.3%, who 4.3%"
    assert page[3].strip() == "1 lines are copies of others"
    assert page[4].strip() == "currency: none stated"
    assert warnings == []
    assert facts["n_read"] == 23
    assert facts["n_missing"] == {"UnitPrice": 1, "CustomerID": 1}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("c9,2999-01-13,3.5\n", "1 lines are dated in the future, up to 2999-01-13"),
        ("c9,1970-01-01,3.5\n", "the dates jump from 1970-01-01 to 2011-01-13 (1 lines before, 20"),
        ("guest,2011-05-13,3.5\n" * 25, "customer 'guest' has 25 of 45 lines"),
        (",2011-05-13,3.5\n" * 25, "25 of 45 lines have no customer id"),
        (lines(), "20 of 40 lines are copies of others"),
    ],
)
def test_a_surprise_is_a_warning(told, more, said):
    _, warnings, _ = told(lines() + more)
    assert any(said in warning for warning in warnings), warnings


def test_several_currencies_are_a_warning(told):
    text = lines().replace(",1.5", ",€ 1.5").replace(",2.5", ",$ 2.5")
    page, warnings, facts = told(text)
    assert "currency: $, €" in page[4]
    assert "several currencies are added up: $, €" in warnings[0]
    assert facts["currencies"] == ["$", "€"]


def test_a_leap_year_is_no_jump_of_years(told):
    _, warnings, _ = told("a,2011-03-13,1.5\nb,2012-03-12,2.5\nc,2011-08-13,3.5\n")
    assert warnings == []


def test_quantities_with_fractions_count_as_amounts(open_file):
    content = "who,when,much,each\na,2011-03-13,0.5,3\nb,2011-03-14,2,1.25\n"
    columns = {"customer": "who", "date": "when", "price": "each", "quantity": "much"}
    with open_file(content, columns) as transactions:
        frame = transactions.frame.collect("polars").to_native()
    assert frame["Quantity"].dtype == pl.Int64
    assert (frame["Quantity"] * frame["UnitPrice"]).to_list() == [1.5, 2.5]
