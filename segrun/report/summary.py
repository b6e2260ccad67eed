"""What the terminal shows at the end: the best point of every job, and where everything is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from segrun.report.sweep import JobResult

_HEADER = ("job", "algo", "best point", "silhouette", "clusters", "noise", "backend", "fits",
           "fit s", "status")  # fmt: skip


def summary(jobs: Iterable[JobResult]) -> str:
    """Return a table with one line per job.

    Parameters
    ----------
    jobs : iterable of JobResult
        Finished or not.
    """
    return table([_HEADER, *(_line(job) for job in jobs)])


def _line(job: JobResult) -> tuple[str, ...]:
    manifest = job.manifest()
    algo = str(manifest.get("experiment", {}).get("algo", ""))
    fits = [row for row in job.table("timings.csv") if row["stage"] == "fit"]
    backends = Counter(row["backend_ran"] or "failed" for row in fits)
    seconds = sum(float(row["wall_seconds"]) for row in fits)
    rows = job.table("scores.csv")
    best = next((row for row in rows if row["selected"] == "true"), None)
    return (
        job.name,
        algo,
        best["point"] if best else _no_point(rows),
        _silhouette(best) if best else "",
        best["n_clusters"] if best else "",
        f"{float(best['noise_share']):.1%}" if best else "",
        " ".join(f"{name} {n}" for name, n in backends.items()),
        str(len(fits)),
        f"{seconds:.2f}",
        _status(manifest),
    )


def _no_point(rows: Sequence[dict[str, str]]) -> str:
    return "none within the limits" if any(row["status"] == "done" for row in rows) else ""


def _silhouette(row: dict[str, str]) -> str:
    if not row["silhouette"]:
        return ""
    error = float(row["silhouette_se"] or 0)
    return f"{float(row['silhouette']):.4f}" + (f" ± {error:.4f}" if error else "")


def _status(manifest: dict[str, object]) -> str:
    points = manifest.get("points")
    if manifest["status"] == "incomplete" and isinstance(points, dict):
        return "incomplete: " + ", ".join(f"{n} {status}" for status, n in points.items())
    return str(manifest["status"])


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines with columns of equal width."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
