"""Arguments of a command that is not Hydra's: options, positions, and clear refusals."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
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
    return text.endswith((".yaml", ".yml")) and "=" not in text


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
    found = dict(values)
    for change in changes:
        path, equals, text = change.partition("=")
        first, *names = path.split(".")
        if not equals or first != group or not names:
            raise ConfigError(f"{change}: only {group}.KEY=VALUE can be changed here")
        place = found
        for depth, name in enumerate(names):
            if name not in place:
                known = ", ".join(place)
                raise ConfigError(f"{change}: unknown key {path}. Keys there: {known}")
            if depth < len(names) - 1:
                place[name] = dict(place[name] or {})
                place = place[name]
        place[names[-1]] = _value(text, place[names[-1]])
    return found


def _value(text: str, current: Any) -> Any:
    from segrun.config import read_value

    named = isinstance(current, str | None)
    try:
        found = read_value(text)
    except ConfigError:
        # %d.%m.%Y is no YAML.
        if named:
            return text
        raise
    # A sheet called 2011 is a name.
    return text if named and not isinstance(found, str | list | dict | None) else found
