"""``segrun cache``: what is kept, and how it goes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from segrun.cli.arguments import Arguments
from segrun.data.cache.directory import cache_directory, remove_leftovers
from segrun.data.cache.entry import KINDS, Entry, entries
from segrun.errors import ConfigError
from segrun.formats import in_bytes


def cache_command(arguments: Sequence[str]) -> int:
    """Show or clear what is kept of large inputs, and return the exit code."""
    parser = Arguments("cache")
    parser.add_argument("what", nargs="?", choices=["clear"])
    parser.add_argument("--older", type=_days, metavar="DAYS")
    asked = parser.read(arguments)
    what, older = asked["what"], asked["older"]
    if what is None and older is not None:
        parser.error("--older goes with clear")
    if what is None:
        print(page(), end="")  # noqa: T201
        return 0
    return _clear(older)


def page() -> str:
    """Return every entry with its size, what it is of, when it was made and last used."""
    cache = cache_directory()
    found = entries(cache)
    lines = [f"{cache}"]
    for entry in found:
        told = entry.told() or {"what": "damaged", "made": "-"}
        used = "in use" if entry.users() else f"used {entry.last_used:%Y-%m-%d %H:%M}"
        lines.append(
            f"  {in_bytes(entry.n_bytes):>9}  {told['what']}  made {_moment(told['made'])}, {used}"
        )
    total = sum(entry.n_bytes for entry in found)
    lines.append(f"{len(found)} kept, {in_bytes(total)}. To remove them: segrun cache clear")
    return "\n".join(lines) + "\n"


def _moment(text: str) -> str:
    return text[:16].replace("T", " ")


def _clear(older: timedelta | None) -> int:
    n_bytes, busy = 0, []
    removed: list[Entry] = []
    for entry in entries():
        if older is not None and datetime.now() - entry.last_used < older:
            continue
        size = entry.n_bytes
        if entry.remove():
            removed.append(entry)
            n_bytes += size
        else:
            busy.append(entry)
    n_bytes += _remove_leftovers(cache_directory())
    if older is None:
        _forget_digests(cache_directory())
    print(f"{len(removed)} removed, {in_bytes(n_bytes)}")  # noqa: T201
    for entry in busy:
        pids = ", ".join(map(str, entry.users()))
        print(f"segrun: {entry.path} is used by process {pids} and stays", file=sys.stderr)  # noqa: T201
    return 1 if busy else 0


def _remove_leftovers(cache: Path) -> int:
    """Remove what killed processes have left behind, and return its size."""
    n_bytes = remove_leftovers(cache, "reading")
    return n_bytes + sum(remove_leftovers(cache / kind, "making") for kind in KINDS)


def _forget_digests(cache: Path) -> None:
    for file in (cache / "digests").glob("*.json"):
        file.unlink(missing_ok=True)


def _days(text: str) -> timedelta:
    try:
        days = float(text)
        if days < 0:
            raise ValueError
        return timedelta(days=days)
    except (ValueError, OverflowError):
        raise ConfigError(
            f"segrun cache clear --older {text}: give a number of days, 0 or more, such as 30"
        ) from None
