"""``segrun reproduce``: run something again and check that it comes to the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from segrun.cli.arguments import misuse
from segrun.errors import ConfigError, SegrunError, StoreError
from segrun.rundir.store import read_csv
from segrun.sweep.reproduce import stored
from segrun.sweep.reproduce.results import (
    JobResults,
    Results,
    environment,
    find_expected,
    read_expected,
    read_results,
    write_expected,
)
from segrun.sweep.reproduce.verdict import JobVerdict, backends, environments, judge, page

#: Exit code where something came to other results.
MISMATCH = 3

_CHANGEABLE = ("dataset.path=", "hydra.sweep.dir=", "hydra/launcher=", "hydra.launcher.")


def reproduce_command(arguments: Sequence[str]) -> int:
    """Do what the arguments of ``segrun reproduce`` ask for and return the exit code."""
    match list(arguments):
        case ["--write", file, path]:
            return _write(Path(file), Path(path))
        case [path, *changes] if path[:1] not in ("-", ""):
            for change in changes:
                if not change.startswith(_CHANGEABLE):
                    raise misuse("reproduce", f"{change}: another experiment is no reproduction")
            return _reproduce(path, changes)
    raise misuse("reproduce", "name what to run again")


def _write(file: Path, path: Path) -> int:
    found = stored.read(path)
    if found.arguments[:1] == ["reproduce"]:
        raise StoreError(f"{path} is a reproduction: write down what it reproduced")
    if found.results.notes:
        raise StoreError(f"{path} is no good expectation: {'; '.join(found.results.notes)}")
    write_expected(file, found.arguments, found.results)
    n_points = sum(len(job.points) for job in found.results.jobs.values())
    print(f"{file}: {len(found.results.jobs)} jobs, {n_points} points")  # noqa: T201
    return 0


def _reproduce(path: str, changes: Sequence[str]) -> int:
    directory: Path | None
    if Path(path).is_dir():
        then = stored.read(Path(path))
        expected = then.results
        directory, code = _run_stored(then, changes)
    else:
        file = Path(path) if Path(path).is_file() else find_expected(path)
        arguments, expected = read_expected(file)
        directory, code = _run_committed(file, arguments, expected, changes)
    if directory is None or code not in (0, 1):
        return code
    verdicts, now = _judged(expected, directory)
    others = environments(expected.environment, now.environment) + backends(expected, now)
    print()  # noqa: T201
    print(page(verdicts, expected.notes, others), end="")  # noqa: T201
    return MISMATCH if any(verdict.differences for verdict in verdicts.values()) else 0


def _run_stored(then: stored.Stored, changes: Sequence[str]) -> tuple[Path, int]:
    # Late: Hydra, which a wrong path needs not.
    from segrun.cli.compose import compose_sweep
    from segrun.sweep.grid import run_again

    path = _input_path(changes)
    jobs = stored.with_input(then.jobs, path) if path else then.jobs
    for place, digest in {
        (str(job.experiment["dataset"]["path"]), job.input_sha256)
        for job in jobs
        if job.input_sha256 is not None
    }:
        stored.refuse_other_input(place, digest)
    settings = [change for change in changes if change.startswith("hydra")]
    name = str(jobs[0].experiment["name"])
    return run_again(jobs, compose_sweep([f"name={name}", *settings]))


def _run_committed(
    file: Path, arguments: Sequence[str], expected: Results, changes: Sequence[str]
) -> tuple[Path | None, int]:
    from segrun.cli.compose import launch_session
    from segrun.cli.session import Session

    digests = {job.input_sha256 for job in expected.jobs.values() if job.from_file}
    path = _input_path(changes)
    if digests and not path:
        raise ConfigError(
            f"{file} was made of a file with sha256 {' and '.join(digests)}: name it, "
            "dataset.path=FILE"
        )
    for digest in digests:
        stored.refuse_other_input(path, digest)
    session = Session()
    code = launch_session(["--multirun", *arguments, *changes], session)
    return session.conductor.directory if session.conductor else None, code


def _input_path(changes: Sequence[str]) -> str:
    given = [change.partition("=")[2] for change in changes if change.startswith("dataset.path=")]
    return given[-1].strip("'\"") if given else ""


def _judged(expected: Results, directory: Path) -> tuple[Mapping[str, JobVerdict], Results]:
    verdicts: dict[str, JobVerdict] = {}
    found: dict[str, JobResults] = {}
    where: Mapping[str, str] = {}
    for folder in dict.fromkeys([*expected.jobs, *_folders(directory)]):
        # A job that nobody expected, because the experiment has more of them, is no match either.
        then = expected.jobs.get(folder, JobResults({}, "", False, 0.0, ""))
        now, why = _now(directory / folder)
        verdicts[folder] = judge(then, now, why)
        if now is not None:
            found[folder] = now
            where = where or environment(directory / folder)
    return verdicts, Results(found, where or expected.environment)


def _folders(sweep: Path) -> list[str]:
    table = sweep / "jobs.csv"
    return [row["job"] for row in read_csv(table)] if table.is_file() else []


def _now(directory: Path) -> tuple[JobResults | None, str]:
    try:
        return read_results(directory), ""
    except SegrunError as error:
        return None, str(error)
