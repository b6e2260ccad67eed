"""Large files: a probe and one checked pass come to what the exact road comes to."""

import gzip
import os
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segrun.config import (
    BadLines,
    CacheConfig,
    ColumnKind,
    ColumnsConfig,
    DateOrder,
    Decimal,
    RecordsConfig,
    TransactionsConfig,
)
from segrun.data.cache import digests
from segrun.data.datasets import large, load
from segrun.data.datasets.large import LargeFile
from segrun.data.datasets.read import read
from segrun.data.datasets.rows import Rows
from segrun.data.datasets.sample import Sampling
from segrun.data.datasets.source import find
from segrun.errors import DataError

#: Of most files the probe sees a part only.
TINY = Sampling(n_pieces=3, piece_bytes=60)
MISSING = ["NA", "null", "-99"]


def settings_of(path, kind, **changes):
    common = {
        "name": kind, "path": str(path), "sheet": None, "encoding": "auto", "separator": "auto",
        "decimal": Decimal.auto, "date_order": DateOrder.auto, "date_format": None,
        "missing": MISSING, "bad_lines": BadLines.refuse,
    } | changes  # fmt: skip
    if kind == "transactions":
        columns = ColumnsConfig(customer="id", date="when", price="price", quantity="n", item="x")
        return TransactionsConfig(columns=columns, **common)
    columns = {"n": ColumnKind.number, "when": ColumnKind.date, "x": ColumnKind.text,
               "price": ColumnKind.number}  # fmt: skip
    return RecordsConfig(id="id", columns=columns, rename={}, one_per_id=False, **common)


def told(rows):
    """Rows, facts and fingerprint, or nothing that the two roads may differ in."""
    frame = rows.frame.collect("polars").to_native()
    # What one pass does not count.
    facts = {
        name: fact
        for name, fact in rows.facts.items()
        if name not in ("n_copies", "copied_days", "n_ids")
    }
    return frame, facts, dict(rows.fingerprint)


def by_exact_road(config, folder):
    folder.mkdir()
    try:
        return told(read(config, find(config.path), folder))
    except DataError as error:
        return str(error)


def by_large_road(config, folder, sampling=TINY):
    """What the large road comes to, None where it leaves the file to the exact one."""
    folder.mkdir()
    file = LargeFile(
        config, find(config.path), folder, folder, CacheConfig(use=False, min_bytes=0), sampling
    )
    with large.opened(file) as found:
        return told(found) if isinstance(found, Rows) else None


def assert_same(one, other):
    assert one[0].equals(other[0])
    assert one[0].schema == other[0].schema
    assert one[1] == other[1]
    assert one[2] == other[2]


IDS = st.sampled_from(["a", "b", "007", " c", "d ", "1.0", "2.50", "NA", "", "null", "é"])
NUMBERS = st.sampled_from(
    [
        "1",
        "2",
        "-3",
        "2.5",
        "1e3",
        "",
        "NA",
        " 4",
        "+5",
        "nan",
        "inf",
        "1,5",
        "1.000",
        "1.234",
        "-99",
        '"6"',
        '""',
    ]
)
PRICES = st.sampled_from(["1.25", "3", "0.1", "", "£2.50", "1.234", "1 000.5", "$3", "1e400"])
DATES = st.sampled_from(
    ["01/02/2024", "13/02/2024", "05/05/2024", "2/13/2024", "", "2024-01-01", "x"]
)
TEXTS = st.sampled_from(
    [
        "p",
        " q ",
        "",
        "NA",
        "a b",
        "w" * 30,
        '"p, q"',
        '""',
        '5" by 6"',
        '5"',
        '"5"" by 6"""',
        '"p" q',
    ]
)
ENDS = st.sampled_from(["", "", "", "", "", ",extra", "\n", "\n,,,,,"])


def _row(ids, numbers, dates, prices, texts):
    return st.tuples(ids, numbers, dates, prices, texts, st.just("z"), ENDS)


