"""The memory that this process may still take: the machine's, and that of its control groups."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def available_bytes() -> int:
    """Return the bytes that can be taken before something must go."""
    import psutil

    system = int(psutil.virtual_memory().available)
    left = group_left_bytes()
    return system if left is None else min(system, left)


def resident_bytes() -> int:
    """Return the bytes of memory that this process holds."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def group_left_bytes(groups: Path = _GROUPS, own: Path = _OWN) -> int | None:
    """Return the least that any control group of this process has left; None without a limit."""
    left: list[int] = []
    with suppress(OSError, ValueError):
        for line in own.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:
                left += _left(groups, path, "memory.max", "memory.current", "inactive_file")
            elif "memory" in controllers.split(","):
                left += _left(
                    groups / "memory", path,
                    "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file",
                )  # fmt: skip
    return min(left, default=None)


def _left(root: Path, path: str, limit: str, used: str, cached: str) -> list[int]:
    """Return what the group and every group above it have left, where they have a limit."""
    found = []
    # Inside a container the path is the host's, and not there: the root is then the own group.
    inner = root / path.strip("/")
    for group in (inner, *inner.parents):
        with suppress(OSError, ValueError):
            # "max" is no number: no limit.
            room = int((group / limit).read_text()) - int((group / used).read_text())
            # Files in the cache go when room is needed.
            found.append(max(0, room + _statistic(group / "memory.stat", cached)))
        if group == root:
            break
    return found


def _statistic(file: Path, name: str) -> int:
    lines = (line.split() for line in file.read_text().splitlines())
    return next((int(line[1]) for line in lines if line[0] == name), 0)
