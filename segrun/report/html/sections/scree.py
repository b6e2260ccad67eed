"""The scree plot: how much each principal component explains."""

from __future__ import annotations

import numpy as np

from segrun.report.html.section import Picture, Section
from segrun.report.html.subject import Subject


def section(subject: Subject) -> Section | None:
    """Return the explained variance where the transform ends in a PCA."""
    from segrun.report.pictures.canvas import png
    from segrun.report.pictures.lines import Line, Panel, draw

    pca = next((step for _, step in subject.steps if hasattr(step, "explained_variance_ratio_")),
               None)  # fmt: skip
    if pca is None:
        return None
    shares = np.asarray(pca.explained_variance_ratio_, dtype=np.float64)
    places = list(range(1, len(shares) + 1))
    whole = np.cumsum(shares)
    panels = [
        Panel("component", "share of variance", [Line(places, shares.tolist())], whole_x=True),
        Panel("component", "share, added up", [Line(places, whole.tolist())], whole_x=True),
    ]
    return Section(
        "scree",
        "Principal components",
        {"n_components": len(shares), "whole": float(whole[-1])},
        [
            Picture(
                "scree",
                png(draw(panels)),
                f"{len(shares)} components explain {whole[-1]:.1%} of the variance",
            )
        ],
    )
