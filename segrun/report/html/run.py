"""The page of one run."""

from __future__ import annotations

from pathlib import Path

from segrun import config
from segrun.features.removed import left_out
from segrun.formats import counted, number
from segrun.report.html.page import REPORT, Page, render
from segrun.report.html.reported import ReportedRun
from segrun.report.html.sections import features, grid, quality, record, segments
from segrun.rundir.finished import FinishedRun, open_run
from segrun.segments.segment import is_described, read_segments

#: The sections in order. One more is a function here and ``templates/sections/ID.html``.
SECTIONS = (
    segments.cards, segments.profiles, segments.items, grid.criteria, grid.grid,
    quality.silhouettes, features.projection, quality.stability, quality.separability,
    quality.distances, features.scree, features.reduction, features.features, record.timings,
    record.foot,
)  # fmt: skip


def write_run(path: Path, later: str = "") -> Path:
    """Write the page of a run, and its pictures; the manifest then names them."""
    run = _described(open_run(path))
    page = run_page(run, later)
    html = render(page)
    with run.amend() as out:
        for stale in (out.path / "pictures").glob("*.png"):
            out.remove(f"pictures/{stale.name}")
        for picture in page.pictures:
            out.write_bytes(picture.file, picture.png)
        out.write_text(REPORT, html)
    return path / REPORT


def run_page(run: FinishedRun, later: str = "") -> Page:
    """Return what the page of a run shows."""
    subject = ReportedRun(run, read_segments(run) if is_described(run) else None)
    return Page(
        str(run.experiment["name"]),
        _lead(subject),
        _warnings(subject, later),
        [section for make in SECTIONS if (section := make(subject))],
        left_out(run.manifest),
    )


def _described(run: FinishedRun) -> FinishedRun:
    """Return the run with its segments, where it has a point to describe."""
    settings = config.from_plain(run.experiment).segments
    if is_described(run) or (settings.point or run.selected) is None:
        return run
    from segrun.segments.describe import describe

    describe(run, settings)
    return open_run(run.path)


def _lead(subject: ReportedRun) -> str:
    run = subject.run
    about, n_points = run.experiment, len(run.scores)
    copies = run.manifest["experiment"]["augmentation"]
    what = (
        f"{_who(subject)}{'' if copies in ('', 'none') else f', augmentation {copies}'}, "
        f"{counted(len(run.customers.feature_names), 'feature')} ({about['features']['name']}). "
        f"{about['algo']['name']} over {counted(n_points, 'point')}, "
        f"backend {about['backend']['name']}, seed {about['seed']}."
    )
    row = subject.scores
    if not row:
        return f"{what} No point is selected."
    score = f", silhouette {number(row['silhouette'])}" if row["silhouette"] else ""
    return f"{what} Shown: {row['point']}, {row['n_clusters']} clusters{score}."


def _who(subject: ReportedRun) -> str:
    """Say what the rows are that were clustered, and what data they are from."""
    customers, dataset = subject.run.customers, subject.run.experiment["dataset"]
    each = "one" if customers.replica is None else "copies"
    path = str(dataset.get("path") or "")
    # Of a database there is a password in it.
    named = path and "://" not in path
    source = f"{Path(path).name} ({dataset['name']})" if named else str(dataset["name"])
    return f"{len(customers):,} {subject.rows_are}, {each} per {customers.id_column}, of {source}"


def _warnings(subject: ReportedRun, later: str) -> list[str]:
    run, found = subject.run, []
    if later:
        found.append(
            f"This page is about the run as it was. {later}: segrun ingest {run.path} shows "
            f"them, segrun export {run.path} --to FILE --customers writes them."
        )
    failed = [row for row in run.scores if row["status"] != "done"]
    if failed:
        found.append(
            f"{len(failed)} of {counted(len(run.scores), 'point')} failed: {failed[0]['reason']}"
        )
    if subject.point is None:
        found.append(
            "No point is selected, so there are no segments to show: none is within the limits of "
            "evaluation and has the score that the choice goes by. The columns limit and reason "
            "of the table say why."
        )
    if subject.segments is not None:
        found += [str(warning["text"]) for warning in subject.segments.warnings]
    return found
