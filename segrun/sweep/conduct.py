"""Run the jobs of a sweep: tell how each ended, keep the tables, say how to go on."""

from __future__ import annotations

import logging
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from segrun.data.cache.shared import JobCache
from segrun.errors import SegrunError
from segrun.report.sweep import JobResult, write_aggregate, write_jobs
from segrun.rundir.claim import MULTIRUN
from segrun.rundir.directory import record_end
from segrun.rundir.store import read_csv
from segrun.sweep.directory import Header
from segrun.sweep.job import Ended, Job
from segrun.sweep.launchers import Launcher
from segrun.sweep.perform import Performer, records
from segrun.sweep.swept import swept

log = logging.getLogger("segrun")

#: Ends of which the run itself could not write a manifest.
_SUDDEN = ("oom", "crashed", "timeout", "failed", "interrupted")
#: The tables are written this often while jobs run, in seconds.
_TABLES_SECONDS = 5.0


@dataclass
class Conductor:
    """One command's work on a sweep.

    Attributes
    ----------
    directory : Path
        The sweep directory, absolute.
    header : Header
        What its jobs have in common.
    launcher : Launcher
        Who runs them.
    jobs : dict of int to Job
        All jobs of the sweep so far, by number.
    ended : dict of int to Ended
        How those ended that this command ran.
    here : Path
        Where the command was called: what it prints can be pasted there.
    """

    directory: Path
    header: Header
    launcher: Launcher
    jobs: dict[int, Job] = field(default_factory=dict)
    ended: dict[int, Ended] = field(default_factory=dict)
    here: Path = field(default_factory=Path.cwd)
    _told_at: float = 0.0
    _before: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        table = self.directory / "jobs.csv"
        if table.is_file():
            self._before = {row["job"]: int(row["attempts"]) for row in read_csv(table)}

    def run(self, jobs: Iterable[Job]) -> Iterator[Ended]:
        """Run jobs and yield how each ended, its directory saying so.

        Parameters
        ----------
        jobs : iterable of Job
            Taken one by one, as there is room.
        """
        several = self.launcher.n_parallel > 1 and self.launcher.one_machine
        cache = JobCache(self.directory / ".prepared" if several else None)
        # What a killed command left may be of other data.
        cache.clear()
        perform = Performer(self.directory, self.header.hydra, self.launcher.n_parallel, cache)
        try:
            for ended in self.launcher.run(self._begun(jobs), perform):
                self._end(ended)
                yield ended
        finally:
            cache.clear()

    def _begun(self, jobs: Iterable[Job]) -> Iterator[Job]:
        for job in jobs:
            if self._stopped:
                return
            self.jobs[job.number] = job
            tell(f"#{job.number}{self._of()}: {' '.join(job.overrides) or job.folder}")
            yield job

    def _of(self) -> str:
        return f" of {self.header.n_jobs}" if self.header.n_jobs else ""

    @property
    def _stopped(self) -> bool:
        """Whether one failure is to be the end."""
        failed = any(ended.exit_code for ended in self.ended.values())
        return failed and not self.header.keep_going

    def _end(self, ended: Ended) -> None:
        self.ended[ended.job.number] = ended
        directory = self.directory / ended.job.folder
        if ended.status in _SUDDEN and not (directory / "manifest.json").exists():
            self._record(ended, directory)
        if ended.exit_code and ended.status != "incomplete":
            tell(f"{ended.job.folder} {ended.status}: {ended.reason}")
        if time.monotonic() - self._told_at > _TABLES_SECONDS:
            self._told_at = time.monotonic()
            try:
                self.write_tables()
            except SegrunError as error:
                # They are written again at the end, and the jobs have their own.
                tell(str(error))

    def _record(self, ended: Ended, directory: Path) -> None:
        """Write the manifest of a run that could not do it itself."""
        node = OmegaConf.create({"hydra": self.header.hydra})
        about = {"experiment": ended.job.about}
        try:
            record_end(
                directory, (ended.status, ended.reason), about, records(ended.job, node), again=True
            )
            with (directory / "segrun.log").open("a", encoding="utf-8") as file:
                file.write(f"[{ended.status}] {ended.reason}\n")
        except (SegrunError, OSError) as error:
            tell(f"{directory}: {error}")

    def results(self) -> list[JobResult]:
        """Return what the directories of all jobs say, by number."""
        differing = swept(list(self.jobs.values()))
        return [self._result(self.jobs[number], differing[number]) for number in sorted(self.jobs)]

    def _result(self, job: Job, differing: Mapping[str, Any]) -> JobResult:
        ended = self.ended.get(job.number)
        return JobResult(
            self.directory / job.folder,
            refused=ended.reason if ended and ended.status == "refused" else "",
            overrides=" ".join(job.overrides),
            number=job.number,
            key=job.key,
            wall_seconds=ended.wall_seconds if ended else None,
            peak_rss_bytes=ended.peak_rss_bytes if ended else None,
            about=job.about,
            folder=job.folder,
            attempts=self._before.get(job.folder, 0) + (job.number in self.ended),
            experiment=job.experiment,
            swept=differing,
        )

    def write_tables(self) -> None:
        """Write ``scores.csv`` and ``jobs.csv`` of the sweep as it stands."""
        results = self.results()
        write_aggregate(self.directory, results)
        write_jobs(self.directory, results)

    def close(self) -> int:
        """Write the tables, print the summary, say how to resume; return the exit code."""
        # Late: a mistyped key needs none of it.
        from segrun.report.summary import summary

        code = max((ended.exit_code for ended in self.ended.values()), default=0)
        results = self.results()
        try:
            self.write_tables()
        except SegrunError as error:
            tell(str(error))
            code = max(code, 1)
        print(summary(results), end="\n\n")  # noqa: T201
        code = max(code, self._compare(results), self._grow(results), self._show(results))
        print(self.shown(self.directory, quote=False))  # noqa: T201
        left = Counter(result.manifest()["status"] for result in results)
        n_left = sum(n for status, n in left.items() if status not in ("done", "cached"))
        if n_left:
            sys.stdout.flush()
            states = ", ".join(f"{n} {status}" for status, n in left.items())
            tell(f"{states}. To run what is left: segrun resume {self.shown(self.directory)}")
        return code

    def _compare(self, results: Sequence[JobResult]) -> int:
        """Write and print how backends compare, where the sweep has several; return a code."""
        # Late: most sweeps have one.
        from segrun.report.race import page
        from segrun.report.speedup import write_speedup

        try:
            text = page(write_speedup(self.directory, results))
        except (SegrunError, OSError, ValueError, LookupError) as error:
            tell(f"the backends could not be compared: {error}")
            return 1
        if text:
            print(text, end="\n\n")  # noqa: T201
        return 0

    def _grow(self, results: Sequence[JobResult]) -> int:
        """Write, draw and print how the cost grows, where there are several sizes."""
        from segrun.report.growth import curves, growth_page, write_growth

        try:
            found = curves(results)
            if found:
                write_growth(self.directory, found)
        except (SegrunError, OSError, ValueError, LookupError) as error:
            tell(f"the growth with the rows could not be shown: {error}")
            return 1
        if found:
            print(growth_page(found), end="\n\n")  # noqa: T201
        return 0

    def _show(self, results: Sequence[JobResult]) -> int:
        """Write the page of a sweep whose jobs write one; return a code."""
        wanted = any(job.experiment.get("report") == "html" for job in results)
        if not wanted or not (self.directory / MULTIRUN).is_file():
            return 0
        from segrun.report.html import write_report

        try:
            write_report(self.directory)
        except SegrunError as error:
            tell(str(error))
            return 1
        return 0

    def shown(self, path: Path, *, quote: bool = True) -> str:
        """Return a path as it can be typed where the command was called."""
        path = path.relative_to(self.here) if path.is_relative_to(self.here) else path
        return shlex.quote(str(path)) if quote else str(path)


def tell(message: str) -> None:
    """Print one message to stderr."""
    print(f"segrun: {message}", file=sys.stderr)  # noqa: T201
