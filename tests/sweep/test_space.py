"""The space of an optimiser: every dimension as Hydra reads it, and names that never clash."""

from __future__ import annotations

import json
from itertools import product

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import assume, given
from hypothesis import strategies as st

from segrun.algorithms.space.dimension import Dimension, dimension
from segrun.algorithms.space.space import Base, Space
from segrun.errors import ConfigError

CENTS = st.integers(-2000, 2000).map(lambda n: n / 100)
WORDS = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
VALUES = st.none() | st.booleans() | st.integers(-99, 99) | CENTS | WORDS


def by_hydra(text):
    return list(OverridesParser.create().parse_override(f"key={text}").sweep_string_iterator())


def as_text(value):
    return "null" if value is None else str(value)


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


KMEANS = {"n_clusters": "range(2, 5)", "tol": [1e-3, 1e-4]}
BIRCH = {"n_clusters": "range(2, 4)", "threshold": "range(0.1, 0.6, 0.1)"}
DBSCAN = {"eps": "range(0.3, 0.6, 0.1)", "min_samples": [10, 50]}
ALGORITHMS = {"kmeans": KMEANS, "birch": BIRCH, "dbscan": DBSCAN}


def space(pca=lambda _algo, _features: [0.5, 0.9], features=("rfm", "rfm_calendar")):
    bases = []
    for algo, option in product(ALGORITHMS, features):
        drawn = {f"algo.params.{name}": values for name, values in ALGORITHMS[algo].items()}
        drawn["transform.pca"] = pca(algo, option)
        dimensions = {key: dimension(key, values) for key, values in drawn.items()}
        bases.append(Base({"algo": algo, "features": option}, dimensions))
    return Space({"algo": tuple(ALGORITHMS), "features": features}, tuple(bases))


def test_parameters_of_algorithms_are_named_after_them():
    found = space()
    names = found.names(found.base({"algo": "birch", "features": "rfm"}))
    assert names == {
        "algo.params.n_clusters": "birch.n_clusters",
        "algo.params.threshold": "birch.threshold",
        "transform.pca": "transform.pca",
    }


def test_a_key_whose_dimension_depends_on_a_group_is_named_after_its_option():
    found = space(pca=lambda _, features: [0.5] if features == "rfm" else [0.9])
    names = [found.names(base)["transform.pca"] for base in found.bases]
    assert names == ["transform.pca[features=rfm]", "transform.pca[features=rfm_calendar]"] * 3
    both = space(pca=lambda algo, features: [f"{algo} {features}"])
    name = both.names(both.bases[0])["transform.pca"]
    assert name == "transform.pca[algo=kmeans,features=rfm]"
    one = space(pca=lambda algo, _: [algo == "kmeans"])
    assert one.names(one.bases[-1])["transform.pca"] == "transform.pca[algo=dbscan]"


def test_no_two_dimensions_of_a_space_share_a_name():
    found = space(pca=lambda algo, features: [algo == "kmeans", features])
    seen: dict[str, Dimension] = {}
    for base in found.bases:
        for key, name in found.names(base).items():
            assert seen.setdefault(name, base.dimensions[key]) == base.dimensions[key]


def test_without_a_searched_algorithm_a_parameter_is_called_like_its_key():
    base = Base({}, {"algo.params.n_clusters": dimension("key", "range(2, 5)")})
    assert Space({}, (base,)).names(base) == {"algo.params.n_clusters": "algo.params.n_clusters"}


def test_an_algorithm_that_is_called_like_another_key_is_refused():
    keys = {"algo.params.pca": dimension("key", [1]), "transform.pca": dimension("key", [2])}
    found = Space({"algo": ("transform",)}, (Base({"algo": "transform"}, keys),))
    with pytest.raises(ConfigError, match=r"transform\.pca and algo\.params\.pca are both called"):
        found.signature()


@pytest.mark.heavy
def test_the_signature_is_json_and_tells_spaces_apart():
    signature = space().signature()
    assert json.loads(json.dumps(signature)) == signature
    assert signature == space().signature()
    assert signature["dimensions"]["kmeans.n_clusters"] == "int 2..4"
    others = [space(pca=lambda *_: [0.5]), space(features=("rfm",)), space(pca=lambda *_: "0.5")]
    assert all(other.signature() != signature for other in others[:2])
    assert others[0].signature() == others[2].signature()


def test_the_grid_is_the_product_of_every_base():
    found = space()
    expected = []
    for algo, features in product(ALGORITHMS, ("rfm", "rfm_calendar")):
        axes = {f"{algo}.{name}": values for name, values in ALGORITHMS[algo].items()}
        axes["transform.pca"] = [0.5, 0.9]
        columns = [
            [json.loads(text) for text in by_hydra(values)] if isinstance(values, str) else values
            for values in axes.values()
        ]
        for values in product(*columns):
            point = dict(zip(axes, values, strict=True))
            expected.append({"algo": algo, "features": features, **point})
    assert list(found.grid()) == expected
    assert found.n_points == len(expected)


@pytest.mark.parametrize("text", ["interval(0.1, 0.9)", "int(interval(1, 9))"])
def test_a_grid_over_an_interval_is_refused(text):
    with pytest.raises(ConfigError, match=r"transform\.pca: .* is an interval"):
        next(space(pca=lambda *_: text).grid())


def test_a_grid_that_is_too_large_is_refused():
    with pytest.raises(ConfigError, match="points, more than 1000000"):
        next(space(pca=lambda *_: "range(1, 999999)").grid())
