"""Committed expectations: what an experiment of ``conf/`` must come to, as JSON beside its YAML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segrun.config import conf_directory, user_conf_directory
from segrun.errors import ConfigError, StoreError
from segrun.nearest import did_you_mean
from segrun.rundir.atomic import write_text
from segrun.sweep.reproduce.results import Results, from_plain

_ENDING = ".expected.json"


@dataclass(frozen=True)
class Committed:
    """One committed expectation.

    Attributes
    ----------
    file : Path
        Where it stands.
    arguments : list of str
        Of the command that gave the results, without ``-m``, input and output.
    results : Results
        What it came to.
    """

    file: Path
    arguments: list[str]
    results: Results


def find(name: str) -> Path:
    """Return the file with the expectation of an experiment: the user's own first.

    Raises
    ------
    ConfigError
        If there is none.
    """
    folders = [own for own in (user_conf_directory(), conf_directory()) if own is not None]
    known: list[str] = []
    for folder in folders:
        file = folder / "experiment" / f"{name}{_ENDING}"
        if file.is_file():
            return file
        known += [f.name.removesuffix(_ENDING) for f in file.parent.glob(f"*{_ENDING}")]
    raise ConfigError(
        f"segrun reproduce {name}: there is no such directory or file, and no experiment of that "
        f"name with expectations.{did_you_mean(name, known)} Experiments with expectations: "
        f"{', '.join(sorted(known)) or 'none'}"
    )


def read(file: Path) -> Committed:
    """Return the expectation that a file holds.

    Raises
    ------
    StoreError
        If it holds none.
    """
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        jobs = {folder: from_plain(job) for folder, job in content["jobs"].items()}
        return Committed(
            file, list(content["arguments"]), Results(jobs, dict(content["environment"]))
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{file} holds no expectation ({error!r}): write one with segrun reproduce --write "
            "FILE RUN_OR_SWEEP"
        ) from error


def write(file: Path, arguments: Sequence[str], results: Results) -> None:
    """Write an expectation.

    Parameters
    ----------
    file : Path
        Such as ``conf/experiment/mine.expected.json``.
    arguments : sequence of str
        Of the command that gave the results.
    results : Results
        What it came to.
    """
    left_out = ("-", "hydra", "dataset.path=")
    content = {
        "arguments": [text for text in arguments if not text.startswith(left_out)],
        "environment": dict(results.environment),
        "jobs": {folder: job.plain() for folder, job in results.jobs.items()},
    }
    write_text(file, json.dumps(content, indent=1) + "\n")
