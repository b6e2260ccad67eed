"""Arguments of a command that is not Hydra's: options, positions, and clear refusals."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from segrun.cli.pages import COMMANDS
from segrun.errors import ConfigError


class Arguments(argparse.ArgumentParser):
    """argparse whose complaints are segrun's."""

    def __init__(self, command: str) -> None:
        super().__init__(add_help=False, allow_abbrev=False)
        self.command = command

    def read(self, arguments: Sequence[str]) -> dict[str, Any]:
        """Return the values by name, dashes as underscores."""
        return vars(self.parse_intermixed_args(list(arguments)))

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments."""
        raise misuse(self.command, message)


def misuse(command: str, message: str) -> ConfigError:
    """Return the error that says what is wrong with a command, and how it is written."""
    return ConfigError(f"{message}. Usage: {COMMANDS[command].usage}")


def is_file(text: str) -> bool:
    """Tell whether an argument names a file with an experiment."""
    return text.endswith((".yaml", ".yml")) and ("=" not in text or Path(text).is_file())
