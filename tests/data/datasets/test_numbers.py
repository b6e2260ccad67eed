"""Numbers as people write them are read exactly, or refused as ambiguous."""

from __future__ import annotations

from decimal import Decimal as Exact

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.config import Decimal
from segrun.data.datasets.numbers import NumberForm, choose, glance, is_plain, survey, to_number
from segrun.errors import DataError


def form_of(texts, wanted=Decimal.auto):
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    if is_plain(frame.select(glance(pl.col("text"))).row(0, named=True), wanted):
        return NumberForm(Decimal.point, plain=True)
    counted = frame["text"].drop_nulls().value_counts(name="count")
    return choose(survey(counted), wanted, "here")


def read(texts, wanted=Decimal.auto):
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    return frame.select(to_number(pl.col("text"), form_of(texts, wanted))).to_series().to_list()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12.5", 12.5), ("-12.5", -12.5), ("+12.5", 12.5), (".5", 0.5), ("5.", 5), ("1e3", 1000),
        ("12,5", 12.5), ("1.234,5", 1234.5), ("1,234.5", 1234.5), ("12,34,567.8", 1234567.8),
        ("1 234,5", 1234.5), ("1\u202f234,5", 1234.5), ("1\u00a0234.5", 1234.5),
        ("1'234.50", 1234.5), ("1\u2019234.50", 1234.5), ("£12.50", 12.5), ("12,50 €", 12.5),
        ("EUR 12,50", 12.5), ("-$1,234.50", -1234.5), ("$ -12.50", -12.5), ("12,50-", -12.5),
        ("(12.50)", -12.5), ("\u221212.5", -12.5), ("1,234,567", 1234567), ("1.234.567", 1234567),
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_mistaken_is_read(text, value):
    assert read([text]) == [value]


@pytest.mark.parametrize("text", ["1,2,3", "1.2.3", "12,34.56,7", "six", "1 2", "1_000", "0x1", ""])
def test_what_is_no_number_is_none(text):
    # Beside two numbers that tell the form.
    assert read(["12.5", text, "7.25"]) == [12.5, None, 7.25]


def test_what_is_no_number_does_not_stand_for_one_that_is():
    # inf is a number to computers: lines.py refuses it.
    assert read(["$5.00", "inf", "7.5"]) == [5, None, 7.5]
    assert read(["$5.00", "inf", "7.5"], Decimal.point) == [5, None, 7.5]


@pytest.mark.parametrize("texts", [["1,234"], ["1.234", "5"], ["12.345", "1.000", None]])
def test_groups_that_may_be_fractions_are_refused_with_both_readings(texts):
    with pytest.raises(DataError, match=r"here: .*two ways: is '1.*dataset\.decimal=point or"):
        read(texts)
    numbers = {Decimal.point: ".", Decimal.comma: ","}
    for wanted, letter in numbers.items():
        other = "," if letter == "." else "."
        expected = [t and float(t.replace(other, "").replace(letter, ".")) for t in texts]
        assert read(texts, wanted) == expected


def test_one_telling_number_decides_for_all():
    assert read(["1.234", "2.5"]) == [1.234, 2.5]
    assert read(["1.234", "2,5"]) == [1234, 2.5]


def test_a_group_behind_a_lone_zero_is_a_fraction():
    assert read(["0,125", "3,875"]) == [0.125, 3.875]
    assert read(["-0.125", "3.875"]) == [-0.125, 3.875]
    # Of fixed widths, it may be a thousand and more.
    with pytest.raises(DataError, match="two ways"):
        read(["001,234"])


def test_a_stray_line_does_not_turn_the_others_into_thousands():
    many = [f"0,{n}" for n in range(100, 900)]
    assert read([*many, "1.5"]) == [float(t.replace(",", ".")) for t in many] + [None]
    assert read(["0,125", "0,250", "3,875", "1.5"]) == [0.125, 0.25, 3.875, None]


