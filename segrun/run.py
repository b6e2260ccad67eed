"""The straight line: from one experiment to one run directory."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segrun import config, interrupt
from segrun.augment import label
from segrun.centres import shared
from segrun.checks import check
from segrun.config import Experiment, ModelsKept
from segrun.errors import StoreError
from segrun.keys import job_key, kind_key, libraries, point_key
from segrun.prepare import Part, Prepared, prepare
from segrun.progress import Progress
from segrun.store import RunDirectory
from segrun.timings import Timings

if TYPE_CHECKING:
    from segrun.algorithms.grid import Point
    from segrun.evaluate.scores import Scores
    from segrun.fit import Outcome
    from segrun.preflight.flight import Flight

log = logging.getLogger("segrun.run")


@dataclass(frozen=True)
class RunResult:
    """What a run came to.

    Attributes
    ----------
    directory : Path
        Where everything is.
    status : {"done", "incomplete", "failed"}
        incomplete: some points failed, failed: all; their rows in ``scores.csv`` say why.
    reason : str
        Why it failed, empty if it did not.
    selected : str or None
        Slug of the best point within the limits.
    points : mapping of str to int
        Number of points by status.
    """

    directory: Path
    status: str
    reason: str
    selected: str | None
    points: dict[str, int]


def run(
    experiment: Experiment,
    directory: Path,
    records: Mapping[str, str] | None = None,
    part: Part = Part(),  # noqa: B008 - frozen
) -> RunResult:
    """Run one experiment and store everything in `directory`.

    Parameters
    ----------
    experiment : Experiment
        The experiment, every value resolved.
    directory : Path
        The run directory; must be empty or not yet there.
    records : mapping of str to str, optional
        Further texts to keep in it, by file name.
    part : Part, optional
        What the run is a part of: a sweep.

    Returns
    -------
    RunResult
        Counts, the selected point and where everything is.

    Raises
    ------
    SegrunError
        If the configuration, the data or the directory is at fault. The directory's manifest
        then says ``failed`` and why.
    """
    out = RunDirectory(directory, again=part.again)
    try:
        for name, text in {
            **(records or {}),
            "experiment.yaml": config.to_yaml(experiment),
        }.items():
            out.write_text(name, text)
        return _line(experiment, out, part)
    except BaseException as error:
        _record_failure(experiment, out, error)
        raise


def _line(experiment: Experiment, out: RunDirectory, part: Part) -> RunResult:
    check(experiment)
    # Late: these rooms import scikit-learn, and a wrong value must be told before that.
    from segrun import algorithms
    from segrun.backend import make_backend
    from segrun.environment import describe_environment
    from segrun.evaluate.scores import evaluate
    from segrun.evaluate.select import select
    from segrun.fit import GridFitter, known_outcomes
    from segrun.preflight.flight import preflight

    seed, timings = experiment.seed, Timings(out.table("timings.csv"), part.n_parallel)
    backend = make_backend(experiment.backend)
    algorithms.check(experiment.algo, backend, seed)
    algorithm = algorithms.resolve(experiment.algo, seed)
    points = algorithms.points(experiment.algo)
    out.write_json("environment.json", describe_environment(seed))

    # Reading waits for the disk and for other threads: meanwhile the backend's libraries load.
    loading = backend.load()
    ready = prepare(experiment, out, timings, part)
    if loading is not None:
        loading.join()
    with timings.stage("store"):
        out.write_customers("features_all.parquet", ready.built.all_customers)
        out.write_customers("features.parquet", ready.customers)
        if ready.built.about is not None:
            out.write_customers("about.parquet", ready.built.about)
    origin = algorithms.origin(experiment.algo)
    identity = algorithms.identity(experiment.algo)
    keys = _keys(experiment, points, ready, identity)
    known = known_outcomes(out, points, keys, experiment.store.models)
    if known:
        log.info("%d of %d points were finished by an earlier attempt", len(known), len(points))
    left = [point.params for point in points if point.slug not in known]
    flight = preflight(experiment, ready.transformed.Z, left, timings, out.path)
    _record_flight(experiment, out, flight, timings)
    fitter = GridFitter(
        algorithm, backend, ready.customers, ready.transformed, out, timings,
        experiment.store.models, origin, experiment.timing.share, keys, known,
    )  # fmt: skip
    # The keys are of the points as declared: the centres follow from the seed and the data.
    centres: dict[str, str] = {}
    if experiment.algo.shared_centres:
        with timings.stage("centres"):
            points, centres = shared(points, ready.transformed.Z, seed)
    outcomes = fitter.fit_grid(points, experiment.timing.repeats)
    labels = {o.point.slug: o.labels for o in outcomes if o.labels is not None}
    with timings.stage("evaluate"), Progress("scores", 100) as progress:
        scores = evaluate(ready.transformed.Z, labels, flight.evaluation, seed, progress.reach)
    selected = select(scores, experiment.evaluation.max_noise_share)
    facts = {
        "key": _job_key(experiment, ready, identity),
        "kind": kind_key(config.plain(experiment), _digest(ready)),
        "selected": selected,
        "input": ready.fingerprint,
        "transactions": ready.facts,
        "features": ready.built.facts,
        **({"centres": centres} if centres else {}),
    }
    return _finish(experiment, out, timings, Ended(outcomes, scores, selected, flight), facts)


def _keys(
    experiment: Experiment, points: Sequence[Point], ready: Prepared, identity: str
) -> dict[str, str]:
    values, sha256, versions = config.plain(experiment), _digest(ready), libraries(identity)
    return {point.slug: point_key(values, point, sha256, versions) for point in points}


def _job_key(experiment: Experiment, ready: Prepared, identity: str) -> str:
    return job_key(config.plain(experiment), _digest(ready), libraries(identity))


def _digest(ready: Prepared) -> str | None:
    """Return the digest of the input file; generated data are told by the experiment alone."""
    return ready.fingerprint["sha256"] if "path" in ready.fingerprint else None


@dataclass(frozen=True)
class Ended:
    """The grid once it is fitted and scored."""

    outcomes: Sequence[Outcome]
    scores: Mapping[str, Scores]
    selected: str | None
    flight: Flight


def _record_flight(
    experiment: Experiment, out: RunDirectory, flight: Flight, timings: Timings
) -> None:
    if flight.costs:
        out.write_table("preflight.csv", flight.table(timings))
    if flight.sampled:
        # What really ran: done again, it is sampled however fast the machine is then.
        ran = replace(experiment, evaluation=flight.evaluation)
        out.write_text("experiment.yaml", config.to_yaml(ran))


def _finish(
    experiment: Experiment,
    out: RunDirectory,
    timings: Timings,
    ended: Ended,
    facts: Mapping[str, Any],
) -> RunResult:
    """Write the tables and, last, the manifest."""
    from segrun.report.scores import score_rows, size_rows

    with timings.stage("store"):
        if experiment.store.models is ModelsKept.best:
            out.remove_models(slug for slug in ended.scores if slug != ended.selected)
        out.write_table("scores.csv", score_rows(ended.outcomes, ended.scores, ended.selected))
        out.write_table("sizes.csv", size_rows(ended.scores))
    out.write_table("timings.csv", timings.table())
    if ended.flight.costs:
        out.write_table("preflight.csv", ended.flight.table(timings))
    if ended.selected is None and ended.scores:
        least = min(score.noise_share for score in ended.scores.values())
        log.warning(
            "no point is selected: none has a silhouette and noise_share <= %g "
            "(evaluation.max_noise_share); the least noise_share of all points is %.3f",
            experiment.evaluation.max_noise_share, least,
        )  # fmt: skip
    counts = dict(Counter(outcome.status for outcome in ended.outcomes))
    status, reason = _status(ended.outcomes)
    if reason:
        log.debug("the run failed: %s", reason)
    out.finish(status, reason, {**about(experiment), "points": counts, **facts})
    return RunResult(out.path, status, reason, ended.selected, counts)


def _status(outcomes: Sequence[Outcome]) -> tuple[str, str]:
    failed = [outcome for outcome in outcomes if outcome.status != "done"]
    if not failed:
        return "done", ""
    if len(failed) < len(outcomes):
        return "incomplete", ""
    return "failed", f"no point came to labels; {failed[0].point.slug}: {failed[0].reason}"


def about(experiment: Experiment) -> dict[str, Any]:
    """Return what a manifest says of the experiment."""
    return {
        "segrun": metadata.version("segrun"),
        "experiment": {
            "name": experiment.name,
            "dataset": experiment.dataset.name,
            "features": experiment.features.name,
            "augmentation": label(experiment.augmentation),
            "algo": experiment.algo.name,
            "backend": experiment.backend.name.value,
        },
    }


def _record_failure(experiment: Experiment, out: RunDirectory, error: BaseException) -> None:
    """Say in the manifest how the run ended; what was finished stays."""
    interrupted = isinstance(error, KeyboardInterrupt) or interrupt.asked()
    status = "interrupted" if interrupted else "failed"
    reason = "stopped by the user" if interrupted else f"{type(error).__name__}: {error}"
    try:
        out.finish(status, reason, about(experiment))
    except StoreError as second:
        # Disk full, most likely: the marker UNFINISHED stays and says enough.
        log.error("the manifest could not be written: %s", second)