USUAL = st.tuples(
    st.sampled_from(["a", "b", "007"]), st.sampled_from(["1", "2", "-3"]),
    st.sampled_from(["2024-01-31", "2024-02-01"]), st.sampled_from(["1.25", "3.5"]),
    st.sampled_from(["p", "q"]), st.just("z"), st.just(""),
)  # fmt: skip


@pytest.mark.heavy
@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(USUAL, min_size=1, max_size=25),
    strange=st.lists(
        st.tuples(st.integers(0, 25), _row(IDS, NUMBERS, DATES, PRICES, TEXTS)), max_size=2
    ),
    kind=st.sampled_from(["transactions", "records"]),
    policy=st.sampled_from([BadLines.refuse, BadLines.skip]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_what_the_large_road_reads_the_exact_one_reads_alike(
    tmp_path_factory, rows, strange, kind, policy, newline
):
    for place, row in strange:
        rows.insert(place, row)
    lines = ["id,n,when,price,x,last", *(",".join(row[:6]) + row[6] for row in rows)]
    folder = tmp_path_factory.mktemp("large")
    path = folder / "rows.csv"
    path.write_bytes((newline.join(lines) + newline).encode())
    config = settings_of(path, kind, bad_lines=policy)
    exact = by_exact_road(config, folder / "exact")
    found = by_large_road(config, folder / "large")
    # What it does not read is read by the exact road, which says what is wrong.
    if found is not None:
        assert not isinstance(exact, str), exact
        assert_same(found, exact)


BODY = "a,1,2024-01-31,1.25,p,z\nb,2,2024-02-01,3.5,q,z\n" * 40
PLAIN = "id,n,when,price,x,last\n" + BODY
WHOLE_BODY = BODY.replace("1.25", "125").replace("3.5", "35")
WHOLE = "id,n,when,price,x,last\n" + WHOLE_BODY


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("records", PLAIN),
        ("transactions", PLAIN),
        # Found only after the probe: cleaned, but no bad lines.
        ("records", PLAIN + " c,NA,2024-02-01,,NA,z\n"),
        ("records", PLAIN + 'c,1,2024-02-01,1,"p, q",z\n'),
        ("records", PLAIN + "\n" + BODY),
        ("records", PLAIN + "c,1,2024-02-01,1,p,\n" + 3 * BODY),
        ("transactions", PLAIN.replace(",1,", ",1.5,")),
        ("transactions", PLAIN.replace("1.25", "£1.25")),
        ("transactions", PLAIN.replace("2024-01-31", "31.1.24").replace("2024-02-01", "1.2.24")),
        ("records", PLAIN.replace("\na,", "\n17.0,")),
        ("records", WHOLE + "c,-99,2024-02-01,-99,p,z\n" + 3 * BODY),
        ("records", PLAIN + "c,1,2024-02-01,-99,p,z\n" + 3 * BODY),
        ("records", (PLAIN + 3 * BODY + "c,1,2024-02-01,1,p,é\n" + 3 * BODY).encode("latin-1")),
    ],
)  # fmt: skip
def test_files_like_most_take_the_large_road(tmp_path, kind, content):
    path = tmp_path / "rows.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    config = settings_of(path, kind)
    found = by_large_road(config, tmp_path / "large")
    assert found is not None
    assert_same(found, by_exact_road(config, tmp_path / "exact"))


@pytest.mark.parametrize(
    "strange",
    [
        "a,1,2024-02-01,1,p,z,more",
        "a,1,2024-02-01,1,p",
        "a,1,2024-02-01,1,p\na,1,2024-02-01,1,p,z,more",
        "a,1,2024-02-01,1,p,\na,1,2024-02-01,1,p",
        "a,one,2024-02-01,1,p,z",
        "a,1,1.2.2024,1,p,z",
        "17.0,1,2024-02-01,1,p,z",
    ],
    ids=["more", "fewer", "both", "none", "number", "date", "id"],
)
def test_what_does_not_fit_the_probe_is_left_to_the_exact_road(tmp_path, strange):
    path = tmp_path / "rows.csv"
    # Where none of the three pieces is.
    path.write_text(f"{PLAIN}{strange}\n{3 * BODY}")
    assert by_large_road(settings_of(path, "transactions"), tmp_path / "large") is None


