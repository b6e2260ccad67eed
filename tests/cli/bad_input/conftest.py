"""What the tests of bad input share: the refusal of a command, and what must not be left."""

import json

import pytest


def _assert_clear(text):
    for trace in ("Traceback", "panicked", "RUST_BACKTRACE", "Exception ignored", "unforeseen"):
        assert trace not in text, text


def _assert_refused(done, *words, code):
    assert done.returncode == code, done.stderr
    _assert_clear(done.stderr)
    # A message goes on in further lines; only its first one begins so.
    messages = [line for line in done.stderr.splitlines() if line.startswith("segrun: ")]
    assert len(messages) == 1, done.stderr
    said = " ".join(done.stderr.split())
    for word in words:
        assert word in said


def _assert_nothing_whole(folder, cache=None):
    assert not [p for p in folder.rglob("*") if p.name.endswith(".tmp")]
    marks = ("manifest.json", "UNFINISHED", "scores.csv", "experiment.yaml", "segrun.log")
    for run in {path.parent for name in marks for path in folder.rglob(name)}:
        if (run / "multirun.yaml").exists():
            continue  # a sweep's: its table has a row with the reason for every failed job
        if (run / "UNFINISHED").exists():
            assert not (run / "manifest.json").exists(), run
            continue
        manifest = json.loads((run / "manifest.json").read_text())
        assert manifest["status"] in ("failed", "interrupted", "incomplete"), run
        if manifest["status"] == "failed":
            assert manifest["reason"], run
            # Where every point has failed, the table says why of each.
            assert (run / "scores.csv").exists() == ("points" in manifest), run
    if cache is not None:
        # Machine code of kernels is no data, and stays.
        assert [
            p for p in sorted(cache.rglob("*")) if "numba" not in p.relative_to(cache).parts
        ] == []


@pytest.fixture(scope="session")
def assert_refused():
    """Assert exit code and that there is one message: assert_refused(done, *words, code=1)."""
    return _assert_refused


@pytest.fixture(scope="session")
def assert_clear():
    """Assert that a text has no trace of a fault of the program's own."""
    return _assert_clear


@pytest.fixture(scope="session")
def assert_nothing_whole():
    """Assert that no run below a folder looks whole and, if it is given, the cache is empty."""
    return _assert_nothing_whole
