"""Every dimension of a search as Hydra reads it."""

from __future__ import annotations

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import assume, given
from hypothesis import strategies as st

from segrun.algorithms.space.dimension import Dimension, dimension
from segrun.errors import ConfigError

CENTS = st.integers(-2000, 2000).map(lambda n: n / 100)
WORDS = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
VALUES = st.none() | st.booleans() | st.integers(-99, 99) | CENTS | WORDS


def by_hydra(text):
    return list(OverridesParser.create().parse_override(f"key={text}").sweep_string_iterator())


def as_text(value):
    return "null" if value is None else str(value)


@pytest.mark.heavy
@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-7, 7).filter(bool))
def test_a_range_of_integers_has_the_values_that_hydra_gives_it(start, stop, step):
    text = f"range({start}, {stop}, {step})"
    expected = sorted(int(value) for value in by_hydra(text))
    if not expected:
        with pytest.raises(ConfigError, match="empty range"):
            dimension("key", text)
        return
    found = dimension("key", text)
    assert (found.kind, found.low, found.high) == ("int", expected[0], expected[-1])
    assert list(found.values()) == expected


@pytest.mark.heavy
@given(CENTS, CENTS, st.integers(1, 300).map(lambda n: n / 100))
def test_a_range_of_floats_has_the_values_that_hydra_gives_it(start, stop, step):
    assume(start < stop)
    text = f"range({start}, {stop}, {step})"
    found = dimension("key", text)
    assert (found.kind, found.log) == ("float", False)
    # To the last digit: otherwise a grid and a study would not share finished runs.
    assert [str(value) for value in found.values()] == by_hydra(text)
    assert found.high == pytest.approx(found.values()[-1])
    for index, value in enumerate(found.values()):
        assert found.exact(start + index * step) == value


@pytest.mark.heavy
@given(st.lists(VALUES, min_size=2, max_size=5, unique=True))
def test_a_choice_has_the_values_that_hydra_gives_it(values):
    words = {"null", "true", "false", "nan", "inf"}
    assume(not words & {value for value in values if isinstance(value, str)})
    text = ", ".join(as_text(value) for value in values)
    found = dimension("key", text)
    assert [as_text(value) for value in found.choices] == by_hydra(text)
    assert found == dimension("key", values)


def test_a_float_range_has_its_stop_where_hydra_gives_it_for_want_of_digits():
    assert dimension("key", "range(0, 1.1, 0.1)").n_values == len(by_hydra("range(0, 1.1, 0.1)"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("range(2, 31)", Dimension("int", low=2, high=30, step=1)),
        ("range(3)", Dimension("int", low=0, high=2, step=1)),
        ("range(10, 2, -3)", Dimension("int", low=4, high=10, step=3)),
        ("tag(log, range(1, 101))", Dimension("int", low=1, high=100, step=1, log=True)),
        ("interval(0.5, 0.99)", Dimension("float", low=0.5, high=0.99)),
        ("interval(1, 1)", Dimension("float", low=1.0, high=1.0)),
        ("tag(log, interval(1e-6, 1e-2))", Dimension("float", low=1e-6, high=1e-2, log=True)),
        ("tag(int, interval(2, 30))", Dimension("int", low=2, high=30)),
        ("int(interval(2, 30))", Dimension("int", low=2, high=30)),
        ("tag(log, int, interval(2, 30))", Dimension("int", low=2, high=30, log=True)),
        ("int(tag(log, interval(2, 30)))", Dimension("int", low=2, high=30, log=True)),
        ("range(0.5, 1.5, 0.25)", Dimension("float", low=0.5, high=1.25, step=0.25)),
        ("float(range(1, 4))", Dimension("float", low=1.0, high=3.0, step=1.0)),
        ("full, diag", Dimension("choice", ("full", "diag"))),
        ("'a, b', null, true, 1e-3", Dimension("choice", ("a, b", None, True, 0.001))),
        ("k-means++", Dimension("choice", ("k-means++",))),
        ("7", Dimension("choice", (7,))),
        (["full", "diag"], Dimension("choice", ("full", "diag"))),
        ([1e-3, 1e-4], Dimension("choice", (1e-3, 1e-4))),
        (0.5, Dimension("choice", (0.5,))),
        (None, Dimension("choice", (None,))),
    ],
)
def test_every_form_is_read(text, expected):
    assert dimension("key", text) == expected


