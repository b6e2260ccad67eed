"""``segrun plugins check``: the conformance suite, run on an installed algorithm."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from segrun.algorithms import registry
from segrun.algorithms.registry import yaml_only
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean

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
