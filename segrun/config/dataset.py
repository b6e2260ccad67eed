"""Where the rows come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial

from segrun.config.key import Effect, group, key, stated

data = partial(key, effect=Effect.DATA)


class DateOrder(Enum):
    """How a date such as 3/4/2011 is read."""

    auto = "auto"
    month_first = "month_first"
    day_first = "day_first"
    iso = "iso"


class Decimal(Enum):
    """Which letter stands in front of a number's fraction."""

    auto = "auto"
    point = "point"
    comma = "comma"


class BadLines(Enum):
    """What happens to lines of a file that cannot be read."""

    refuse = "refuse"
    skip = "skip"
    quarantine = "quarantine"


class Copies(Enum):
    """What happens to lines that repeat an earlier one in every column of the file."""

    keep = "keep"
    drop = "drop"


class ColumnKind(Enum):
    """What a column of a file holds."""

    text = "text"
    number = "number"
    date = "date"


class Header(Enum):
    """Whether the first line of a file names its columns."""

    auto = "auto"
    present = "present"
    absent = "absent"


@dataclass
class DatasetConfig:
    """Where the rows come from."""

    name: str = data(
        "Source of the rows: synthetic_retail, online_retail, transactions, records, table, ..."
    )
    kind: str = stated("")

    @property
    def has_invoices(self) -> bool:
        """Whether a column of invoice numbers is named."""
        return False


@dataclass
class SyntheticRetailConfig(DatasetConfig):
    """The embedded generator: a retailer in the shape of the UCI data."""

    kind: str = stated("synthetic_retail")
    n_customers: int = data("Number of customers that buy at least once, at least 2.", minimum=2)
    contrast: float = data(
        "How plainly the planted types of customers differ, at least 1: 1 as in real data, where "
        "they overlap; 6: customers of a type are alike and buy so often that it shows.",
        1.0,
        minimum=1,
        maximum=20,
    )


@dataclass
class SyntheticSalesConfig(DatasetConfig):
    """The embedded generator of product-level sales."""

    kind: str = stated("synthetic_sales")
    n_users: int = data("Number of users that buy at least once, at least 3.", minimum=3)
    lines_factor: float = data(
        "So many times as many lines per user as by default, where they have 26 on average.",
        1.0,
        above=0,
        maximum=20,
    )


@dataclass
class SyntheticWeblogsConfig(DatasetConfig):
    """The embedded generator of page views."""

    kind: str = stated("synthetic_weblogs")
    n_visitors: int = data("Number of visitors that view at least one page, at least 3.", minimum=3)


@dataclass
class SyntheticRatingsConfig(DatasetConfig):
    """The embedded generator of ratings, in the shape of MovieLens."""

    kind: str = stated("synthetic_ratings")
    n_users: int = data("Number of users, at least 2; each rates 20 items or more.", minimum=2)
    n_items: int = data("Number of items, at least 10.", minimum=10)


