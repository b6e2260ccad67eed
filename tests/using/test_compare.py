"""Finished runs side by side: agreement against scikit-learn, and what cannot be compared."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import adjusted_rand_score

from segrun.cli.compare import compare_command
from segrun.errors import ConfigError, StoreError
from segrun.using.compare import differences, open_side, pair

K3 = "n_clusters=3,tol=0.0001"


@pytest.fixture(scope="module")
def small(run_of):
    """Directory of a run on few customers: small(folder, "transform=robust", ...)."""

    def ran(folder, *overrides):
        own = ["algo.params.tol=1e-4"]
        if "dataset=transactions" not in overrides:
            own.append("dataset.n_customers=200")
        return run_of(folder, *own, *overrides).path

    return ran


@pytest.fixture(scope="module")
def runs(small, tmp_path_factory):
    """Three runs: other scaling, and other customers of the same shop set aside."""
    folder = tmp_path_factory.mktemp("runs")
    grid = "algo.grid.n_clusters=[3,4]"
    return {
        "a": small(folder / "a", grid),
        "b": small(folder / "b", grid, "transform=robust"),
        "c": small(folder / "c", grid, "features=rfm", "features.outliers.rule=none"),
    }


def stored(path, point):
    frame = pl.read_parquet(path / "predictions" / f"{point}.parquet")
    return dict(frame.select("CustomerID", "label").rows())


@pytest.mark.parametrize("other", ["b", "c"])
def test_agreement_is_over_the_customers_that_both_clustered(runs, other):
    found = pair(open_side("A", runs["a"], K3), open_side("B", runs[other], K3))
    one, two = stored(runs["a"], K3), stored(runs[other], K3)
    common = sorted(one.keys() & two.keys())
    assert found.n_common == len(common)
    expected = adjusted_rand_score([one[i] for i in common], [two[i] for i in common])
    assert found.ari == pytest.approx(expected, abs=1e-12)
    counts = np.zeros((3, 3), dtype=int)
    for i in common:
        counts[one[i], two[i]] += 1
    assert {k: n for k, n in np.ndenumerate(counts) if n} == dict(found.counts)


def test_the_page_has_settings_scores_sizes_agreement_and_times(runs, capsys):
    paths = [str(path) for path in runs.values()]
    assert compare_command([*paths, "--point", K3, "--point", K3, "--point", K3]) == 0
    said = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert f"A {runs['a']} {K3}" in lines
    assert "transform.scale standard robust standard" in lines
    assert "features.name rfm_calendar rfm_calendar rfm" in lines
    assert not [line for line in lines if line.startswith("seed ")]
    assert [line for line in lines if line.startswith("silhouette ")]
    assert [line for line in lines if line.startswith("A B ")]
    assert [line for line in lines if line.startswith("B C ")]
    assert "fitted by sklearn sklearn sklearn" in lines
    side = open_side("A", runs["a"], K3)
    for number, size in side.sizes.items():
        assert f"{number}: {size} ({size / sum(side.sizes.values()):.1%})" in said


def test_a_run_agrees_with_itself_and_its_points_can_be_compared(runs, capsys):
    a = str(runs["a"])
    assert compare_command([a, a]) == 0
    said = capsys.readouterr().out
    assert "different settings\nnone" in said
    assert "1.0000" in said
    assert compare_command([a, a, "--point", K3, "--point", "n_clusters=4,tol=0.0001"]) == 0


def test_settings_that_one_lacks_differ():
    one, two = {"a": {"b": 1, "c": {}}, "d": [1]}, {"a": {"b": 2}, "d": [1]}
    assert differences([one, two]) == {"a.b": [1, 2], "a.c": [{}, None]}


def test_what_cannot_be_compared_is_refused_with_the_reason(runs, small, tmp_path):
    a = str(runs["a"])
    with pytest.raises(ConfigError, match="1 runs and 0 points"):
        compare_command([a])
    with pytest.raises(ConfigError, match="2 runs and 1 points"):
        compare_command([a, a, "--point", K3])
    with pytest.raises(ConfigError, match=r"n_clusters=9\S* is no point of .* Did you mean"):
        compare_command([a, a, "--point", K3, "--point", "n_clusters=9,tol=0.0001"])
    with pytest.raises(StoreError, match="is a sweep of 3 runs: name one of them"):
        compare_command([a, str(runs["a"].parent)])
    copies = small(tmp_path / "copies", "augmentation.factor=2", "algo.grid.n_clusters=[3]")
    with pytest.raises(StoreError, match="copies clustered copies of its customers"):
        compare_command([a, str(copies)])
    file = tmp_path / "others.csv"
    file.write_text("id,t,v\n" + "".join(f"x{i % 9},2011-01-{1 + i % 20:02},{i}\n"
                                        for i in range(40)))  # fmt: skip
    others = small(
        tmp_path / "others", "dataset=transactions", f"dataset.path={file}", "features=rfm",
        "dataset.columns={customer: id, date: t, amount: v}",
        "features.outliers.rule=none", "algo.grid.n_clusters=[3]",
    )  # fmt: skip
    with pytest.raises(StoreError, match=r"0 customers in common. Their ids are such as \S+, x0"):
        compare_command([a, str(others)])
