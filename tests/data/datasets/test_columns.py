"""Which column holds what: found, or asked for with names to choose from."""

from __future__ import annotations

import pytest

from segrun.config import ColumnsConfig
from segrun.data.datasets.columns import check, find_mapped, find_uci
from segrun.errors import ConfigError, DataError

UCI = "InvoiceNo StockCode Description Quantity InvoiceDate UnitPrice CustomerID Country".split()


@pytest.mark.parametrize(
    "names",
    [
        UCI,
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country".split(","),
        [name.lower() for name in UCI],
        "invoice_no stock_code description quantity invoice_date unit_price customer_id "
        "country".split(),
    ],
)
def test_the_uci_columns_are_found_in_the_forms_of_the_wild(names):
    found = find_uci(names, "f.csv")
    assert list(found.columns.values()) == names
    assert found.id_name == "CustomerID"


def test_a_column_in_two_spellings_is_refused():
    with pytest.raises(DataError, match=r"CustomerID more than once \(CustomerID, Customer ID\)"):
        find_uci([*UCI, "Customer ID"], "f.csv")


def test_other_columns_are_told_with_a_mapping_by_guess():
    with pytest.raises(DataError) as error:
        find_uci(["Kundennr", "Datum", "Betrag (EUR)", "x"], "f.csv")
    assert "lacks the column InvoiceNo, StockCode" in str(error.value)
    assert '{customer: Kundennr, date: Datum, amount: "Betrag (EUR)"}' in str(error.value)


def test_a_mapped_column_that_is_not_there_is_told_with_the_nearest():
    with pytest.raises(DataError, match=r"columns\.date=Dat: not there in .*Did you mean 'Datum'"):
        find_mapped(ColumnsConfig("Kunde", "Dat", "Betrag"), ["Kunde", "Datum", "Betrag"], "f.csv")


def test_a_mapped_column_that_is_there_twice_is_refused():
    with pytest.raises(DataError, match=r"columns\.date=Datum: more than once"):
        find_mapped(ColumnsConfig("K", "Datum", "B"), ["K", "Datum", "Datum", "B"], "f.csv")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"amount": "a", "price": "b"}, "amount is the whole line's"),
        ({"amount": "a", "quantity": "b"}, "amount is the whole line's"),
        ({"customer": "a", "date": "a"}, "customer and date are both 'a'"),
    ],
)
def test_a_mapping_that_contradicts_itself_is_refused_before_reading(columns, said):
    with pytest.raises(ConfigError, match=said):
        check(ColumnsConfig(**columns))


@pytest.mark.parametrize("name", ["label", "replica", "Amount", "Recency", "Friday", "May"])
def test_an_id_column_named_as_a_column_of_the_results_gets_another_name(name):
    found = find_mapped(ColumnsConfig(name, "d", "a"), [name, "d", "a"], "f.csv")
    assert found.id_name == "customer"
