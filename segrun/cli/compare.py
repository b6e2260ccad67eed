"""``segrun compare``: finished runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from segrun.cli.arguments import Arguments, misuse
from segrun.using.compare import compare, open_side
from segrun.using.ingest.since import told

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def compare_command(arguments: Sequence[str]) -> int:
    """Do what the arguments of ``segrun compare`` ask for and return the exit code."""
    parser = Arguments("compare")
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--point", action="append", default=[])
    given = parser.read(arguments)
    paths, points = given["runs"], given["point"]
    if not 2 <= len(paths) <= len(_LETTERS) or len(points) not in (0, len(paths)):
        raise misuse("compare", f"{len(paths)} runs and {len(points)} points cannot be compared")
    points = points or [None] * len(paths)
    sides = [
        open_side(letter, Path(path).expanduser(), point)
        for letter, path, point in zip(_LETTERS, paths, points, strict=False)
    ]
    print(compare(sides))  # noqa: T201
    for side in sides:
        if later := told(side.run):
            print(f"{side.letter} is compared as it was; {later}")  # noqa: T201
    return 0
