"""From the labels of a finished run to segments that people can use."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun import interrupt
from segrun.algorithms import foreign
from segrun.config import Experiment, SegmentsConfig, plain
from segrun.errors import SegrunError
from segrun.rundir.directory import RunDirectory
from segrun.rundir.finished import FinishedRun
from segrun.rundir.timings import Timings
from segrun.segments.cautions import UNCONVERGED, cautions, flags
from segrun.segments.clustering import Clustering, read_clustering
from segrun.segments.criteria import chosen, criteria_rows, disagreement
from segrun.segments.description import Description, discard, given_names, write
from segrun.segments.facts import fact_rows, facts
from segrun.segments.members import Members, medoids, place
from segrun.segments.names import names
from segrun.segments.population import Population, population
from segrun.segments.profile import profile, profile_rows, titles
from segrun.segments.ratings import column_titles, rating_tables
from segrun.segments.segment import COLOURS, NOISE, NOISE_COLOUR, Segment, Segments
from segrun.segments.separability import Separability, rules, seen, separability
from segrun.segments.stability import Stability, stability, stability_rows

log = logging.getLogger("segrun.segments")

#: Columns of customers that were not clustered.
ABOUT = "about.parquet"


def describe(run: FinishedRun, config: SegmentsConfig) -> Segments:
    """Describe the segments of a finished run, from its directory alone, and add them to it.

    Parameters
    ----------
    run : FinishedRun
        The run.
    config : SegmentsConfig
        Which point, in which order, under which names.

    Returns
    -------
    Segments
        What ``segments/segments.json`` holds.

    Raises
    ------
    ConfigError
        If the run has no such point.
    DataError
        If a rule or an order is of a column that the run does not have.
    StoreError
        If the run selected no point and none is named, or a file is missing or changed.
    """
    found = described(run, config)
    with run.amend() as out:
        write(out, found)
    return found.segments


def describe_stage(
    experiment: Experiment, out: RunDirectory, timings: Timings, facts: Mapping[str, Any]
) -> str:
    """Describe the segments while the run goes on: what was run stands, whatever becomes of it.

    `facts` are what the manifest will say. Returns why there are no segments, '' if they are
    described or there is no point to describe.
    """
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
        return _warn_of_failure(out, error)
    for warning in found.segments.warnings:
        log.warning("%s", warning["text"])
    return ""


def _warn_of_failure(out: RunDirectory, error: Exception) -> str:
    why = str(error)
    if not isinstance(error, SegrunError):
        why = f"{foreign.told(error)} (unforeseen; the traceback is in segrun.log)"
    log.debug("the segments could not be described", exc_info=error)
    log.warning(
        "the segments are not described: %s. Labels and scores stand. Once it is mended: "
        "segrun describe %s [segments.KEY=VALUE ...]", why.rstrip("."), shlex.quote(str(out.path)),
    )  # fmt: skip
    return f"the segments are not described: {why}"


def described(run: FinishedRun, config: SegmentsConfig) -> Description:
    """Return the description of a run's segments without writing it; see `describe`."""
    clustering = read_clustering(run, config.point)
    members = place(clustering, run.all_customers, _about(run), config.outliers)
    # Of millions of rows one table is enough, that of all members.
    clustering = replace(clustering, customers=members.customers.take(slice(members.n_clustered)))
    run.release()
    people = population(members, config.order_by, titles(clustering.experiment.features))
    number_of = people.numbers
    shown = [number_of[label] for label in people.shown]
    profiles = [profile(column, people.codes, people.n_groups) for column in people.columns]
    n_months = _n_months(run.manifest.get("features", {}))
    found = facts(profiles, people.codes, people.n_groups, n_months)[: len(shown)]
    by_label = given_names(run, clustering.point.slug)
    given = {number_of[label]: name for label, name in by_label.items() if label in number_of}
    named, of_names = names(config.names, shown, given, profiles, found)
    stable = stability(clustering, config.stability)
    choices, limits = chosen(run, clustering, config.stability)
    warnings = cautions(clustering, people, stable)
    warnings += [
        {"kind": kind, "text": text}
        for kind, text in (
            ("limits", limits),
            ("not_converged", UNCONVERGED if _is_unconverged(run, clustering) else ""),
            ("criteria", disagreement(choices)),
            *of_names,
        )
        if text
    ]
    name_of = given | dict(zip(shown, named, strict=True))
    segments = Segments(
        clustering.point.slug, _segments(clustering, people, name_of, stable),
        config.outliers.value, warnings,
    )  # fmt: skip
    numbers = segments.numbers(members.labels)
    apart = _apart(clustering, members, numbers)
    tables = {
        "profile": profile_rows(profiles, shown, named),
        "facts": fact_rows(found, shown, named),
        "criteria": criteria_rows(choices, len(people.labels) - (NOISE in people.labels)),
        "stability": stability_rows(stable, people.shown, shown, named),
        "separability": apart.scores,
        "confusion": apart.confusion,
        **rating_tables(run, members, numbers, segments),
    }
    text = rules(apart.leaves, apart.classes, segments, column_titles(members.customers))
    return Description(segments, tables, text, _columns(members, segments, numbers), plain(config))


def _about(run: FinishedRun) -> dict[str, NDArray[Any]]:
    found = run.columns(ABOUT)
    found.pop(run.all_customers.id_column, None)
    return found


def _n_months(features: Mapping[str, Any]) -> int | None:
    """Return how many calendar months the lines are of, from the first to the last."""
    if "last_line" not in features:
        return None
    first, last = (datetime.fromisoformat(features[f"{end}_line"]) for end in ("first", "last"))
    return 12 * (last.year - first.year) + last.month - first.month + 1


def _is_unconverged(run: FinishedRun, clustering: Clustering) -> bool:
    return run.done[clustering.point.slug].get("converged") == "false"


def _segments(
    clustering: Clustering, people: Population, names: Mapping[int, str], stable: Stability
) -> list[Segment]:
    nearest = medoids(clustering.Z, clustering.labels, clustering.customers.ids)
    number_of, n_customers = people.numbers, sum(people.sizes)
    found = []
    for label, size in zip(people.labels, people.sizes, strict=True):
        number, share = number_of[label], size / n_customers
        name = names.get(number, f"Segment {number}")
        colour = NOISE_COLOUR if number == NOISE else COLOURS[number % len(COLOURS)]
        odd = flags(size, share, stable.mean(label))
        found.append(Segment(number, label, name, size, share, colour, nearest.get(label, []), odd))
    return found


def _apart(clustering: Clustering, members: Members, numbers: NDArray[np.int64]) -> Separability:
    seed = clustering.experiment.seed
    rows = seen(numbers[: len(clustering.labels)], seed)
    X = members.customers.take(rows).matrix()
    return separability(clustering.Z[rows], X, numbers[rows], seed)


def _columns(
    members: Members, segments: Segments, numbers: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    """Return the columns of ``members.parquet``; -1 and no name for customers in no segment."""
    customers = members.customers
    replica = {} if customers.replica is None else {"replica": customers.replica}
    found, where = np.unique(numbers, return_inverse=True)
    name_of = {segment.number: segment.name for segment in segments.segments}
    names = np.array([name_of.get(int(number), "") for number in found], dtype=object)
    own = {**replica, "segment": numbers, "name": names[where]}
    # First, whatever it is called: readers go by the place.
    id_column = "customer" if customers.id_column in own else customers.id_column
    return {id_column: customers.written_ids.to_numpy(), **own}
