"""The page of ``segrun plugins``: every algorithm that is installed, and those that are broken."""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import Any

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
        lines.append(f"{name}  (YAML alone: {content['estimator']})")
        lines += _about(content)
    for broken in registry.broken():
        lines.append(f"{broken.name}  ({broken.distribution}) does not load: {broken.error}")
    return "\n".join(lines) + "\n"


def _about(content: dict[str, Any]) -> list[str]:
    params = ", ".join(content.get("params") or {})
    grid = ", ".join(f"{axis} {values}" for axis, values in (content.get("grid") or {}).items())
    return [f"    parameters: {params}", f"    grid: {grid or 'none'}"]


def _yaml_only() -> list[str]:
    from segrun.compose import conf_directory

    names = {file.stem for file in (conf_directory() / "algo").glob("*.yaml")}
    return sorted(names - set(registry.algorithms()))


def _yaml(package: str, name: str) -> dict[str, Any]:
    from segrun.compose import conf_directory

    # segrun's own conf/ is no package in a checkout.
    root = (
        conf_directory()
        if package == "segrun.conf"
        else Path(str(importlib.resources.files(package)))
    )
    content = config.read_yaml(root / "algo" / f"{name}.yaml")
    assert isinstance(content, dict)
    return content
