import logging
import sys
from contextlib import suppress
from importlib.metadata import distributions
from inspect import signature

import pytest

from segrun.algorithms import registry
from segrun.errors import ConfigError


@pytest.fixture
def entries(tmp_path):
    """Install distributions with one algorithm each: entries(("name", "module:object"), ...)."""

    def install(*registered):
        for number, (name, value) in enumerate(registered):
            folder = tmp_path / f"plug{number}-1.{number}.dist-info"
            folder.mkdir()
            (folder / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: plug{number}\nVersion: 1.{number}\n"
            )
            (folder / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{name} = {value}\n")
        return [e for found in distributions(path=[str(tmp_path)]) for e in found.entry_points]

    return install


KMEANS = ("kmeans", "segrun.algorithms.kmeans:algorithm")
DBSCAN = ("dbscan", "segrun.algorithms.dbscan:algorithm")


@pytest.mark.heavy
def test_an_algorithm_is_found_with_its_distribution(entries):
    found, faulty = registry.load(entries(KMEANS, DBSCAN))
    assert list(found) == ["dbscan", "kmeans"]
    assert faulty == []
    plugin = found["dbscan"]
    assert (plugin.distribution, plugin.version) == ("plug1", "1.1")
    assert plugin.algorithm.name == "dbscan"


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("gone", "segrun_no_such_module:algorithm", "ModuleNotFoundError"),
        ("gone", "segrun.algorithms.kmeans:algoritm", "AttributeError"),
        ("wrong", "segrun.algorithms.kmeans:make", "not a segrun.algorithms.base.Algorithm"),
        ("other", "segrun.algorithms.kmeans:algorithm", "calls itself 'kmeans'"),
    ],
)
def test_a_broken_plugin_is_a_warning_naming_its_distribution(entries, caplog, name, value, error):
    with caplog.at_level(logging.WARNING, "segrun.plugins"):
        found, faulty = registry.load(entries(DBSCAN, (name, value)))
    assert list(found) == ["dbscan"]
    assert (faulty[0].name, faulty[0].distribution) == (name, "plug1")
    assert error in faulty[0].error
    (record,) = caplog.records
    assert record.name == "segrun.plugins"
    assert "plug1 1.1" in record.getMessage()
    assert error in record.getMessage()


MODULE = """
import os
from segrun.algorithms.base import Algorithm

class PanicException(BaseException):
    pass

print("hello by Python")
os.write(1, b"hello by the system\\n")
"""
MAKE = """
def make(backend, n_clusters=3):
    print("making")
    raise PanicException("no such device")

algorithm = Algorithm("own", make, "own.conf")
"""


@pytest.fixture
def own(entries, tmp_path, monkeypatch):
    """Register a module of this text: own(text)."""

    def install(text):
        (tmp_path / "own.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "own", raising=False)
        return entries(("own", "own:algorithm"))

    yield install
    sys.modules.pop("own", None)


def test_a_plugin_that_panics_when_it_is_imported_is_left_out(own):
    found, faulty = registry.load(own(f"{MODULE}\nraise PanicException('no such device')"))
    assert found == {}
    assert faulty[0].error == "RuntimeError: PanicException: no such device"


def test_a_plugin_that_panics_when_it_makes_its_estimator_gives_an_error(own):
    found, _ = registry.load(own(MODULE + MAKE))
    make = found["own"].algorithm.make
    with pytest.raises(RuntimeError, match="PanicException: no such device"):
        make(None)
    assert list(signature(make).parameters) == ["backend", "n_clusters"]


def test_what_a_plugin_prints_when_it_is_loaded_goes_to_stderr(own, capfd):
    found, _ = registry.load(own(MODULE + MAKE))
    with suppress(RuntimeError):
        found["own"].algorithm.make(None)
    out, err = capfd.readouterr()
    assert out == ""
    assert sorted(err.split()) == sorted("hello by Python hello by the system making".split())


def test_a_name_registered_twice_is_refused_naming_both(entries):
    twice = entries(KMEANS, KMEANS)
    with pytest.raises(ConfigError, match=r"'kmeans': plug0 1\.0 .* and plug1 1\.1 .*Uninstall"):
        registry.load(twice)


def test_an_unknown_name_lists_what_is_installed_and_the_nearest(entries):
    found, faulty = registry.load(entries(KMEANS, DBSCAN))
    with pytest.raises(
        ConfigError, match=r"algo\.name=kmean .*Did you mean 'kmeans'\?.*dbscan, km"
    ):
        registry.choose("kmean", found, faulty)


def test_asking_for_a_broken_plugin_says_why_it_is_missing(entries):
    found, faulty = registry.load(entries(("gone", "segrun_no_such_module:algorithm")))
    with pytest.raises(ConfigError, match=r"algo\.name=gone.*plug0.*segrun_no_such_module"):
        registry.choose("gone", found, faulty)


def test_the_built_ins_come_by_the_same_road():
    installed = registry.algorithms()
    for name in ("kmeans", "dbscan"):
        assert installed[name].distribution == "segrun"
        assert registry.find(name) is installed[name].algorithm
    assert not [plugin for plugin in registry.broken() if plugin.distribution == "segrun"]
