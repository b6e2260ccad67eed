import gzip
import hashlib
import io
import json
import logging
import os
import signal
import struct
import subprocess
import sys
import threading
import urllib.request
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import xlsxwriter

from segrun.data.content import Content, count_content
from segrun.data.fetch import fetch, fetch_command
from segrun.errors import ConfigError, DataError, SegrunError, StoreError

NAME = "online_retail"
HEADER = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice",
          "CustomerID", "Country"]  # fmt: skip
N_ROWS = 3000
#: Every seventh row is a cancellation, every fifth has no customer.
ROWS = [
    [f"C{536000 + i // 4}" if i % 7 == 0 else 536000 + i // 4, "85123A", f"LÄMP {i} £", 6,
     "12/1/2010 8:26", 2.55, None if i % 5 == 0 else 12000 + i % 100, "United Kingdom"]
    for i in range(N_ROWS)
]  # fmt: skip
EXPECTED = Content(
    N_ROWS, len({row[6] for row in ROWS} - {None}), len({str(row[0]) for row in ROWS})
)


def workbook(rows=ROWS, header=HEADER):
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet("Online Retail")
        for i, row in enumerate([header, *rows]):
            sheet.write_row(i, 0, row)
    return file.getvalue()


def csv(rows=ROWS, header=HEADER):
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    return "\r\n".join([",".join(header), *lines, ""]).encode("latin-1")


def pack(*members, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


WORKBOOK = workbook()
ARCHIVE = pack(("Online Retail.xlsx", WORKBOOK))


@dataclass
class Site:
    """What the server answers with, and the requests that it has seen."""

    content: bytes = ARCHIVE
    statuses: list = field(default_factory=list)  # answered in turn before all else
    cuts: list = field(default_factory=list)  # bytes after which the connection breaks, in turn
    length: str = "told"  # or "chunked", or "untold"
    stall: bool = False  # keep the connection open after the cut
    url: str = ""
    requests: list = field(default_factory=list)
    cut_done: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        site = self.server.site
        site.requests.append(dict(self.headers))
        self.close_connection = True
        if site.statuses:
            self.send_response(site.statuses.pop(0))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        if site.length == "told":
            self.send_header("Content-Length", str(len(site.content)))
        elif site.length == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.body(site, site.content)

    def body(self, site, rest):
        cut = site.cuts.pop(0) if site.cuts else None
        for i in range(0, len(rest[:cut]), 4096):
            piece = rest[:cut][i : i + 4096]
            chunked = b"%x\r\n%s\r\n" % (len(piece), piece)
            self.wfile.write(chunked if site.length == "chunked" else piece)
        self.wfile.flush()
        if cut is None and site.length == "chunked":
            self.wfile.write(b"0\r\n\r\n")
        if cut is not None:
            site.cut_done.set()
            if site.stall:
                site.go_on.wait(20)


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # joined, so that no socket outlives the test
    site = server.site = Site(url=f"http://127.0.0.1:{server.server_port}/online+retail.zip")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield site
    site.go_on.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def get(site, tmp_path):
    def get(**options):
        options = {"url": site.url, "folder": tmp_path / "f", "expected": EXPECTED} | options
        return fetch(NAME, **{"delay_seconds": 0, **options})

    return get


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "f"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("length", ["told", "chunked", "untold"])
def test_the_file_in_the_archive_is_in_the_cache_with_a_record(get, site, folder, length):
    site.length = length
    path = get()
    assert path == folder / f"{NAME}.xlsx"
    assert path.read_bytes() == WORKBOOK
    record = json.loads((folder / f"{NAME}.json").read_text())
    assert record.pop("fetched")
    assert record == {
        "file": path.name,
        "url": site.url,
        "sha256": hashlib.sha256(WORKBOOK).hexdigest(),
        "n_bytes": len(WORKBOOK),
        "facts": {"n_rows": 3000, "n_customers": 80, "n_invoices": EXPECTED.n_invoices},
    }
    assert names(folder) == [f"{NAME}.json", f"{NAME}.xlsx"]
    assert len(site.requests) == 1


@pytest.mark.parametrize("member", ["OnlineRetail.csv", "data/Online Retail.CSV"])
def test_an_archive_of_a_csv_file_gives_a_csv_file(get, site, folder, member):
    shadow = ("__MACOSX/._OnlineRetail.csv", b"x")
    site.content = pack((member, csv()), shadow, ("README.txt", b"x"), ("data/", b""))
    path = get()
    assert path == folder / f"{NAME}.csv"
    assert path.read_bytes() == csv()


def test_another_kind_of_file_takes_the_place_of_the_old(get, site, folder):
    get().write_bytes(b"x")
    site.content = pack(("a.csv", csv()))
    get()
    assert names(folder) == [f"{NAME}.csv", f"{NAME}.json"]


# Broken connections


def test_after_a_broken_connection_it_is_fetched_again(get, site, folder, caplog):
    site.cuts = [10_000, 20_000]
    assert get().read_bytes() == WORKBOOK
    assert len(site.requests) == 3
    assert caplog.text.count("Retry downloading") == 2
    assert names(folder) == [f"{NAME}.json", f"{NAME}.xlsx"]


def test_a_server_that_is_busy_twice_is_asked_a_third_time(get, site):
    site.statuses = [503, 500]
    assert get().read_bytes() == WORKBOOK
    assert len(site.requests) == 3


@pytest.mark.parametrize("status", [404, 503])
def test_a_refusal_is_told_and_leaves_nothing(get, site, folder, status):
    site.statuses = [status] * 9
    said = rf"online\+retail\.zip was not fetched: answers {status} .*SEGRUN_FETCH_URL=URL"
    with pytest.raises(DataError, match=said):
        get()
    assert names(folder) == []


def test_a_server_that_is_not_there_is_named(get, site):
    with pytest.raises(DataError, match=r"127\.0\.0\.1:9/x was not fetched: .*refused"):
        get(url="http://127.0.0.1:9/x")


def test_a_silent_server_is_left_after_the_timeout(get, site, monkeypatch):
    monkeypatch.setattr("segrun.data.fetch._TIMEOUT_SECONDS", 0.3)
    site.cuts, site.stall = [10_000], True
    assert get().read_bytes() == WORKBOOK
    assert len(site.requests) == 2


def test_a_proxy_of_the_environment_is_used(get, site, monkeypatch):
    monkeypatch.setenv("http_proxy", site.url)
    # Python keeps the proxies of its first call.
    monkeypatch.setattr(urllib.request, "_opener", None)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert get(url="http://archive.invalid/x.zip").read_bytes() == WORKBOOK
    assert site.requests[0]["Host"] == "archive.invalid"


# What came


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]


