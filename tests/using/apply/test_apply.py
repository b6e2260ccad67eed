"""New customers through a finished run: labels, distances, names, shift."""

import math
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.spatial.distance import cdist

from segrun.cli.apply import apply_command
from segrun.config import Outliers, from_plain
from segrun.data.datasets.synthetic_retail import generate
from segrun.errors import StoreError
from segrun.rundir.finished import open_run
from segrun.rundir.store import read_csv
from segrun.segments.describe import describe
from segrun.using.apply import ApplyOptions, apply

N_CUSTOMERS = 200


def applied_labels(found):
    return dict(zip(found.new.customers.ids, found.placed.label, strict=True))


@pytest.mark.heavy
@pytest.mark.parametrize("algo", ["kmeans", "dbscan"])
def test_the_training_transactions_get_the_stored_label_for_every_customer(algo, lines, request):
    run = request.getfixturevalue(algo)
    assert run.points
    for point in run.points:
        found = applied_labels(apply(run, ApplyOptions(str(lines), point)))
        stored = dict(zip(run.customers.ids, run.labels(point).tolist(), strict=True))
        assert {i: found[i] for i in stored} == stored
        aside = set(run.all_customers.ids) - set(stored)
        assert aside
        assert {found[i] for i in aside} == {None}


def test_most_training_customers_get_their_label_without_being_looked_up(kmeans, dbscan, lines):
    from segrun.using.placing.assignment import assigner

    for run in (kmeans, dbscan):
        model = assigner(run, run.points[0], nearest=False)
        predicted = model.predict(model.transform(run.customers.X()))
        stored = run.labels(run.points[0])
        # Border rows of touching clusters may differ, core rows and noise never do.
        assert (predicted == stored).mean() > 0.97


def test_distances_are_to_the_centre_or_to_the_nearest_core_row(kmeans, dbscan, lines):
    for run in (kmeans, dbscan):
        point = run.points[0]
        found = apply(run, ApplyOptions(str(lines), point))
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


@pytest.mark.parametrize("n_customers", [1, 5])
def test_a_few_customers_get_the_labels_that_all_of_them_give(kmeans, lines, tmp_path, n_customers):
    """Recency counts from the reference date, which a few customers alone do not know."""
    point = kmeans.points[0]
    everyone = apply(kmeans, ApplyOptions(str(lines), point))
    reference = everyone.new.facts["reference_date"]
    chosen = list(kmeans.customers.ids[7 : 7 + n_customers])
    file = tmp_path / "few.parquet"
    generate(N_CUSTOMERS, 0)[0].filter(pl.col("CustomerID").is_in(chosen)).write_parquet(file)
    found = apply(kmeans, ApplyOptions(str(file), point, reference_date=reference))
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


@pytest.mark.heavy
@pytest.mark.parametrize("policy", ["drop", "keep", "own"])
@pytest.mark.parametrize("algo", ["kmeans", "dbscan"])
def test_segments_and_names_are_those_of_the_description(policy, algo, lines, request, tmp_path):
    """The description places outliers and noise by its own code."""
    run = copied(request.getfixturevalue(algo), tmp_path)
    point = run.points[0]
    settings = from_plain(run.experiment).segments
    described = replace(
        settings, point=point, outliers=Outliers(policy), order_by="Recency",
        stability=replace(settings.stability, refits=0),
    )  # fmt: skip
    describe(run, described)
    run = open_run(run.path)
    found = apply(run, ApplyOptions(str(lines)))
    members = pl.read_parquet(run.path / "segments" / "members.parquet")
    expected = {i: (n, name) for i, n, name in members.rows()}
    placed = zip(found.placed.segment, found.placed.name, strict=True)
    nowhere = {None: -1}
    assert {
        i: (nowhere.get(n, n), name)
        for i, (n, name) in zip(found.new.customers.ids, placed, strict=True)
    } == expected
    assert (None in found.placed.segment) == (policy == "drop")
    assert (-1 in found.placed.segment) == (policy == "own")


