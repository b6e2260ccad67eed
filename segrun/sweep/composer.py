"""Many configurations of one command: composed once per choice of groups, values merged."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from segrun.errors import ConfigError
from segrun.sweep.loader import chooses, refuse_fixed_axes

#: Parts of the ``hydra`` node that a job's configuration and folder may refer to. All of it would
#: take 8 ms a job.
_REFERRED = ("job", "sweep", "overrides", "runtime", "mode")
_UNREFERRED = {"job": ("config", "env_set", "env_copy"), "runtime": ("config_sources",)}


@dataclass(frozen=True)
class Composed:
    """One job's configuration without the ``hydra`` node, of which `hydra` has what differs."""

    task: DictConfig
    hydra: Mapping[str, Any]
    folder: str


class Composer:
    """Composes the jobs of a sweep by Hydra's loader and the sweep's own configuration.

    Hydra takes some 90 ms for a configuration. Jobs that choose the same option of every group
    differ in values only, and merging those takes 1 ms.
    """

    def __init__(self, loader: ConfigLoader, master: DictConfig) -> None:
        assert isinstance(loader, ConfigLoaderImpl)
        self.loader, self.master = loader, master
        self.directory = Path(str(master.hydra.sweep.dir)).absolute()
        self._own = plain(master.hydra)
        #: What all jobs have in common that choose the same option of every group.
        self._bases: dict[tuple[str, ...], tuple[DictConfig, dict[str, Any]]] = {}
        self._parsed: dict[str, Override] = {}

    def bring_sweeps(self, values: Sequence[str]) -> bool:
        """Tell whether several values are options that can set more than their own group."""
        found = [self.loader.repository.load_config(value.replace("=", "/", 1)) for value in values]
        return len(found) > 1 and any(o and o.header["package"] == "_global_" for o in found)

    def committed(self, overrides: Sequence[str]) -> dict[str, Any]:
        """Return the ``hydra.sweeper.params`` that a job's choice of groups brings, by key."""
        _, hydra = self._base(self._split(overrides)[0])
        return dict(hydra["sweeper"].get("params") or {})

    def parse(self, overrides: Sequence[str]) -> list[Override]:
        """Return what Hydra's grammar makes of the overrides."""
        missing = [text for text in overrides if text not in self._parsed]
        for override in OverridesParser.create(config_loader=self.loader).parse_overrides(missing):
            assert override.input_line is not None
            self._parsed[override.input_line] = override
        return [self._parsed[text] for text in overrides]

    def _split(self, overrides: Sequence[str]) -> tuple[list[Override], list[Override]]:
        """Return those that choose an option of a group, as Hydra sees it, and the others."""
        parsed = self.parse(overrides)
        choices = [override for override in parsed if chooses(self.loader, override)]
        return choices, [override for override in parsed if override not in choices]

    def compose(self, overrides: Sequence[str], number: int) -> Composed:
        """Return the configuration of one job: the same as Hydra composes, and its errors."""
        choices, values = self._split(overrides)
        base, hydra = self._base(choices)
        task = copy.deepcopy(base)
        # Hydra's own function: its rules for +, ++ and ~ and its messages.
        ConfigLoaderImpl._apply_overrides_to_config(values, task)
        refuse_fixed_axes(values, task)
        OmegaConf.copy_cache(from_config=self.master, to_config=task)
        style = hydra["job"]["config"]["override_dirname"]
        parts = {
            **hydra,
            "job": {**hydra["job"], "override_dirname": _dirname([*choices, *values], style)},
            "overrides": {**hydra["overrides"], "task": list(overrides)},
        }
        folder, parts = place(task, parts, number, self.directory)
        return Composed(task, self._differing(parts), folder)

    def _refuse_own(self, texts: Sequence[str], hydra: Mapping[str, Any]) -> None:
        """Refuse what one of several experiments sets of that which all jobs of a sweep share."""
        for part, of_a_job in (("launcher", ()), ("sweeper", ("params",)), ("sweep", ("subdir",))):
            own, ours = hydra[part], self._own[part]
            for key in own:
                if key not in of_a_job and own[key] != ours.get(key):
                    choice = f"hydra/{part}={hydra['runtime']['choices'].get(f'hydra/{part}')}"
                    setting = choice if key == "_target_" else f"hydra.{part}.{key}={own[key]}"
                    raise ConfigError(
                        f"{' '.join(texts)} sets {setting}, which all jobs of a sweep share: give "
                        "it on the command line, or run the experiment alone"
                    )

    def _differing(self, parts: Mapping[str, Any]) -> dict[str, Any]:
        return {
            f"hydra.{key}": value for key, value in parts.items() if self._own.get(key) != value
        }

    def _base(self, choices: Sequence[Override]) -> tuple[DictConfig, dict[str, Any]]:
        texts = tuple(str(override.input_line) for override in choices)
        if texts not in self._bases:
            own = OmegaConf.to_container(self.master.hydra.overrides.hydra)
            assert isinstance(own, list)
            whole = self.loader.load_configuration(
                config_name=self.master.hydra.job.config_name,
                overrides=[*own, *texts],
                run_mode=RunMode.RUN,
            )
            hydra = plain(whole.hydra)
            self._refuse_own(texts, hydra)
            with open_dict(whole):
                del whole["hydra"]
            self._bases[texts] = (whole, hydra)
        return self._bases[texts]


def _dirname(parsed: Sequence[Override], style: Mapping[str, Any]) -> str:
    """Return ``hydra.job.override_dirname``, which Hydra 1.3 computes and 1.4 resolves."""
    lines = sorted(
        str(override.input_line)
        for override in parsed
        if override.key_or_group not in style["exclude_keys"]
    )
    return str(style["item_sep"]).join(lines).replace("=", style["kv_sep"])


def place(
    task: DictConfig, node: Mapping[str, Any], number: int, sweep: Path
) -> tuple[str, dict[str, Any]]:
    """Return the folder of a job, and its ``hydra`` node with number and directory filled in.

    The folder may refer to anything in the job's configuration. The sweep directory is absolute: it
    may be named after an experiment, of which each job can have another.
    """
    job = {**node["job"], "num": number, "id": str(number)}
    light = _light({**node, "job": job})
    # What ${hydra:...} looks into; not set_config, which wants the heavy parts as well.
    HydraConfig.instance().cfg = OmegaConf.create({"hydra": light})  # type: ignore[assignment]
    with open_dict(task):
        task.hydra = light
        folder = str(task.hydra.sweep.subdir)
        del task["hydra"]
    output = str(sweep / folder)
    return folder, {**node, "job": job, "runtime": {**node["runtime"], "output_dir": output}}


def _light(node: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: node[key] for key in _REFERRED if key in node}
    for part, names in _UNREFERRED.items():
        found[part] = {key: value for key, value in found[part].items() if key not in names}
    return found


def plain(config: DictConfig, *, resolve: bool = False) -> dict[str, Any]:
    """Return a configuration as plain values, interpolations as they stand unless resolved."""
    found = OmegaConf.to_container(
        config, resolve=resolve, throw_on_missing=resolve, enum_to_str=True
    )
    assert isinstance(found, dict)
    return {str(name): value for name, value in found.items()}
