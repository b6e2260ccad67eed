"""Hydra's callbacks and its variables, under -m as without; a crash that nothing can catch."""

import os

HOOK = """
import os
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback


class Noted(Callback):
    def _note(self, *words):
        with Path(os.environ["NOTES"]).open("a") as file:
            print(*words, file=file)

    def on_job_start(self, config, *, task_function, **kwargs):
        about = HydraConfig.get().job.num, os.environ.get("COLOUR")
        self._note("start", config.seed, callable(task_function), *about)

    def on_job_end(self, config, job_return, **kwargs):
        words = job_return.cfg.seed, job_return.status.name, " ".join(job_return.overrides)
        self._note("end", config.seed, *words)
"""

SMALL = ["features=rfm", "backend=sklearn", "dataset.n_customers=80", "algo.params.n_clusters=3"]


def test_callbacks_hear_of_every_job_of_a_sweep(segrun, tmp_path):
    (tmp_path / "noted.py").write_text(HOOK)
    asked = ["+hydra.callbacks.noted._target_=noted.Noted", "+hydra.job.env_set.COLOUR=blue"]
    done = segrun(
        "-m", *SMALL, "seed=4,5", "algo.grid.tol=[1e-4]", *asked, cwd=tmp_path,
        PYTHONPATH=str(tmp_path), NOTES=str(tmp_path / "notes"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "notes").read_text().splitlines()
    common = " ".join([*SMALL])
    assert lines == [
        line
        for number, seed in enumerate((4, 5))
        for line in (
            f"start {seed} True {number} blue",
            f"end {seed} {seed} COMPLETED {common} seed={seed} algo.grid.tol=[0.0001]",
        )
    ]


def test_a_plain_run_that_crashes_says_what_crashed_and_where(segrun, unruly, tmp_path):
    done = segrun(
        "algo=unruly", "algo.params.way=faults", "features=rfm", "dataset.n_customers=80",
        "hydra.run.dir=run", cwd=tmp_path, **unruly,
    )  # fmt: skip
    assert done.returncode == -11
    assert "Segmentation fault" in done.stderr
    assert os.path.join("unruly", "__init__.py") in done.stderr  # noqa: PTH118
    assert (tmp_path / "run" / "UNFINISHED").exists()
