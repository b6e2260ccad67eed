import subprocess
from importlib.metadata import version

import numpy as np
import pytest

from segrun.rundir.environment import describe_environment, git_state

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
