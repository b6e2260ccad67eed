import pytest

from segrun.report.growth import Curve, Size
from segrun.rundir.store import read_csv


def curve(*sizes):
    return Curve("kmeans", "native", "fit", 27, [Size(n, s, s, m, 1) for n, s, m in sizes])


def test_the_exponent_is_that_of_the_largest_sizes():
    quadratic = curve((10, 5, 100), (1_000, 1e-3, 1_100), (2_000, 4e-3, 2_100), (4_000, 16e-3, 0))
    assert quadratic.exponent() == pytest.approx(2)
    assert [row["exponent"] for row in quadratic.rows()][2:] == pytest.approx([2, 2])
    assert curve((10, 1, None)).exponent() is None


def test_memory_is_told_by_the_row():
    assert curve((1_000, 1, 5_000), (3_000, 1, 9_000)).bytes_per_row() == 2
    assert curve((1_000, 1, None), (3_000, 1, 9_000)).bytes_per_row() is None


def test_a_sweep_over_sizes_gets_a_table_and_a_picture(segrun, tmp_path):
    done = segrun(
        "-m", "dataset.n_customers=200", "backend=sklearn", "algo.grid.n_clusters=[2,3]",
        "augmentation.rows=1600,400,800", "hydra.sweep.dir=out", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = read_csv(tmp_path / "out" / "growth.csv")
    assert [(row["stage"], row["n_rows"]) for row in rows] == [
        (stage, n) for stage in ("fit", "evaluate") for n in ("400", "800", "1600")
    ]
    assert {row["n_points"] for row in rows} == {"6"}
    assert (tmp_path / "out" / "growth.png").read_bytes().startswith(b"\x89PNG")
    assert "kmeans fit (sklearn, 6 points)" in done.stdout


def test_two_sizes_are_no_curve(segrun, tmp_path):
    done = segrun("-m", "dataset.n_customers=200", "algo.grid.n_clusters=[2,3]", "backend=sklearn",
                  "augmentation.rows=400,800", "hydra.sweep.dir=out", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "out" / "growth.csv").exists()
