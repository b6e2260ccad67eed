"""Whether two runs of one experiment came to the same, and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isnan

from segrun.sweep.reproduce.results import JobResults, PointResult, Results

#: Scores may differ by this share of their value: sums in another order, not other clusters.
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Difference:
    """One thing that is not what it was.

    Attributes
    ----------
    point : str
        Its point, empty for the run as a whole.
    what : str
        What differs.
    then, now : str
        What was expected, and what is.
    """

    point: str
    what: str
    then: str
    now: str


@dataclass
class JobVerdict:
    """How one job compares.

    Attributes
    ----------
    then : JobResults
        What was expected.
    now : JobResults or None
        What is; None where the job came to nothing.
    differences : list of Difference
        All of them.
    largest : float
        Largest relative difference of a score.
    """

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
    """Compare what a job came to with what was expected of it.

    Parameters
    ----------
    then, now : JobResults
        `now` is None where the job came to nothing.
    why : str
        Why it did.
    """
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
        verdict.differences.extend(_exact(slug, one, two, verdict))
        verdict.differences.extend(_within(slug, one, two, verdict))
    return verdict


def _exact(slug: str, one: PointResult, two: PointResult, of: JobVerdict) -> Iterator[Difference]:
    if one.status != two.status:
        yield Difference(slug, "status", one.status, two.status)
    for name, before in one.counts.items():
        if before != two.counts.get(name):
            yield Difference(slug, name, str(before), str(two.counts.get(name)))
    if one.labels != two.labels:
        now = (two.labels[:12] or "none") + _n_rows(slug, of)
        yield Difference(slug, "sha256 of the labels", one.labels[:12] or "none", now)


def _n_rows(slug: str, of: JobVerdict) -> str:
    """Say how many rows differ, where both label sets are there."""
    then, now = of.then.run, of.now.run if of.now else None
    if then is None or now is None:
        return ""
    if not (of.then.points[slug].labels and of.now and of.now.points[slug].labels):
        return ""
    one, two = then.labels(slug), now.labels(slug)
    if len(one) != len(two):
        return f" ({len(one)} rows then, {len(two)} now)"
    return f" ({int((one != two).sum())} of {len(one)} rows)"


def _within(slug: str, one: PointResult, two: PointResult, of: JobVerdict) -> Iterator[Difference]:
    for name, before in one.scores.items():
        now = two.scores.get(name)
        if before is None and now is None:
            continue
        apart = relative(before, now)
        of.largest = max(of.largest, apart)
        if not apart <= TOLERANCE:
            yield Difference(slug, name, repr(before), repr(now))


def relative(before: float | None, now: float | None) -> float:
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
