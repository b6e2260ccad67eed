"""docs/plugins.md, followed literally, and the plugin distribution: installed and uninstalled."""

from __future__ import annotations

import os
import re
from pathlib import Path

import polars as pl
import pytest

from segrun.rundir.store import read_csv

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the commands are a shell's")


def blocks(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_an_algorithm_is_added_by_the_commands_of_the_page(shell):
    outputs = []
    for block in blocks("docs/plugins.md"):
        done = shell(block)
        assert done.returncode == 0, (block, done.stdout, done.stderr)
        outputs.append(done.stdout)
    # What segrun plugins new writes passes the suite unchanged, and so does the page's own.
    assert re.search(r"\d\d passed", outputs[0])
    assert "failed" not in outputs[0]
    assert re.search(r"\d\d passed", outputs[-1])
    assert "tiers  (segrun-tiers 0.1.0)" in outputs[-1]
    assert "runs on sklearn (scikit-learn-intelex has no Tiers)" in " ".join(outputs[-1].split())
    (sweep,) = (p for p in (shell.folder / "outputs" / "default").iterdir() if list(p.glob("0-*")))
    rows = read_csv(sweep / "scores.csv")
    assert {row["algo"] for row in rows} == {"tiers", "kmeans"}
    assert {row["status"] for row in rows} == {"done"}
    labels = pl.read_parquet(sweep / "0-tiers" / "predictions" / "n_tiers=5.parquet")["label"]
    sizes = labels.value_counts()["count"]
    assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kmeans", "segrun has an algorithm of that name"),
        ("Tiers", "begin with a small letter"),
        ("class", "begin with a small letter"),
        ("../tiers", "begin with a small letter"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(shell, name, said):
    done = shell(f"segrun plugins new '{name}'")
    assert done.returncode == 2
    assert said in done.stderr


def test_a_folder_that_is_there_is_not_written_to(shell):
    assert shell("segrun plugins new spared elsewhere").returncode == 0
    done = shell(
        "echo mine > elsewhere/segrun-spared/README.md; segrun plugins new spared elsewhere"
    )
    assert done.returncode == 1
    assert "is there already" in done.stderr
    folder = shell.folder / "elsewhere"
    assert (folder / "segrun-spared" / "README.md").read_text() == "mine\n"
    assert [path.name for path in folder.iterdir()] == ["segrun-spared"]


@pytest.mark.slow
def test_an_algorithm_that_is_uninstalled_is_told_with_what_is_installed(shell):
    shell("segrun plugins new gone && pip install -q -e segrun-gone")
    assert shell("segrun algo=gone dataset.n_customers=100").returncode == 0
    shell("pip uninstall -q -y segrun-gone")
    done = shell("segrun algo=gone dataset.n_customers=100")
    assert done.returncode == 2
    assert "there is no algo=gone" in done.stderr
    assert "kmeans" in done.stderr
    done = shell("segrun algo.name=gone dataset.n_customers=100")
    assert done.returncode == 2
    assert "algo.name=gone is not installed" in done.stderr
    assert "Installed: dbscan," in done.stderr
