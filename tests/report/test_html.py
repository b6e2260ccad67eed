"""The page of a run and of a sweep: content, escaping, sameness."""

import copy
import re
import shutil
from pathlib import Path

import pytest

from segrun.cli.report import report_command
from segrun.cli.segments import describe_command, name_command
from segrun.config import from_plain
from segrun.errors import ConfigError, StoreError
from segrun.jobs import run_job as start
from segrun.report.html import write_report
from segrun.report.html.page import reproduce_command
from segrun.report.html.run import run_page
from segrun.report.pictures.canvas import text
from segrun.rundir.finished import open_run
from segrun.rundir.store import read_csv


@pytest.fixture(scope="module")
def sweep(make_sweep, describe, tmp_path_factory):
    """A small sweep; its k-means run is described by hand and has its page."""
    path = make_sweep(tmp_path_factory.mktemp("report"))
    describe(path / "0-kmeans", warnings=["One giant segment"])
    write_report(path / "0-kmeans")
    return path


@pytest.fixture
def run(sweep):
    """Its k-means run."""
    return sweep / "0-kmeans"


def test_the_page_has_every_part_that_the_run_has(run, read_page):
    page = read_page(run)
    sections = [attrs["id"] for attrs in page.of("section")]
    assert (
        sections
        == (
            "segments profiles items criteria grid blades projection stability separability "
            "exploration timings reproduce"
        ).split()
    )
    points = {row["point"] for row in read_csv(run / "scores.csv")}
    assert points <= set(page.texts)
    assert "One giant segment" in page.texts
    assert any(text.startswith("segrun algo=kmeans") for text in page.texts)


def test_the_manifest_names_the_page_and_its_pictures(run):
    found = open_run(run)
    pictures = {path.relative_to(run).as_posix() for path in (run / "pictures").iterdir()}
    assert {f"pictures/{name}.png" for name in ("sizes", "elbow", "silhouettes", "projection",
                                                 "scatter_matrix", "profiles", "histograms")
            } == pictures  # fmt: skip
    for name in (*pictures, "report.html"):
        found.file(name)


def test_columns_that_a_sample_has_chosen_are_said_to_be(run, monkeypatch):
    monkeypatch.setattr("segrun.report.html.sections.features._MOST_COLUMNS", 2)

    def caption():
        page = run_page(open_run(run))
        return next(p.caption for s in page.sections for p in s.pictures
                    if p.name == "scatter_matrix")  # fmt: skip

    assert caption().startswith("The 2 columns that segments differ in most. ")
    monkeypatch.setattr("segrun.report.html.sections.features._MOST_JUDGED", 100)
    assert caption().startswith("The 2 columns that segments differ in most, judged by 100 rows. ")


def test_the_plane_of_many_rows_is_that_of_few(run, monkeypatch):
    def plane():
        page = run_page(open_run(run))
        return next(p.png for s in page.sections for p in s.pictures if p.name == "projection")

    full = plane()
    # Another way to the same components.
    monkeypatch.setattr("segrun.report.html.sections.features._MOST_DECOMPOSED", 0)
    assert plane() == full


def test_the_page_is_whole_in_itself(run, read_page):
    page = read_page(run)
    sources = [attrs["src"] for attrs in page.of("img")]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert all(attrs["alt"] for attrs in page.of("img"))
    links = [attrs.get("href", "") for tag, attrs in page.tags if tag in ("a", "link")]
    assert all(link.startswith(("#", "data:,")) for link in links)


def test_what_a_run_does_not_have_is_left_out(sweep, describe, read_page):
    path = sweep / "1-dbscan"
    describe(path)
    with open_run(path).amend() as out:
        for name in ("distinctive", "stability", "confusion"):
            out.remove(f"segments/{name}.csv")
    write_report(path)
    sections = [attrs["id"] for attrs in read_page(path).of("section")]
    assert "distances" in sections
    assert not {"items", "stability", "separability", "scree"} & set(sections)


def test_the_same_run_gives_the_same_bytes(run):
    def written():
        return {p.name: p.read_bytes() for p in [run / "report.html", *run.glob("pictures/*")]}

    before = written()
    write_report(run)
    assert written() == before


