"""What the TAB key completes: Hydra knows keys and groups, but no commands of segrun."""

from __future__ import annotations

import os
from collections.abc import Container
from contextlib import redirect_stderr
from pathlib import Path

from segrun.cli.arguments import is_file


def complete(arguments: list[str], line: str, commands: Container[str]) -> int:
    """Print what can follow the words of a line, and return the exit code."""
    # Late: Hydra takes long to import.
    from segrun.cli.compose import launch

    program, *words = line.split(" ")
    done = [word for word in words[:-1] if word and not word.startswith("-")]
    if done and (done[0] == "plan" or is_file(done[0])):
        del done[0]
    elif done and done[0] in commands:
        return 0
    os.environ["COMP_LINE"] = " ".join([program, "-m", *done, *words[-1:]])
    # Between the lines that somebody types, a complaint is of no use.
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        redirect_stderr(nowhere),
    ):
        return launch(arguments)
