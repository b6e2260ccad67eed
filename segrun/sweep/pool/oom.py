"""The kernel's killer of processes, for lack of memory: whom it takes, and how many it took."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

#: The worst that the kernel knows is 1000; the parent has 0.
_SCORE = 500


def prefer_this_process() -> None:
    """Make the kernel, when it runs out of memory, choose this process and not its parent."""
    path = Path("/proc/self/oom_score_adj")
    with suppress(OSError, ValueError):
        if int(path.read_text()) < _SCORE:
            path.write_text(str(_SCORE))


def n_kills() -> int:
    """Return how many processes the kernel has killed for lack of memory, as far as it tells."""
    total = 0
    for path in (Path("/proc/vmstat"), *_control_groups()):
        with suppress(OSError, ValueError):
            lines = (line.split() for line in path.read_text().splitlines())
            total += sum(int(line[1]) for line in lines if line[0] == "oom_kill")
    return total


def _control_groups() -> list[Path]:
    """Return where the control groups of this process count."""
    found = []
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:
                found.append(Path(f"/sys/fs/cgroup{path}/memory.events"))
            elif controllers == "memory":
                found.append(Path(f"/sys/fs/cgroup/memory{path}/memory.oom_control"))
    return found
