"""The command line: sub-commands and help are segrun's own, everything else is Hydra's."""

from __future__ import annotations

import faulthandler
import gc
import os
import sys
from contextlib import redirect_stderr
from importlib import import_module, metadata
from pathlib import Path
from typing import TextIO

from segrun import interrupt
from segrun.cli.arguments import is_file
from segrun.cli.pages import COMMANDS, HELP
from segrun.errors import ConfigError, SegrunError
from segrun.nearest import did_you_mean


def main() -> None:
    """Run the console script ``segrun`` and exit."""
    # Closed by the caller (2>&-), which print and progress cannot bear.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    # A crash in compiled code, which no except sees, then says what crashed, and where.
    faulthandler.enable()
    try:
        interrupt.listen()
        code = dispatch(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = _say("interrupted", 130)
    except SegrunError as error:
        code = _say(str(error), 2 if isinstance(error, ConfigError) else 1)
    except BrokenPipeError:
        # Whoever read our output has seen enough (| head).
        _silence_stdout()
        code = 1
    except OSError as error:
        code = _say(f"the output cannot be written: {error}", 1)
        _silence_stdout()
    # Else Python looks for garbage once more among all that was imported: half a second. DuckDB
    # complains of what is not collected.
    if "duckdb" not in sys.modules:
        gc.freeze()
    sys.exit(code)


def _silence_stdout() -> None:
    # What is still buffered would fail again when Python exits.
    with _nowhere() as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def dispatch(arguments: list[str]) -> int:
    """Do what the arguments ask for and return the exit code."""
    # A file can be named behind an option: segrun -m FILE.yaml seed=1,2
    first = next((text for text in arguments if not text.startswith("-")), "")
    if "-h" in arguments or "--help" in arguments:
        print(COMMANDS[first].page() if first in COMMANDS else HELP, end="")  # noqa: T201
        return 0
    if "--version" in arguments:
        print(f"segrun {metadata.version('segrun')}")  # noqa: T201
        return 0
    if any(text.startswith("query=") for text in arguments) and "COMP_LINE" in os.environ:
        return _complete(arguments, os.environ["COMP_LINE"])
    if is_file(first):
        from segrun.cli.compose import launch_file

        arguments = list(arguments)
        arguments.remove(first)
        return launch_file(Path(first), arguments)
    first = arguments[0] if arguments else ""
    if first and first[0] not in "-+~" and "=" not in first:
        return _command(first, arguments[1:])
    # Late: Hydra takes longer to import than the pages above take to print.
    from segrun.cli.compose import launch

    return launch(arguments)


def _command(name: str, rest: list[str]) -> int:
    if name not in COMMANDS:
        return _say(
            f"unknown command {name!r}.{did_you_mean(name, COMMANDS)} "
            f"Commands: {', '.join(COMMANDS)}\nSee segrun --help",
            2,
        )
    # Late: what a command needs takes longer to import than its page to print.
    module, _, function = COMMANDS[name].target.partition(":")
    code: int = getattr(import_module(module), function)(rest)
    return code


def plan(rest: list[str]) -> int:
    """Show what a multirun would do, and return the exit code."""
    from segrun.cli.compose import launch, launch_file
    from segrun.cli.session import Planning

    asked = [argument for argument in rest if argument not in ("-m", "--multirun", "--estimate")]
    planning = Planning(estimate="--estimate" in rest)
    if asked and is_file(asked[0]):
        return launch_file(Path(asked[0]), ["--multirun", *asked[1:]], planning)
    return launch(["--multirun", *asked], planning)


def _complete(arguments: list[str], line: str) -> int:
    """Print what can follow the words of a line, and return the exit code."""
    # Late: Hydra takes long to import.
    from segrun.cli.compose import launch

    program, *words = line.split(" ")
    done = [word for word in words[:-1] if word and not word.startswith("-")]
    if done and (done[0] == "plan" or is_file(done[0])):
        del done[0]
    elif done and done[0] in COMMANDS:
        return 0
    os.environ["COMP_LINE"] = " ".join([program, "-m", *done, *words[-1:]])
    # Between the lines that somebody types, a complaint is of no use.
    with _nowhere() as nowhere, redirect_stderr(nowhere):
        return launch(arguments)


def _say(message: str, code: int) -> int:
    print(f"segrun: {message}", file=sys.stderr)  # noqa: T201
    return code
