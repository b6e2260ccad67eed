"""Describing as the last stage of a run: what was run stands, whatever becomes of it."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Mapping
from typing import Any

from segrun import interrupt
from segrun.algorithms.upstream import told
from segrun.config import Experiment
from segrun.errors import SegrunError
from segrun.rundir.directory import RunDirectory
from segrun.rundir.timings import Timings

log = logging.getLogger("segrun.segments")


def describe_stage(
    experiment: Experiment, out: RunDirectory, timings: Timings, facts: Mapping[str, Any]
) -> str:
    """Describe the segments while the run goes on: one that was stopped here is not finished.

    Parameters
    ----------
    experiment : Experiment
        The experiment.
    out : RunDirectory
        Labels and scores are there.
    timings : Timings
        Get the stage ``describe``.
    facts : mapping
        What the manifest will say: the selected point.

    Returns
    -------
    str
        Why there are no segments, empty if they are described or there is no point to describe.
    """
    from segrun.rundir.finished import FinishedRun
    from segrun.segments.describe import described
    from segrun.segments.description import discard, write

    if facts["selected"] is None and experiment.segments.point is None:
        return ""
    try:
        with timings.stage("describe"):
            run = FinishedRun(out.path, {**facts, "files": out.hashes()})
            found = described(run, experiment.segments)
            write(out, found)
    except Exception as error:  # noqa: BLE001 - whatever it is, the run stands
        # A Ctrl-C counts, even if some library made another error of it.
        interrupt.check()
        discard(out)
        return _told(out, error)
    for warning in found.segments.warnings:
        log.warning("%s", warning["text"])
    return ""


def _told(out: RunDirectory, error: Exception) -> str:
    why = str(error)
    if not isinstance(error, SegrunError):
        why = f"{told(error)} (unforeseen; the traceback is in segrun.log)"
    log.debug("the segments could not be described", exc_info=error)
    log.warning(
        "the segments are not described: %s. Labels and scores stand. Once it is mended: "
        "segrun describe %s [segments.KEY=VALUE ...]", why.rstrip("."), shlex.quote(str(out.path)),
    )  # fmt: skip
    return f"the segments are not described: {why}"
