"""Small files in the UCI form, and every one of them read by both roads."""

import logging
from contextlib import ExitStack, contextmanager

import pytest

from segrun.config import CacheConfig
from segrun.data.datasets import check, load
from segrun.errors import DataError

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


def told(rows):
    """What is told of rows that every road tells."""
    # A single pass counts neither copies nor ids.
    left_out = ("n_copies", "copied_days", "n_ids")
    facts = {name: fact for name, fact in rows.facts.items() if name not in left_out}
    return rows.frame.collect("polars").to_native(), facts, dict(rows.fingerprint)


def assert_same(one, other):
    """The same table and the same told of it, or the same error."""
    if isinstance(one, str) or isinstance(other, str):
        assert one == other
        return
    assert one[0].equals(other[0])
    assert one[0].schema == other[0].schema
    assert one[1:] == other[1:]


def by_one_pass(config, cache):
    """What is told of a file, or said against it, where it is taken for a large one."""
    log = logging.getLogger("segrun.data.datasets")
    log.disabled = True
    try:
        with load(config, 0, cache, CacheConfig(use=False, min_bytes=0)) as rows:
            return told(rows)
    except DataError as error:
        return str(error)
    finally:
        log.disabled = False


@pytest.fixture
def open_file(tmp_path, cache, settings_of):
    """Write content, bytes or text with or without header, and load it.

    Taken for a large file, it comes to the same table or the same error.
    """

    @contextmanager
    def opened(content, columns=None, name="lines.csv", **changes):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        config = settings_of(path, columns, **changes)
        check(config)
        by_one = by_one_pass(config, cache)
        with ExitStack() as stack:
            try:
                rows = stack.enter_context(load(config, 0, cache))
                by_other, refused = told(rows), None
            except DataError as error:
                by_other, refused = str(error), error
            assert_same(by_one, by_other)
            if refused is not None:
                raise refused
            yield rows

    return opened


@pytest.fixture
def read(open_file):
    """Load content and return its lines as a polars frame."""

    def reading(content, **settings):
        with open_file(content, **settings) as transactions:
            return transactions.frame.collect("polars").to_native()

    return reading
