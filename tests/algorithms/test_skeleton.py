"""What segrun plugins new writes, refuses and leaves behind. That it works: test_plugin_docs."""

import ast
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from segrun.algorithms.skeleton import new_command, write_skeleton
from segrun.errors import ConfigError, StoreError


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_one_folder_is_written_with_everything_that_a_distribution_needs(tmp_path):
    target = write_skeleton("soft_means", tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["segrun-soft-means"]
    assert files(target) == [
        "README.md",
        "pyproject.toml",
        "segrun_soft_means/__init__.py",
        "segrun_soft_means/clusterer.py",
        "segrun_soft_means/conf/algo/soft_means.yaml",
        "tests/test_conformance.py",
    ]


@pytest.mark.heavy
@given(name=st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True))
def test_whatever_name_is_taken_gives_whole_files(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("new")
    try:
        target = write_skeleton(name, folder)
    except ConfigError:
        assert list(folder.iterdir()) == []
        return
    for source in target.rglob("*.py"):
        tree = ast.parse(source.read_text())
        assert "$" not in source.read_text()
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        assert not {"BaseEstimator", "ClusterMixin"} & {c.name for c in classes}
    project = tomllib.loads((target / "pyproject.toml").read_text())["project"]
    assert project["name"] == target.name
    assert project["entry-points"]["segrun.algorithms"] == {name: f"segrun_{name}:algorithm"}
    content = yaml.safe_load((target / f"segrun_{name}/conf/algo/{name}.yaml").read_text())
    assert content["name"] == name
    assert content["params"]["random_state"] == "${seed}"


@pytest.mark.parametrize(
    "name",
    ["Soft", "2soft", "soft-means", "soft means", "", "../soft", "soft\n", "soft_", "soft__means",
     "class", "lambda", "none", "true", "null", "base_estimator"],
)  # fmt: skip
def test_a_name_that_breaks_a_file_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="the name becomes a Python package"):
        write_skeleton(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "hidden"),
    [("value_error", "ValueError"), ("warning", "Warning"), ("ellipsis", "Ellipsis")],
)
def test_a_name_whose_class_would_hide_pythons_own_is_refused(tmp_path, name, hidden):
    with pytest.raises(ConfigError, match=f"its class would be {hidden}, .* {name}_clusters$"):
        write_skeleton(name, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert write_skeleton(f"{name}_clusters", tmp_path).is_dir()


def test_a_name_that_is_too_long_is_refused_and_the_longest_is_written(tmp_path):
    with pytest.raises(ConfigError, match=r"the name has 300 letters; .* at most 64$"):
        write_skeleton("a" * 300, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert write_skeleton("a" * 64, tmp_path).is_dir()


@pytest.mark.parametrize(("name", "owner"), [("kmeans", "segrun"), ("birch", "algo/birch.yaml")])
def test_the_name_of_an_algorithm_that_is_there_is_refused(tmp_path, name, owner):
    with pytest.raises(ConfigError, match=f"{name}: {owner} has an algorithm of that name"):
        write_skeleton(name, tmp_path)


@pytest.mark.parametrize("there", ["file", "folder"])
def test_what_is_there_already_is_not_touched(tmp_path, there):
    target = tmp_path / "segrun-mine"
    if there == "file":
        target.write_text("mine")
    else:
        target.mkdir()
    with pytest.raises(StoreError, match="segrun-mine is there already"):
        write_skeleton("mine", tmp_path)
    assert target.is_dir() == (there == "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["segrun-mine"]


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot write .*segrun-mine"):
        write_skeleton("mine", tmp_path / "file" / "below")
    with pytest.raises(StoreError, match=r"cannot write .*segrun-mine"):
        write_skeleton("mine", tmp_path / ("a" * 300))


@pytest.mark.parametrize("n_written", range(6))
def test_an_interrupted_write_leaves_nothing(tmp_path, monkeypatch, n_written):
    written = []
    write_text = Path.write_text

    def interrupted(path, *arguments, **options):
        if len(written) == n_written:
            raise KeyboardInterrupt
        written.append(path)
        return write_text(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_skeleton("mine", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_commands_that_are_printed_fit_the_folder(tmp_path, capsys):
    folder = tmp_path / "my plugins"
    assert new_command("mine", folder) == 0
    lines = capsys.readouterr().out.splitlines()
    commands = [shlex.split(line) for line in lines if line.startswith("  ")]
    assert commands == [
        ["pip", "install", "-e", str(folder / "segrun-mine")],
        ["segrun", "plugins", "check", "mine"],
        ["segrun", "algo=mine"],
    ]
