"""One job: a run, and what its configuration asks for once the run stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from segrun.config import Experiment, Report
from segrun.runner.manifest import RunResult
from segrun.runner.prepare import JobContext
from segrun.runner.run import run


def run_job(
    experiment: Experiment,
    directory: Path,
    records: Mapping[str, str] | None = None,
    part: JobContext = JobContext(),  # noqa: B008 - frozen
) -> RunResult:
    """Run one experiment; make the state for later sales and the page, where asked for.

    Parameters, result and errors are those of `run`. What was run stands by then, whatever
    becomes of state and page.
    """
    result = run(experiment, directory, records, part)
    if experiment.store.state and result.status != "failed":
        from segrun.using.ingest import make_state

        make_state(result.directory)
    shown = result.status != "failed" and not result.undescribed
    if experiment.report is Report.html and shown:
        from segrun.report.html import write_report

        write_report(result.directory)
    return result
