"""Ids that a table program wrote as numbers."""

from __future__ import annotations

import pytest

COLUMNS = {"customer": "Customer", "date": "Date", "amount": "Amount"}


def _ids(read, *ids):
    content = "Customer,Date,Amount\n" + "".join(f"{i},2024-03-25,12.5\n" for i in ids)
    return read(content, columns=COLUMNS)["CustomerID"].to_list()


@pytest.mark.parametrize("others", [(), ("GUEST",), ("GUEST", "A.0", "v7.0"), ("0017",)])
def test_a_useless_fraction_makes_no_second_customer(read, others):
    assert _ids(read, "17850.0", "17850", "13047.0", *others) == [
        "17850",
        "17850",
        "13047",
        *others,
    ]


def test_ids_stay_as_they_are_where_fractions_count(read):
    ids = ["7.0", "7.1", "7", "8"]
    assert _ids(read, *ids) == ids


def test_the_log_says_that_fractions_are_left_out(read, caplog):
    with caplog.at_level("INFO"):
        _ids(read, "17850.0", "GUEST")
    assert ".0 behind ids left out" in caplog.text
