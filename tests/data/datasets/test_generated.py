"""The embedded sales and page views: their form, their seed, and the planted groups found again."""

import time

import numpy as np
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.preprocessing import StandardScaler

from segrun.data.datasets import dataset_of, load, synthetic_sales, synthetic_weblogs
from segrun.errors import ConfigError
from segrun.features import build
from segrun.runner.checks import check

pytestmark = pytest.mark.heavy

GENERATORS = {
    "synthetic_sales": (synthetic_sales, 2000),
    "synthetic_weblogs": (synthetic_weblogs, 1500),
}


@pytest.fixture(scope="module", params=list(GENERATORS))
def generated(request):
    module, n = GENERATORS[request.param]
    began = time.process_time()
    frame, truth = module.generate(n, 0)
    return request.param, module, n, frame, truth, time.process_time() - began


def test_the_columns_are_those_declared(generated, composed):
    name, module, n, frame, truth, seconds = generated
    config = composed(f"dataset={name}").dataset
    assert frame.columns == [module.ID, *dataset_of(config).columns(config)]
    assert frame.null_count().sum_horizontal().item() == 0
    assert sorted(truth[module.ID]) == sorted(frame[module.ID].unique())
    assert len(truth) == n
    assert seconds < 3


def test_a_seed_repeats_and_another_differs(generated):
    _, module, _, *_ = generated
    first, again, other = (module.generate(60, seed)[0] for seed in (3, 3, 4))
    assert first.equals(again)
    assert not first.equals(other)


def test_the_fingerprint_is_of_the_content(generated, composed):
    name, *_ = generated
    experiment = composed(f"dataset={name}")
    digests = []
    for seed in (0, 0, 1):
        with load(experiment.dataset, seed) as rows:
            digests.append(rows.fingerprint["sha256"])
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("key", ["sales dataset.n_users", "weblogs dataset.n_visitors"])
def test_too_few_are_refused(composed, key):
    name, key = key.split()
    features = "spend" if name == "sales" else "aggregate"
    rows = "+features.columns={Rows: {function: count}}"
    given = [] if name == "sales" else [rows]
    with pytest.raises(ConfigError, match=f"{key} must be at least 3"):
        check(composed(f"dataset=synthetic_{name}", f"features={features}", f"{key}=2", *given))


@pytest.mark.parametrize(
    ("experiment", "truth", "id_column", "of", "n_clusters"),
    [
        ("dataflow_tiers", synthetic_sales, "User", "tier", [3]),
        ("dataflow_tiers_groups", synthetic_sales, "User", "taste", [2, 3, 4]),
        ("dataiku_weblogs", synthetic_weblogs, "Visitor", "habit", [3, 5, 7]),
    ],
)
def test_planted_groups_are_recovered(composed, experiment, truth, id_column, of, n_clusters):
    found = composed(f"experiment={experiment}")
    check(found)
    with load(found.dataset, 1) as rows:
        customers = build(rows, found.features).customers
    n = next(v for k, v in vars(found.dataset).items() if k.startswith("n_"))
    kinds = truth.generate(n, 1)[1].sort(id_column)
    assert kinds[id_column].to_list() == customers.ids.tolist()
    X = customers.X()
    X = StandardScaler().fit_transform(np.log1p(X) if found.transform.log1p else X)
    labels = {k: KMeans(k, n_init=10, random_state=0).fit_predict(X) for k in n_clusters}
    best = max(labels, key=lambda k: silhouette_score(X, labels[k]))
    assert best == kinds[of].n_unique()
    assert adjusted_rand_score(kinds[of], labels[best]) > 0.9


@pytest.mark.parametrize(
    ("experiment", "module"),
    [("dataflow_tiers_groups", synthetic_sales), ("dataiku_weblogs", synthetic_weblogs)],
)
def test_a_file_of_the_same_rows_gives_the_same_columns(composed, experiment, module, tmp_path):
    module.generate(80, 0)[0].write_csv(tmp_path / "rows.csv")
    kinds = ", ".join(f"{name}: {kind.value}" for name, kind in module.KINDS.items())
    size = {"synthetic_sales": "n_users", "synthetic_weblogs": "n_visitors"}
    embedded = composed(
        f"experiment={experiment}", f"dataset.{size[module.__name__.rpartition('.')[2]]}=80"
    )
    file = composed(f"experiment={experiment}", "dataset=records",
                    f"dataset.path={tmp_path}/rows.csv", f"dataset.id={module.ID}",
                    f"+dataset.columns={{{kinds}}}")  # fmt: skip
    found = []
    for one in (embedded, file):
        check(one)
        with load(one.dataset, 0, tmp_path) as rows:
            found.append(build(rows, one.features))
    assert found[0].facts == found[1].facts
    for name, values in found[0].customers.columns.items():
        assert values.tolist() == found[1].customers.columns[name].tolist()
    assert found[0].about.ids.tolist() == found[1].about.ids.tolist()


def test_spend_is_items_and_money_by_polars(composed):
    found = composed("dataset=synthetic_sales", "features=spend", "dataset.n_users=50")
    with load(found.dataset, 0) as rows:
        customers = build(rows, found.features).customers
        frame = rows.frame.collect("polars").to_native()
    # Whole cents, so that no sum is rounded.
    cents = (pl.col("UnitPrice") * 100).round().cast(pl.Int64)
    sums = frame.group_by("User").agg(
        items=pl.col("Quantity").sum(), cents=(pl.col("Quantity") * cents).sum()
    )
    sums = sums.sort("User")
    assert customers.columns["Items"].tolist() == sums["items"].to_list()
    assert customers.columns["Total"].tolist() == [c / 100 for c in sums["cents"].to_list()]