@pytest.mark.heavy
@pytest.mark.parametrize("strange", ["a,2.5,2024-02-01,1,p,z", "a.b,1,2024-02-01,1,p,z"])
def test_what_the_probe_did_not_see_takes_a_second_pass(tmp_path, strange):
    path = tmp_path / "rows.csv"
    path.write_text(f"{PLAIN}{strange}\n{3 * BODY}")
    config = settings_of(path, "transactions")
    assert_same(
        by_large_road(config, tmp_path / "large"), by_exact_road(config, tmp_path / "exact")
    )


@pytest.mark.parametrize(
    ("n", "price"), [("1", "1.000"), ("1.234", "1"), ("1", "£1.250")], ids=["whole", "n", "sign"]
)
def test_numbers_that_may_be_thousands_are_left_to_the_exact_road(tmp_path, n, price):
    path = tmp_path / "rows.csv"
    content = f"{WHOLE}c,{n},2024-02-01,{price},p,z\n{3 * WHOLE_BODY}"
    path.write_text(content.replace(",125,", ",£125,") if "£" in price else content)
    config = settings_of(path, "transactions")
    assert by_large_road(config, tmp_path / "large") is None
    assert "can be read in two ways" in by_exact_road(config, tmp_path / "exact")


@pytest.mark.heavy
@pytest.mark.parametrize("policy", [BadLines.skip, BadLines.quarantine])
def test_quotes_within_a_field_are_bad_lines_on_both_roads(tmp_path, policy):
    path = tmp_path / "rows.csv"
    path.write_text(PLAIN + 'c,1,2024-02-01,1,5" by 6",z\n' + 3 * BODY)
    config = settings_of(path, "records", bad_lines=policy)
    assert by_large_road(config, tmp_path / "large") is None
    path.write_text(PLAIN + 'c,1,2024-02-01,1,"5"" by 6""",z\n' + 3 * BODY)
    found = by_large_road(config, tmp_path / "once more")
    assert_same(found, by_exact_road(config, tmp_path / "exact"))


