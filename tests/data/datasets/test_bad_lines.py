"""Lines that cannot be read: refused, left out or kept apart; always counted, never lost."""

from __future__ import annotations

import csv
import gzip
import io
import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segrun.config import BadLines
from segrun.data.datasets import load
from segrun.errors import DataError
from segrun.rundir.store import read_csv, read_manifest

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
GOOD = '536365,85123A,"LANTERN, ""BIG""",6,12/13/2010 8:26,2.55,17850,United Kingdom'

#: What is done to a line's fields, by what is then said of it.
DAMAGES = {
    "Quantity is": lambda f: [*f[:3], "six", *f[4:]],
    "InvoiceDate is": lambda f: [*f[:4], "31/31/2011", *f[5:]],
    "UnitPrice is": lambda f: [*f[:5], "2.5x", *f[6:]],
    "6 fields, the header has 8": lambda f: f[:6],
    "9 fields, the header has 8": lambda f: [*f, "more"],
}
QUOTES = "quotes are not closed"


def written(fields):
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()


def damaged(line, kind):
    if kind == QUOTES:
        return line.replace(",", ',"', 1)
    return written(DAMAGES[kind](next(csv.reader([line]))))


@pytest.fixture(scope="module")
def real_lines(online_retail):
    return gzip.decompress(online_retail.read_bytes()).decode("iso-8859-1").split("\r\n")


@pytest.fixture(scope="module")
def corrupted(real_lines, tmp_path_factory):
    """One line in a hundred damaged: path, and number and kind of every bad line."""
    rng = random.Random(11)
    lines = list(real_lines)
    bad = {}
    for place in rng.sample(range(1, len(lines) - 1), 5419):
        bad[place + 1] = rng.choice([*DAMAGES, QUOTES])
        lines[place] = damaged(lines[place], bad[place + 1])
    path = tmp_path_factory.mktemp("corrupted") / "lines.csv"
    path.write_text("\r\n".join(lines), encoding="iso-8859-1", newline="")
    return path, bad, lines


@pytest.fixture(scope="module")
def expected(corrupted, real_lines):
    """The lines that are left, read apart from segrun."""
    _, bad, _ = corrupted
    kept = [line for number, line in enumerate(real_lines, start=1) if number not in bad]
    return pl.read_csv("\n".join(kept).encode(), infer_schema=False)


def opened(path, settings_of, tmp_path, policy):
    return load(settings_of(path, bad_lines=policy), 0, tmp_path)


def test_refused_is_the_default_and_names_the_first_lines(settings_of, corrupted, tmp_path):
    path, bad, _ = corrupted
    # A line of a wrong number of fields ends the fast reading; it is the first of its kind.
    first = min(n for n, kind in bad.items() if "fields" in kind or kind == QUOTES)
    said = rf"line {first}: .*dataset\.bad_lines=skip"
    with pytest.raises(DataError, match=said), load(settings_of(path), 0, tmp_path):
        pass


@pytest.mark.parametrize("policy", [BadLines.skip, BadLines.quarantine])
def test_the_others_are_read_as_if_the_bad_ones_were_not_there(
    settings_of, corrupted, expected, tmp_path, policy
):
    path, bad, _ = corrupted
    with opened(path, settings_of, tmp_path, policy) as transactions:
        read = transactions.frame.collect("polars").to_native()
        counted = transactions.facts["n_bad"]
    assert len(read) == 541_909 - 5419
    for column in ("InvoiceNo", "StockCode", "Description", "CustomerID", "Country"):
        assert read[column].equals(expected[column], null_equal=True), column
    assert read["Quantity"].equals(expected["Quantity"].cast(pl.Int64))
    assert read["UnitPrice"].equals(expected["UnitPrice"].cast(pl.Float64))
    assert sum(counted.values()) == 5419
    for column in ("Quantity", "InvoiceDate", "UnitPrice"):
        assert counted[column] == sum(kind == f"{column} is" for kind in bad.values())


