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
from segrun.config import Experiment, ModelsKept, Report
from segrun.data.address import refuse_secret
from segrun.errors import StoreError
from segrun.features.augment import label
from segrun.progress import Progress
from segrun.rundir.code import own_code
from segrun.rundir.store import RunDirectory
from segrun.rundir.timings import Timings
from segrun.runner.centres import shared
from segrun.runner.checks import check
from segrun.runner.keys import job_key, kind_key, libraries, point_key
from segrun.runner.prepare import Part, Prepared, prepare
from segrun.runner.warned import listening

if TYPE_CHECKING:
    from segrun.algorithms.grid import Point
    from segrun.evaluation.scores import Scores
    from segrun.runner.fit import Outcome
    from segrun.runner.preflight.flight import Flight

log = logging.getLogger("segrun.runner.run")


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
    undescribed : str
        Why the segments that were asked for are not there, empty if nothing went wrong with them.
    """

    directory: Path
    status: str
    reason: str
    selected: str | None
    points: dict[str, int]
    undescribed: str = ""

    @property
    def exit_code(self) -> int:
        """0 where all that was asked for is there, otherwise 1."""
        return 0 if self.status == "done" and not self.undescribed else 1


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
    # Before it is written down.
    refuse_secret(getattr(experiment.dataset, "path", ""), "dataset.path")
    out = RunDirectory(directory, again=part.again)
    with listening() as warned:
        try:
            for name, text in {
                **(records or {}),
                "experiment.yaml": config.to_yaml(experiment),
            }.items():
                out.write_text(name, text)
            result = _line(experiment, out, part, warned)
        except BaseException as error:
            _record_failure(experiment, out, error, warned)
            raise
    if experiment.store.state and result.status != "failed":
        from segrun.using.ingest import make_state

        make_state(out.path)
    shown = result.status != "failed" and not result.undescribed
    if experiment.report is Report.html and shown:
        # What was run stands by now, whatever becomes of the page.
        from segrun.report.html import write_report

        write_report(out.path)
    return result


def _line(experiment: Experiment, out: RunDirectory, part: Part, warned: list[str]) -> RunResult:
    check(experiment)
    timings = Timings(out.table("timings.csv"), part.n_parallel)
    # In a function of its own: its matrices are gone when the segments are described.
    ended, facts = _grid(experiment, out, timings, part)
    # A list that goes on: the manifest, which is written last, has all of it.
    return _finish(experiment, out, timings, ended, {**facts, "warnings": warned})


def _grid(
    experiment: Experiment, out: RunDirectory, timings: Timings, part: Part
) -> tuple[Ended, dict[str, Any]]:
    """Return the grid fitted and scored, and what the manifest says of it."""
    # Late: these rooms import scikit-learn, and a wrong value must be told before that.
    from segrun import algorithms
    from segrun.algorithms.backend import make_backend
    from segrun.evaluation.scores import evaluate
    from segrun.evaluation.select import select
    from segrun.rundir.environment import describe_environment
    from segrun.runner.fit import GridFitter, known_outcomes
    from segrun.runner.preflight.flight import preflight
    from segrun.segments.selection import cautions, tell_of_left_out

    seed = experiment.seed
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
        _record_scaling(experiment, out, ready)
    ready = ready.lean()
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
        found = evaluate(ready.transformed.Z, labels, flight.evaluation, seed, progress.reach)
    converged = {o.point.slug: o.converged for o in outcomes}
    scores = {slug: replace(score, converged=converged[slug]) for slug, score in found.items()}
    inertias = {o.point.slug: o.inertia for o in outcomes}
    selected = select(scores, experiment.evaluation, inertias)
    tell_of_left_out(scores, selected, experiment.evaluation)
    told = [] if selected is None else cautions(labels[selected], scores[selected], ready.customers)
    return Ended(outcomes, scores, selected, flight), {
        "key": _job_key(experiment, ready, identity),
        "kind": kind_key(config.plain(experiment), _digest(ready)),
        "selected": selected,
        "cautions": told,
        "input": ready.fingerprint,
        "rows": len(ready.customers),
        "transactions": ready.facts,
        "features": ready.built.facts,
        **({"centres": centres} if centres else {}),
    }


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


def _record_scaling(experiment: Experiment, out: RunDirectory, ready: Prepared) -> None:
    from segrun.features.transform import parameters

    if experiment.segments.describe and (rows := parameters(ready.customers, ready.transformed)):
        out.write_table("transform.csv", rows)


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
    from segrun.runner.scores import score_rows, size_rows
    from segrun.segments.stage import describe_stage

    with timings.stage("store"):
        if experiment.store.models is ModelsKept.best:
            kept = (ended.selected, experiment.segments.point)
            out.remove_models(slug for slug in ended.scores if slug not in kept)
        limits = experiment.evaluation
        rows = score_rows(ended.outcomes, ended.scores, ended.selected, limits)
        out.write_table("scores.csv", rows)
        out.write_table("sizes.csv", size_rows(ended.scores))
    status, reason = _status(ended.outcomes)
    asked = experiment.segments.describe or experiment.report is Report.html
    undescribed = ""
    if asked and status != "failed":
        undescribed = describe_stage(experiment, out, timings, facts)
    else:
        # Of segments that are described the description says it, by their numbers.
        for text in facts["cautions"]:
            log.warning("selected point %s: %s", ended.selected, text)
    out.write_table("timings.csv", timings.table())
    if ended.flight.costs:
        out.write_table("preflight.csv", ended.flight.table(timings))
    counts = dict(Counter(outcome.status for outcome in ended.outcomes))
    if reason:
        log.debug("the run failed: %s", reason)
    out.finish(status, reason, {**about(experiment), "points": counts, **facts})
    return RunResult(out.path, status, reason, ended.selected, counts, undescribed)


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
        "code": own_code(),
        "experiment": {
            "name": experiment.name,
            "dataset": experiment.dataset.name,
            "features": experiment.features.name,
            "augmentation": label(experiment.augmentation),
            "algo": experiment.algo.name,
            "engine": experiment.engine.name.value,
            "backend": experiment.backend.name.value,
        },
    }


def _record_failure(
    experiment: Experiment, out: RunDirectory, error: BaseException, warned: list[str]
) -> None:
    """Say in the manifest how the run ended; what was finished stays."""
    interrupted = isinstance(error, KeyboardInterrupt) or interrupt.asked()
    status = "interrupted" if interrupted else "failed"
    reason = "stopped by the user" if interrupted else f"{type(error).__name__}: {error}"
    try:
        out.finish(status, reason, {**about(experiment), "warnings": warned})
    except StoreError as second:
        # Disk full, most likely: the marker UNFINISHED stays and says enough.
        log.error("the manifest could not be written: %s", second)
