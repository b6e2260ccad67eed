"""Spaces: names that never clash, the grid as a product, and drawn values put in place."""

from __future__ import annotations

import json
from itertools import product

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from segrun.algorithms.space.dimension import Dimension, dimension
from segrun.algorithms.space.space import Base, Space
from segrun.errors import ConfigError


def by_hydra(text):
    return list(OverridesParser.create().parse_override(f"key={text}").sweep_string_iterator())


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


def test_what_is_drawn_is_placed_in_the_base_of_its_choices():
    found = space(pca=lambda _, features: [features])
    for base in found.bases:
        drawn = {name: base.dimensions[key].values()[0] for key, name in found.names(base).items()}
        choices, values = found.placed({**base.choices, **drawn, "kmeans.other": 3})
        assert choices == base.choices
        assert values == {key: one.values()[0] for key, one in base.dimensions.items()}


def test_values_of_a_float_range_are_placed_exactly():
    base = Base({}, {"transform.pca": dimension("key", "range(0.1, 0.9, 0.2)")})
    drawn = 0.1 + 0.2 + 0.2 - 1e-12
    assert Space({}, (base,)).placed({"transform.pca": drawn}) == ({}, {"transform.pca": 0.5})


@pytest.mark.parametrize("lacking", ["algo", "features", "dbscan.eps", "transform.pca"])
def test_nothing_is_placed_where_not_all_is_drawn(lacking):
    drawn = {"algo": "dbscan", "features": "rfm", "dbscan.eps": 0.3, "dbscan.min_samples": 10,
             "transform.pca": 0.5}  # fmt: skip
    assert space().placed(drawn)[0] == {"algo": "dbscan", "features": "rfm"}
    del drawn[lacking]
    assert space().placed(drawn) == ({}, {})


def test_the_signature_names_groups_dimensions_and_bases():
    bases = [Base({"algo": name}, {"algo.params.k": dimension("k", [1, 2])}) for name in "ba"]
    assert Space({"algo": ("b", "a")}, tuple(bases)).signature() == {
        "groups": {"algo": ["b", "a"]},
        "dimensions": {"a.k": "choice(1, 2)", "b.k": "choice(1, 2)"},
        "bases": {"algo=b": ["b.k"], "algo=a": ["a.k"]},
    }


def test_the_largest_grid_is_gone_through():
    def of(text):
        return Space({}, (Base({}, {"n": dimension("n", text)}),))

    assert next(of("range(0, 1000000)").grid()) == {"n": 0}
    with pytest.raises(ConfigError, match="1000001 points, more than 1000000"):
        next(of("range(0, 1000001)").grid())