def test_the_shift_counts_segments_and_ranges(kmeans, tmp_path):
    file = tmp_path / "others.csv"
    generate(130, 5)[0].write_csv(file)
    found = apply(kmeans, ApplyOptions(str(file), kmeans.points[0]))
    segment, new = found.placed.segment, found.new.customers
    stored = kmeans.labels(kmeans.points[0]).tolist()
    n_all, psi = len(kmeans.all_customers), 0.0
    for size in found.shift.sizes:
        assert size.n_now == segment.count(size.segment)
        n_aside = n_all - len(stored)
        assert size.n_before == (n_aside if size.segment is None else stored.count(size.segment))
        p, q = max(size.n_before / n_all, 1e-4), max(size.n_now / len(new), 1e-4)
        psi += (q - p) * math.log(q / p)
    assert found.shift.psi == pytest.approx(psi, rel=1e-12)
    for shown in found.shift.ranges:
        before, now = kmeans.customers.columns[shown.column], new.columns[shown.column]
        assert (shown.low, shown.high) == (before.min(), before.max())
        assert shown.outside == pytest.approx(
            sum(not before.min() <= v <= before.max() for v in now) / len(now)
        )
        assert (shown.mean_before, shown.mean_now) == (before.mean(), now.mean())


def copied(run, folder):
    return open_run(shutil.copytree(run.path, folder / "run"))


def test_a_new_customer_is_where_the_model_says(kmeans, dbscan, lines, tmp_path):
    """Other customers of the same shop, compared with scikit-learn's own words for them."""
    file = tmp_path / "others.csv"
    generate(130, 5)[0].write_csv(file)
    for run in (kmeans, dbscan):
        point = run.points[0]
        found = apply(run, ApplyOptions(str(file), point))
        customers = found.new.customers
        names, model = run.customers.feature_names, run.model(point)
        Z = model[:-1].transform(np.column_stack([customers.columns[n] for n in names]))
        if hasattr(model[-1], "predict"):
            expected = model[-1].predict(Z)
        else:
            distances = cdist(Z, model[-1].components_)
            core = model[-1].core_sample_indices_[distances.argmin(axis=1)]
            near = distances.min(axis=1) <= model[-1].eps
            expected = np.where(near, model[-1].labels_[core], -1)
        label = found.placed.label
        inside = [i for i in range(len(label)) if label[i] is not None]
        assert len(inside) > 100
        assert [label[i] for i in inside] == expected[inside].tolist()
        for i in set(range(len(label))) - set(inside):
            assert re.match(r"outlier: (Amount|Recency|NumberOfOrders) \S+ is outside",
                            found.placed.note[i])  # fmt: skip


def test_what_no_algorithm_can_place_is_refused_or_goes_to_the_nearest_centre(
    run_of, lines, tmp_path
):
    run = run_of(tmp_path / "run", "dataset.n_customers=200", "algo=agglomerative",
                 "algo.params={n_clusters: 3, linkage: ward}")  # fmt: skip
    point = run.points[0]
    with pytest.raises(StoreError, match=r"AgglomerativeClustering has no way .*--nearest"):
        apply(run, ApplyOptions(str(lines), point))
    found = apply(run, ApplyOptions(str(lines), point, nearest=True))
    labels = applied_labels(found)
    assert [labels[i] for i in run.customers.ids] == run.labels(point).tolist()
    file = tmp_path / "others.csv"
    generate(100, 5)[0].write_csv(file)
    other = apply(run, ApplyOptions(str(file), point, nearest=True))
    Z = run.model(point)[:-1].transform(run.customers.X())
    stored = run.labels(point)
    centres = np.array([Z[stored == label].mean(axis=0) for label in range(3)])
    new = run.model(point)[:-1].transform(
        np.column_stack([other.new.customers.columns[n] for n in run.customers.feature_names])
    )
    expected = cdist(new, centres).argmin(axis=1)
    label = other.placed.label
    assert all(a in (None, b) for a, b in zip(label, expected, strict=True))


def test_without_intels_extension_installed_it_works_the_same(kmeans, lines, tmp_path):
    """A process that cannot import sklearnex, as where it has no wheel."""
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['sklearnex', 'daal4py', 'onedal']));"
        "from segrun.cli.main import dispatch; sys.exit(dispatch(sys.argv[1:]))"
    )
    arguments = ["apply", kmeans.path, lines, "--output"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments, tmp_path / "without.csv"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert apply_command([*map(str, arguments[1:]), str(tmp_path / "with.csv")]) == 0
    assert (tmp_path / "without.csv").read_bytes() == (tmp_path / "with.csv").read_bytes()
