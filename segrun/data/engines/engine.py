"""The table of engines: what each needs, and the extra that brings it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from segrun.config import (
    DuckdbConfig,
    EngineConfig,
    EngineName,
    ModinConfig,
    PysparkConfig,
    Runner,
    conf_directory,
    read_yaml,
)
from segrun.config.values import built
from segrun.errors import ConfigError


@dataclass(frozen=True)
class Engine:
    """An engine.

    Attributes
    ----------
    name : EngineName
        What the configuration calls it; its reader is the module of that name beside this one.
    libraries : sequence of str
        Distributions that it needs, the engine's own first; each is imported by its name.
    extra : str
        What ``pip install 'segrun[EXTRA]'`` brings them by; empty: segrun has them.
    settings : type
        Its keys.
    starts : str
        What it starts besides this process, empty if nothing.
    choice : mapping of str to str
        Keys that tell it from another one of the same name.
    """

    name: EngineName
    libraries: Sequence[str]
    extra: str = ""
    settings: type[EngineConfig] = EngineConfig
    starts: str = ""
    choice: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> str:
        """The first library that is not installed, empty where all are."""
        # Looking takes no time, importing takes seconds.
        return next((name for name in self.libraries if find_spec(name) is None), "")

    @property
    def cure(self) -> str:
        """How it is installed."""
        return f"pip install 'segrun[{self.extra}]'"

    @property
    def version(self) -> str:
        """The engine's own library and its version, such as ``duckdb 2.0.0``."""
        try:
            return f"{self.libraries[0]} {version(self.libraries[0])}"
        except PackageNotFoundError:
            return self.libraries[0]

    def defaults(self) -> EngineConfig:
        """Return the settings that ``conf/engine`` gives it."""
        values = read_yaml(conf_directory() / "engine" / f"{self.name.value}.yaml")
        values.pop("defaults", None)
        found: EngineConfig = built(self.settings, values | dict(self.choice))
        return found


#: Every engine as people tell them apart. Modin and Spark hand results over through Arrow.
ENGINES = {
    "polars": Engine(EngineName.polars, ("polars",)),
    "pandas": Engine(EngineName.pandas, ("pandas",)),
    "duckdb": Engine(EngineName.duckdb, ("duckdb",), "duckdb", DuckdbConfig),
    "modin on ray": Engine(
        EngineName.modin,
        ("modin", "ray", "pyarrow"),
        "modin-ray",
        ModinConfig,
        "starts workers",
        {"runner": "ray"},
    ),
    "modin on dask": Engine(
        EngineName.modin,
        ("modin", "distributed", "pyarrow"),
        "modin-dask",
        ModinConfig,
        "starts workers",
        {"runner": "dask"},
    ),
    "pyspark": Engine(
        EngineName.pyspark, ("pyspark", "pyarrow"), "spark", PysparkConfig, "starts Java"
    ),
}


def engine_of(config: EngineConfig) -> Engine:
    """Return the engine that a configuration chooses."""
    return next(
        engine
        for engine in ENGINES.values()
        if engine.name is config.name
        and all(
            getattr(config, key, Runner(value)).value == value
            for key, value in engine.choice.items()
        )
    )


def check(config: EngineConfig) -> None:
    """Refuse an engine that is not installed, before any data is read."""
    name, engine = config.name.value, engine_of(config)
    if config.name is not engine.name or not isinstance(config, engine.settings):
        raise ConfigError(
            f"engine.name={name} has the keys of another engine: choose engine={name}"
        )
    if engine.missing:
        raise ConfigError(
            f"engine={name} needs {engine.missing}, which is not installed here: {engine.cure}. "
            "Or choose engine=polars, which gives the same features"
        )
