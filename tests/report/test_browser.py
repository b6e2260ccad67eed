"""Pages in a real browser: nothing said, nothing asked for, sorting sorts, filtering filters."""

import pytest

from segrun.report.html import write_report
from segrun.rundir.store import read_csv

ROWS = "[...document.querySelectorAll('#points tbody tr')].filter((row) => !row.hidden)"


@pytest.fixture(scope="module")
def sweep(make_sweep, describe, hostile, tmp_path_factory):
    """A sweep and its k-means run with pages; names of segments are markup."""
    path = make_sweep(
        tmp_path_factory.mktemp("browser"), "report=html", "segments.stability.refits=0"
    )
    assert all((path / job / "report.html").is_file() for job in (".", "0-kmeans", "1-dbscan"))
    describe(path / "0-kmeans", name=hostile, warnings=[hostile], text=hostile)
    write_report(path / "0-kmeans")
    return path


def column(browser, name):
    """Values of a column of the table of points, as it stands, hidden rows left out."""
    return browser.ask(
        f"(() => {{ const heads = [...document.querySelectorAll('#points thead th')];"
        f"const place = heads.findIndex((head) => head.textContent.trim() === {name!r});"
        f"return {ROWS}.map((row) => row.cells[place].dataset.value); }})()"
    )


def press(browser, name):
    """Press the head of a column."""
    browser.ask(
        "[...document.querySelectorAll('#points thead button')]"
        f".find((button) => button.textContent.trim() === {name!r}).click()"
    )


def write(browser, words):
    """Write into the filter of the table of points."""
    browser.ask(
        "(() => { const input = document.querySelector('#points input');"
        f"input.value = {words!r}; input.dispatchEvent(new Event('input')); }})()"
    )


@pytest.mark.parametrize("page", [".", "0-kmeans", "1-dbscan"])
@pytest.mark.parametrize("width", [1280, 400])
def test_a_page_opens_at_once_and_quietly(browser, sweep, page, width):
    file = sweep / page / "report.html"
    # Another process can have the machine for a moment.
    taken = min(browser.open(file, width) for _ in range(2))
    assert browser.ask("document.title").endswith("- segrun")
    assert browser.complaints() == []
    assert browser.requests() == []
    assert not [e for e in browser.events if e["method"] == "Page.javascriptDialogOpening"]
    assert browser.ask("[...document.images].every((i) => i.complete && i.naturalWidth > 0)")
    # The page itself never scrolls sideways; wide tables do so in their own frame.
    assert browser.ask("document.documentElement.scrollWidth") <= width
    assert taken <= 2


@pytest.mark.slow
def test_the_page_of_27_points_over_40_000_rows_is_small_and_opens_at_once(
    segrun, browser, tmp_path
):
    done = segrun("augmentation=rows_40k", "report=html", "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = tmp_path / "run" / "report.html"
    assert len(read_csv(tmp_path / "run" / "scores.csv")) == 27
    assert page.stat().st_size <= 6e6
    assert min(browser.open(page) for _ in range(2)) <= 2
    assert browser.complaints() == []


def test_sorting_sorts_both_ways_and_what_is_missing_comes_last(browser, sweep):
    browser.open(sweep / "report.html")
    given = [row["silhouette"] for row in read_csv(sweep / "scores.csv")]
    known = sorted(float(cell) for cell in given if cell)
    missing = [""] * given.count("")
    assert column(browser, "silhouette") == given
    press(browser, "silhouette")
    found = column(browser, "silhouette")
    assert [float(cell) for cell in found if cell] == known
    assert found[len(known) :] == missing
    press(browser, "silhouette")
    found = column(browser, "silhouette")
    assert [float(cell) for cell in found if cell] == known[::-1]
    assert found[len(known) :] == missing
    assert browser.ask("document.querySelector('[aria-sort]').ariaSort") == "descending"


def test_filtering_keeps_rows_with_all_words_and_within_limits(browser, sweep):
    browser.open(sweep / "report.html")
    rows = read_csv(sweep / "scores.csv")
    write(browser, "DBSCAN min_samples=10")
    wanted = [r["point"] for r in rows if "dbscan" in r["job"] and "min_samples=10," in r["point"]]
    assert column(browser, "point") == wanted
    write(browser, "kmeans silhouette>0.3 n_clusters<=5")
    assert column(browser, "point") == [
        r["point"] for r in rows
        if "kmeans" in r["job"] and float(r["silhouette"] or "nan") > 0.3
        and int(r["n_clusters"]) <= 5
    ]  # fmt: skip
    said = browser.ask("document.querySelector('#points [role=status]').textContent")
    assert said == f"{len(column(browser, 'point'))} of {len(rows)}"
    write(browser, "")
    assert len(column(browser, "point")) == len(rows)


def test_the_page_reads_without_script(browser, sweep):
    browser.tell("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(sweep / "report.html")
        found = browser.tell("DOM.getDocument", depth=1)["root"]["nodeId"]
        html = browser.tell("DOM.getOuterHTML", nodeId=found)["outerHTML"]
    finally:
        browser.tell("Emulation.setScriptExecutionDisabled", value=False)
    assert "<button" not in html
    assert all(row["point"] in html for row in read_csv(sweep / "scores.csv"))
