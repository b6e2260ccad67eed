"""What the tests of sweeps share: the real command under way, and algorithms that misbehave."""

import os
import signal
import subprocess
import sys
import time

import pytest

MODULE = '''
import ctypes
import os
import signal
import time
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin

from segrun.algorithms.base import Algorithm


class Unruly(ClusterMixin, BaseEstimator):
    """k clusters by the first feature; misbehaves until the file `cured` is there."""

    def __init__(self, k=2, way="well", seconds=0.0):
        self.k, self.way, self.seconds = k, way, seconds

    def fit(self, X, y=None):
        with Path("fits.log").open("a") as log:
            log.write(f"{self.way} {self.k}\\n")
        time.sleep(self.seconds)
        if not self.way.startswith("well") and not Path("cured").exists():
            getattr(self, self.way)()
        ranks = np.argsort(np.argsort(X[:, 0], kind="stable"), kind="stable")
        self.labels_ = (ranks * self.k // len(X)).astype(np.int64)
        return self

    def fit_predict(self, X, y=None):
        return self.fit(X).labels_

    def raises(self):
        raise RuntimeError("out of luck")

    def ends(self):
        os._exit(7)

    def killed(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def faults(self):
        ctypes.string_at(0)

    def eats(self):
        held = []
        while True:
            held.append(np.ones(4_000_000))

    def hangs(self):
        while True:
            time.sleep(3600)


algorithm = Algorithm(
    name="unruly", make=lambda backend, **params: Unruly(**params), conf="unruly.conf"
)
'''

CONF = """
name: unruly
params: {k: null, way: well, seconds: 0.0}
grid: {k: [2, 3]}
search: {k: "range(2, 40)"}
"""


@pytest.fixture
def unruly(tmp_path):
    """Variables of an environment in which the algorithm `unruly` is installed."""
    site = tmp_path / "site"
    (site / "unruly" / "conf" / "algo").mkdir(parents=True)
    (site / "unruly" / "__init__.py").write_text(MODULE)
    (site / "unruly" / "conf" / "__init__.py").write_text("")
    (site / "unruly" / "conf" / "algo" / "unruly.yaml").write_text(CONF)
    info = site / "unruly-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: unruly\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[segrun.algorithms]\nunruly = unruly:algorithm\n")
    return {"PYTHONPATH": str(site)}


class Started:
    """The real command under way."""

    def __init__(self, folder, arguments, variables):
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "segrun", *arguments],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "SEGRUN_CACHE": str(folder / "cache"), **variables},
        )  # fmt: skip

    def wait_for(self, reached, seconds=60):
        """Wait until `reached()` is true; the command must still be under way then."""
        deadline = time.monotonic() + seconds
        while not reached():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline, "it never came"
            time.sleep(0.002)

    def send(self, number=signal.SIGKILL):
        """Send a signal and return what stderr said until the end."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=60)[1]


@pytest.fixture
def start(tmp_path):
    """Start the real command in the test's folder; it ends with the test."""
    started = []

    def starting(*arguments, **variables):
        started.append(Started(tmp_path, arguments, variables))
        return started[-1]

    yield starting
    for command in started:
        command.process.kill()
        command.process.communicate()
