"""Small files in the UCI form."""

from contextlib import contextmanager

import pytest

from segrun.data.datasets import check, load

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\r\n"
LINES = (
    "536365,85123A,WHITE LANTERN,6,12/1/2010 8:26,2.55,17850,United Kingdom\r\n"
    'C536379,D,"GIFT, VOUCHER £20",-1,12/13/2010 9:41,27.5,14527,EIRE\r\n'
    "536414,22139,,56,12/1/2010 11:52,0,,United Kingdom\r\n"
)


@pytest.fixture
def cache(tmp_path):
    """An empty cache folder."""
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


@pytest.fixture
def open_file(tmp_path, cache, settings_of):
    """Write content, bytes or text with or without header, and load it."""

    @contextmanager
    def opened(content, columns=None, name="lines.csv", **changes):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        config = settings_of(path, columns, **changes)
        check(config)
        with load(config, 0, cache) as transactions:
            yield transactions

    return opened


@pytest.fixture
def read(open_file):
    """Load content and return its lines as a polars frame."""

    def reading(content, **settings):
        with open_file(content, **settings) as transactions:
            return transactions.frame.collect("polars").to_native()

    return reading
