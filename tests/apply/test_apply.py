"""New customers through a finished run: labels, distances, names, shift."""

import numpy as np
import polars as pl
import pytest
from scipy.spatial.distance import cdist

from segrun.apply import Wanted, apply, apply_command
from segrun.datasets.synthetic_retail import generate
from segrun.store import read_csv

N_CUSTOMERS = 300


def applied_labels(found):
    return dict(zip(found.new.customers.ids, found.placed.label, strict=True))


@pytest.mark.parametrize("algo", ["kmeans", "dbscan"])
def test_the_training_transactions_get_the_stored_label_for_every_customer(algo, lines, request):
    run = request.getfixturevalue(algo)
    assert run.points
    for point in run.points:
        found = applied_labels(apply(run, Wanted(str(lines), point)))
        stored = dict(zip(run.customers.ids, run.labels(point).tolist(), strict=True))
        assert {i: found[i] for i in stored} == stored
        aside = set(run.all_customers.ids) - set(stored)
        assert aside
        assert {found[i] for i in aside} == {None}


def test_most_training_customers_get_their_label_without_being_looked_up(kmeans, dbscan, lines):
    from segrun.apply.assignment import assigner

    for run in (kmeans, dbscan):
        model = assigner(run, run.points[0], nearest=False)
        predicted = model.predict(model.transform(run.customers.X()))
        stored = run.labels(run.points[0])
        # Border rows of touching clusters may differ, core rows and noise never do.
        assert (predicted == stored).mean() > 0.97


def test_distances_are_to_the_centre_or_to_the_nearest_core_row(kmeans, dbscan, lines):
    for run in (kmeans, dbscan):
        point = run.points[0]
        found = apply(run, Wanted(str(lines), point))
        ids = {i: k for k, i in enumerate(found.new.customers.ids)}
        at = np.array([ids[i] for i in run.customers.ids])
        model, labels = run.model(point), run.labels(point)
        Z = model[:-1].transform(run.customers.X())
        expected = np.empty(len(labels))
        for label in np.unique(labels):
            if hasattr(model[-1], "cluster_centers_"):
                places = model[-1].cluster_centers_[[label]]
            else:
                cores = model[-1].core_sample_indices_
                places = Z[cores if label < 0 else cores[labels[cores] == label]]
            rows = labels == label
            expected[rows] = cdist(Z[rows], places).min(axis=1)
        assert found.placed.distance[at] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_few_customers_get_the_labels_that_all_of_them_give(kmeans, lines, tmp_path):
    """Recency counts from the reference date, which a few customers alone do not know."""
    point = kmeans.points[0]
    everyone = apply(kmeans, Wanted(str(lines), point))
    reference = everyone.new.facts["reference_date"]
    chosen = list(kmeans.customers.ids[7:9])
    file = tmp_path / "few.parquet"
    generate(N_CUSTOMERS, 0)[0].filter(pl.col("CustomerID").is_in(chosen)).write_parquet(file)
    found = apply(kmeans, Wanted(str(file), point, reference_date=reference))
    assert applied_labels(found) == {c: applied_labels(everyone)[c] for c in chosen}


def test_the_command_writes_the_table_and_the_shift(kmeans, lines, tmp_path, capsys):
    output = tmp_path / "out.csv"
    code = apply_command([str(kmeans.path), str(lines), "--output", str(output)])
    assert code == 0
    rows = read_csv(output)
    assert list(rows[0]) == ["CustomerID", "segment", "label", "name", "distance", "note"]
    assert [row["CustomerID"] for row in rows] == list(kmeans.all_customers.ids)
    shift = read_csv(tmp_path / "out.shift.csv")
    total = next(row for row in shift if row["kind"] == "all")
    assert (total["training"], total["new"], total["psi"]) == (str(len(rows)),) * 2 + ("0.0",)
    assert "population stability index 0.000: little" in capsys.readouterr().out