def refused(get, site, folder, content, said):
    site.content = content
    with pytest.raises(DataError, match=said) as error:
        get()
    assert site.url in str(error.value)
    assert "The download was removed" in str(error.value)
    assert names(folder) == []


@pytest.mark.parametrize("n_bytes", [1, 100, 10_000, -1])
@pytest.mark.parametrize("length", ["told", "untold"])
def test_a_truncated_archive_is_refused(get, site, folder, n_bytes, length):
    site.length = length
    refused(get, site, folder, ARCHIVE[:n_bytes], "truncated or damaged")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_changed_byte_fails_the_checksum(get, site, folder, method):
    for place in (5_000, 20_000):
        content = flipped(pack(("a.xlsx", WORKBOOK), method=method), place)
        refused(get, site, folder, content, "truncated or damaged")


@pytest.mark.heavy
def test_whichever_byte_is_changed_no_other_content_comes_through(get, site, folder):
    small = pack(("a.csv", csv(ROWS[:8])))
    for place in range(len(small)):
        site.content = flipped(small, place)
        try:
            path = get(expected=Content(8, 6, 4))
        except DataError:
            assert names(folder) == []
        else:
            # A time or a comment that nothing depends on.
            assert path.read_bytes() == csv(ROWS[:8])
            path.unlink()
            (folder / f"{NAME}.json").unlink()


@pytest.mark.parametrize("build", [workbook, csv])
@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (ROWS[:-1], "2,999 rows instead of 3,000$"),
        ([[None, *row[1:]] for row in ROWS], r"0 invoices instead of 1,\d+$"),
        ([[*row[:6], 1, ""] for row in ROWS], "1 customers instead of 80$"),
        (ROWS[:1], "1 rows instead of 3,000, 0 customers instead of 80, 1 invoices .*$"),
    ],
)
def test_other_content_is_refused_with_its_figures(get, site, folder, build, rows, said):
    suffix = "xlsx" if build is workbook else "csv"
    said = "the data is not what was published: " + said.replace("$", r"\. The download")
    refused(get, site, folder, pack((f"a.{suffix}", build(rows))), said)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([], "it has 0. In it: nothing"),
        ([("readme.txt", b"x")], "it has 0. In it: 'readme.txt'"),
        ([("a.csv", csv()), ("b.xlsx", WORKBOOK)], "it has 2. In it: 'a.csv', 'b.xlsx'"),
        ([("a.csv", b"")], "the CSV file cannot be read"),
        ([("a.csv", b"a,b\n1,2\n")], "the CSV file cannot be read: .*InvoiceNo"),
        ([("a.xlsx", pack(("x", b"x")))], "the workbook cannot be read"),
        ([("a.xlsx", workbook(header=list("abcdefgh")))], "the workbook cannot be read"),
    ],
)
def test_an_archive_of_something_else_is_refused(get, site, folder, members, said):
    refused(get, site, folder, pack(*members), said)


