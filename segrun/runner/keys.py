"""Content keys: two jobs, or two points, with one key come to the same results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

from segrun.algorithms.grid import Point
from segrun.rundir.environment import own_code

#: What results depend on besides configuration and input. The plugin's own comes on top.
LIBRARIES = (
    "segrun", "numpy", "scipy", "scikit-learn", "scikit-learn-intelex", "numba", "polars",
    "narwhals",
)  # fmt: skip
#: Beside their versions: segrun's own changes with releases only.
CODE = "code of segrun"

#: Keys of an experiment that change no result. Features are the same to the last bit by every
#: engine (tests/data/engines), so what one has computed serves for all; which one it was is in the
#: manifest and in timings.csv.
_WITHOUT_EFFECT = ("name", "sweep", "cache", "engine")


def libraries(identity: str) -> dict[str, str]:
    """Return the versions that a result depends on.

    Parameters
    ----------
    identity : str
        What tells the algorithm from an earlier state of it: see ``algorithms.identity``.

    Returns
    -------
    dict of str to str
        Version by distribution, empty for one that is not installed; a digest of segrun's code;
        ``algorithm`` is `identity`.
    """
    versions = {name: _version(name) for name in LIBRARIES}
    return {**versions, CODE: own_code(), "algorithm": identity}


@cache
def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def job_key(
    experiment: Mapping[str, Any], input_sha256: str | None, versions: Mapping[str, str]
) -> str:
    """Return the content key of a job.

    Parameters
    ----------
    experiment : mapping
        The experiment as plain values, all resolved.
    input_sha256 : str or None
        Digest of the input file; None where nothing but the experiment makes the data.
    versions : mapping of str to str
        See `libraries`.
    """
    return _digest(_with_effect(experiment), input_sha256, versions)


def point_key(
    experiment: Mapping[str, Any],
    point: Point,
    input_sha256: str | None,
    versions: Mapping[str, str],
) -> str:
    """Return the content key of one point: of its labels, so scores and grid have no part in it."""
    about = _with_effect(experiment)
    for name in ("evaluation", "store", "timing", "preflight", "segments", "report"):
        about.pop(name, None)
    algo = {**about["algo"], "params": point.params}
    del algo["grid"]
    return _digest({**about, "algo": algo}, input_sha256, versions)


def kind_key(experiment: Mapping[str, Any], input_sha256: str | None) -> str:
    """Return the key of jobs that take about as long for a point: same data, algorithm, backend."""
    about = _with_effect(experiment)
    for name in ("seed", "store", "preflight", "segments", "report"):
        about.pop(name, None)
    # The rounds of a benchmark are the same job again.
    about["timing"] = {name: value for name, value in about["timing"].items() if name != "round"}
    return _digest({**about, "algo": experiment["algo"]["name"]}, input_sha256)


def part_keys(
    experiment: Mapping[str, Any], input_sha256: str | None, versions: Mapping[str, str]
) -> dict[str, str]:
    """Return a short digest of every part of an experiment that has an effect, by name."""
    about = _with_effect(experiment) | {"input": input_sha256, "versions": dict(versions)}
    return {name: _digest(part)[:12] for name, part in about.items()}


def _with_effect(experiment: Mapping[str, Any]) -> dict[str, Any]:
    about = {name: value for name, value in experiment.items() if name not in _WITHOUT_EFFECT}
    about["algo"] = {k: v for k, v in about["algo"].items() if k != "search"}
    # All but a sampled silhouette comes out the same.
    if about.get("preflight", {}).get("action") != "sample":
        about.pop("preflight", None)
    if about.get("report") == "none":
        del about["report"]
        # Without them, how they would be described changes nothing.
        if not about.get("segments", {}).get("describe"):
            about.pop("segments", None)
    # The state is made beside the results, now or later.
    about["store"] = {k: v for k, v in about["store"].items() if k != "state"}
    # Where a file lies does not matter, what is in it does; of a query nothing else is known.
    asked = about["dataset"].get("query") is not None
    without = ("batch_bytes",) if asked else ("path", "query", "batch_bytes")
    about["dataset"] = {k: v for k, v in about["dataset"].items() if k not in without}
    return about


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()
