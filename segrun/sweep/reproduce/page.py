"""What the terminal shows of a reproduction: what was compared, what differs, the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from segrun.formats import table
from segrun.sweep.reproduce.verdict import TOLERANCE, JobVerdict

_HEADER = ("job", "points", "different", "scores apart", "fit s then", "fit s now", "backend")
#: Differences told; the run directories have all.
_SHOWN = 20


def page(verdicts: Mapping[str, JobVerdict], notes: Sequence[str], others: Sequence[str]) -> str:
    """Return the page as text.

    Parameters
    ----------
    verdicts : mapping of str to JobVerdict
        By job.
    notes : sequence of str
        What is to be said of the expectation.
    others : sequence of str
        What differs in the environment.
    """
    lines = [table([_HEADER, *(_line(job, verdict) for job, verdict in verdicts.items())]), ""]
    lines += _differences(verdicts)
    lines += [f"note: {note}" for note in notes]
    if others:
        lines.append(f"not the same environment: {'; '.join(others)}")
    return "\n".join([*lines, verdict_line(verdicts, bool(others))]) + "\n"


def _line(job: str, verdict: JobVerdict) -> tuple[str, ...]:
    now = verdict.now
    return (
        job,
        str(verdict.n_points),
        str(verdict.n_different),
        f"{verdict.largest:.1e}" if now else "",
        f"{verdict.then.fit_seconds:.3f}",
        f"{now.fit_seconds:.3f}" if now else "",
        now.backend_ran if now else "",
    )


def _differences(verdicts: Mapping[str, JobVerdict]) -> list[str]:
    found = [
        f"{job} {difference.point}: {difference.what}: {difference.then} then, {difference.now} now"
        for job, verdict in verdicts.items()
        for difference in verdict.differences
    ]
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return [*found[:_SHOWN], *more]


def verdict_line(verdicts: Mapping[str, JobVerdict], other_environment: bool) -> str:
    """Return the last line: whether the results are the same."""
    n_points = sum(verdict.n_points for verdict in verdicts.values())
    n_different = sum(verdict.n_different for verdict in verdicts.values())
    if not any(verdict.differences for verdict in verdicts.values()):
        return (
            f"the same: {n_points} points, status, clusters and labels exactly, scores within "
            f"{TOLERANCE:g}; times are only shown"
        )
    why = (
        ". The environment is not the same: labels of k-means can depend on it in rare rows"
        if other_environment
        else ""
    )
    return f"NOT the same: {n_different} of {n_points} points differ{why}"
