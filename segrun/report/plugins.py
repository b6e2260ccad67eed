"""The page of ``segrun plugins``: every algorithm that is installed, and those that are broken."""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import Any

from yaml import YAMLError

from segrun import config
from segrun.algorithms import registry


def plugins_page() -> str:
    """Return every algorithm with distribution, version, parameters and grid."""
    lines = []
    for name, plugin in sorted(registry.algorithms().items()):
        lines.append(f"{name}  ({plugin.distribution} {plugin.version})")
        lines += _about(_yaml(plugin.algorithm.conf, name))
    for name in _yaml_only():
        content = _yaml("segrun.conf", name)
        lines.append(f"{name}  (YAML alone: {content.get('estimator', 'does not load')})")
        lines += _about(content)
    for broken in registry.broken():
        lines.append(f"{broken.name}  ({broken.distribution}) does not load: {broken.error}")
    return "\n".join(lines) + "\n"


def _about(content: dict[str, Any]) -> list[str]:
    if "broken" in content:
        return [f"    its YAML cannot be read: {content['broken']}"]
    params = ", ".join(content.get("params") or {})
    grid = ", ".join(f"{axis} {values}" for axis, values in (content.get("grid") or {}).items())
    return [f"    parameters: {params}", f"    grid: {grid or 'none'}"]


def _yaml_only() -> list[str]:
    names = {file.stem for folder in _own_folders() for file in (folder / "algo").glob("*.yaml")}
    return sorted(names - set(registry.algorithms()))


def _own_folders() -> list[Path]:
    user = config.user_conf_directory()
    return [*([user] if user else []), config.conf_directory()]


def _yaml(package: str, name: str) -> dict[str, Any]:
    """Return the YAML that `algo=name` takes: the user's, segrun's or the plugin's."""
    folders = _own_folders()
    if package != "segrun.conf":
        folders.append(Path(str(importlib.resources.files(package))))
    files = [folder / "algo" / f"{name}.yaml" for folder in folders]
    try:
        content = config.read_yaml(next(file for file in files if file.is_file()))
    except (StopIteration, ValueError, YAMLError) as error:
        content = str(error)
    # Somebody's broken file is told in its place; the page goes on.
    return content if isinstance(content, dict) else {"broken": " ".join(str(content).split())}
