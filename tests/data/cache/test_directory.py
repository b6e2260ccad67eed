from pathlib import Path

import pytest

from segrun.data.cache import cache_directory
from segrun.errors import StoreError


def test_the_variable_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGRUN_CACHE", str(tmp_path / "mine"))
    assert cache_directory() == tmp_path / "mine"
    assert (tmp_path / "mine").is_dir()


def test_a_folder_that_cannot_be_made_is_refused_naming_the_cure(tmp_path, monkeypatch):
    Path(tmp_path / "file").write_text("")
    monkeypatch.setenv("SEGRUN_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(StoreError, match="SEGRUN_CACHE=DIR"):
        cache_directory()
