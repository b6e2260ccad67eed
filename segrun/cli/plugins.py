"""``segrun plugins``: every algorithm that is installed; the conformance tests of one."""

from __future__ import annotations

import importlib.resources
import importlib.util
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from yaml import YAMLError

from segrun import config
from segrun.algorithms import registry
from segrun.algorithms.foreign import contained
from segrun.algorithms.registry import yaml_folders, yaml_only
from segrun.cli.pages import COMMANDS
from segrun.config import AlgoConfig, BackendName
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean

_WIDTH = 96


def plugins_command(arguments: Sequence[str]) -> int:
    """Show every algorithm, check one or begin one, and return the exit code."""
    match arguments:
        case []:
            print(plugins_page(), end="")  # noqa: T201
            return 0
        case ["check", name]:
            return check_command(name)
        case ["new", name, *folder] if len(folder) <= 1:
            from segrun.algorithms.skeleton import new_command

            return new_command(name, Path(folder[0]) if folder else None)
    raise ConfigError(f"segrun plugins {' '.join(arguments)}: write {COMMANDS['plugins'].usage}")


def plugins_page() -> str:
    """Return every algorithm with distribution, version, parameters, grid and whether it runs."""
    # Late: scikit-learn takes over a second to import.
    from segrun.algorithms.backend import Backend

    backend = Backend(BackendName.onedal.value)
    lines = []
    for name, plugin in sorted(registry.algorithms().items()):
        lines.append(f"{name}  ({plugin.distribution} {plugin.version})")
        lines += _about(_yaml(plugin.algorithm.conf, name), name, backend)
    for name in yaml_only():
        content = _yaml("segrun.conf", name)
        lines.append(f"{name}  (YAML alone: {content.get('estimator', 'does not load')})")
        lines += _about(content, name, backend)
    for broken in registry.broken():
        lines.append(f"{broken.name}  ({broken.distribution})")
        lines += _told(f"cannot run here: it does not load: {broken.error}")
    return "\n".join(lines) + "\n"


def _about(content: dict[str, Any], name: str, backend: Any) -> list[str]:
    wrong = content.get("broken") or _misshapen(content)
    if wrong:
        return _told(f"cannot run here: its YAML cannot be read: {wrong}")
    params = ", ".join(
        option if value is None else f"{option}={value}"
        for option, value in (content.get("params") or {}).items()
    )
    grid = ", ".join(f"{axis} {values}" for axis, values in (content.get("grid") or {}).items())
    return [
        *_told(f"parameters: {params or 'none'}"),
        *_told(f"grid: {grid or 'none'}"),
        *_told(_runs(content, name, backend)),
    ]


def _misshapen(content: dict[str, Any]) -> str:
    """Return which part of the YAML is no mapping, or an empty text."""
    parts = [part for part in ("params", "grid") if not isinstance(content.get(part) or {}, dict)]
    return " and ".join(f"{part} must be names with values" for part in parts)


def _runs(content: dict[str, Any], name: str, backend: Any) -> str:
    """Make the estimator of the first point, which imports whatever it needs."""
    from segrun.algorithms import points, resolve

    found: dict[str, Any] = {key: content.get(key) or {} for key in ("params", "grid")}
    algo = AlgoConfig(str(content.get("name", name)), content.get("estimator"), **found)
    # What composition resolves: ${seed}.
    algo.params = {k: 0 if isinstance(v, str) and "${" in v else v for k, v in algo.params.items()}
    try:
        # stdout is for the page.
        with contained():
            estimator = resolve(algo, 0).make(backend, **points(algo)[0].params)
        reason = backend.refusal(estimator)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - foreign code raises anything
        return f"cannot run here: {type(error).__name__}: {' '.join(str(error).split())}"
    return f"runs on sklearn ({reason})" if reason else f"runs on {backend.name}"


def _told(text: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent="    ", subsequent_indent="      ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _yaml(package: str, name: str) -> dict[str, Any]:
    """Return the YAML that `algo=name` takes: the user's, segrun's or the plugin's."""
    files = [folder / "algo" / f"{name}.yaml" for folder in yaml_folders()]
    try:
        if package != "segrun.conf":
            # The package may be a folder without __init__.py, which has no path of its own.
            found = importlib.resources.files(package) / "algo" / f"{name}.yaml"
            files.append(Path(str(found)))
        content = config.read_yaml(next(file for file in files if file.is_file()))
    except StopIteration:
        content = f"there is no algo/{name}.yaml in {package}"
    except (ImportError, ValueError, YAMLError) as error:
        content = str(error)
    # Somebody's broken file is told in its place; the page goes on.
    return content if isinstance(content, dict) else {"broken": " ".join(str(content).split())}


_MODULE = """\
from segrun.algorithms.testing import AlgorithmConformance


class Test(AlgorithmConformance):
    name = {name!r}
"""


def check_command(name: str) -> int:
    """Do ``segrun plugins check NAME`` and return the exit code: 0 if every test passes."""
    alone = yaml_only()
    if name not in alone:
        _find(name, alone)
    if importlib.util.find_spec("pytest") is None:
        raise ConfigError("segrun plugins check needs pytest: pip install 'segrun[test]'")
    with TemporaryDirectory() as folder:
        module = Path(folder) / f"test_{name}.py"
        module.write_text(_MODULE.format(name=name), encoding="utf-8")
        options = ["-q", "-rfEX", "--tb=short", "--no-header", "-p", "no:cacheprovider"]
        # In the current directory: ./conf belongs to what is checked.
        done = subprocess.run(  # noqa: S603 - our own file
            [sys.executable, "-m", "pytest", *options, f"--rootdir={folder}", "-c",
             str(_settings(folder)), str(module)],
            check=False,
        )  # fmt: skip
    return 0 if done.returncode == 0 else 1


def _find(name: str, alone: list[str]) -> None:
    known = [*registry.algorithms(), *alone]
    broken = {plugin.name for plugin in registry.broken()}
    if name not in known and name not in broken:
        raise ConfigError(
            f"segrun plugins check {name}: there is no such algorithm.{did_you_mean(name, known)} "
            f"Installed: {', '.join(sorted(known))}"
        )
    registry.find(name)


def _settings(folder: str) -> Path:
    """Return pytest settings of our own: those of the current directory are another project's."""
    path = Path(folder) / "pytest.ini"
    path.write_text("[pytest]\n", encoding="utf-8")
    return path