@dataclass
class FileConfig(DatasetConfig):
    """Transactions in files, CSV (also gzip, Zstandard), Parquet or Excel, or in a database.

    As it is, the UCI Online Retail data in any form that it is found in.
    """

    kind: str = stated("online_retail")
    path: str = data(
        "File to read, relative to the current directory; `~` is expanded. Several files of the "
        "same columns: their folder, or a glob such as 'sales/2011-*.csv'. A database: its "
        "address, postgresql://USER@HOST/DATABASE, sqlite:///FILE or duckdb:///FILE, and query."
    )
    sheet: str | None = data("Sheet of an Excel file; null: the first.")
    encoding: str = data(
        "Text encoding of a CSV file by its Python name (utf-8, iso-8859-1, cp1252, mac_roman, "
        "...), or auto: UTF-8 where the whole file is valid UTF-8, otherwise ISO-8859-1."
    )
    separator: str = data(
        "Letter between two fields of a CSV file, such as ';'; auto: comma, semicolon, tab or "
        "bar, whichever the header has most of."
    )
    decimal: Decimal = data(
        "How 1,234 is read: point (1234) or comma (1.234); thousands may be grouped by the other "
        "one, a blank or an apostrophe. auto looks at the whole column and refuses one that can "
        "be read both ways."
    )
    date_order: DateOrder = data(
        "How dates are read: month_first, day_first or iso; auto looks at the whole column and "
        "refuses one that can be read in several ways."
    )
    date_format: str | None = data(
        "strptime format of the dates, such as '%m/%d/%Y %H:%M'; of numbers: unix_s, unix_ms, "
        "unix_us (Unix time in seconds, milli- or microseconds), excel_1900 or excel_1904 (days "
        "as Excel counts them); null finds it within date_order."
    )
    missing: list[str] = data("Texts that stand for a missing value, besides the empty one.")
    bad_lines: BadLines = data(
        "Lines that cannot be read: refuse (stop and say where), skip (leave them out and count "
        "them) or quarantine (and keep them in quarantine.csv)."
    )
    query: str | None = data(
        "Rows of a database: a SELECT, or a table's name; null where path names files.", None
    )
    batch_bytes: int = key(
        "Size in bytes of the batches in which a query's rows are read; memory grows with it.",
        16_000_000,
        effect=Effect.COST,
        minimum=1,
    )
    duplicates: Copies = data(
        "Lines that repeat an earlier one in every column of the file: keep them, or drop all but "
        "one.",
        Copies.keep,
    )


@dataclass
class ColumnsConfig:
    """Which columns of a file hold what."""

    customer: str | None = data("Column of the customer id.", None)
    date: str | None = data("Column of the date, with or without time.", None)
    amount: str | None = data("Column of a line's amount; instead of price.", None)
    price: str | None = data("Column of the unit price; instead of amount.", None)
    quantity: str | None = data(
        "Column of the quantity that price is multiplied by; null: 1.", None
    )
    invoice: str | None = data("Column of the order or invoice number.", None)
    item: str | None = data("Column of the item's code.", None)
    description: str | None = data("Column of the item's description.", None)
    country: str | None = data("Column of the country.", None)


@dataclass
class TransactionsConfig(FileConfig):
    """Anybody's file of transactions: one line per purchase, payment, call, ..."""

    kind: str = stated("transactions")
    columns: ColumnsConfig = group("Which columns of the file hold what.")

    @property
    def has_invoices(self) -> bool:
        """Whether a column of invoice numbers is named."""
        return self.columns.invoice is not None


@dataclass
class RecordsConfig(FileConfig):
    """Anybody's file of rows about entities: page views, sales, a table of customers, ..."""

    kind: str = stated("records")
    id: str = data("Column of the file that says which entity a row is about.")
    columns: dict[str, ColumnKind] = data(
        "Columns that are used, and what they hold: text, number or date.", {}
    )
    rename: dict[str, str] = data(
        "Name in the file of columns that `columns` calls otherwise: {page: URL}.", {}
    )
    one_per_id: bool = data("true: a second row with the same id is an error, as in a table.")


@dataclass
class RatingColumns:
    """Which columns of a file of ratings hold what: a name, or a number from 1 without header."""

    user: str | None = data("Column of the user id; null: by its name, else the first.", None)
    item: str | None = data("Column of the item id; null: by its name, else the second.", None)
    rating: str | None = data("Column of the rating; null: by its name, else the third.", None)
    time: str | None = data(
        "Column of numbers that grow with time; null: by its name, else the fourth.", None
    )


@dataclass
class ItemsFile:
    """A file that says what items are called."""

    path: str | None = data("File with one item per line; null: none.", None)
    item: str | None = data("Its column of the item id; null: by its name, else the first.", None)
    title: str | None = data("Its column of the title; null: by its name, else the second.", None)


@dataclass
class RatingsFileConfig(FileConfig):
    """A file of ratings, views or purchases: one user and one item per line."""

    kind: str = stated("ratings")
    header: Header = data(
        "Whether the first line names the columns: present, absent or auto (it does not where "
        "one of its fields is a number)."
    )
    columns: RatingColumns = group("Which columns of the file hold what.")
    items: ItemsFile = group("A file of the items' titles.")