def test_a_run_writes_its_page_and_the_same_seed_gives_the_same_one(run, tmp_path):
    values = copy.deepcopy(open_run(run).experiment)
    values["report"] = "html"
    values["algo"]["grid"] = {"n_clusters": [2, 3], "tol": [1e-4]}
    values["segments"]["stability"]["refits"] = 2
    pages = []
    for name in ("one", "two"):
        start(from_plain(values), tmp_path / name)
        pages.append((tmp_path / name / "report.html").read_text("utf-8"))
    # Times, and where it is, may differ.
    recorded = (r'<section id="timings">.*?</section>', r"segrun reproduce \w+",
                r">(started|finished)</th><td>[^<]*")  # fmt: skip
    one, two = (re.sub("|".join(recorded), "", page, flags=re.DOTALL) for page in pages)
    assert one == two
    assert len(one) > 0.5 * len(pages[0])


def test_markup_in_names_facts_and_items_stays_text(run, describe, hostile, read_page, tmp_path):
    path = shutil.copytree(run, tmp_path / "run")
    describe(path, name=hostile, warnings=[hostile], text=hostile)
    write_report(path)
    page = read_page(path)
    # One script, ours, and pictures of ours alone: nothing of theirs has become a tag.
    assert len(page.of("script")) == 1
    assert all(attrs["src"].startswith("data:") for attrs in page.of("img"))
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert hostile in page.texts
    assert hostile.replace("{}", "0") in page.texts


def test_texts_in_pictures_are_no_formulas():
    assert text("$x_{1}$") == r"\$x_{1}\$"
    assert text("_hidden").strip() == "_hidden"
    assert text("one\ntwo\x00") == "one two"
    assert text("x" * 50, 10) == "x" * 9 + "…"


def test_a_sweep_has_all_points_of_all_jobs_in_one_table(sweep, read_page):
    write_report(sweep)
    page, rows = read_page(sweep), read_csv(sweep / "scores.csv")
    assert [attrs["id"] for attrs in page.of("section")] == ["best", "points", "jobs", "again"]
    assert len(page.of("tr")) > len(rows)
    assert {row["point"] for row in rows} <= set(page.texts)
    assert (sweep / "pictures" / "points.png").is_file()
    # A job that has a page of its own is linked.
    assert "0-kmeans/report.html" in [attrs["href"] for attrs in page.of("a")]


def test_a_command_names_the_directory_as_seen_from_where_outputs_is():
    assert reproduce_command(Path("/home/me/outputs/mine/2026/0-kmeans")) == (
        "segrun reproduce outputs/mine/2026/0-kmeans"
    )
    assert reproduce_command(Path("/data/mine")) == "segrun reproduce mine"


@pytest.mark.parametrize("rest", [[], ["a", "b"], ["--help-me"]])
def test_the_command_wants_one_directory(rest):
    with pytest.raises(ConfigError, match="one run or sweep"):
        report_command(rest)


def test_no_run_no_report(tmp_path):
    with pytest.raises(StoreError, match="neither"):
        write_report(tmp_path)
    with pytest.raises(StoreError, match="no directory"):
        write_report(tmp_path / "nothing")


def test_a_run_that_was_changed_is_refused(run):
    file = run / "segments" / "profile.csv"
    before = file.read_text()
    file.write_text(before.replace("numeric", "share"))
    with pytest.raises(StoreError, match=re.escape("segments/profile.csv")):
        write_report(run)
    file.write_text(before)


@pytest.mark.heavy
def test_a_page_shows_what_is_described_and_named_later(composed, tmp_path, read_page):
    run = tmp_path / "run"
    own = ["features=rfm", "dataset.n_customers=60", "algo.params.tol=1e-4"]
    own += ["segments=full", "algo.grid.n_clusters=[2]", "segments.stability.refits=0"]
    start(composed("backend=sklearn", *own), run)
    # A run without a page gets none.
    name_command([str(run), "0=First"])
    assert not (run / "report.html").exists()
    with open_run(run).amend() as out:
        out.write_text("report.html", "old")
    assert describe_command([str(run), "segments.outliers=own", "segments.order_by=Amount"]) == 0
    assert {"First", "Outliers"} <= set(read_page(run).texts)
    profiles = (run / "pictures" / "profiles.png").read_bytes()
    assert name_command([str(run), "0=Gift shops"]) == 0
    assert "Gift shops" in read_page(run).texts
    assert (run / "pictures" / "profiles.png").read_bytes() != profiles
    open_run(run).file("report.html")
