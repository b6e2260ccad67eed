"""Arguments of a command that is not Hydra's: options, positions, and clear refusals."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
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
