"""The movielens experiment, run as it is committed: from ratings to what each segment likes."""

import joblib
import numpy as np
import polars as pl
import pytest
from hydra import compose, initialize_config_dir
from scipy.sparse import load_npz
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from segrun.cli.compose import prepare
from segrun.config import conf_directory, to_experiment
from segrun.data.datasets.synthetic_ratings import generate
from segrun.errors import PreflightError
from segrun.jobs import run_job as run
from segrun.rundir.finished import open_run
from segrun.segments.ratings import inertia, inertia_rows
from segrun.segments.segment import read_segments
from segrun.using.apply import ApplyOptions, apply

pytestmark = pytest.mark.heavy

PLAIN = ["report=none", "segments.stability.refits=2"]
FEW = [*PLAIN, "dataset.n_users=150", "dataset.n_items=40", "backend=sklearn",
       "algo.grid.n_clusters=[3,6]", "segments.point=null"]  # fmt: skip


@pytest.fixture(scope="module")
def composed():
    """composed(*overrides): the movielens experiment with changes."""
    prepare()

    def movielens(*overrides):
        with initialize_config_dir(str(conf_directory()), version_base=None):
            return to_experiment(compose("segrun", ["experiment=movielens", *overrides]))

    return movielens


@pytest.fixture(scope="module")
def finished(composed, tmp_path_factory):
    """The experiment on its embedded data, k = 10 and 25."""
    folder = tmp_path_factory.mktemp("movielens") / "run"
    run(composed(*PLAIN, "algo.grid.n_clusters=[10,25]"), folder)
    return open_run(folder)


@pytest.fixture(scope="module")
def few(composed, tmp_path_factory):
    """The experiment with few users and items, by stock scikit-learn."""
    folder = tmp_path_factory.mktemp("few") / "run"
    run(composed(*FEW), folder)
    return open_run(folder)


def test_the_planted_tastes_are_the_segments(finished):
    tastes = generate(900, 400, seed=0).tastes
    assert finished.selected == "n_clusters=25,tol=0.0001"
    labels = finished.labels(finished.selected)
    truth = [tastes[user] for user in finished.customers.ids]
    assert adjusted_rand_score(truth, labels) >= 0.9


def test_a_model_takes_the_stored_matrix_and_needs_no_segrun(finished):
    X = load_npz(finished.path / "features.npz")
    ids = pl.read_parquet(finished.path / "features.parquet")["UserID"].to_list()
    assert ids == list(finished.customers.ids)
    for point in finished.points:
        model = joblib.load(finished.path / "models" / f"{point}.joblib")
        assert np.array_equal(model.predict(X), finished.labels(point))


def test_what_was_stored_is_read_back(finished):
    read, made = finished.customers, generate(900, 400, seed=0)
    assert len(read.columns) == 400
    wanted = made.frame.pivot("item", index="UserID", values="rating").sort("UserID")
    for item in ("1", "77", "400"):
        assert np.array_equal(read.columns[item], wanted[item].fill_null(0).to_numpy())
    assert list(read.columns.catalogue.titles) == [made.titles[i] for i in read.feature_names]


def test_distinctive_items_are_of_the_planted_genres(finished):
    made = generate(900, 400, seed=0)
    genre = dict(zip(made.titles.values(), made.genres.values(), strict=True))
    segments = read_segments(finished)
    labels = finished.labels(segments.point)
    rows = finished.table("segments/distinctive.csv")
    for segment in segments.segments:
        ids = finished.customers.ids[labels == segment.label]
        tastes = [made.tastes[user] for user in ids]
        taste = max(set(tastes), key=tastes.count).split("+")
        own = [row for row in rows if row["segment"] == str(segment.number)]
        assert [row["rank"] for row in own] == [str(n) for n in range(1, 21)]
        assert {row["name"] for row in own} == {segment.name}
        assert {genre[row["item"]] for row in own[:10]} <= set(taste)
        assert all(float(row["share"]) > float(row["overall_share"]) for row in own)


def test_hostile_titles_stand_as_they_are(finished):
    items = {row["item"] for row in finished.table("segments/distinctive.csv")}
    titles = set(finished.customers.columns.catalogue.titles)
    assert '<b>Dr. Strangelove</b> & "co" (Crime)' in titles
    assert any(title.startswith("=HYPERLINK") for title in titles)
    assert items <= titles


def test_inertia_on_reduced_against_full(few):
    rows = {int(row["n_clusters"]): row for row in few.table("segments/inertia.csv")}
    assert set(rows) == {3, 6}
    X = few.customers.X()
    total = ((X - X.mean(axis=0)) ** 2).sum()
    for k, row in rows.items():
        labels = few.labels(row["point"])
        by_hand = sum(((X[labels == n] - X[labels == n].mean(axis=0)) ** 2).sum() for n in range(k))
        assert float(row["inertia_reduced_in_full"]) == pytest.approx(by_hand, rel=1e-9)
        assert float(row["share_reduced_in_full"]) == pytest.approx(by_hand / total, rel=1e-9)
        fitted = KMeans(k, n_init=10, tol=1e-4, random_state=0).fit(X)
        assert float(row["inertia_full"]) == pytest.approx(fitted.inertia_, rel=1e-9)
        # Ten components hold less than all columns.
        assert float(row["inertia_reduced"]) < float(row["inertia_full"])


def test_inertia_leaves_noise_out():
    X = np.array([[0.0, 0.0], [2.0, 0.0], [9.0, 9.0], [100.0, 100.0]])
    assert inertia(X, np.array([0, 0, 5, -1])) == 2.0