def test_what_hydra_has_parsed_is_read_as_well():
    for text in ["range(2, 31)", "tag(log, interval(1e-6, 1e-2))", "choice(a, 'b, c')", "7"]:
        parsed = OverridesParser.create().parse_override(f"key={text}").value()
        assert dimension("key", parsed) == dimension("key", text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("interval(1, 0.1)", r"bounds are reversed: interval\(0\.1, 1\.0\)"),
        ("range(5, 5)", "empty range"),
        ("range(5, 2)", "empty range"),
        ("range(0, 5, 0)", "step 0"),
        ("range(0.5, 0.1, 0.1)", "empty range"),
        ("range(1.0, 0.1, -0.1)", "descends"),
        ("range(0, 1000, 1e-3)", r"more than 100000 values: use interval\(0\.0, 1000\.0\)"),
        ("range(1e-20, 2.5, 1.0)", "more digits than a number has"),
        ("range(0, 9007199254740994, 2)", r"beyond 2\*\*53"),
        ("int(interval(0, 1e300))", r"beyond 2\*\*53"),
        ("tag(int, interval(0, 1e300))", r"beyond 2\*\*53"),
        ("tag(int, interval(-1e300, 0))", r"beyond 2\*\*53"),
        ("range(0, 10, inf)", "not finite"),
        ("interval(0, inf)", "not finite"),
        ("interval(nan, 1)", "not finite"),
        ("interval(-1e308, 1e308)", "not finite"),
        ("tag(log, interval(0, 1))", "begins at 0.0, which has no logarithm"),
        ("tag(log, interval(-1, 1))", "no logarithm"),
        ("tag(log, range(0, 5))", "begins at 0, which has no logarithm"),
        ("tag(log, range(1, 9, 2))", "log has none"),
        ("tag(log, range(1.5, 9.5))", "not of whole numbers"),
        ("tag(int, interval(1.5, 9))", "not whole numbers"),
        ("tag(fast, interval(1, 9))", "unknown tag 'fast': there are log and int"),
        ("tag(log, choice(1, 2))", "no tag"),
        ("shuffle(range(1, 9))", "the sampler decides the order"),
        ("choice()", "empty choice is not legal"),
        ([], "empty choice"),
        ([3, 5, 3], "3 twice"),
        ([1, True], "True and 1, the same"),
        ([1, 1.0], "1.0 and 1, the same"),
        ("choice(a, b, a)", "'a' twice"),
        ("nan", "not a finite number"),
        ([0.5, float("inf")], "not a finite number"),
        ("[1, 2]", "is a list"),
        ("{a: 1}", "is a dict"),
        ([[1, 2]], "is a list"),
        ("rnage(2, 31)", "Unknown function 'rnage'.*Allowed: range"),
        ("interval(1)", "cannot be read.*Allowed: range"),
        ("range(2, 31", "cannot be read.*Allowed: range"),
        ("range(a, b)", "cannot be read.*Allowed: range"),
        ("a,", "cannot be read"),
        ("glob(*)", "chooses files"),
    ],
)
def test_what_cannot_be_searched_is_refused_with_key_value_and_cure(text, says):
    with pytest.raises(ConfigError, match=says) as caught:
        dimension("algo.search.tol (kmeans)", text)
    assert str(caught.value).startswith("algo.search.tol (kmeans)")


def test_a_dimension_is_shown_in_one_line():
    shown = [
        str(dimension("key", text))
        for text in ["range(2, 31)", "range(2, 31, 4)", "range(0.0, 3.0, 1.0)", "a, null"]
    ]
    assert shown == [
        "int 2..30",
        "int 2..30 step 4",
        "float 0.0..2.0 step 1.0",
        'choice("a", null)',
    ]
    assert str(dimension("key", "tag(log, interval(0.1, 1))")) == "float 0.1..1.0 log"


@pytest.mark.parametrize("text", ["range(2, 9, 3)", "interval(0.5, 2.0)", [0.5, 1]])
def test_a_value_of_what_is_no_grid_of_floats_is_exact_already(text):
    assert dimension("key", text).exact(0.5) == 0.5


def test_what_an_optimiser_computes_becomes_the_nearest_value_of_the_range():
    found = dimension("key", "range(0.5, 2.5, 0.5)")
    assert [found.exact(x) for x in (-3.0, 0.74, 0.76, 1.51, 9.0)] == [0.5, 0.5, 1.0, 1.5, 2.0]
    zero = dimension("key", "range(0.0, 1.0, 0.25)")
    assert [zero.exact(x) for x in (0.1, 0.2, 0.7, 1.0)] == [0.0, 0.25, 0.75, 0.75]


def test_an_interval_has_no_number_of_values_and_says_so():
    found = dimension("key", "interval(0.1, 0.9)")
    assert found.n_values is None
    with pytest.raises(ValueError, match=r"float 0\.1\.\.0\.9 has no end of values"):
        found.values()


@pytest.mark.heavy
def test_the_longest_range_of_floats_is_taken_and_one_more_is_not():
    assert dimension("key", "range(0.0, 100000.0, 1.0)").n_values == 100_000
    with pytest.raises(ConfigError, match="more than 100000 values"):
        dimension("key", "range(0.0, 100001.0, 1.0)")


def test_integers_are_taken_up_to_what_a_double_holds():
    assert dimension("key", "int(interval(1, 9007199254740992))").high == 2**53
    for text in ("interval(1, 9007199254740994)", "range(-9007199254740993, 5)"):
        with pytest.raises(ConfigError, match=r"beyond 2\*\*53"):
            dimension("key", f"tag(int, {text})" if "interval" in text else text)


@pytest.mark.parametrize("text", ["tag(int, interval(1, 9.5))", "tag(int, interval(0.5, 9))"])
def test_both_bounds_of_integers_are_whole(text):
    with pytest.raises(ConfigError, match="not whole numbers"):
        dimension("key", text)


def test_a_tag_of_integers_on_a_range_of_floats_is_refused():
    with pytest.raises(ConfigError, match="not of whole numbers"):
        dimension("key", "tag(int, range(1.5, 9.5))")


def test_logarithms_begin_at_the_least_number_above_zero():
    assert dimension("key", "tag(log, range(1, 5))").log
    assert dimension("key", "tag(log, interval(1e-300, 1))").low == 1e-300
    with pytest.raises(ConfigError, match="begins at 0, which has no logarithm"):
        dimension("key", "tag(log, int, interval(0, 9))")
