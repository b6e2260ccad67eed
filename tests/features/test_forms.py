"""The real data in every form that it is found in: the features are the same, to the bit."""

from __future__ import annotations

import gzip

import polars as pl
import pytest
import xlsxwriter

from segrun.config import DateOrder
from segrun.data.datasets import load
from segrun.features import build

RENAMED = {
    "InvoiceNo": "Beleg", "StockCode": "Artikel", "Description": "Text", "Quantity": "Menge",
    "InvoiceDate": "Datum", "UnitPrice": "Preis", "CustomerID": "Kundennr.", "Country": "Land",
}  # fmt: skip
MAPPING = {
    "invoice": "Beleg", "item": "Artikel", "description": "Text", "quantity": "Menge",
    "date": "Datum", "price": "Preis", "customer": "Kundennr.", "country": "Land",
}  # fmt: skip
SECOND_EDITION = {"InvoiceNo": "Invoice", "UnitPrice": "Price", "CustomerID": "Customer ID"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("forms")


@pytest.fixture(scope="module")
def typed(online_retail):
    """The data as a typed table, read apart from segrun."""
    content = gzip.decompress(online_retail.read_bytes()).decode("iso-8859-1").encode()
    texts = pl.read_csv(content, infer_schema=False)
    return texts.with_columns(
        pl.col("Quantity").cast(pl.Int64),
        pl.col("UnitPrice").cast(pl.Float64),
        pl.col("InvoiceDate").str.to_datetime("%m/%d/%Y %H:%M"),
    )


@pytest.fixture(scope="module")
def features_of(settings_of, kit, tmp_path_factory):
    """Build the kit's features of a file."""

    def built(path, columns=None, **changes):
        config = settings_of(path, columns, **changes)
        with load(config, 0, tmp_path_factory.mktemp("cache")) as transactions:
            return build(transactions, kit)

    return built


@pytest.fixture(scope="module")
def expected(features_of, online_retail):
    """Those of the month-first CSV, tested against pandas in test_real_file.py."""
    return features_of(online_retail)


def assert_same(built, expected):
    assert built.facts == expected.facts
    for one, other in (
        (built.all_customers, expected.all_customers),
        (built.customers, expected.customers),
    ):
        assert one.ids.tolist() == other.ids.tolist()
        assert one.feature_names == other.feature_names
        assert one.X().tobytes() == other.X().tobytes()


def dated(typed, form):
    return typed.with_columns(pl.col("InvoiceDate").dt.strftime(form))


@pytest.mark.parametrize(
    ("form", "changes"),
    [
        ("%d/%m/%Y %H:%M", {}),
        ("%-d.%-m.%y %H:%M", {"date_order": DateOrder.day_first}),
        ("%Y-%m-%d %H:%M:%S", {}),
        ("%Y-%m-%dT%H:%M:%SZ", {}),
        ("%d %b %Y %I:%M %p", {}),
    ],
)
def test_a_utf8_csv_with_other_dates(typed, folder, features_of, expected, form, changes):
    path = folder / "other.csv"
    dated(typed, form).write_csv(path)
    assert_same(features_of(path, **changes), expected)


def test_a_renamed_month_first_csv_with_a_mapping(typed, folder, features_of, expected):
    path = folder / "renamed.csv"
    dated(typed, "%m/%d/%Y %H:%M").rename(RENAMED).write_csv(path)
    built = features_of(path, MAPPING, name="transactions")
    assert_same(built, expected)
    assert built.customers.id_column == "Kundennr."


def test_the_names_of_the_second_edition_and_ids_as_floats(typed, folder, features_of, expected):
    path = folder / "second.csv"
    floats = pl.col("CustomerID").cast(pl.Float64)
    dated(typed, "%Y-%m-%d %H:%M:%S").with_columns(floats).rename(SECOND_EDITION).write_csv(path)
    assert ",17850.0," in path.read_text(encoding="utf-8")[:400]
    assert_same(features_of(path), expected)


def test_decimal_commas_grouped_thousands_and_a_currency(typed, folder, features_of, expected):
    path = folder / "commas.csv"
    # 1.234,500 €
    swap = pl.col("UnitPrice").map_elements(
        lambda price: f"{price:,.3f} €".translate(str.maketrans(",.", ".,")), pl.String
    )
    dated(typed, "%d.%m.%Y %H:%M").with_columns(swap).write_csv(path, separator=";")
    assert_same(features_of(path), expected)


@pytest.mark.parametrize("ids", [pl.String, pl.Int32, pl.Float64, pl.Categorical])
def test_typed_parquet(typed, folder, features_of, expected, ids):
    path = folder / "typed.parquet"
    typed.with_columns(
        pl.col("CustomerID").cast(pl.Int64).cast(ids) if ids != pl.Categorical
        else pl.col("CustomerID").cast(ids),
        pl.col("InvoiceDate").dt.cast_time_unit("ns").dt.replace_time_zone("Europe/London"),
        pl.col("UnitPrice").cast(pl.Decimal(12, 3)),
    ).write_parquet(path)  # fmt: skip
    assert_same(features_of(path), expected)


@pytest.fixture(scope="module")
def workbook(typed, folder):
    """Write as UCI has it: numbers, dates and text in cells of their types. Takes 20 seconds."""
    path = folder / "real.xlsx"
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    book.add_worksheet("Notes").write(0, 0, "the data are in the other sheet")
    sheet = book.add_worksheet("Online Retail")
    date = book.add_format({"num_format": "m/d/yy h:mm"})
    sheet.write_row(0, 0, typed.columns)
    for row, (invoice, item, text, quantity, when, price, customer, country) in enumerate(
        typed.iter_rows(), start=1
    ):
        sheet.write(row, 0, int(invoice) if invoice.isdigit() else invoice)
        sheet.write(row, 1, int(item) if item.isdigit() else item)
        if text:
            sheet.write_string(row, 2, text)
        sheet.write_number(row, 3, quantity)
        sheet.write_datetime(row, 4, when, date)
        sheet.write_number(row, 5, price)
        if customer:
            sheet.write_number(row, 6, int(customer))
        sheet.write_string(row, 7, country)
    book.close()
    return path


@pytest.mark.slow
def test_an_excel_sheet_by_name(workbook, features_of, expected):
    assert_same(features_of(workbook, sheet="Online Retail"), expected)


@pytest.mark.parametrize("pack", ["gzip", "zstd"])
def test_packed_csv(typed, folder, features_of, expected, pack):
    path = folder / "packed.bin"
    dated(typed, "%m/%d/%Y %H:%M").write_csv(path, compression=pack, check_extension=False)
    assert_same(features_of(path), expected)
