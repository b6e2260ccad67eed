"""How to come to the same again: command, configuration, environment."""

from __future__ import annotations

import shlex
from typing import Any

from segrun.config import read_yaml
from segrun.formats import gibibytes
from segrun.report.html.section import Section, reproduce_command
from segrun.report.html.subject import Subject

_LIBRARIES = ("segrun", "scikit-learn", "scikit-learn-intelex", "numpy", "scipy", "polars",
              "hydra-core", "numba", "matplotlib")  # fmt: skip


def section(subject: Subject) -> Section:
    """Return the foot of the page."""
    run = subject.run
    found = run.environment
    overrides = ".hydra/overrides.yaml"
    given = read_yaml(run.file(overrides)) if run.has(overrides) else []
    return Section(
        "reproduce",
        "Once more",
        {
            "command": shlex.join(["segrun", *map(str, given or [])]),
            "again": reproduce_command(run.path),
            "experiment": run.file("experiment.yaml").read_text("utf-8"),
            "facts": _facts(found, run.manifest),
        },
    )


def _facts(found: dict[str, Any], manifest: Any) -> list[tuple[str, str]]:
    versions = found.get("versions", {})
    memory = found.get("memory_bytes")
    git = found.get("git_of_current_directory") or {}
    commit = str(git.get("commit", "")) + (", with changes" if git.get("dirty") else "")
    facts = {
        "started": manifest.get("started"),
        "finished": manifest.get("finished"),
        "seed": found.get("seed"),
        "input": manifest.get("input", {}).get("sha256"),
        "processor": found.get("cpu"),
        "cores": found.get("usable_cores"),
        "memory": gibibytes(memory) if memory else None,
        "system": found.get("platform"),
        "python": found.get("python"),
        **{name: versions.get(name) for name in _LIBRARIES},
        "git": commit or None,
    }
    return [(name, str(value)) for name, value in facts.items() if value not in (None, "")]
