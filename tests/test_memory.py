"""The memory that control groups leave, from files as the kernel writes them."""

from pathlib import Path

import psutil
import pytest

from segrun.memory import available_bytes, group_left_bytes, resident_bytes

V1 = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
V2 = "memory.max", "memory.current", "inactive_file"


def group(folder: Path, names, limit, used, cached):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]} {cached}\n")


@pytest.fixture
def own(tmp_path):
    def write(text):
        file = tmp_path / "cgroup"
        file.write_text(text)
        return file

    return write


def test_the_narrowest_group_of_the_path_counts(tmp_path, own):
    root = tmp_path / "fs"
    group(root / "a", V2, 1000, 100, 0)
    group(root / "a" / "b", V2, "max", 90, 0)
    group(root / "a" / "b" / "c", V2, 5000, 80, 0)
    assert group_left_bytes(root, own("0::/a/b/c\n")) == 900


def test_files_in_the_cache_are_room(tmp_path, own):
    root = tmp_path / "fs"
    group(root / "a", V2, 1000, 900, 300)
    assert group_left_bytes(root, own("0::/a\n")) == 400
    group(root / "a", V2, 1000, 1200, 0)
    assert group_left_bytes(root, own("0::/a\n")) == 0


def test_the_first_version_of_control_groups(tmp_path, own):
    root = tmp_path / "fs"
    group(root / "memory" / "job", V1, 1000, 300, 50)
    assert group_left_bytes(root, own("9:cpu:/job\n4:memory:/job\n0::/\n")) == 750


def test_a_container_sees_its_own_group_as_the_root(tmp_path, own):
    root = tmp_path / "fs"
    group(root, V2, 2000, 500, 0)
    assert group_left_bytes(root, own("0::/kubepods/of/the/host\n")) == 1500


@pytest.mark.parametrize("text", ["", "0::/a\n", "nonsense\n", "0::/../..\n"])
def test_without_a_limit_there_is_none(tmp_path, own, text):
    assert group_left_bytes(tmp_path / "fs", own(text)) is None
    assert group_left_bytes(tmp_path / "fs", tmp_path / "missing") is None


def test_this_process_has_some():
    assert 0 < available_bytes() <= psutil.virtual_memory().total
    assert 0 < resident_bytes() < psutil.virtual_memory().total
