"""The table of engines: its choices, and what is said of one that is not installed."""

from dataclasses import replace

import pytest

from segrun.config import EngineName
from segrun.data.engines import ENGINES, check, engine_of
from segrun.errors import ConfigError


@pytest.mark.heavy
def test_every_engine_has_settings_and_every_setting_leads_to_its_engine(composed):
    assert {engine.name for engine in ENGINES.values()} == set(EngineName)
    for name, engine in ENGINES.items():
        assert engine_of(engine.defaults()) is engine, name
        chosen = [f"engine.{key}={value}" for key, value in engine.choice.items()]
        config = composed(f"engine={engine.name.value}", *chosen).engine
        assert config == engine.defaults()


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_that_is_not_installed_is_refused_with_what_installs_it(name, monkeypatch):
    engine = ENGINES[name]
    absent = replace(engine, libraries=("no_such_library",))
    monkeypatch.setitem(ENGINES, name, absent)
    with pytest.raises(ConfigError, match=r"needs no_such_library.*pip install 'segrun\[") as said:
        check(engine.defaults())
    assert f"[{engine.extra}]" in str(said.value)


@pytest.mark.heavy
def test_a_name_without_its_settings_is_refused(composed):
    with pytest.raises(ConfigError, match="choose engine=duckdb"):
        check(composed("engine.name=duckdb").engine)