def test_naive_bayes_tells_the_segments_apart(finished):
    rows = finished.table("segments/confusion.csv")
    own = [row for row in rows if row["classifier"] == "naive_bayes"]
    assert sum(int(row["count"]) for row in own) == 900
    right = sum(int(row["count"]) for row in own if row["actual"] == row["predicted"])
    assert right / 900 >= 0.9


def test_the_full_matrix_is_clustered_as_well(composed, tmp_path):
    run(composed(*FEW, "transform=none", "segments=none"), tmp_path / "run")
    found = open_run(tmp_path / "run")
    X = found.customers.X()
    fitted = KMeans(3, n_init=10, tol=1e-4, random_state=0).fit(X)
    assert float(found.scores[0]["inertia"]) == pytest.approx(fitted.inertia_, rel=1e-9)
    model, labels = found.model(found.points[0]), found.labels(found.points[0])
    assert np.array_equal(model.predict(load_npz(found.path / "features.npz")), labels)


def test_a_full_matrix_beyond_the_memory_is_refused_before_it_is_filled(composed, tmp_path):
    changes = ["transform=none", "preflight.action=refuse", "preflight.max_memory_share=1e-4"]
    with pytest.raises(PreflightError) as told:
        run(composed(*PLAIN, *changes), tmp_path / "run")
    assert "the full matrix of 900 users x 400 items, twice" in str(told.value)
    assert "transform=pca_10" in str(told.value)


def test_fits_on_the_full_matrix_that_take_too_long_are_left_out_but_the_one_shown(
    few, monkeypatch
):
    shown, other = few.points[1], few.points[0]
    monkeypatch.setattr("segrun.segments.ratings._MOST_WORK", 150 * 40 * 6 * 10)
    rows = {row["point"]: row for row in inertia_rows(few, shown)}
    assert rows[shown]["inertia_full"] > 0
    assert rows[other]["inertia_full"] is None
    assert rows[other]["inertia_reduced_in_full"] > rows[shown]["inertia_reduced_in_full"]


@pytest.mark.slow
def test_a_million_ratings_take_less_than_two_gigabytes(segrun, tmp_path):
    rng = np.random.default_rng(0)
    n_users, n_items, n = 6_000, 4_000, 1_000_000
    pairs = np.unique(np.column_stack([rng.integers(0, n_users, n), rng.zipf(1.3, n) % n_items]),
                      axis=0)  # fmt: skip
    rating = rng.integers(1, 11, len(pairs)) / 2
    frame = pl.DataFrame({"userId": pairs[:, 0], "movieId": pairs[:, 1], "rating": rating})
    frame.write_csv(tmp_path / "ratings.csv")
    done = segrun("experiment=movielens", "dataset=ratings", "dataset.path=ratings.csv",
                  "hydra.run.dir=run", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = open_run(tmp_path / "run")
    peaks = [int(row["peak_rss_bytes"]) for row in found.table("timings.csv")]
    assert max(peaks) < 2_000_000_000
    assert found.has("segments/distinctive.csv")


def test_the_same_seed_gives_the_same_bytes(composed, few, tmp_path):
    run(composed(*FEW), tmp_path / "run")
    again = open_run(tmp_path / "run")
    timed = {"timings.csv", "preflight.csv", "environment.json"}
    assert {n: h for n, h in again.files.items() if n not in timed} == {
        n: h for n, h in few.files.items() if n not in timed
    }


def movielens_files(folder, made):
    """Write u.data and u.item as MovieLens 100k has them, and return how they are named."""
    frame = made.frame.with_columns(pl.col("rating", "time").cast(pl.Int64))
    frame.write_csv(folder / "u.data", separator="\t", include_header=False)
    rest = "|01-Jan-1995||http://us.imdb.com/M/title-exact|" + "|".join("0" * 19)
    lines = [f"{item}|{title.replace(chr(9), ' ')}{rest}\n" for item, title in made.titles.items()]
    (folder / "u.item").write_text("".join(lines), encoding="iso-8859-1")
    return [f"dataset.path={folder / 'u.data'}", f"dataset.items.path={folder / 'u.item'}"]


@pytest.mark.parametrize("source", ["ratings", "synthetic_ratings"])
def test_apply_gives_the_stored_label_to_every_user(source, composed, tmp_path):
    made = generate(150, 200, seed=0)
    files = movielens_files(tmp_path, made)
    file, own = tmp_path / "u.data", files
    if source == "synthetic_ratings":
        own, file = ["dataset.n_users=150", "dataset.n_items=200"], tmp_path / "ratings.csv"
        made.frame.with_columns(title=pl.col("item").replace_strict(made.titles)).write_csv(file)
    changes = ["algo.grid.n_clusters=[6]", "features.min_user_ratings=32", "backend=sklearn"]
    overrides = [f"dataset={source}", *own, *changes, "segments=none"]
    run(composed(*PLAIN, *overrides), tmp_path / "run")
    found = open_run(tmp_path / "run")
    assert 0 < len(found.customers) < len(found.all_customers) == 150
    assert "Le Fabuleux Destin d'Am\u00e9lie" in " ".join(found.customers.columns.catalogue.titles)
    applied = apply(found, ApplyOptions(str(file), found.points[0]))
    placed = dict(zip(applied.new.customers.ids, applied.placed.label, strict=True))
    stored = dict(zip(found.customers.ids, found.labels(found.points[0]).tolist(), strict=True))
    assert {user: placed[user] for user in stored} == stored
    assert {placed[user] for user in set(placed) - set(stored)} == {None}
    assert len(placed) == 150
