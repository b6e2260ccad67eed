"""Every command of examples/ runs when it is pasted, in the order of its page."""

import os
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from segrun.rundir.store import read_csv

EXAMPLES = Path(__file__).parents[1] / "examples"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the commands are a shell's")


def page(name, tmp_path):
    """Return a copy of an example's folder, and all commands of its page."""
    folder = shutil.copytree(EXAMPLES / name, tmp_path / name)
    text = (folder / "README.md").read_text("utf-8")
    return folder, "".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


def test_the_analyst_gets_every_customer_with_a_named_segment(paste, tmp_path):
    folder, commands = page("analyst", tmp_path)
    done = paste(commands, folder)
    assert done.returncode == 0, done.stderr
    customers = pl.read_csv(folder / "customers.csv")
    sizes = dict(customers.group_by("name").len().rows())
    assert sizes == {"Coffee bars": 8, "Households": 21, "Gift buyers": 26, "Lapsed": 35}
    # The first eight were made up as such.
    assert set(customers.filter(name="Coffee bars")["Customer"]) == {
        f"C{number}" for number in range(1001, 1009)
    }
    assert len(pl.read_csv(folder / "lines.csv")) == 567
    assert "Gift buyers" in (folder / "run" / "report.html").read_text("utf-8")


def test_the_benchmark_compares_backends_and_comes_to_what_is_committed(paste, tmp_path):
    folder, commands = page("benchmark", tmp_path)
    done = paste(commands, folder)
    assert done.returncode == 0, (done.stdout, done.stderr)
    whole = [row for row in read_csv(folder / "sweep" / "speedup.csv") if not row["point"]]
    assert [row["backend"] for row in whole] == ["onedal", "sklearn"]
    assert {row["n_identical"] for row in whole} == {"3"}
    assert "speed-up" in done.stdout


def test_the_plugin_stands_beside_k_means(shell, tmp_path):
    folder, commands = page("plugin", tmp_path)
    done = shell(commands, folder)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "segrun-spherical 0.1.0" in done.stdout
    rows = read_csv(folder / "sweep" / "scores.csv")
    assert {row["algo"] for row in rows if row["status"] == "done"} == {"spherical", "kmeans"}
