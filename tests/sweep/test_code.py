"""What other code has made is not taken for the same: caches, reuse, resume, plugins, states."""

import os
import shutil
from pathlib import Path

import polars as pl
import pytest

import segrun as package
from segrun.data.datasets.synthetic_retail import generate
from segrun.rundir.environment import code_digest
from segrun.rundir.store import read_csv, read_manifest

COMMON = ["-m", "algo=unruly", "algo.params.k=3", "algo.params.way=null", "dataset=online_retail",
          "dataset.path=shop.csv", "features=rfm", "cache.min_bytes=0", "name=x"]  # fmt: skip


@pytest.fixture
def copied(tmp_path, unruly):
    """A copy of segrun in the test's folder, and the variables that let it run there."""
    own = Path(package.__file__).parent
    shutil.copytree(own, tmp_path / "own" / "segrun", ignore=shutil.ignore_patterns("__pycache__"))
    conf = own / "conf" if (own / "conf").is_dir() else own.parent / "conf"
    shutil.copytree(conf, tmp_path / "own" / "conf")
    generate(60, seed=0)[0].write_csv(tmp_path / "shop.csv")
    paths = [str(tmp_path / "own"), unruly["PYTHONPATH"]]
    return tmp_path / "own" / "segrun", {"PYTHONPATH": os.pathsep.join(paths)}


def recency(run):
    return pl.read_parquet(run / "features.parquet")["Recency"].to_list()


def fits(folder):
    return (folder / "fits.log").read_text().split().count("well")


def test_after_an_edit_of_the_code_no_old_number_comes_back(cold_segrun, copied, tmp_path):
    # Not by the process that has imported this segrun: it would be run in place of the copy.
    code, variables = copied
    begun = cold_segrun(*COMMON, "+algo.grid.way=[well],[well,raises]",
                        "hydra.sweep.dir=outputs/x/a", cwd=tmp_path, **variables)  # fmt: skip
    assert begun.returncode == 1, begun.stderr
    done, half = tmp_path / "outputs" / "x" / "a" / "0-unruly", tmp_path / "outputs/x/a/1-unruly"
    assert [read_manifest(run)["status"] for run in (done, half)] == ["done", "incomplete"]
    before, n_before = recency(done), fits(tmp_path)

    rfm = code / "features" / "rfm.py"
    days = 'days_before(table["last"], answers.reference)'
    edited = rfm.read_text().replace(days, f"1000 + {days}")
    assert edited != rfm.read_text()
    rfm.write_text(edited)
    (tmp_path / "cured").touch()
    now = [value + 1000 for value in before]

    # Features from the cache, and the point that was finished, were made by other code.
    again = cold_segrun("resume", "outputs/x/a", cwd=tmp_path, **variables)
    assert again.returncode == 0, again.stderr
    assert recency(half) == now
    assert fits(tmp_path) == n_before + 1
    # What was finished stays, and is told apart.
    assert "code of segrun" in again.stderr
    assert recency(done) == before
    codes = [row["code"] for row in read_csv(tmp_path / "outputs" / "x" / "a" / "jobs.csv")]
    assert len(set(codes)) == 2

    reused = cold_segrun(*COMMON, "+algo.grid.way=[well],[well,raises]", "sweep.reuse=true",
                         "hydra.sweep.dir=outputs/x/b", cwd=tmp_path, **variables)  # fmt: skip
    assert reused.returncode == 0, reused.stderr
    assert "#0 0-unruly: the same as" not in reused.stderr
    assert recency(tmp_path / "outputs" / "x" / "b" / "0-unruly") == now


@pytest.mark.slow
def test_resume_tells_of_a_plugin_whose_code_changed_and_of_nothing_else(segrun, unruly, tmp_path):
    begun = segrun("-m", "algo=unruly", "dataset.n_customers=60", "features=rfm",
                   "algo.params.k=3", "algo.params.way=well", "seed=1,2", "hydra.sweep.dir=s",
                   cwd=tmp_path, **unruly)  # fmt: skip
    assert begun.returncode == 0, begun.stderr
    assert "then" not in segrun("resume", "s", cwd=tmp_path, **unruly).stderr
    module = tmp_path / "site" / "unruly" / "__init__.py"
    module.write_text(module.read_text() + "\n# another state\n")
    assert "other code of unruly" in segrun("resume", "s", cwd=tmp_path, **unruly).stderr


def test_a_digest_is_of_every_file_of_python_its_name_and_nothing_else(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one.py").write_text("x = 1")
    first = code_digest(tmp_path / "a")
    (tmp_path / "a" / "b" / "two.py").write_text("y = 2")
    second = code_digest(tmp_path / "a")
    (tmp_path / "a" / "b" / "two.py").rename(tmp_path / "a" / "two.py")
    third = code_digest(tmp_path / "a")
    (tmp_path / "a" / "notes.txt").write_text("none")
    assert len({first, second, third}) == 3
    assert code_digest(tmp_path / "a") == third == code_digest(shutil.copytree(
        tmp_path / "a", tmp_path / "elsewhere"))  # fmt: skip
