"""What the terminal shows at the end: the best point of every job, and where everything is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from segrun.formats import percent, table
from segrun.report.sweep import JobResult, matrix_of, ranks

_HEADER = ("job", "algo", "best point", "silhouette", "clusters", "noise", "backend", "fits",
           "fit s", "status")  # fmt: skip


def summary(jobs: Iterable[JobResult]) -> str:
    """Return a table with one line per job, finished or not, and what is odd about some."""
    jobs = list(jobs)
    chosen = [_chosen(job) for job in jobs]
    lines = [_HEADER, *(_line(job, row) for job, row in zip(jobs, chosen, strict=True))]
    if any(ranked := _ranked(chosen)):
        place = _HEADER.index("silhouette") + 1
        lines = [(*line[:place], cell, *line[place:])
                 for line, cell in zip(lines, ["rank", *ranked], strict=True)]  # fmt: skip
    notes = [f"{job.name}: {text}" for job in jobs for text in job.manifest().get("cautions", [])]
    return "\n".join([table(lines), *notes])


def _chosen(job: JobResult) -> dict[str, str]:
    """Return the selected point of a job with the matrix that it is of, empty without one."""
    best = next((row for row in job.table("scores.csv") if row["selected"] == "true"), None)
    return {**best, "matrix": matrix_of(job.manifest(), job.experiment)} if best else {}


def _ranked(chosen: Sequence[Mapping[str, str]]) -> list[str]:
    """Return each point's rank among those of its matrix, which is named where there are more.

    Empty where a point has none, or nobody to compete with.
    """
    sizes = Counter(row.get("matrix", "") for row in chosen)
    several = len(sizes.keys() - {""}) > 1
    return [
        f"{rank} of {sizes[row['matrix']]}" + (f" on {row['matrix']}" if several else "")
        if rank and len(chosen) > 1
        else ""
        for row, rank in zip(chosen, ranks(chosen), strict=True)
    ]


def _line(job: JobResult, best: Mapping[str, str]) -> tuple[str, ...]:
    manifest = job.manifest()
    fits = [row for row in job.table("timings.csv") if row["stage"] == "fit"]
    backends = Counter(row["backend_ran"] or "failed" for row in fits)
    return (
        job.name,
        str(manifest.get("experiment", {}).get("algo", "")),
        best["point"] if best else _no_point(job.table("scores.csv")),
        _silhouette(best) if best else "",
        best["n_clusters"] if best else "",
        percent(best["noise_share"]) if best else "",
        " ".join(f"{name} {n}" for name, n in backends.items()),
        str(len(fits)),
        f"{sum(float(row['wall_seconds']) for row in fits):.2f}",
        _status(manifest),
    )


def _no_point(rows: Sequence[dict[str, str]]) -> str:
    return "none within the limits" if any(row["status"] == "done" for row in rows) else ""


def _silhouette(row: Mapping[str, str]) -> str:
    if not row["silhouette"]:
        return ""
    error = float(row["silhouette_se"] or 0)
    return f"{float(row['silhouette']):.4f}" + (f" ± {error:.4f}" if error else "")


def _status(manifest: dict[str, object]) -> str:
    points = manifest.get("points")
    if manifest["status"] == "incomplete" and isinstance(points, dict):
        return "incomplete: " + ", ".join(f"{n} {status}" for status, n in points.items())
    return str(manifest["status"])
