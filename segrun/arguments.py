"""Arguments of a command that is not Hydra's: options, positions, and clear refusals."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from segrun.errors import ConfigError


class Arguments(argparse.ArgumentParser):
    """argparse whose complaints are segrun's.

    Parameters
    ----------
    usage : str
        One line that shows how the command is written.
    """

    def __init__(self, usage: str) -> None:
        super().__init__(usage=usage, add_help=False, allow_abbrev=False)

    def read(self, arguments: Sequence[str]) -> dict[str, Any]:
        """Return the values by name, dashes as underscores.

        Raises
        ------
        ConfigError
            If they are not what the usage says.
        """
        return vars(self.parse_intermixed_args(list(arguments)))

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments."""
        raise ConfigError(f"{message}. Usage: {self.usage}")


def is_file(text: str) -> bool:
    """Tell whether an argument names a file with an experiment."""
    return text.endswith((".yaml", ".yml")) and ("=" not in text or Path(text).is_file())


def changed(values: Mapping[str, Any], changes: Sequence[str], group: str) -> dict[str, Any]:
    """Return the plain values of a group of the experiment with some of its keys changed.

    Parameters
    ----------
    values : mapping
        As `experiment.yaml` holds them.
    changes : sequence of str
        ``dataset.sheet=March``, values as in YAML.
    group : str
        The only group that may be changed.

    Raises
    ------
    ConfigError
        If a change is of another group, or of a key that it lacks.
    """
    # Late: Hydra's grammar is not needed without a change.
    from segrun.declared import declared
    from segrun.override import setting

    found = dict(values)
    for change in changes:
        key, equals, _ = change.partition("=")
        if not equals or not key.startswith(f"{group}."):
            raise ConfigError(f"{change}: only {group}.KEY=VALUE can be changed here")
        path, value = setting(change)
        place = found
        for depth, name in enumerate(path[1:], 1):
            holders = declared(".".join(path[:depth]))
            if name not in place and not all(holder.is_open for holder in holders):
                known = ", ".join(place)
                raise ConfigError(f"{change}: unknown key {key}. Keys there: {known}")
            if depth < len(path) - 1:
                place[name] = dict(place[name] or {})
                place = place[name]
        place[path[-1]] = value
    return found