def test_the_quarantine_file_has_every_bad_line_with_number_reason_and_text(
    segrun, corrupted, tmp_path
):
    path, bad, lines = corrupted
    done = segrun(
        "dataset=online_retail", f"dataset.path={path}", "dataset.bad_lines=quarantine",
        "features=rfm", "algo.params.n_clusters=3", "algo.params.tol=1e-3", "hydra.run.dir=run",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "5419 bad lines left out, kept in quarantine.csv" in done.stderr
    kept = read_csv(tmp_path / "run" / "quarantine.csv")
    assert {int(row["line"]): row["text"] for row in kept} == {n: lines[n - 1] for n in bad}
    for row in kept:
        assert row["reason"].startswith(bad[int(row["line"])])
    manifest = read_manifest(tmp_path / "run")
    assert sum(manifest["transactions"]["n_bad"].values()) == 5419
    assert manifest["transactions"]["n_read"] == 541_909 - 5419
    assert "quarantine.csv" in manifest["files"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("small")


# A third of the lines at most: with more than half, the file is refused.
@pytest.mark.heavy
@settings(deadline=None, max_examples=60)
@given(
    kinds=st.lists(st.sampled_from([None, None, None, *DAMAGES, QUOTES]), min_size=6, max_size=40),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_every_line_is_either_read_or_in_quarantine(settings_of, folder, kinds, end):
    kinds = [*kinds, *[None] * (len(kinds) + 1)]
    lines = [GOOD.replace("536365", str(i)) for i in range(len(kinds))]
    lines = [damaged(x, kind) if kind else x for x, kind in zip(lines, kinds, strict=True)]
    path = folder / "lines.csv"
    path.write_bytes((end.join([HEADER, *lines]) + end).encode())
    with opened(path, settings_of, folder, BadLines.quarantine) as transactions:
        read = transactions.frame.collect("polars").to_native()["InvoiceNo"].to_list()
        kept = read_csv(transactions.quarantine) if transactions.quarantine else []
    assert read == [str(i) for i, kind in enumerate(kinds) if kind is None]
    assert [int(row["line"]) - 2 for row in kept] == [i for i, k in enumerate(kinds) if k]


def test_an_open_quote_spoils_its_own_line_only(settings_of, folder):
    path = folder / "quote.csv"
    multi = GOOD.replace("LANTERN", "LAN\nTERN")
    lines = [GOOD, damaged(GOOD, QUOTES), multi, GOOD, GOOD]
    path.write_text("\n".join([HEADER, *lines]), encoding="utf-8")
    with opened(path, settings_of, folder, BadLines.quarantine) as transactions:
        assert len(transactions.frame.collect("polars")) == 4
        assert [row["line"] for row in read_csv(transactions.quarantine)] == ["3"]


@pytest.mark.parametrize("policy", list(BadLines))
def test_where_most_lines_are_bad_the_file_is_refused(settings_of, folder, policy):
    path = folder / "most.csv"
    path.write_text("\n".join([HEADER, GOOD, *[damaged(GOOD, "Quantity is")] * 3]))
    with (
        pytest.raises(DataError, match=r"3 of 4 lines .*line 3: Quantity is 'six'.*no accident"),
        opened(path, settings_of, folder, policy),
    ):
        pass


def test_bad_rows_of_an_excel_sheet_or_parquet_file_are_kept_with_their_rows(settings_of, folder):
    frame = pl.DataFrame([next(csv.reader([GOOD]))] * 4, schema=HEADER.split(","), orient="row")
    quantities = pl.Series("Quantity", ["6", "six", "7", "8"])
    path = folder / "text.parquet"
    frame.with_columns(quantities).write_parquet(path)
    with opened(path, settings_of, folder, BadLines.quarantine) as transactions:
        (row,) = read_csv(transactions.quarantine)
    assert row["row"] == "2"
    assert row["reason"] == "Quantity is 'six', not a whole number such as 6"
    assert next(csv.reader([row["text"]]))[:4] == ["536365", "85123A", 'LANTERN, "BIG"', "six"]


@pytest.mark.parametrize("others", ["3", "2.5"])
@pytest.mark.parametrize("policy", list(BadLines))
def test_a_quantity_beyond_any_is_a_bad_line(settings_of, folder, policy, others):
    path = folder / "huge.csv"
    path.write_text(f"c;d;p;q\na;2020-01-05;1.5;1e19\nb;2020-03-07;2;{others}\nc;2020-04-15;4;2")
    columns = {"customer": "c", "date": "d", "price": "p", "quantity": "q"}
    config = settings_of(path, columns, name="transactions", bad_lines=policy)
    if policy is BadLines.refuse:
        said = r"1 of 3 lines .*line 2: q is '1e19', not a number such as 2\.5, up to 9e15"
        with pytest.raises(DataError, match=said), load(config, 0, folder):
            pass
        return
    with load(config, 0, folder) as transactions:
        assert transactions.frame.collect("polars")["CustomerID"].to_list() == ["b", "c"]
        assert transactions.facts["n_bad"] == {"q": 1}
