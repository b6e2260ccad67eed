"""A batch, read as the run read its own input: nothing is guessed anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from segrun.config import Copies, DatasetConfig, DateOrder, FileConfig, from_plain
from segrun.data.address import is_address
from segrun.data.datasets.rows import Rows
from segrun.errors import ConfigError, DataError
from segrun.rundir.finished import FinishedRun
from segrun.using.placing.reading import as_then, first_readable, with_file


@contextmanager
def batch(run: FinishedRun, path: str, changes: Sequence[str]) -> Iterator[Rows]:
    """Open a file of new rows; copies that this needs last as long as the context."""
    from segrun.data import datasets

    if any(change.startswith("dataset.path=") for change in changes):
        raise ConfigError("dataset.path: files are named alone, without dataset.path=")
    if is_address(path) and not any(c.startswith("dataset.query=") for c in changes):
        # The query of the run would give its own rows once more, beside the new ones.
        raise ConfigError(
            f"{path} is a database: say which rows are new by dataset.query=, a SELECT or the name "
            "of a table that has no others"
        )
    experiment = with_file(run, path, changes)
    asked = experiment.dataset
    datasets.check(asked)
    assert isinstance(asked, FileConfig)
    then = as_then(asked, run.manifest.get("transactions", {}))
    if any(change.startswith("dataset.date_order=") for change in changes):
        then = replace(then, date_format=asked.date_format)
    before = _states(path)
    ways = [then]
    if then.date_format != asked.date_format:
        # Dates of databases and of Excel, which nobody can read in two ways.
        ways.append(replace(then, date_format=None, date_order=DateOrder.iso))
    load = partial(datasets.load, seed=experiment.seed, settings=experiment.cache)
    with first_readable(load, *ways) as (_, found):
        yield found
        # What is appended after its rows were read, and before its digest, would be lost: known.
        if _states(path) != before:
            raise DataError(
                f"dataset.path={path} was changed while it was read: ingest it once it is finished"
            )


def _states(path: str) -> list[list[int]]:
    """Return what changes with the content of the files under a path; nothing of a database."""
    from segrun.data.cache.digests import state
    from segrun.data.datasets.source import find

    if is_address(path):
        return []
    found = find(path)
    return [state(part.path) for part in found.parts or (found,)]


@contextmanager
def own_input(run: FinishedRun, moved_to: str | None) -> Iterator[Rows]:
    """Open the run's own input again."""
    from segrun.data import datasets

    experiment = from_plain(run.experiment)
    if moved_to is not None:
        experiment = with_file(run, moved_to, [])
    with ExitStack() as stack:
        try:
            found = stack.enter_context(
                datasets.load(experiment.dataset, experiment.seed, settings=experiment.cache)
            )
        except DataError as error:
            raise DataError(
                f"{error}. The first state of {run.path} is made of its own input: --input FILE "
                "says where that lies now"
            ) from error
        _check_same(run, found.fingerprint)
        yield found


def _check_same(run: FinishedRun, fingerprint: Mapping[str, Any]) -> None:
    then = run.manifest["input"]
    names = ("sha256",) if "sha256" in then else tuple(then)
    for name in names:
        if str(fingerprint.get(name)) != str(then[name]):
            raise DataError(
                f"{then.get('path', then.get('source'))} is not what {run.path} has read: its "
                f"{name} is {fingerprint.get(name)}, that of then {then[name]}. Put it back, or "
                "say with --input which file, folder or glob is as it was: the first state is made "
                "of it. Where input grows, store.state=true makes the state with the run"
            )


def id_facts(facts: Mapping[str, Any]) -> dict[str, bool]:
    """Return what ids the rows had that can be read in two ways: 17850.0, and 17850.5."""
    return {name: True for name in ("whole_ids", "fractional_ids") if facts.get(name)}


def merged_ids(one: Mapping[str, bool], other: Mapping[str, bool]) -> dict[str, bool]:
    """Return the `id_facts` of both."""
    found = {**one, **other}
    if len(found) > 1:
        raise DataError(
            "some ids end in .0, which is left out, and others have fractions such as .5: read "
            "together, .0 would stay. Write all ids in one way"
        )
    return found


def merged_currencies(
    before: Sequence[str], facts: Mapping[str, Any]
) -> tuple[list[str], list[str]]:
    """Return the currencies beside numbers until now, and what to say where one is new to them."""
    now = facts.get("currencies", [])
    found = sorted({*before, *now})
    mixed = before and set(now) - set(before)
    return found, [f"amounts in several currencies are added up: {', '.join(found)}"] * bool(mixed)


def overlapping(
    dataset: DatasetConfig, path: str, before: Mapping[str, Any], batch: Mapping[str, Any]
) -> list[str]:
    """Return what to say of a batch whose lines lie among those before."""
    drops = isinstance(dataset, FileConfig) and dataset.duplicates is Copies.drop
    shared = _shared(before, batch)
    if shared is not None and shared < timedelta(0):
        return []
    where = "its lines have no dates"
    if shared is not None:
        where = (
            f"its lines from {batch['first_line']} to {batch['last_line']} lie among those that "
            f"were ingested before ({before['first_line']} to {before['last_line']})"
        )
    if drops:
        raise DataError(
            f"{path}: {where}. dataset.duplicates=drop leaves out copies, and which of them are "
            "copies of lines before is not known any more: run once more over all files (their "
            "folder, or a glob), or ingest a file of other days"
        )
    # A line or two may well be late.
    several = shared is not None and shared >= timedelta(days=1)
    return [f"{where}: what is in both counts twice"] if several else []


def _shared(one: Mapping[str, Any], other: Mapping[str, Any]) -> timedelta | None:
    """Return the time that two ranges have in common, negative where none, None without dates."""
    if "last_line" not in one or "last_line" not in other:
        return None
    first, last = (
        [datetime.fromisoformat(part[name]) for part in (one, other)]
        for name in ("first_line", "last_line")
    )
    return min(last) - max(first)