@pytest.mark.parametrize("name", ["../a.csv", "/a.csv", "C:\\a.csv"])
def test_nothing_is_written_where_an_archive_says(get, site, folder, name):
    site.content = pack((name, csv()))
    assert get() == folder / f"{NAME}.csv"
    assert names(folder.parent) == ["f"]


def test_a_page_instead_of_the_archive_is_refused(get, site, folder):
    refused(get, site, folder, b"<!DOCTYPE html><p>Log in", "damaged .File is not a zip file")
    refused(get, site, folder, b"", "damaged .File is not a zip file")


def test_an_absurd_size_is_refused_before_unpacking(get, site, folder):
    content = pack(("a.csv", csv()))
    # The size in the central directory, which is what is read.
    place = content.index(b"PK\x01\x02") + 24
    content = content[:place] + struct.pack("<I", 3 * 10**9) + content[place + 4 :]
    refused(get, site, folder, content, "unpacks to 3,000,000,000 bytes, more than 2,000,000,000")


# The cache


def test_what_is_there_is_not_fetched_again(get, site, caplog):
    caplog.set_level(logging.INFO)
    path = get()
    assert get(url="http://127.0.0.1:9/nowhere") == path
    assert len(site.requests) == 1
    assert f"{path} is there and whole" in caplog.text


@pytest.mark.heavy
def test_what_a_killed_fetch_left_of_its_file_is_removed_and_one_at_work_is_not_disturbed(
    get, site, folder
):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        folder.mkdir()
        at_work = folder / f".{NAME}.xlsx.{other.pid}.tmp"
        # Above the largest that any system gives to a process.
        killed = [folder / f".{NAME}.{suffix}.{2**30}.tmp" for suffix in ("xlsx", "json")]
        strange = folder / f".{NAME}.mine.tmp"
        for path in (at_work, strange, *killed):
            path.write_bytes(b"PK")
        get()
        left = [f"{NAME}.json", f"{NAME}.xlsx"]
        assert names(folder) == sorted([at_work.name, strange.name, *left])
        other.communicate(b"\n")


@pytest.mark.parametrize("damage", ["byte", "cut", "no record", "broken record", "other record"])
def test_a_damaged_file_is_fetched_again(get, site, folder, caplog, damage):
    path = get()
    record = folder / f"{NAME}.json"
    if damage == "no record":
        record.unlink()
    elif "record" in damage:
        record.write_text("[" if damage == "broken record" else "[]")
    else:
        path.write_bytes(flipped(WORKBOOK, 9) if damage == "byte" else WORKBOOK[:-1])
    assert get().read_bytes() == WORKBOOK
    assert len(site.requests) == 2
    assert f"{path} is not what was fetched" in caplog.text


@pytest.mark.heavy
def test_a_damaged_file_does_not_stay_where_it_cannot_be_fetched(get, site, folder):
    get().write_bytes(b"PK")
    site.statuses = [404] * 9
    with pytest.raises(DataError):
        get()
    assert f"{NAME}.xlsx" not in names(folder)


def test_the_cache_directory_and_the_address_come_from_the_environment(site, tmp_path, monkeypatch):
    monkeypatch.setenv("SEGRUN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SEGRUN_FETCH_URL", site.url)
    assert fetch(NAME, expected=EXPECTED) == tmp_path / "cache" / "fetched" / f"{NAME}.xlsx"


