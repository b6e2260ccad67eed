"""Content keys: two jobs, or two points, with one key come to the same results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

from segrun.algorithms.grid import Point
from segrun.config import Effect, Experiment, plain, values_with
from segrun.data.cache.entry import key_of
from segrun.rundir.environment import own_code

#: What results depend on besides configuration and input. The plugin's own comes on top.
LIBRARIES = (
    "segrun", "numpy", "scipy", "scikit-learn", "scikit-learn-intelex", "numba", "polars",
    "narwhals",
)  # fmt: skip
#: Beside their versions: segrun's own changes with releases only.
CODE = "code of segrun"

#: What makes two jobs come to different files.
_RESULTS = {Effect.DATA, Effect.LABELS, Effect.SCORES, Effect.TIMINGS, Effect.TELLING}


def libraries(identity: str) -> dict[str, str]:
    """Return the versions that a result depends on."""
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
    """Return the content key of a job: of everything that it leaves but logs.

    `experiment` is in plain values, all resolved; `input_sha256` is None where nothing but the
    experiment makes the data.
    """
    return _digest(_results(experiment), input_sha256, versions)


def point_key(
    experiment: Mapping[str, Any],
    point: Point,
    input_sha256: str | None,
    versions: Mapping[str, str],
) -> str:
    """Return the content key of one point: of its labels, so scores and grid have no part in it."""
    about = _by_content(values_with(experiment, {Effect.DATA, Effect.LABELS}))
    algo = {**about["algo"], "params": point.params}
    algo.pop("grid", None)
    return _digest({**about, "algo": algo}, input_sha256, versions)


def kind_key(experiment: Mapping[str, Any], input_sha256: str | None) -> str:
    """Return the key of jobs that take about as long for a point: same data, algorithm, backend."""
    about = _by_content(values_with(experiment, _RESULTS - {Effect.TELLING}))
    del about["seed"]
    # The rounds of a benchmark are the same job again.
    about["timing"].pop("round", None)
    return _digest({**about, "algo": experiment["algo"]["name"]}, input_sha256)


def part_keys(
    experiment: Mapping[str, Any], input_sha256: str | None, versions: Mapping[str, str]
) -> dict[str, str]:
    """Return a short digest of every part of an experiment that has an effect, by name."""
    about = _results(experiment) | {"input": input_sha256, "versions": dict(versions)}
    return {name: _digest(part)[:12] for name, part in about.items()}


def data_values(experiment: Experiment) -> dict[str, Any]:
    """Return what the matrix depends on, and what is recorded while it is made."""
    values = plain(experiment)
    about = values_with(values, {Effect.DATA})
    # Every engine gives the same features to the last bit (tests/data/engines), but timings.csv
    # says which one it was and how long it took.
    about["engine"] = values["engine"]
    about["features"]["warn_removed"] = values["features"]["warn_removed"]
    # Described customers have more columns.
    about["segments"] = {"describe": values["segments"]["describe"]}
    return about


def features_key(experiment: Experiment, input_sha256: str) -> str:
    """Return the content key of the features of a file."""
    about = _by_content(data_values(experiment))
    # What comes behind features; the seed makes the rows of no file.
    for name in ("seed", "augmentation", "transform"):
        del about[name]
    versions = {name: metadata.version(name) for name in ("polars", "narwhals")}
    return key_of(about, input_sha256, own_code(), versions)


def _results(experiment: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the files of a job depend on; the rules that a single key cannot say."""
    about = values_with(experiment, _RESULTS)
    # What a run may take then decides whether its silhouette is sampled.
    if experiment.get("preflight", {}).get("action") == "sample":
        about["preflight"] = experiment["preflight"]
    described = about.get("segments", {}).get("describe") or about.get("report") == "html"
    if not described:
        # How segments would be described changes nothing where they are not.
        about.pop("segments", None)
    return _by_content(about)


def _by_content(about: dict[str, Any]) -> dict[str, Any]:
    """Return values without the place of a file, whose content counts; of a query it is all."""
    dataset = about["dataset"]
    without = () if dataset.get("query") is not None else ("path", "query")
    return {**about, "dataset": {k: v for k, v in dataset.items() if k not in without}}


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()
