import hashlib
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil
import pytest

from segrun.rundir import environment
from segrun.rundir.environment import code_digest, describe_environment, git_state, own_code

pytestmark = pytest.mark.heavy


def git(folder, *arguments):
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_versions_are_those_installed():
    found = describe_environment(seed=5)
    assert found["versions"]["numpy"] == np.__version__
    assert found["versions"]["scikit-learn"] == version("scikit-learn")
    assert found["seed"] == 5
    assert found["logical_cores"] >= 1
    assert found["memory_bytes"] > 2**28


def test_git_state_tells_commit_and_uncommitted_changes(tmp_path):
    assert git_state(tmp_path) is None
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert git_state(tmp_path) == {"commit": commit, "dirty": False}
    (tmp_path / "new").write_text("")
    assert git_state(tmp_path) == {"commit": commit, "dirty": True}


def test_code_is_known_by_the_names_and_contents_of_its_python_files(tmp_path):
    def write(name, text):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        return code_digest(tmp_path)

    first = write("a.py", "x = 1")
    assert len(first) == 12
    found = [first, write("b/a.py", "x = 1"), write("b/a.py", "x = 2"), write("c.py", "")]
    assert len(set(found)) == 4
    assert write("c.txt", "no code") == found[-1]
    one = hashlib.sha256(b"x = 1").hexdigest()[:12]
    assert code_digest(tmp_path / "a.py") == one
    assert own_code() == code_digest(Path(environment.__file__).parent.parent)


def test_the_machine_is_described_as_the_system_tells_it(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    found = describe_environment(seed=1)
    assert found["threads"]["OMP_NUM_THREADS"] == "3"
    assert "MKL_NUM_THREADS" not in found["threads"]
    assert found["usable_cores"] == environment.usable_cores() >= 1
    assert found["physical_cores"] == psutil.cpu_count(logical=False)
    assert found["memory_bytes"] == psutil.virtual_memory().total
    for pool in found["thread_pools"]:
        assert set(pool) == {"user_api", "internal_api", "num_threads", "version"}
    if sys.platform == "linux":
        assert found["usable_cores"] == len(os.sched_getaffinity(0))
        named = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line]
        names = {line.split(":", 1)[1].strip() for line in named if "model name" in line}
        assert found["cpu"] in (names or {platform.processor() or platform.machine()})
    assert list(found["versions"]) == sorted(found["versions"])
    assert found["versions"]["pyyaml"] == version("pyyaml")
