import hashlib
from importlib.metadata import version

import pytest

from segrun.errors import StoreError
from segrun.rundir.directory import RunDirectory
from segrun.rundir.finished import open_run


def test_who_adds_to_a_run_vouches_for_nothing_else(tmp_path):
    run = RunDirectory(tmp_path)
    for name in ("kept.txt", "changed.txt", "gone.txt", "renewed.txt", "dropped.txt"):
        run.write_text(name, "x")
    run.finish("done", "", {"segrun": version("segrun")})
    (tmp_path / "changed.txt").write_text("by somebody else")
    (tmp_path / "gone.txt").unlink()
    (tmp_path / "stray.txt").write_text("put there")
    with open_run(tmp_path).amend() as out:
        out.write_bytes("new.bin", b"y")
        out.write_text("renewed.txt", "z")
        out.remove("dropped.txt")
    now = open_run(tmp_path)
    old = hashlib.sha256(b"x").hexdigest()
    assert now.files == {
        "kept.txt": old,
        "changed.txt": old,
        "gone.txt": old,
        "renewed.txt": hashlib.sha256(b"z").hexdigest(),
        "new.bin": hashlib.sha256(b"y").hexdigest(),
    }
    for name, said in (("changed.txt", "not the file"), ("gone.txt", "is missing")):
        with pytest.raises(StoreError, match=said):
            now.file(name)


@pytest.mark.parametrize("content", ["{", "[]", "{}", "\x00"])
def test_a_manifest_that_is_none_is_named(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(StoreError, match=r"manifest\.json"):
        open_run(tmp_path)
