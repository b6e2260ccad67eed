"""Whether two runs of one experiment came to the same, what differs, and the page that says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan

from segrun.formats import table
from segrun.sweep.reproduce.results import JobResults, PointResult, Results

#: Scores may differ by this share of their value: sums in another order, not other clusters.
TOLERANCE = 1e-6
_HEADER = ("job", "points", "different", "scores apart", "fit s then", "fit s now", "backend")
#: Differences told; the run directories have all.
_SHOWN = 20


@dataclass(frozen=True)
class Difference:
    """One thing that is not what it was, of a point or, where that is empty, of the run."""

    point: str
    what: str
    then: str
    now: str


@dataclass
class JobVerdict:
    """How one job compares; `largest` is the largest relative difference of a score."""

    then: JobResults
    now: JobResults | None
    differences: list[Difference] = field(default_factory=list)
    largest: float = 0.0

    @property
    def n_different(self) -> int:
        """Number of points that differ; all where the run as a whole does."""
        points = {difference.point for difference in self.differences}
        return self.n_points if "" in points else len(points)

    @property
    def n_points(self) -> int:
        """Number of points, then or now."""
        return len({*self.then.points, *(self.now.points if self.now else ())})


def judge(then: JobResults, now: JobResults | None, why: str = "") -> JobVerdict:
    """Compare what a job came to with what was expected of it; None: it came to nothing."""
    verdict = JobVerdict(then, now)
    if now is None:
        verdict.differences.append(Difference("", "the run", "finished", why))
        return verdict
    if then.input_sha256 != now.input_sha256:
        verdict.differences.append(
            Difference("", "sha256 of the input", then.input_sha256, now.input_sha256)
        )
    for slug in dict.fromkeys([*then.points, *now.points]):
        one, two = then.points.get(slug), now.points.get(slug)
        if one is None or two is None:
            there = ["missing" if point is None else "there" for point in (one, two)]
            verdict.differences.append(Difference(slug, "the point", *there))
            continue
        verdict.differences.extend(_exact(slug, one, two))
        if one.labels != two.labels:
            told = (two.labels[:12] or "none") + _n_rows(slug, then, now)
            before = one.labels[:12] or "none"
            verdict.differences.append(Difference(slug, "sha256 of the labels", before, told))
        verdict.differences.extend(_within(slug, one, two, verdict))
    return verdict


def _exact(slug: str, one: PointResult, two: PointResult) -> Iterator[Difference]:
    if one.status != two.status:
        yield Difference(slug, "status", one.status, two.status)
    for name, before in one.counts.items():
        if before != two.counts.get(name):
            yield Difference(slug, name, str(before), str(two.counts.get(name)))


def _n_rows(slug: str, then: JobResults, now: JobResults) -> str:
    """Say how many rows differ, where both label sets are there."""
    if not (then.run and now.run and then.points[slug].labels and now.points[slug].labels):
        return ""
    one, two = then.run.labels(slug), now.run.labels(slug)
    if len(one) != len(two):
        return f" ({len(one)} rows then, {len(two)} now)"
    return f" ({int((one != two).sum())} of {len(one)} rows)"


def _within(slug: str, one: PointResult, two: PointResult, of: JobVerdict) -> Iterator[Difference]:
    for name, before in one.scores.items():
        now = two.scores.get(name)
        if before is None and now is None:
            continue
        apart = _relative(before, now)
        of.largest = max(of.largest, apart)
        if not apart <= TOLERANCE:
            yield Difference(slug, name, repr(before), repr(now))


def _relative(before: float | None, now: float | None) -> float:
    """Return how far apart two values are, as a share of the larger one; infinity if one lacks."""
    if before is None or now is None:
        return float("inf")
    if before == now or (isnan(before) and isnan(now)):
        return 0.0
    return abs(before - now) / max(abs(before), abs(now))


def environments(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return what results may depend on and is not what it was, in words."""
    return [
        f"{name} {then.get(name) or 'none'} then, {now.get(name) or 'none'} now"
        for name in dict.fromkeys([*then, *now])
        if then.get(name, "") != now.get(name, "")
    ]


def backends(then: Results, now: Results) -> list[str]:
    """Return the jobs that other backends have fitted than then, in words."""
    return [
        f"{folder} was fitted by {job.backend_ran} then, by {now.jobs[folder].backend_ran} now"
        for folder, job in then.jobs.items()
        if folder in now.jobs and job.backend_ran != now.jobs[folder].backend_ran
    ]


def page(verdicts: Mapping[str, JobVerdict], notes: Sequence[str], others: Sequence[str]) -> str:
    """Return what was compared, what differs, and the verdict.

    `notes` are what is to be said of the expectation, `others` what differs in the environment.
    """
    lines = [table([_HEADER, *(_line(job, verdict) for job, verdict in verdicts.items())]), ""]
    found = [
        f"{job} {difference.point}: {difference.what}: {difference.then} then, {difference.now} now"
        for job, verdict in verdicts.items()
        for difference in verdict.differences
    ]
    lines += found[:_SHOWN]
    if len(found) > _SHOWN:
        lines.append(f"and {len(found) - _SHOWN} more")
    lines += [f"note: {note}" for note in notes]
    if others:
        lines.append(f"not the same environment: {'; '.join(others)}")
    return "\n".join([*lines, _verdict(verdicts, bool(others))]) + "\n"


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


def _verdict(verdicts: Mapping[str, JobVerdict], other_environment: bool) -> str:
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
