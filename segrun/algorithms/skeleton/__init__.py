"""``segrun plugins new``: a distribution with one algorithm, to begin with."""

from __future__ import annotations

import builtins
import keyword
import re
import shlex
import tempfile
from importlib.resources import files
from pathlib import Path
from string import Template

from segrun.errors import ConfigError, StoreError

#: The files of the template, and where they go.
_FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "init.py": "{package}/__init__.py",
    "clusterer.py": "{package}/clusterer.py",
    "algo.yaml": "{package}/conf/algo/{name}.yaml",
    "test_conformance.py": "tests/test_conformance.py",
}

#: Words that mean something else: to YAML, or as the name of the class.
_TAKEN = {
    "null", "none", "true", "false", "yes", "no", "on", "off", "nan", "inf",
    "base_estimator", "cluster_mixin",
}  # fmt: skip

#: Names of files and folders have 255 letters at most, and the name is only a part of them.
_MAX_LETTERS = 64


def write_skeleton(name: str, folder: Path) -> Path:
    """Write a working plugin.

    Parameters
    ----------
    name : str
        Name of its algorithm.
    folder : Path
        Folder for the distribution's own folder, ``segrun-NAME``.

    Returns
    -------
    Path
        The distribution's folder.

    Raises
    ------
    ConfigError
        If the name is no Python name in small letters, is too long, is an installed
        algorithm's, or its class would hide one of Python's.
    StoreError
        If the folder is there already, or cannot be written.
    """
    _check(name)
    target = folder / f"segrun-{name.replace('_', '-')}"
    words = {
        "name": name,
        "package": f"segrun_{name}",
        "distribution": target.name,
        "Class": _class(name),
    }
    try:
        if target.exists():
            raise StoreError(
                f"{target} is there already: choose another name or folder, or remove it"
            )
        folder.mkdir(parents=True, exist_ok=True)
        # Renamed at the end: what is there is whole.
        with tempfile.TemporaryDirectory(dir=folder, prefix=".segrun-new-") as temporary:
            _write(Path(temporary) / "new", words)
            (Path(temporary) / "new").rename(target)
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error.strerror or error}") from error
    return target


def new_command(name: str, folder: Path | None) -> int:
    """Do ``segrun plugins new NAME [FOLDER]`` and return the exit code."""
    target = write_skeleton(name, folder or Path())
    print(  # noqa: T201
        f"{target} is a working plugin. Install it, check it, run it:\n"
        f"  pip install -e {shlex.quote(str(target))}\n"
        f"  segrun plugins check {name}\n"
        f"  segrun algo={name}\n"
        f"Your own code goes into {target / f'segrun_{name}' / 'clusterer.py'}"
    )
    return 0


def _check(name: str) -> None:
    from segrun.algorithms import registry
    from segrun.algorithms.registry import yaml_only

    plain = re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)
    if not plain or keyword.iskeyword(name) or name in _TAKEN:
        raise ConfigError(
            f"segrun plugins new {name}: the name becomes a Python package, a folder and a file; "
            "begin with a small letter, go on with small letters, digits and single underscores "
            "between them, and take no word of Python or YAML"
        )
    if len(name) > _MAX_LETTERS:
        raise ConfigError(
            f"segrun plugins new {name}: the name has {len(name)} letters; files and folders are "
            f"called after it, so take at most {_MAX_LETTERS}"
        )
    if hasattr(builtins, _class(name)):
        raise ConfigError(
            f"segrun plugins new {name}: its class would be {_class(name)}, which hides Python's "
            f"own: choose another, such as {name}_clusters"
        )
    owners = {plugin.name: plugin.distribution for plugin in registry.broken()}
    owners |= dict.fromkeys(yaml_only(), f"algo/{name}.yaml")
    owners |= {other: plugin.distribution for other, plugin in registry.algorithms().items()}
    if name in owners:
        raise ConfigError(
            f"segrun plugins new {name}: {owners[name]} has an algorithm of that name: "
            "choose another"
        )


def _class(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _write(folder: Path, words: dict[str, str]) -> None:
    for source, place in _FILES.items():
        text = (files("segrun.algorithms.skeleton") / "template" / f"{source}.txt").read_text(
            "utf-8"
        )
        path = folder / place.format(**words)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(text).substitute(words), encoding="utf-8")
