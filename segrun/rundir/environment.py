"""What a run ran on: digest of the code, versions, processor, memory, threads, git state."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS",
    "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS", "NUMBA_THREADING_LAYER", "OMP_WAIT_POLICY",
)  # fmt: skip

_FIELD = re.compile(r"^(Name|Version):[ \t]*(\S+)", re.MULTILINE)


def describe_environment(seed: int) -> dict[str, Any]:
    """Return the content of ``environment.json``."""
    import psutil
    import threadpoolctl

    return {
        "command_line": sys.argv,
        "seed": seed,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": versions(),
        "code": own_code(),
        "cpu": cpu_model(),
        "logical_cores": psutil.cpu_count(),
        "usable_cores": usable_cores(),
        "physical_cores": psutil.cpu_count(logical=False),
        "memory_bytes": psutil.virtual_memory().total,
        "threads": {name: os.environ[name] for name in _THREAD_VARIABLES if name in os.environ},
        "thread_pools": [
            {key: pool[key] for key in ("user_api", "internal_api", "num_threads", "version")}
            for pool in threadpoolctl.threadpool_info()
        ],
        "git_of_current_directory": git_state(Path.cwd()),
    }


def usable_cores() -> int:
    """Return the cores that this process may use: also what oneDAL and polars take by default."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def versions() -> dict[str, str]:
    """Return the version of every installed distribution, by lower-case name."""
    found = {}
    for distribution in metadata.distributions():
        # Not distribution.metadata, which parses whole pages: 60 ms instead of 5. A damaged
        # installation can lack it.
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
        head = dict(_FIELD.findall(text.partition("\n\n")[0]))
        if len(head) == 2:
            found[head["Name"].lower()] = head["Version"]
    return dict(sorted(found.items()))


def cpu_model() -> str:
    """Return the processor's name; ``platform.processor()`` only says x86_64 on Linux."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def git_state(folder: Path) -> dict[str, Any] | None:
    """Return commit and dirty state of the work tree around `folder`, None outside of one."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    return {"commit": commit, "dirty": bool(_git(folder, "status", "--porcelain"))}


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            ["git", *arguments],  # noqa: S607 - the user's own git
            cwd=folder, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@cache
def own_code() -> str:
    """Return the digest of the code that this process runs, as it stood at the first call."""
    return code_digest(Path(__file__).parent.parent)


def code_digest(package: Path) -> str:
    """Return a short digest of every Python file of a package, or of a module that is one file."""
    # Files are read as a whole, at some 10 ms for all of segrun: a copy or a checkout can leave
    # the time of change as it was.
    if package.is_file():
        return hashlib.sha256(package.read_bytes()).hexdigest()[:12]
    digest = hashlib.sha256()
    for name, path in sorted(_files(str(package), "")):
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - Path.open takes twice the time
            digest.update(f"{name}\0".encode() + hashlib.sha256(file.read()).digest())
    return digest.hexdigest()[:12]


def _files(folder: str, within: str) -> Iterator[tuple[str, str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(entry.path, f"{within}{entry.name}/")
            elif entry.name.endswith(".py"):
                yield f"{within}{entry.name}", entry.path
