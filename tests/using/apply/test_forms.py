"""Every form of data: the rows that an export gives come back to the stored labels."""

import numpy as np
import polars as pl
import pytest

from segrun.cli.export import export_command
from segrun.using.apply import ApplyOptions, apply

KMEANS = "algo.params={n_clusters: 3, tol: 1e-4}"
VIEWS = (
    "+features.columns={Pages: {function: distinct, of: Page}, Views: {function: count}, "
    "Stay: {function: days_since_first}}"
)
FORMS = {
    "ratings": ["dataset=synthetic_ratings", "features=ratings", "dataset.n_users=150",
                "transform=pca_10", KMEANS],
    "spend": ["dataset=synthetic_sales", "features=spend", "dataset.n_users=150", KMEANS],
    "views": ["dataset=synthetic_weblogs", "features=aggregate", VIEWS, "dataset.n_visitors=150",
              KMEANS],
    "groups": ["dataset=synthetic_sales", "features=aggregate", "dataset.n_users=150", KMEANS,
               "+features.columns={Paid: {function: sum, of: Quantity, per: ProductGroup}}"],
}  # fmt: skip


@pytest.fixture(scope="module", params=FORMS)
def exported(request, run_of, tmp_path_factory):
    """A run on generated data of each form, and its rows as a file."""
    folder = tmp_path_factory.mktemp(request.param)
    run = run_of(folder / "run", *FORMS[request.param])
    file = folder / "rows.parquet"
    assert export_command([str(run.path), "--point", run.points[0], "--to", str(file)]) == 0
    return run, file


def labels(run, file):
    found = apply(run, ApplyOptions(str(file), run.points[0]))
    return dict(zip(found.new.customers.ids, found.placed.label, strict=True))


def test_the_rows_of_the_training_give_the_stored_labels(exported):
    run, file = exported
    stored = dict(zip(run.customers.ids, run.labels(run.points[0]).tolist(), strict=True))
    found = labels(run, file)
    assert {i: found[i] for i in stored} == stored


def test_an_entity_has_its_columns_also_without_the_others(exported, tmp_path):
    """Items, groups and categories that it lacks are columns all the same."""
    run, file = exported
    rows = pl.read_parquet(file)
    who = run.customers.ids[11]
    # The latest row is somebody else's, and says when days are counted from.
    some = rows.filter(pl.col(rows.columns[0]).is_in([who, rows[rows.columns[0]][-1]]))
    some.write_parquet(tmp_path / "some.parquet")
    label = run.labels(run.points[0])[np.flatnonzero(run.customers.ids == who)[0]]
    assert labels(run, tmp_path / "some.parquet")[who] == label
