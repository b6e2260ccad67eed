"""What happened: where the time went, and how to come to the same again."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import Any

from segrun.config import read_yaml
from segrun.formats import as_float, gibibytes
from segrun.report.html.page import Section, reproduce_command
from segrun.report.html.reported import ReportedRun, Rows

_LIBRARIES = ("segrun", "scikit-learn", "scikit-learn-intelex", "numpy", "scipy", "polars",
              "hydra-core", "numba", "matplotlib")  # fmt: skip


def timings(subject: ReportedRun) -> Section | None:
    """Return seconds and memory by stage."""
    by_stage: dict[str, Rows] = {}
    for row in subject.run.timings:
        by_stage.setdefault(row["stage"], []).append(row)
    if not by_stage:
        return None
    stages = [_stage(stage, rows) for stage, rows in by_stage.items()]
    longest = max(stage["wall"] for stage in stages) or 1.0
    return Section("timings", "Timings", {"stages": stages, "longest": longest})


def _stage(stage: str, rows: Rows) -> dict[str, Any]:
    memory = [found for row in rows if (found := as_float(row["peak_rss_bytes"])) is not None]
    ran = Counter(row["backend_ran"] for row in rows if row["backend_ran"])
    return {
        "stage": stage,
        "n": len(rows),
        "wall": sum(as_float(row["wall_seconds"]) or 0.0 for row in rows),
        "cpu": sum(as_float(row["cpu_seconds"]) or 0.0 for row in rows),
        "memory": max(memory, default=None),
        "ran": ", ".join(f"{name} {n}" if n > 1 else name for name, n in ran.items()),
        "reasons": list(dict.fromkeys(row["reason"] for row in rows if row["reason"])),
    }


def foot(subject: ReportedRun) -> Section:
    """Return command, configuration and environment."""
    run, overrides = subject.run, ".hydra/overrides.yaml"
    given = read_yaml(run.file(overrides)) if run.has(overrides) else []
    return Section(
        "reproduce",
        "Once more",
        {
            "command": shlex.join(["segrun", *map(str, given or [])]),
            "again": reproduce_command(run.path),
            "experiment": run.file("experiment.yaml").read_text("utf-8"),
            "facts": _facts(subject),
        },
    )


def _facts(subject: ReportedRun) -> list[tuple[str, str]]:
    run, found = subject.run, subject.run.environment
    memory, versions = found.get("memory_bytes"), found.get("versions", {})
    git = found.get("git_of_current_directory") or {}
    facts = {
        "started": run.manifest.get("started"),
        "finished": run.manifest.get("finished"),
        "seed": found.get("seed"),
        "input": run.manifest.get("input", {}).get("sha256"),
        "processor": found.get("cpu"),
        "cores": found.get("usable_cores"),
        "memory": memory and gibibytes(memory),
        "system": found.get("platform"),
        "python": found.get("python"),
        **{library: versions.get(library) for library in _LIBRARIES},
        "git": git.get("commit", "") + (", with changes" if git.get("dirty") else ""),
    }
    return [(name, str(value)) for name, value in facts.items() if value not in (None, "")]
