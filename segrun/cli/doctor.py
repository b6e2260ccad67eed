"""The page of ``segrun doctor``: what is installed here, and what works."""

from __future__ import annotations

import platform
from collections.abc import Sequence

from segrun.cli.arguments import Arguments
from segrun.config import conf_directory, user_conf_directory
from segrun.data.engines import ENGINES, Engine
from segrun.errors import StoreError
from segrun.formats import gibibytes
from segrun.rundir import environment

_SHOWN = ("segrun", "hydra-core", "omegaconf", "polars", "narwhals", "pandas", "numpy",
          "scikit-learn", "scikit-learn-intelex", "optuna", "joblib")  # fmt: skip


def doctor_command(arguments: Sequence[str]) -> int:
    """Show the page; return 0 where everything that should work here does, otherwise 1."""
    parser = Arguments("doctor")
    parser.add_argument("--all", action="store_true")
    page, healthy = doctor_page(start=parser.read(arguments)["all"])
    print(page, end="")  # noqa: T201
    return 0 if healthy else 1


def doctor_page(*, start: bool = False) -> tuple[str, bool]:
    """Return the page, and whether everything that should work here does."""
    from segrun.algorithms import backend

    backends = backend.available()
    engines = {name: _engine(engine, start=start) for name, engine in ENGINES.items()}
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
    healthy = not backends["sklearn"] and not engines["polars"]
    return "\n".join(lines) + "\n", healthy


def _machine() -> list[str]:
    import psutil

    memory = psutil.virtual_memory()
    return [
        f"python     {platform.python_version()} on {platform.platform()}",
        f"processor  {environment.cpu_model()}, {psutil.cpu_count()} logical cores",
        f"memory     {gibibytes(memory.total)}, {gibibytes(memory.available)} available",
    ]


def _versions() -> list[str]:
    found = environment.versions()
    return [f"  {name:<22} {found.get(name, 'not installed')}" for name in _SHOWN]


def _states(states: dict[str, str]) -> list[str]:
    return [f"  {name:<22} {reason or 'works'}" for name, reason in states.items()]


def _engine(engine: Engine, *, start: bool) -> str:
    """Return what to say of an engine, empty where it is proven to work."""
    if engine.missing:
        return f"not installed: {engine.cure}"
    if engine.starts and not start:
        return f"installed ({engine.version}), {engine.starts}: segrun doctor --all proves it"
    try:
        _query(engine)
    except Exception as error:  # noqa: BLE001 - whatever fails is what the page is to say
        return f"does not work: {type(error).__name__}: {error}"
    return ""


def _query(engine: Engine) -> None:
    """Group a few rows by an engine."""
    import narwhals as nw

    from segrun.data.datasets import invoice_lines
    from segrun.data.datasets.synthetic_retail import generate
    from segrun.data.engines import collected, hand_over

    frame = nw.from_native(generate(2, seed=0)[0]).lazy()
    with hand_over(invoice_lines(frame, "CustomerID", {}), engine.defaults()) as rows:
        collected(rows.frame.group_by("CustomerID").agg(nw.len().alias("n")))


def _folders() -> list[str]:
    from segrun.data.cache import cache_directory

    lines = [f"configuration  {conf_directory()}"]
    if user := user_conf_directory():
        lines.append(f"               {user} (yours, comes first)")
    try:
        return [*lines, f"cache          {cache_directory()}"]
    except StoreError as error:
        return [*lines, f"cache          {error}"]
