"""Experiments in files of the user's: differences from the defaults, or the whole of one."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.plugins.config_source import ConfigResult
from omegaconf import MISSING, DictConfig, OmegaConf

from segrun.config import KINDS, Experiment, conf_directory, kind_of
from segrun.sweep.composer import plain

#: Begins the name of an option that is a part of a file: Hydra takes one that a file of ``conf/``
#: has for that file's schema.
OPTION = "file_"


class UserFolder(FileConfigSource):
    """The user's ./conf, whose experiments need no head and may be whole ones."""

    @staticmethod
    def scheme() -> str:
        """Return what the address of such a folder begins with."""
        return "segrun-conf"

    def is_config(self, config_path: str) -> bool:
        """Tell whether there is such a file, or a whole experiment that has such a part."""
        return super().is_config(config_path) or self._part(config_path) is not None

    def load_config(self, config_path: str) -> ConfigResult:
        """Return one file's content."""
        part = self._part(config_path)
        if part is not None:
            address = f"{self.scheme()}://{self.path}"
            return ConfigResult(self.provider, address, part, header={"package": None})
        found = super().load_config(config_path)
        group, _, name = config_path.removesuffix(".yaml").partition("/")
        if group == "experiment" and name and isinstance(found.config, DictConfig):
            found.header["package"] = found.header.get("package") or "_global_"
            found.config, _ = as_experiment(name, found.config)
        return found

    def _part(self, config_path: str) -> DictConfig | None:
        group, _, option = config_path.removesuffix(".yaml").partition("/")
        name = option.removeprefix(OPTION)
        file = Path(self.path, "experiment", f"{name}.yaml")
        if name == option or not file.is_file():
            return None
        node = OmegaConf.load(file)
        return as_experiment(name, node)[1].get(group) if isinstance(node, DictConfig) else None


def as_experiment(name: str, node: DictConfig) -> tuple[DictConfig, dict[str, DictConfig]]:
    """Return the content of a file as an experiment that Hydra can lay over the defaults.

    Of a whole experiment, as ``--cfg job`` shows it and runs keep it, every group becomes an
    option of its own, which another one that is asked for replaces as a whole.
    """
    needed = {item.name for item in fields(Experiment) if item.default == MISSING} - {"sweep"}
    if "defaults" in node or not needed <= set(node):
        return node, {}
    values = plain(node)
    folders = conf_directory()
    groups = [k for k, part in values.items() if isinstance(part, dict) and (folders / k).is_dir()]
    parts = {group: _part(group, values.pop(group)) for group in groups}
    chosen = [{f"override /{group}": f"{OPTION}{name}"} for group in groups]
    return OmegaConf.create({"defaults": [*chosen, "_self_"], **values}), parts


def _part(group: str, values: dict[str, Any]) -> DictConfig:
    schema = [f"/schema/{group}/{kind_of(group, values)}@_here_"] if group in KINDS else []
    return OmegaConf.create({"defaults": [*schema, "_self_"], **values})
