"""The page of ``segrun doctor``: what is installed here, and what works."""

from __future__ import annotations

import platform

from segrun import environment
from segrun.config import EngineName, conf_directory, user_conf_directory
from segrun.errors import StoreError

_SHOWN = ("segrun", "hydra-core", "omegaconf", "polars", "narwhals", "pandas", "numpy",
          "scikit-learn", "scikit-learn-intelex", "optuna", "joblib")  # fmt: skip


def doctor_page() -> tuple[str, bool]:
    """Return the page, and whether everything that should work here does."""
    from segrun import backend

    backends = backend.available()
    engines = {engine.value: _engine(engine) for engine in EngineName}
    lines = [
        *_machine(),
        "",
        "versions",
        *_versions(),
        "",
        "backends (each proven by a small fit)",
        *_states(backends),
        "",
        "engines (each proven by a small query)",
        *_states(engines),
        "",
        *_folders(),
    ]
    # Without oneDAL, stock scikit-learn runs: a fact to see, not a fault.
    healthy = not backends["sklearn"] and not any(engines.values())
    return "\n".join(lines) + "\n", healthy


def _machine() -> list[str]:
    import psutil

    memory = psutil.virtual_memory()
    return [
        f"python     {platform.python_version()} on {platform.platform()}",
        f"processor  {environment.cpu_model()}, {psutil.cpu_count()} logical cores",
        f"memory     {memory.total / 2**30:.1f} GiB, {memory.available / 2**30:.1f} GiB available",
    ]


def _versions() -> list[str]:
    found = environment.versions()
    return [f"  {name:<22} {found.get(name, 'not installed')}" for name in _SHOWN]


def _states(states: dict[str, str]) -> list[str]:
    return [f"  {name:<22} {reason or 'works'}" for name, reason in states.items()]


def _engine(engine: EngineName) -> str:
    assert engine is EngineName.polars
    try:
        import narwhals as nw

        from segrun.datasets.synthetic_retail import generate

        frame = nw.from_native(generate(2, seed=0)[0]).lazy()
        frame.select(nw.len()).collect()
    except Exception as error:  # noqa: BLE001 - whatever fails is what the page is to say
        return f"does not work: {type(error).__name__}: {error}"
    return ""


def _folders() -> list[str]:
    from segrun.cache import cache_directory

    lines = [f"configuration  {conf_directory()}"]
    if user := user_conf_directory():
        lines.append(f"               {user} (yours, comes first)")
    try:
        return [*lines, f"cache          {cache_directory()}"]
    except StoreError as error:
        return [*lines, f"cache          {error}"]