def test_a_folder_below_a_file_is_refused(get, site, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot write .*file/x: .*SEGRUN_CACHE=DIR"):
        get(folder=tmp_path / "file" / "x")
    assert site.requests == []


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write it")
def test_a_folder_that_may_not_be_written_is_refused(get, site, folder):
    folder.mkdir(mode=0o500)
    with pytest.raises(StoreError, match=r"Permission denied.*SEGRUN_CACHE=DIR"):
        get()


@contextmanager
def file_limit(n_bytes):
    """Let the system refuse files larger than this, as a full disk would."""
    import resource

    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_while_downloading_is_told_and_leaves_nothing(get, site, folder):
    with file_limit(10_000), pytest.raises(StoreError, match=r"\.zip: .*Make room"):
        get()
    assert names(folder) == []
    assert get().read_bytes() == WORKBOOK


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_while_unpacking_keeps_the_download(get, site, folder):
    site.content = pack(("a.csv", csv()))
    said = rf"cannot write .*{NAME}\.csv: .*Make room"
    with file_limit(len(site.content) + 100), pytest.raises(StoreError, match=said):
        get()
    assert names(folder) == [f"{NAME}.zip"]
    assert get().read_bytes() == csv()
    assert len(site.requests) == 1


# Commands


COMMAND = """
import sys
from segrun.errors import SegrunError
from segrun.data.fetch import fetch_command
try:
    sys.exit(fetch_command(sys.argv[1:]))
except SegrunError as error:
    sys.exit(f"segrun: {error}")
"""


@pytest.mark.heavy
def test_ctrl_c_leaves_nothing(get, site, tmp_path):
    site.cuts, site.stall = [50_000], True
    variables = {"SEGRUN_CACHE": str(tmp_path), "SEGRUN_FETCH_URL": site.url}
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, NAME],
        env={**os.environ, **variables}, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert site.cut_done.wait(20)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=20)[1]
    assert "KeyboardInterrupt" in said
    assert process.returncode != 0
    assert names(tmp_path / "fetched") == []
    assert get(folder=tmp_path / "fetched").read_bytes() == WORKBOOK


def test_the_command_prints_the_path_and_the_next_line(site, tmp_path, monkeypatch, capsys, get):
    cache = tmp_path / "a cache, of=mine"
    monkeypatch.setenv("SEGRUN_CACHE", str(cache))
    path = get(folder=cache / "fetched")
    assert fetch_command([NAME]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == str(path)
    assert second.startswith("To run on it: segrun dataset=online_retail ")

    import shlex

    from hydra.core.override_parser.overrides_parser import OverridesParser

    words = shlex.split(second.removeprefix("To run on it: "))
    parsed = OverridesParser.create().parse_overrides(words[1:])
    assert [override.value() for override in parsed] == ["online_retail", str(path)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "takes one name. None is given. Known: online_retail"),
        (["a", "b c"], "takes one name. Got a 'b c' instead"),
        (["onlineretail"], "no public data 'onlineretail'. Did you mean 'online_retail'?"),
        (["zzz"], "no public data 'zzz'. Known: online_retail"),
    ],
)
def test_other_words_are_refused(arguments, said, capsys):
    assert fetch_command(arguments) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "example.org/x.zip", "http://", "http://h:x/", "http://[::1",
            "http://a..b/x", "http://me:secret@h/x", "http://h/a b", "http://h/ä"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SEGRUN_CACHE", str(tmp_path))
    monkeypatch.setenv("SEGRUN_FETCH_URL", url)
    assert fetch_command([NAME]) == 2
    assert "is no address to fetch from" in capsys.readouterr().err
    with pytest.raises(ConfigError):
        fetch(NAME)


def test_an_error_of_the_data_is_the_callers(site, tmp_path, monkeypatch):
    monkeypatch.setenv("SEGRUN_CACHE", str(tmp_path))
    monkeypatch.setenv("SEGRUN_FETCH_URL", site.url)
    with pytest.raises(SegrunError, match=r"3,000 rows instead of 541,909, 80 customers .*4,372"):
        fetch_command([NAME])


def test_numbers_that_read_as_floating_point_are_the_same_ids(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"InvoiceNo,CustomerID\n1,2\n1.0,2.0\nC1, 2 \n,\n")
    assert count_content(path) == Content(4, 1, 2)


def test_the_real_data_is_what_was_published(segrun, site, online_retail, tmp_path):
    content = gzip.decompress(online_retail.read_bytes())
    site.content = pack(("OnlineRetail.csv", content))
    variables = {"SEGRUN_CACHE": str(tmp_path), "SEGRUN_FETCH_URL": site.url}
    done = segrun("fetch", NAME, cwd=tmp_path, **variables)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "fetched" / f"{NAME}.csv"
    assert done.stdout.splitlines()[0] == str(path)
    assert path.read_bytes() == content
    facts = json.loads((tmp_path / "fetched" / f"{NAME}.json").read_text())["facts"]
    assert facts == {"n_rows": 541_909, "n_customers": 4_372, "n_invoices": 25_900}
    again = segrun("fetch", NAME, cwd=tmp_path, **variables)
    assert "is there and whole" in again.stderr
    assert len(site.requests) == 1