@pytest.mark.parametrize("currency", ["", "€"])
@pytest.mark.parametrize("stray", ["1.5", "1,5"])
def test_a_stray_line_does_not_decide_for_many(stray, currency):
    texts = [f"{currency}{1 + n % 9}.{100 + n % 800}" for n in range(2000)]
    with pytest.raises(
        DataError, match=rf"2000 numbers .*two ways.*'{stray}', are too few .*\(1\)"
    ):
        read([*texts, stray])
    assert read([*texts, stray], Decimal.point)[0] == 1.1
    assert read([*texts, stray], Decimal.comma)[0] == 1100


@pytest.mark.parametrize("missing", [".", ","])
def test_a_lone_point_tells_nothing(missing):
    with pytest.raises(DataError, match="every number with a point or comma"):
        read(["1.234", "2.345", missing])


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_a_few_lines_decide_if_they_are_more_than_strays(share):
    n = int(1000 * share)
    assert read(["1.234"] * 1000 + ["2.5"] * n)[0] == 1.234
    assert read(["1.234"] * 1000 + ["2,5"] * n)[0] == 1234
    with pytest.raises(DataError, match="too few"):
        read(["1.234"] * 1000 + ["2.5"] * 19)


def test_contradicting_lines_are_bad_ones_only_while_they_are_few():
    assert read(["1,5"] * 98 + ["2.5"] * 2) == [1.5] * 98 + [None] * 2
    for n_other in (3, 40, 98, 200):
        with pytest.raises(
            DataError, match=rf"here: {n_other} lines .*point, such as '2\.5', and 98"
        ):
            read(["1,5"] * 98 + ["2.5"] * n_other)
    with pytest.raises(DataError, match=r"Set dataset\.decimal=point or dataset\.decimal=comma"):
        read(["1,5", "2.5"])
    assert read(["1,5", "2.5"], Decimal.point) == [None, 2.5]


@pytest.mark.parametrize(
    "text", ["3 MIO", "12.5 TSD", "12.50 DEB", "CRD 7.50", "5$30", "5 EUROS", "xUSD 5", "usd 5"]
)
def test_what_is_no_currency_beside_a_number_makes_it_none(text):
    assert read(["12.5", text, "7.25"]) == [12.5, None, 7.25]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("₩12.5", 12.5), ("12.5 zł", None), ("₺ 12.5", 12.5), ("PLN 12.5", 12.5),
        ("12.5- EUR", -12.5), ("12.5 EUR-", -12.5), ("(USD 12.5)", -12.5), ("(12.5) USD", -12.5),
        ("-USD 12.5", -12.5), ("\u2212€12.5", -12.5), ("$12.5 USD", 12.5), ("12.5\u00a0€", 12.5),
    ],
)  # fmt: skip
def test_a_currency_stands_on_either_side(text, value):
    assert read(["1.5", text]) == [1.5, value]


def test_currencies_are_told():
    assert form_of(["€ 1,50", "2,50 USD", "3,50"]).currencies == ("USD", "€")


@pytest.mark.heavy
@given(
    thousandths=st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=20),
    places=st.integers(0, 3),
    comma=st.booleans(),
    group=st.sampled_from(["", "other", " ", "\u00a0", "'"]),
    around=st.sampled_from(["{}", "€{}", "{} CHF"]),
    told=st.booleans(),
)
def test_what_is_written_is_read_back_or_refused(thousandths, places, comma, group, around, told):
    numbers = [Exact(n).scaleb(-places) for n in thousandths]
    point, other = (",", ".") if comma else (".", ",")
    between = other if group == "other" else group
    texts = [
        around.format(f"{n:,.{places}f}".replace(",", "\0").replace(".", point)).replace(
            "\0", between
        )
        for n in numbers
    ]
    try:
        found = read(texts, (Decimal.comma if comma else Decimal.point) if told else Decimal.auto)
    except DataError:
        # Three digits behind the only mark, everywhere.
        assert not told
        assert places in (0, 3)
        return
    assert found == [float(n) for n in numbers]
