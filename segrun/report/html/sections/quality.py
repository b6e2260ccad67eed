"""How good the segments are: silhouettes of rows, stability, separability, distances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from segrun.formats import as_float
from segrun.report.html.page import Section, picture
from segrun.report.html.reported import ReportedRun, Rows
from segrun.report.pictures.lines import Line, Mark, Panel, draw_lines
from segrun.report.pictures.segments import draw_silhouettes
from segrun.rundir.environment import usable_cores
from segrun.segments.segment import NOISE, NOISE_COLOUR, Segment

#: Rows whose silhouettes or distances are shown.
_MOST_ROWS = 2000
_CLASSIFIERS = {"naive_bayes": "Naive Bayes", "tree": "Decision tree"}


def silhouettes(subject: ReportedRun) -> Section | None:
    """Return silhouettes of single rows, each against all rows."""
    from segrun.evaluation.partition import partition
    from segrun.evaluation.silhouette import silhouettes as silhouettes_of

    numbers = subject.numbers
    if numbers is None or subject.point is None:
        return None
    found = partition(subject.run.labels(subject.point))
    if not 2 <= found.n_clusters < found.n_clustered:
        return None
    rows = subject.sample(_MOST_ROWS, "blades")
    (values,) = silhouettes_of(
        subject.Z, [found], rows, threads=usable_cores(), advance=lambda _: None
    )
    known = ~np.isnan(values)
    if not known.any():
        return None
    of_segments = [
        (s, values[known & (numbers[rows] == s.number)]) for s in subject.shown if s.number >= 0
    ]
    drawn = draw_silhouettes(
        [(segment, own) for segment, own in of_segments if len(own)],
        as_float(subject.scores.get("silhouette")),
    )
    return Section(
        "blades",
        "Silhouettes within segments",
        {"below": float((values[known] < 0).mean())},
        [
            picture(
                "silhouettes",
                drawn,
                "Silhouettes of single rows, sorted within each segment",
                f"{subject.sampled(rows)} Each row is scored against all rows; below 0 it lies "
                "nearer to another segment than to its own.",
            )
        ],
    )


def distances(subject: ReportedRun) -> Section | None:
    """Return distances to the k-th neighbour, sorted, with the eps of the point shown."""
    from sklearn.neighbors import NearestNeighbors

    eps, min_samples = _parameter(subject, "eps"), _parameter(subject, "min_samples")
    if eps is None or min_samples is None or min_samples > len(subject.Z):
        return None
    rows = subject.sample(_MOST_ROWS, "distances")
    # As scikit-learn counts min_samples: a row is its own first neighbour.
    k = int(min_samples)
    neighbours = NearestNeighbors(n_neighbors=k).fit(subject.Z)
    found = np.sort(neighbours.kneighbors(subject.Z[rows])[0][:, -1])
    below = float((found <= eps).mean())
    shares = np.arange(1, len(rows) + 1) / len(rows)
    line, mark = Line(shares.tolist(), found.tolist()), Mark(f"eps {eps:g}", y=eps)
    drawn = draw_lines([Panel("share of rows", f"distance to neighbour {k}", [line], [mark])])
    return Section(
        "distances",
        "Distances to neighbours",
        {"eps": eps, "k": k, "below": below},
        [
            picture(
                "distances",
                drawn,
                f"Sorted distances to neighbour {k}; {below:.1%} of the rows are within eps",
                f"{subject.sampled(rows)} Rows below the line are core samples; a good eps lies "
                "where the curve turns upwards.",
            )
        ],
    )


def _parameter(subject: ReportedRun, name: str) -> float | None:
    """Return a parameter of the point shown, or of the first where none is."""
    done = [row for row in subject.run.scores if row["status"] == "done"]
    row = subject.scores or next(iter(done), {})
    params = subject.run.experiment["algo"]["params"]
    return as_float(row.get(f"param_{name}")) or as_float(params.get(name))


def stability(subject: ReportedRun) -> Section | None:
    """Return what is left of each segment when the algorithm sees other customers."""
    rows = subject.table("stability")
    if not rows:
        return None
    return Section(
        "stability",
        "Stability",
        {
            "rows": [row for row in rows if row["segment"]][: len(subject.shown)],
            "overall": next((row for row in rows if not row["segment"]), None),
            "colours": {str(segment.number): segment.colour for segment in subject.shown},
        },
    )


def separability(subject: ReportedRun) -> Section | None:
    """Return whether a classifier can tell the segments from the features."""
    rows = subject.table("confusion")
    if not rows:
        return None
    accuracies = {row["classifier"]: row for row in subject.table("separability")}
    rules = "segments/rules.txt"
    matrices = [
        {
            "name": _CLASSIFIERS.get(classifier, classifier),
            "accuracy": accuracies.get(classifier),
            **_confusion(subject, [row for row in rows if row["classifier"] == classifier]),
        }
        for classifier in dict.fromkeys(row["classifier"] for row in rows)
    ]
    told = subject.run.file(rules).read_text("utf-8") if subject.run.has(rules) else ""
    return Section("separability", "Separability", {"matrices": matrices, "rules": told})


def _confusion(subject: ReportedRun, rows: Rows) -> dict[str, Any]:
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        counts.setdefault(row["actual"], {})[row["predicted"]] = int(float(row["count"]))
    seen = {*counts, *(predicted for own in counts.values() for predicted in own)}
    shown = [segment for segment in subject.shown if str(segment.number) in seen]
    if str(NOISE) in seen and all(segment.number != NOISE for segment in shown):
        shown.append(Segment(NOISE, NOISE, "in no segment", 0, 0.0, NOISE_COLOUR))
    lines = [_line(actual, counts.get(str(actual.number), {}), shown) for actual in shown]
    return {"shown": shown, "lines": lines}


def _line(actual: Segment, counts: Mapping[str, int], shown: list[Segment]) -> dict[str, Any]:
    whole = sum(counts.values())
    cells = [counts.get(str(predicted.number), 0) for predicted in shown]
    return {
        "segment": actual,
        "cells": [{"count": c, "strength": c / whole if whole else 0.0} for c in cells],
        "whole": whole,
    }
