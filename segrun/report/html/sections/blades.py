"""Silhouette blades: how well single rows lie in their segment."""

from __future__ import annotations

import numpy as np

from segrun.formats import as_float
from segrun.report.html.section import Picture, Section
from segrun.report.html.subject import Subject
from segrun.rundir.environment import usable_cores

_MOST_ROWS = 2000


def section(subject: Subject) -> Section | None:
    """Return silhouettes of single rows, each against all rows."""
    from segrun.evaluation.partition import partition
    from segrun.evaluation.silhouette import silhouettes
    from segrun.report.pictures.blades import Blade, draw
    from segrun.report.pictures.canvas import png

    labels, numbers = subject.labels, subject.numbers
    if labels is None or numbers is None:
        return None
    found = partition(labels)
    if not 2 <= found.n_clusters < found.n_clustered:
        return None
    rows = subject.sample(_MOST_ROWS, "blades")
    values = silhouettes(subject.Z, [found], rows, threads=usable_cores(), advance=lambda _: None)[
        0
    ]
    known = ~np.isnan(values)
    if not known.any():
        return None
    blades = [
        Blade(segment.name, segment.colour, values[known & (numbers[rows] == segment.number)])
        for segment in subject.shown
        if segment.number >= 0
    ]
    below = float((values[known] < 0).mean())
    mean = as_float(subject.scores.get("silhouette"))
    return Section(
        "blades",
        "Silhouettes within segments",
        {"below": below},
        [
            Picture(
                "silhouettes",
                png(draw([blade for blade in blades if len(blade.values)], mean)),
                "Silhouettes of single rows, sorted within each segment",
                f"{subject.sampled(rows)} Each row is scored against all rows; below 0 it lies "
                "nearer to another segment than to its own.",
            )
        ],
    )
