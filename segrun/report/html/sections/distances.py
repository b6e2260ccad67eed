"""The k-distance curve: which eps a DBSCAN of these data could take."""

from __future__ import annotations

import numpy as np

from segrun.formats import as_float
from segrun.report.html.section import Picture, Section
from segrun.report.html.subject import Subject

_MOST_ROWS = 2000


def section(subject: Subject) -> Section | None:
    """Return distances to the k-th neighbour, sorted, with the eps of the point shown."""
    from sklearn.neighbors import NearestNeighbors

    from segrun.report.pictures.canvas import png
    from segrun.report.pictures.lines import Line, Mark, Panel, draw

    eps, min_samples = _parameter(subject, "eps"), _parameter(subject, "min_samples")
    if eps is None or min_samples is None or min_samples > len(subject.Z):
        return None
    rows = subject.sample(_MOST_ROWS, "distances")
    # As scikit-learn counts min_samples: a row is its own first neighbour.
    k = int(min_samples)
    neighbours = NearestNeighbors(n_neighbors=k).fit(subject.Z)
    distances = np.sort(neighbours.kneighbors(subject.Z[rows])[0][:, -1])
    below = float((distances <= eps).mean())
    shares = np.arange(1, len(rows) + 1) / len(rows)
    drawn = draw(
        [
            Panel(
                "share of rows", f"distance to neighbour {k}",
                [Line(shares.tolist(), distances.tolist())], [Mark(f"eps {eps:g}", y=eps)],
            )
        ]
    )  # fmt: skip
    return Section(
        "distances",
        "Distances to neighbours",
        {"eps": eps, "k": k, "below": below},
        [
            Picture(
                "distances",
                png(drawn),
                f"Sorted distances to neighbour {k}; {below:.1%} of the rows are within eps",
                f"{subject.sampled(rows)} Rows below the line are core samples; a good eps lies "
                "where the curve turns upwards.",
            )
        ],
    )


def _parameter(subject: Subject, name: str) -> float | None:
    """Return a parameter of the point shown, or of the first where none is."""
    algo = subject.run.experiment["algo"]
    done = [row for row in subject.run.scores if row["status"] == "done"]
    row = subject.scores or next(iter(done), {})
    return as_float(row.get(f"param_{name}")) or as_float(algo["params"].get(name))
