"""From the labels of a finished run to segments that people can use."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import SegmentsConfig, plain
from segrun.rundir.finished import FinishedRun
from segrun.segments import colours
from segrun.segments.cautions import cautions
from segrun.segments.choosing import chosen
from segrun.segments.clustering import Clustering, read_clustering
from segrun.segments.columns import titles
from segrun.segments.criteria import criteria_rows, disagreement
from segrun.segments.description import Description, write
from segrun.segments.facts import fact_rows, facts
from segrun.segments.flags import flags
from segrun.segments.handnames import given_names
from segrun.segments.medoids import medoids
from segrun.segments.names import names
from segrun.segments.outliers import Members, place
from segrun.segments.population import Population, population
from segrun.segments.profile import profile, profile_rows
from segrun.segments.rated import column_titles, rating_tables
from segrun.segments.rules import rules
from segrun.segments.segment import NOISE, Segment, Segments
from segrun.segments.selection import unconverged_text
from segrun.segments.separability import seen, separability
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


def described(run: FinishedRun, config: SegmentsConfig) -> Description:
    """Return the description of a run's segments without writing it; see `describe`."""
    clustering = read_clustering(run, config.point)
    members = place(clustering, run.all_customers, _about(run), config.outliers)
    # Of millions of rows one table is enough, that of all members.
    own = members.customers.take(slice(members.n_clustered))
    clustering = replace(clustering, customers=own)
    run.release()
    people = population(members, config.order_by, titles(clustering.experiment.features))
    shown = [people.numbers[label] for label in people.shown]
    profiles = [profile(column, people.codes, people.n_groups) for column in people.columns]
    n_months = _n_months(run.manifest.get("features", {}))
    found = facts(profiles, people.codes, people.n_groups, n_months)[: len(shown)]
    given = _by_number(given_names(run, clustering.point.slug), people)
    named, told = names(config.names, shown, given, profiles, found)
    stable = stability(clustering, config.stability)
    choices, limits = chosen(run, clustering, config.stability)
    warnings = cautions(clustering, people, stable)
    warnings += [
        {"kind": kind, "text": text}
        for kind, text in [
            ("limits", limits),
            ("not_converged", _unconverged(run, clustering)),
            ("criteria", disagreement(choices)),
            *told,
        ]
        if text
    ]
    segments = Segments(
        clustering.point.slug,
        _segments(clustering, people, given | dict(zip(shown, named, strict=True)), stable),
        config.outliers.value,
        warnings,
    )
    numbers = segments.numbers(members.labels)
    seed = clustering.experiment.seed
    rows = seen(numbers[: len(clustering.labels)], seed)
    X = members.customers.take(rows).matrix()
    apart = separability(clustering.Z[rows], X, numbers[rows], seed)
    n_clusters = len(people.labels) - (NOISE in people.labels)
    return Description(
        segments,
        {
            "profile": profile_rows(profiles, shown, named),
            "facts": fact_rows(found, shown, named),
            "criteria": criteria_rows(choices, n_clusters),
            "stability": stability_rows(stable, people.shown, shown, named),
            "separability": apart.scores,
            "confusion": apart.confusion,
            **rating_tables(run, members, numbers, segments),
        },
        rules(apart.leaves, apart.classes, segments, column_titles(members.customers)),
        _columns(members, segments, numbers),
        plain(config),
    )


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


def _unconverged(run: FinishedRun, clustering: Clustering) -> str:
    cut_off = run.done[clustering.point.slug].get("converged") == "false"
    return unconverged_text() if cut_off else ""


def _by_number(names: Mapping[int, str], people: Population) -> dict[int, str]:
    numbers = people.numbers
    return {numbers[label]: name for label, name in names.items() if label in numbers}


def _segments(
    clustering: Clustering, people: Population, names: Mapping[int, str], stable: Stability
) -> list[Segment]:
    nearest = medoids(clustering.Z, clustering.labels, clustering.customers.ids)
    numbers, n_customers = people.numbers, sum(people.sizes)
    return [
        Segment(
            number=numbers[label],
            label=label,
            name=names.get(numbers[label], f"Segment {numbers[label]}"),
            size=size,
            share=size / n_customers,
            colour=_colour(numbers[label]),
            medoids=nearest.get(label, []),
            flags=flags(size, size / n_customers, stable.mean(label)),
        )
        for label, size in zip(people.labels, people.sizes, strict=True)
    ]


def _colour(number: int) -> str:
    return colours.NOISE if number == NOISE else colours.COLOURS[number % len(colours.COLOURS)]


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
