"""The scores of a run of one point, for an optimiser."""

from __future__ import annotations

from pathlib import Path

from segrun.rundir.finished import FinishedRun
from segrun.rundir.store import read_manifest

#: Columns of ``scores.csv`` that an objective or a limit can name.
_SCORES = ("silhouette", "davies_bouldin", "calinski_harabasz", "noise_share", "smallest_share",
           "largest_share", "n_clusters", "inertia")  # fmt: skip


def scores_of(directory: Path) -> dict[str, float | None] | None:
    """Return the scores of a finished run of one point; None where it did not come to labels.

    Parameters
    ----------
    directory : Path
        The run directory.

    Returns
    -------
    dict of str to float or None
        Scores, ``coverage`` (1 - noise_share), ``converged`` (0 or 1), ``fit_seconds`` and
        ``wall_seconds``; None for what is undefined of the clusters found.
    """
    manifest = read_manifest(directory)
    if manifest["status"] != "done":
        return None
    run = FinishedRun(directory, manifest)
    row = run.scores[0]
    found = {name: float(row[name]) if row[name] else None for name in _SCORES}
    noise = found["noise_share"]
    return {
        **found,
        # Of what has no iterations there is nothing to hold against it.
        "converged": 0.0 if row.get("converged") == "false" else 1.0,
        "coverage": None if noise is None else 1 - noise,
        "fit_seconds": sum(float(timing["wall_seconds"]) for timing in run.fits),
        "wall_seconds": sum(float(timing["wall_seconds"]) for timing in run.timings),
    }
