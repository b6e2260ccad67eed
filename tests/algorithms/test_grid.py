import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.algorithms import points
from segrun.algorithms.grid import MAX_SLUG
from segrun.config import AlgoConfig
from segrun.errors import ConfigError


def algo(params, grid):
    return AlgoConfig(name="x", params=params, grid=grid)


def test_points_are_the_product_in_order():
    found = points(algo({"k": None, "tol": None, "init": "a"}, {"k": [2, 30], "tol": [1e-3, 1e-5]}))
    assert [point.slug for point in found] == [
        "k=2,tol=0.001", "k=2,tol=1e-05", "k=30,tol=0.001", "k=30,tol=1e-05",
    ]  # fmt: skip
    assert found[1].params == {"k": 2, "tol": 1e-05, "init": "a"}
    assert found[1].axes == {"k": 2, "tol": 1e-05}


def test_a_value_in_params_fixes_its_axis_and_stays_in_the_slug():
    found = points(algo({"k": 7, "tol": None}, {"k": [2, 30], "tol": [0.1, 0.2]}))
    assert [point.slug for point in found] == ["k=7,tol=0.1", "k=7,tol=0.2"]
    assert found[0].axes == {"k": 7, "tol": 0.1}


def test_a_fixed_axis_needs_no_values():
    assert [p.slug for p in points(algo({"k": 0}, {"k": []}))] == ["k=0"]


def test_no_grid_is_one_point():
    (point,) = points(algo({"k": 3}, {}))
    assert (point.slug, point.params, point.axes) == ("single", {"k": 3}, {})


def test_null_and_booleans_can_be_values_of_an_axis():
    found = points(algo({"p": None, "q": None}, {"p": [None, 1], "q": [True]}))
    assert [point.slug for point in found] == ["p=null,q=true", "p=1,q=true"]


@pytest.mark.parametrize(
    ("params", "grid", "message"),
    [
        ({"k": None}, {"k": [2, 3, 2]}, r"algo\.grid\.k has 2 twice"),
        ({"k": None}, {"k": [1, 1.0]}, r"algo\.grid\.k has 1\.0 twice"),
        ({"k": None}, {"k": []}, r"algo\.grid\.k has no values"),
        ({"tol": None, "k": 1}, {"tl": [1]}, r"algo\.grid\.tl.*Did you mean 'tol'\?.*tol, k"),
        ({}, {"k": [1]}, r"algo\.grid\.k.*algo\.params\.k=null"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused_naming_the_key(params, grid, message):
    with pytest.raises(ConfigError, match=message):
        points(algo(params, grid))


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=150)
)
values = scalars | st.dictionaries(st.text(max_size=5), scalars, max_size=2)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,30}", fullmatch=True)
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def key(value):
    return (isinstance(value, bool), value if isinstance(value, (int, float)) else repr(value))


@pytest.mark.heavy
@given(st.dictionaries(names, st.lists(values, min_size=1, max_size=4, unique_by=key), max_size=3))
def test_slugs_are_unique_file_names_on_linux_and_windows(grid):
    found = points(algo(dict.fromkeys(grid), grid))
    slugs = [point.slug for point in found]
    assert len({slug.casefold() for slug in slugs}) == len(slugs)
    for slug in slugs:
        assert re.fullmatch(r"[A-Za-z0-9_.,=+~-]+", slug)
        assert len(slug) <= MAX_SLUG
        assert not slug.endswith(".")
        assert not RESERVED.fullmatch(slug)


def test_values_that_read_alike_get_different_slugs():
    found = points(algo({"a": None}, {"a": [1, "1", None, "null", True, "true", "A", "a"]}))
    assert len({point.slug.casefold() for point in found}) == 8


def test_a_shortened_slug_does_not_depend_on_the_other_points():
    long = {"function": "x" * 200}
    (alone,) = points(algo({"a": None}, {"a": [long]}))
    _, among = points(algo({"a": None}, {"a": [1, long]}))
    assert alone.slug == among.slug
    assert alone.slug.startswith("a=")
