"""From a composed configuration to an experiment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass

from omegaconf import DictConfig, OmegaConf

from segrun.config.experiment import Experiment
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean


def to_experiment(composed: DictConfig) -> Experiment:
    """Return the experiment that a composed configuration describes, all values resolved.

    Raises
    ------
    omegaconf.errors.OmegaConfBaseException
        If a mandatory value is missing, or a value does not fit the schema.
    ConfigError
        If a key was added (``+key=value``) that the schema does not have.
    """
    refuse_added_keys(composed, "")
    # The schema is in the defaults list, so what is composed is typed already; merging it once
    # more would cost 8 ms a job.
    if OmegaConf.get_type(composed) is not Experiment:
        merged = OmegaConf.merge(OmegaConf.structured(Experiment), composed)
        assert isinstance(merged, DictConfig)
        composed = merged
    experiment = OmegaConf.to_object(composed)
    assert isinstance(experiment, Experiment)
    return experiment


def refuse_added_keys(node: DictConfig, prefix: str, names: Iterable[str] | None = None) -> None:
    """Refuse what ``+key=value`` adds to a typed node, though its schema does not have it.

    Parameters
    ----------
    node : DictConfig
        The node.
    prefix : str
        Its full key, with a point at the end.
    names : iterable of str, optional
        The keys there that are looked at, by default all.

    Raises
    ------
    ConfigError
        Naming the key and those that are there.
    """
    schema = OmegaConf.get_type(node)
    known = [item.name for item in fields(schema)] if is_dataclass(schema) else list(node)
    for name in map(str, node if names is None else names):
        if name not in known:
            raise ConfigError(
                f"unknown key {prefix}{name}.{did_you_mean(name, known)} "
                f"Keys there: {', '.join(known)}"
            )
        elsewhere = OmegaConf.is_missing(node, name) or OmegaConf.is_interpolation(node, name)
        child = None if elsewhere else node[name]
        if isinstance(child, DictConfig):
            refuse_added_keys(child, f"{prefix}{name}.")
