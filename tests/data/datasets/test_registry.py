from contextlib import nullcontext
from dataclasses import dataclass

import narwhals as nw
import polars as pl
import pytest

from segrun.cli.compose import compose_experiment
from segrun.config import KINDS, DatasetConfig, FeaturesConfig, from_plain, plain
from segrun.config.key import Effect, key, stated
from segrun.data.datasets import Form, Rows, check, dataset_of, load
from segrun.data.datasets.registry import DATASETS, Dataset
from segrun.errors import ConfigError
from segrun.features import build, feature_names
from segrun.features.build import FEATURES, FeatureSet
from segrun.features.built import Built
from segrun.rundir.customers import Customers

pytestmark = pytest.mark.heavy


@dataclass
class PlantedConfig(DatasetConfig):
    """Rows that a test plants."""

    kind: str = stated("planted")
    n_rows: int = key("How many rows.", effect=Effect.DATA)


@dataclass
class CountsConfig(FeaturesConfig):
    """Rows per customer."""

    kind: str = stated("counts")


def planted(config, *_):
    frame = pl.DataFrame({"who": ["a", "b", "b"][: config.n_rows]})
    return nullcontext(Rows(nw.from_native(frame.lazy()), "who", "who", {}, {"source": "test"}))


def counted(rows, _config, _fitted, _described):
    table = rows.frame.to_native().group_by("who").agg(n=pl.len()).sort("who").collect()
    ids = table["who"].to_numpy().astype(object)
    found = Customers("who", ids, {"Rows": table["n"].to_numpy().astype("int64")})
    return Built(found, found, {"dropped": {}})


@pytest.fixture
def registered(monkeypatch, tmp_path):
    """A kind of dataset and one of features, made known in the registries and a ./conf."""
    monkeypatch.setitem(KINDS["dataset"], "planted", PlantedConfig)
    monkeypatch.setitem(KINDS["features"], "counts", CountsConfig)
    nothing = lambda *_: None  # noqa: E731
    monkeypatch.setitem(
        DATASETS,
        "planted",
        Dataset(nothing, planted, lambda _: Form.records, lambda _: {}, lambda _: "who"),
    )
    monkeypatch.setitem(FEATURES, "counts", FeatureSet(nothing, counted, lambda *_: ["Rows"]))
    for group, name, more in (("dataset", "planted", "n_rows: 3"), ("features", "counts", "")):
        file = tmp_path / "conf" / group / f"{name}.yaml"
        file.parent.mkdir(parents=True)
        schema = f"defaults: [/schema/{group}/{name}@_here_, _self_]"
        file.write_text(f"{schema}\nname: {name}\nkind: {name}\n{more}\n")
    monkeypatch.chdir(tmp_path)


def test_a_kind_that_is_added_to_the_registries_is_composed_read_built_and_stored(registered):
    experiment = compose_experiment(["dataset=planted", "features=counts"])
    check(experiment.dataset)
    assert feature_names(experiment.features, experiment.dataset) == ["Rows"]
    with load(experiment.dataset, 0) as rows:
        built = build(rows, experiment.features)
    assert built.customers.columns["Rows"].tolist() == [1, 2]
    assert from_plain(plain(experiment)) == experiment


@pytest.mark.parametrize("group", ["dataset", "features"])
def test_every_kind_has_a_schema_and_what_is_done_with_it(group):
    done = {"dataset": DATASETS, "features": FEATURES}[group]
    assert list(KINDS[group]) == list(done)
    assert {kind: schema.kind for kind, schema in KINDS[group].items()} == {k: k for k in done}


@pytest.mark.parametrize("option", KINDS["dataset"])
def test_an_option_states_its_kind(option):
    needed = ["dataset.path=x", "dataset.id=y"][: 2 if option == "records" else 1]
    given = [] if option.startswith("synthetic") else needed
    assert compose_experiment([f"dataset={option}", *given]).dataset.kind == option


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("dataset.kind=synthetic_sale", "Did you mean 'synthetic_sales'? Kinds: online_retail, "),
        ("dataset.kind=records", "the other keys are not of that kind: choose dataset=records"),
    ],
)
def test_a_wrong_kind_is_refused_with_the_kinds(argument, said):
    config = compose_experiment([argument]).dataset
    with pytest.raises(ConfigError) as error:
        dataset_of(config)
    assert said in str(error.value)
    assert "Kinds: online_retail, transactions, records" in str(error.value)


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("dataset=synthetic_sales", "synthetic_sales"),
        ("dataset=synthetic_sales", "mine"),
        ("dataset=synthetic_weblogs", "mine"),
        ("dataset=synthetic_ratings", "mine"),
        ("features=rfm", "rfm"),
        ("features=spend", "spend"),
        ("dataset=online_retail dataset.path=x", "mine"),
        ("dataset=transactions dataset.path=x", "online_retail"),
        ("dataset=table dataset.path=x dataset.id=y features=table", "table"),
    ],
)
def test_experiments_stored_before_kinds_are_what_they_were(option, name):
    experiment = compose_experiment(option.split())
    values = plain(experiment)
    group = option.partition("=")[0]
    values[group]["name"] = name
    for part in ("dataset", "features"):
        del values[part]["kind"]
    found = from_plain(values)
    assert type(getattr(found, group)) is type(getattr(experiment, group))
    assert getattr(found, group).kind == getattr(experiment, group).kind
