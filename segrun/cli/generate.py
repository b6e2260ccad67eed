"""``segrun generate``: the command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from segrun.cli.arguments import Arguments, misuse
from segrun.cli.compose import compose_experiment
from segrun.config import check_ranges
from segrun.data.datasets import check
from segrun.data.generate import generate, size_key
from segrun.errors import ConfigError
from segrun.using.export.files import refuse_existing
from segrun.using.export.targets import check_targets

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_ALLOWED = re.compile(r"(experiment|dataset|seed|\+*dataset\.[\w.]+)=")


def generate_command(arguments: Sequence[str]) -> int:
    """Do what the arguments of ``segrun generate`` ask for and return the exit code."""
    parser = Arguments("generate")
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--output", required=True)
    parser.add_argument("--bytes")
    parser.add_argument("--replace", action="store_true")
    given = parser.read(arguments)
    for override in given["overrides"]:
        if not _ALLOWED.match(override):
            raise misuse("generate", f"{override}: only the dataset and the seed count here")
    size = None if given["bytes"] is None else read_bytes(given["bytes"])
    path = Path(given["output"]).expanduser()
    check_targets([path], [])
    if not given["replace"]:
        refuse_existing(path, option="--replace")
    experiment = compose_experiment(given["overrides"])
    config = experiment.dataset
    key = f"dataset.{size_key(config)}"
    check_ranges(experiment)
    check(config)
    if size is not None and any(o.startswith(f"{key}=") for o in given["overrides"]):
        raise ConfigError(f"--bytes chooses {key}: leave out one of them")
    made = generate(config, experiment.seed, path, about_bytes=size)
    print(f"{path}: {made.n_rows} rows, {made.n_bytes} bytes, {key}={made.n_users}")  # noqa: T201
    return 0


def read_bytes(text: str) -> int:
    """Return the bytes that a text such as ``6.8GB`` stands for: K, M, G, T are powers of 1000."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGT]?)B?", text.strip(), re.IGNORECASE)
    n_bytes = round(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
    if not n_bytes:
        raise ConfigError(f"--bytes takes a size such as 500MB or 6.8GB. Got {text!r} instead")
    return n_bytes
