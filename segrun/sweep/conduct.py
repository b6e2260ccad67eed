"""Run the jobs of a sweep: tell how each ended, keep the tables, say how to go on."""

from __future__ import annotations

import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from segrun.sweep.directory import SweepHeader
from segrun.sweep.job import FINISHED, Ended, Job
from segrun.sweep.launchers import Launcher
from segrun.sweep.perform import Performer, records

#: Ends of which the run itself could not write a manifest.
_SUDDEN = ("oom", "crashed", "timeout", "failed", "interrupted")
#: The tables are written this often while jobs run, in seconds.
_TABLES_SECONDS = 5.0


@dataclass
class Conductor:
    """One command's work on a sweep: its jobs so far and how those ended that it ran, by number.

    What it prints can be pasted in `here`, where the command was called.
    """

    directory: Path
    header: SweepHeader
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

    def run_all(self, jobs: Iterable[Job]) -> None:
        """Run jobs to their ends."""
        for _ in self.run(jobs):
            pass

    def run(self, jobs: Iterable[Job]) -> Iterator[Ended]:
        """Run jobs, taken as there is room, and yield how each ended, its directory saying so."""
        shared = JobCache(self.directory / ".prepared")
        # What a killed command left may be of other data.
        shared.clear()
        several = self.launcher.n_parallel > 1 and self.launcher.one_machine
        perform = Performer(
            self.directory,
            self.header.hydra,
            self.launcher.n_parallel,
            shared if several else JobCache(),
        )
        try:
            for ended in self.launcher.run(self._begun(jobs), perform):
                self._end(ended)
                yield ended
        finally:
            shared.clear()

    def _begun(self, jobs: Iterable[Job]) -> Iterator[Job]:
        of = f" of {self.header.n_jobs}" if self.header.n_jobs else ""
        for job in jobs:
            failed = any(ended.exit_code for ended in self.ended.values())
            if failed and not self.header.keep_going:
                return
            self.jobs[job.number] = job
            tell(f"#{job.number}{of}: {' '.join(job.overrides) or job.folder}")
            yield job

    def _end(self, ended: Ended) -> None:
        self.ended[ended.job.number] = ended
        directory = self.directory / ended.job.folder
        if ended.status in _SUDDEN and not (directory / "manifest.json").exists():
            self._record(ended, directory)
        if ended.exit_code and ended.status != "incomplete":
            tell(f"{ended.job.folder} {ended.status}: {ended.reason}")
        if time.monotonic() - self._told_at > _TABLES_SECONDS:
            self._told_at = time.monotonic()
            # They are written again at the end, and the jobs have their own.
            self._write_tables(self._results())

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

    def _results(self) -> list[JobResult]:
        """Return what the directories of all jobs say, by number."""
        differing = _differing(list(self.jobs.values()))
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

    def _write_tables(self, results: Sequence[JobResult]) -> int:
        """Write ``scores.csv`` and ``jobs.csv`` of the sweep as it stands; return a code."""
        try:
            write_aggregate(self.directory, results)
            write_jobs(self.directory, results)
        except SegrunError as error:
            tell(str(error))
            return 1
        return 0

    def closed_after(self, work: Callable[[], None]) -> int:
        """Run jobs until their ends or a Ctrl-C, then close; return the exit code."""
        try:
            work()
        except KeyboardInterrupt:
            tell("interrupted: what was finished stays")
            return max(130, self.close())
        return self.close()

    def close(self) -> int:
        """Write the tables, print the summary, say how to resume; return the exit code."""
        # Late: a mistyped key needs none of it.
        from segrun.report.sweep import summary

        results = self._results()
        codes = [ended.exit_code for ended in self.ended.values()]
        codes.append(self._write_tables(results))
        print(summary(results), end="\n\n")  # noqa: T201
        for what, show in (
            ("the backends could not be compared", _compare),
            ("the growth with the rows could not be shown", _grow),
            ("the page could not be written", _report),
        ):
            try:
                if text := show(self.directory, results):
                    print(text, end="\n\n")  # noqa: T201
            except (SegrunError, OSError, ValueError, LookupError) as error:
                tell(f"{what}: {error}")
                codes.append(1)
        print(self.shown(self.directory, quote=False))  # noqa: T201
        left = Counter(result.manifest()["status"] for result in results)
        if set(left) - set(FINISHED):
            sys.stdout.flush()
            states = ", ".join(f"{n} {status}" for status, n in left.items())
            tell(f"{states}. To run what is left: segrun resume {self.shown(self.directory)}")
        return max(codes)

    def shown(self, path: Path, *, quote: bool = True) -> str:
        """Return a path as it can be typed where the command was called."""
        path = path.relative_to(self.here) if path.is_relative_to(self.here) else path
        return shlex.quote(str(path)) if quote else str(path)


def _compare(sweep: Path, results: Sequence[JobResult]) -> str:
    """Write how backends compare, and return it as text; empty where the sweep has one."""
    # Late: most sweeps have one.
    from segrun.report.speedup import write_speedup

    return write_speedup(sweep, results)


def _grow(sweep: Path, results: Sequence[JobResult]) -> str:
    """Write and draw how the cost grows, and return it as text; empty where there is one size."""
    from segrun.report.growth import write_growth

    return write_growth(sweep, results)


def _report(sweep: Path, results: Sequence[JobResult]) -> str:
    """Write the page of a sweep whose jobs write one."""
    asked = any(result.experiment.get("report") == "html" for result in results)
    if asked and (sweep / MULTIRUN).is_file():
        from segrun.report.html import write_report

        write_report(sweep)
    return ""


def _differing(jobs: Sequence[Job]) -> dict[int, dict[str, Any]]:
    """Return the value of every key that overrides of jobs differ in, by number of the job.

    A choice of a group is its option; a value is that of the experiment, so that jobs have it
    that did not name the key, and empty where the experiment has no such key.
    """
    counts = Counter(text for job in jobs for text in set(job.overrides))
    keys = {_key(text): None for job in jobs for text in job.overrides if counts[text] < len(jobs)}
    return {job.number: {key: _value(job, key) for key in keys} for job in jobs}


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+~")


def _value(job: Job, key: str) -> Any:
    found: Any = job.experiment
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if found is not None and not isinstance(found, Mapping):
        return found
    told = [text for text in job.overrides if _key(text) == key]
    return told[-1].partition("=")[2] if told else None


def tell(message: str) -> None:
    """Print one message to stderr."""
    print(f"segrun: {message}", file=sys.stderr)  # noqa: T201
