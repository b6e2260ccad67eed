"""Every command of examples/ runs when it is pasted, in the order of its page."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import polars as pl
import pytest

from segrun.data.cache import cache_directory
from segrun.rundir.store import read_csv

EXAMPLES = Path(__file__).parents[1] / "examples"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the commands are a shell's")


@pytest.fixture(scope="module")
def paste(tmp_path_factory):
    """Run all commands of a page in a copy of its folder: paste("analyst") is folder and text."""
    environment = tmp_path_factory.mktemp("user") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    (site,) = environment.glob("lib/python*/site-packages")
    base = sysconfig.get_paths()["purelib"]
    # Not a plain path: the other environment's own .pth files count as well.
    (site / "base.pth").write_text(f"import site; site.addsitedir({base!r})\n")
    command = environment / "bin" / "segrun"
    command.write_text(f"#!/bin/sh\nexec '{environment}/bin/python' -m segrun \"$@\"\n")
    command.chmod(0o755)
    variables = {
        **os.environ,
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "SEGRUN_CACHE": str(environment.parent / "cache"),
        # Machine code is no result: not compiled anew.
        "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR") or str(cache_directory() / "numba"),
        # What builds a distribution is there already: no network is needed.
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }

    def run(name):
        folder = shutil.copytree(EXAMPLES / name, environment.parent / name)
        page = (folder / "README.md").read_text("utf-8")
        blocks = re.findall(r"^```sh\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "".join(blocks)],
            cwd=folder, env=variables, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (done.stdout, done.stderr)
        return folder, done.stdout

    return run


def test_the_analyst_gets_every_customer_with_a_named_segment(paste):
    folder, _ = paste("analyst")
    customers = pl.read_csv(folder / "customers.csv")
    sizes = dict(customers.group_by("name").len().rows())
    assert sizes == {"Coffee bars": 8, "Households": 21, "Gift buyers": 26, "Lapsed": 35}
    # The first eight were made up as such.
    assert set(customers.filter(name="Coffee bars")["Customer"]) == {
        f"C{number}" for number in range(1001, 1009)
    }
    assert len(pl.read_csv(folder / "lines.csv")) == 567
    assert "Gift buyers" in (folder / "run" / "report.html").read_text("utf-8")


def test_the_benchmark_compares_backends_and_comes_to_what_is_committed(paste):
    folder, said = paste("benchmark")
    whole = [row for row in read_csv(folder / "sweep" / "speedup.csv") if not row["point"]]
    assert [row["backend"] for row in whole] == ["onedal", "sklearn"]
    assert {row["n_identical"] for row in whole} == {"3"}
    assert "speed-up" in said


def test_the_plugin_stands_beside_k_means(paste):
    folder, said = paste("plugin")
    assert "spherical" in said
    rows = read_csv(folder / "sweep" / "scores.csv")
    assert {row["algo"] for row in rows if row["status"] == "done"} == {"spherical", "kmeans"}
