"""The straight line: from one experiment to one run directory."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from segrun import config
from segrun.config import Experiment, Report
from segrun.data.address import refuse_secret
from segrun.rundir.directory import RunDirectory
from segrun.rundir.timings import Timings
from segrun.runner.checks import check
from segrun.runner.evaluated import Evaluated, evaluate_stage, write_tables
from segrun.runner.manifest import RunResult, finish, listening, record_failure
from segrun.runner.prepare import JobContext, prepare

log = logging.getLogger("segrun.runner.run")


def run(
    experiment: Experiment,
    directory: Path,
    records: Mapping[str, str] | None = None,
    part: JobContext = JobContext(),  # noqa: B008 - frozen
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
    part : JobContext, optional
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
            return _line(experiment, out, part, warned)
        except BaseException as error:
            record_failure(experiment, out, error, warned)
            raise


def _line(
    experiment: Experiment, out: RunDirectory, part: JobContext, warned: list[str]
) -> RunResult:
    """Take the experiment along the line; `warned` grows until the manifest is written."""
    check(experiment)
    timings = Timings(out.table("timings.csv"), part.n_parallel)
    # In a function of its own: its matrices are gone when the segments are described.
    evaluated = _evaluated(experiment, out, timings, part).told(warned)
    write_tables(experiment, out, timings, evaluated)
    undescribed = _described(experiment, out, timings, evaluated)
    return finish(experiment, out, timings, evaluated, undescribed)


def _evaluated(
    experiment: Experiment, out: RunDirectory, timings: Timings, part: JobContext
) -> Evaluated:
    """Load, build, augment and transform the customers; fit, score and select the points."""
    # Late: these modules import scikit-learn, and a wrong value is told before that.
    from segrun.runner.grid import fit_stage, open_grid

    grid = open_grid(experiment, out)
    # Reading waits for the disk and for other threads: meanwhile the backend's libraries load.
    loading = grid.backend.load()
    ready = prepare(experiment, out, timings, part)
    if loading is not None:
        loading.join()
    with timings.stage("store"):
        ready.store(experiment, out)
    ready = ready.lean()
    fitted = fit_stage(experiment, grid, ready, out, timings)
    return evaluate_stage(experiment, ready, fitted, out, timings)


def _described(
    experiment: Experiment, out: RunDirectory, timings: Timings, evaluated: Evaluated
) -> str:
    """Describe the segments where that is asked for; return why there are none, if it failed."""
    from segrun.segments.describe import describe_stage

    asked = experiment.segments.describe or experiment.report is Report.html
    if asked and evaluated.status != "failed":
        return describe_stage(experiment, out, timings, evaluated.facts)
    # Of segments that are described the description says it, by their numbers.
    for text in evaluated.facts["cautions"]:
        log.warning("selected point %s: %s", evaluated.selected, text)
    return ""
