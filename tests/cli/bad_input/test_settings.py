"""Settings that nothing can satisfy, and what only the data can tell: refused in one message."""

import subprocess
import sys

import pytest

from segrun.rundir.store import read_csv, read_manifest


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["algo=kmens"], ["algo=kmens", "Did you mean 'kmeans'"]),
        (["algoo=kmeans"], ["'algoo'", "Did you mean 'algo'"]),
        (["dataset.n_custmers=3"], ["dataset.n_custmers", "'n_customers'"]),
        (["dataset=online_retail", "dataset.path=x.csv", "dataset.separator=''"],
         ["dataset.separator=''", "auto or one letter"]),
        (["dataset=online_retail", "dataset.path=x.csv", "dataset.separator=ab"],
         ["dataset.separator='ab'", "auto or one letter"]),
        (["dataset=transactions", "dataset.path=x.csv",
          "dataset.columns={customer: A, date: A, amount: B}"],
         ["dataset.columns: customer and date are both 'A'"]),
        (["dataset=transactions", "dataset.path=x.csv",
          "dataset.columns={customer: A, date: B, amount: C, price: D}"],
         ["dataset.columns: amount", "without price", "amount=C"]),
    ],
)  # fmt: skip
def test_a_setting_that_nothing_satisfies_is_refused_before_any_data_is_read(
    segrun, tmp_path, assert_refused, assert_nothing_whole, arguments, words
):
    # The file of the dataset is not even there.
    assert_refused(segrun(*arguments, cwd=tmp_path), *words, code=2)
    assert_nothing_whole(tmp_path)


def test_more_clusters_than_rows_are_failed_points_that_say_so(
    segrun, tmp_path, assert_clear, assert_nothing_whole
):
    done = segrun("dataset.n_customers=100", "algo.grid.n_clusters=[500,600]",
                  "algo.params.tol=1e-4", "hydra.run.dir=run", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 1
    assert_clear(done.stderr)
    assert "n_clusters=500" in done.stderr
    assert read_manifest(tmp_path / "run")["status"] == "failed"
    rows = read_csv(tmp_path / "run" / "scores.csv")
    assert [(row["status"], row["silhouette"]) for row in rows] == [("failed", "")] * 2
    assert all(row["param_n_clusters"] in row["reason"] for row in rows)
    assert_nothing_whole(tmp_path)


def test_a_file_is_found_by_any_name_that_the_system_allows(segrun, tmp_path):
    name = "my 'file' = ü {a},[b]*?.csv"
    rows = [f"K{i % 7},2024-01-{1 + i % 28:02},{10 + i * i}" for i in range(40)]
    (tmp_path / name).write_text("\n".join(["Account,Booked,Value", *rows, ""]))
    quoted = name.replace("'", "\\'")
    done = segrun("dataset=transactions", f"dataset.path='{quoted}'", "hydra.run.dir=run",
                  "dataset.columns={customer: Account, date: Booked, amount: Value}",
                  "algo.params.n_clusters=2", "algo.params.tol=1e-4", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert read_manifest(tmp_path / "run")["input"]["path"] == name


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize("redirection", [">&-", ">/dev/full", "| true"])
def test_a_closed_or_full_stdout_is_no_traceback_and_the_run_is_whole(
    tmp_path, assert_clear, redirection
):
    if redirection == ">/dev/full" and sys.platform != "linux":
        pytest.skip("only Linux has a device that is always full")
    command = (
        f"'{sys.executable}' -m segrun dataset.n_customers=100 algo.params.n_clusters=2 "
        f"algo.params.tol=1e-4 hydra.run.dir=run {redirection}; echo ${{PIPESTATUS[0]}} >code"
    )
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert_clear(done.stderr)
    assert read_manifest(tmp_path / "run")["status"] == "done"
    # Results that could not be shown are no success, unless nobody wants them.
    wanted = {">&-": "0", ">/dev/full": "1", "| true": "1"}
    assert (tmp_path / "code").read_text().strip() == wanted[redirection]
