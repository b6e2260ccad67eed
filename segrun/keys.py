"""Content keys: two jobs, or two points, with one key come to the same results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

from segrun.algorithms.grid import Point

#: What results depend on besides configuration and input. The plugin's own comes on top.
LIBRARIES = (
    "segrun", "numpy", "scipy", "scikit-learn", "scikit-learn-intelex", "polars", "narwhals",
)  # fmt: skip

#: Keys of an experiment that change no result.
_WITHOUT_EFFECT = ("name", "sweep")


def libraries(origin: str) -> dict[str, str]:
    """Return the versions that a result depends on.

    Parameters
    ----------
    origin : str
        Name and version of the distribution that brought the algorithm.

    Returns
    -------
    dict of str to str
        Version by distribution, empty for one that is not installed; ``algorithm`` is `origin`.
    """
    return {**{name: _version(name) for name in LIBRARIES}, "algorithm": origin}


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
    for name in ("evaluation", "store", "timing"):
        del about[name]
    algo = {**about["algo"], "params": point.params}
    del algo["grid"]
    return _digest({**about, "algo": algo}, input_sha256, versions)


def _with_effect(experiment: Mapping[str, Any]) -> dict[str, Any]:
    about = {name: value for name, value in experiment.items() if name not in _WITHOUT_EFFECT}
    about["algo"] = {k: v for k, v in about["algo"].items() if k != "search"}
    # Where a file lies does not matter, what is in it does.
    about["dataset"] = {k: v for k, v in about["dataset"].items() if k != "path"}
    return about


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()