def test_the_encoding_is_told_as_it_was_given(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(PLAIN)
    config = settings_of(path, "records", encoding="UTF8")
    found = by_large_road(config, tmp_path / "large")
    assert_same(found, by_exact_road(config, tmp_path / "exact"))


def test_dates_that_another_order_reads_as_well_are_left_to_the_exact_road(tmp_path):
    path = tmp_path / "rows.csv"
    dated = (PLAIN + 3 * BODY).replace("2024-01-31", "05/05/2024")
    path.write_text(dated.replace("2024-02-01", "06/06/2024"))
    config = settings_of(path, "transactions")
    assert by_large_road(config, tmp_path / "large") is None
    # 1 February, or 2 January: of this the probe tells nothing.
    path.write_text(path.read_text().replace("06/06/2024", "01/02/2024", 1))
    assert "can be read in 2 ways" in by_exact_road(config, tmp_path / "exact")


@pytest.mark.parametrize("encoding", ["iso-8859-1", "utf-16", "utf-8-sig", "cp1252"])
def test_a_large_file_in_any_encoding(tmp_path, encoding):
    path = tmp_path / "rows.csv"
    path.write_bytes((PLAIN + "ü,1,2024-02-01,1,p,z\n").encode(encoding))
    config = settings_of(path, "records")
    found = by_large_road(config, tmp_path / "large")
    assert_same(found, by_exact_road(config, tmp_path / "exact"))


@pytest.fixture
def opened(tmp_path, cache):
    @contextmanager
    def load_it(path, **changes):
        config = settings_of(path, "records", **changes)
        with load(config, 0, cache, CacheConfig(use=True, min_bytes=0)) as rows:
            yield rows

    return load_it


@pytest.fixture
def plain(tmp_path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(PLAIN)
    return path


@pytest.mark.heavy
def test_a_table_is_kept_and_the_same_from_the_cache(opened, plain, tmp_path):
    with opened(plain) as rows:
        assert not rows.from_cache
        first = told(rows)
        assert pl.read_parquet(rows.files).equals(first[0])
    with opened(plain) as rows:
        assert rows.from_cache
        assert_same(told(rows), first)
    copy = tmp_path / "copy.csv"
    copy.write_text(PLAIN)
    with opened(copy) as rows:
        assert rows.from_cache
        assert rows.fingerprint["path"] == str(copy)
    with opened(plain, decimal=Decimal.point) as rows:
        assert not rows.from_cache
    plain.write_text(PLAIN + "c,1,2024-02-01,1,p,z\n")
    with opened(plain) as rows:
        assert not rows.from_cache
        assert len(told(rows)[0]) == len(first[0]) + 1


@pytest.mark.heavy
def test_a_damaged_table_is_made_anew(opened, plain, cache):
    with opened(plain) as rows:
        first = told(rows)
    (file,) = cache.glob("tables/*/rows.parquet")
    file.write_bytes(file.read_bytes()[:-20])
    with opened(plain) as rows:
        assert not rows.from_cache
        assert_same(told(rows), first)


def test_a_file_that_changes_while_it_is_read_is_refused(opened, plain, cache, monkeypatch):
    monkeypatch.setattr("segrun.data.datasets.large.is_still", lambda *_: False)
    with pytest.raises(DataError, match="changed while it was read"), opened(plain):
        pass
    assert not list(cache.glob("tables/*"))


def test_a_packed_file_that_is_replaced_while_it_is_read_is_refused(
    opened, tmp_path, cache, monkeypatch
):
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(PLAIN.encode()))
    unpack = large.as_utf8

    def replaced(source, *rest):
        # Its digest is known by now.
        path.write_bytes(gzip.compress((PLAIN + BODY).encode()))
        return unpack(source, *rest)

    monkeypatch.setattr(large, "as_utf8", replaced)
    with pytest.raises(DataError, match="changed while it was read"), opened(path):
        pass
    assert not list(cache.glob("tables/*"))


def test_a_digest_is_not_that_of_a_file_whose_time_was_set_back(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGRUN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(digests, "_RACY_SECONDS", 0.0)
    path = tmp_path / "file"
    path.write_text("one")
    digests.remember(path, "abc", digests.state(path))
    found = path.stat()
    path.write_text("two")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert digests.remembered(path) is None


def test_a_digest_is_remembered_while_its_file_is_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGRUN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(digests, "_RACY_SECONDS", 0.0)
    path = tmp_path / "file"
    path.write_text("one")
    digests.remember(path, "abc", digests.state(path))
    assert digests.remembered(path) == "abc"
    path.write_text("two")
    assert digests.remembered(path) is None


def test_a_digest_of_a_file_changed_a_moment_ago_is_not_remembered(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGRUN_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "file"
    path.write_text("one")
    digests.remember(path, "abc", digests.state(path))
    assert digests.remembered(path) is None


@pytest.mark.parametrize(("odd", "taken"), [(1_325_376_777, True), (5, False)])
def test_unix_time_beyond_the_probe_is_looked_at_as_well(tmp_path, odd, taken):
    whens = [1_325_376_600 + i for i in range(200)]
    # Between the pieces of the probe.
    whens[60] = odd
    path = tmp_path / "views.csv"
    path.write_text("id,n,when,x,price\n" + "".join(f"a,1,{when},x,2\n" for when in whens))
    config = settings_of(path, "transactions")
    exact, large_road = by_exact_road(config, tmp_path / "e"), by_large_road(config, tmp_path / "l")
    if not taken:
        assert large_road is None
        assert "dataset.date_format=unix_s" in exact
        return
    assert_same(exact, large_road)
    assert exact[1]["date_format"] == "unix_s"
