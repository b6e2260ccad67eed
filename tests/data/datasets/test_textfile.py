import gzip
import os
import sys

import pytest

from segrun.errors import ConfigError, DataError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\r\n"
LINE = "536365,85123A,{},6,12/13/2010 8:26,2.55,17850,United Kingdom\r\n"


def text(*descriptions):
    return HEADER + "".join(LINE.format(d) for d in descriptions)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, zstd.compress], ids=["plain", "gzip", "zstd"]
)
@pytest.mark.parametrize(
    ("encoding", "setting", "letters"),
    [
        ("latin-1", "auto", "VOUCHER £20 ÄÖÜ"),
        ("latin-1", "iso-8859-1", "VOUCHER £20 ÄÖÜ"),
        ("utf-8", "auto", "£ € ő 🙂"),
        ("utf-8", "utf-8", "£ € ő 🙂"),
        ("utf-8-sig", "auto", "£ € ő 🙂"),
        ("utf-8-sig", "utf-8-sig", "£ € ő 🙂"),
        ("cp1252", "cp1252", "VOUCHER €20"),
        ("utf-16", "auto", "£ € ő 🙂"),
        ("utf-16-le", "utf-16-le", "£ € ő 🙂"),
        ("utf-32", "auto", "£ € ő 🙂"),
        ("shift_jis", "shift_jis", "ランタン"),
    ],
)
def test_every_letter_is_kept_and_no_copy_stays(read, cache, pack, encoding, setting, letters):
    # Enough lines for several pieces, the letters in the last of them.
    content = text(*["LANTERN"] * 30_000, letters).encode(encoding)
    frame = read(pack(content), encoding=setting)
    assert frame.columns[0] == "InvoiceNo"
    assert frame["Description"].to_list() == ["LANTERN"] * 30_000 + [letters]
    assert list(cache.iterdir()) == []


@pytest.mark.heavy
@pytest.mark.parametrize("offset", range(4))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "shift_jis"])
def test_letters_across_the_border_of_two_pieces_are_kept(read, encoding, offset):
    letters = "ラ" * 600_000
    frame = read(text("x" * offset + letters).encode(encoding), encoding=encoding)
    assert frame["Description"].to_list() == ["x" * offset + letters]


@pytest.mark.heavy
def test_late_latin_letters_after_valid_utf8_make_the_file_latin(read):
    content = text("Â£").encode("latin-1") + LINE.format("£").encode("latin-1")
    assert read(content)["Description"].to_list() == ["Â£", "£"]


@pytest.mark.heavy
def test_the_copy_goes_also_when_the_work_fails(open_file, cache):
    source = open_file(text("£").encode("latin-1"))
    source.__enter__()
    assert [p.name for p in cache.rglob("*.csv")] == ["recoded.csv"]
    source.__exit__(RuntimeError, RuntimeError("stop"), None)
    assert list(cache.iterdir()) == []


@pytest.mark.heavy
def test_plain_utf8_is_read_where_it_is(open_file, cache):
    with open_file(text("£").encode()):
        assert list(cache.rglob("*.csv")) == []


@pytest.mark.heavy
@pytest.mark.parametrize("n_before", [1, 30_000])
def test_bytes_of_windows_are_refused_with_place_and_cure(read, cache, n_before):
    content = text(*["LANTERN"] * n_before, "€").encode("cp1252")
    place = content.index(b"\x80")
    said = rf"byte 0x80 in line {n_before + 2} \(after {place} bytes\).*dataset\.encoding=cp1252"
    with pytest.raises(DataError, match=said):
        read(content)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    ("encoding", "byte"), [("utf-8", b"\xa3"), ("ascii", b"\xa3"), ("cp1252", b"\x81")]
)
@pytest.mark.parametrize("n_before", [0, 30_000])
def test_a_byte_that_the_encoding_lacks_is_named_with_its_place(read, encoding, byte, n_before):
    content = text(*["LANTERN"] * n_before, "?").encode().replace(b"?", byte)
    place = content.index(byte)
    said = rf"is not {encoding}: byte 0x{byte.hex()} in line {n_before + 2} \(after {place} bytes"
    with pytest.raises(DataError, match=said):
        read(content, encoding=encoding)


def test_a_letter_cut_off_at_the_end_is_refused(read):
    with pytest.raises(DataError, match="is not utf-8: byte 0xc2"):
        read(text("LANTERN").encode() + b"\xc2", encoding="utf-8")


@pytest.mark.parametrize("encoding", ["latin-99", "hex"])
def test_an_unknown_encoding_is_refused_before_reading(read, encoding):
    with pytest.raises(ConfigError, match=rf"dataset\.encoding='{encoding}' is unknown"):
        read(b"", encoding=encoding)


@pytest.mark.heavy
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_lines_that_end_with_cr_alone_are_read(read, encoding):
    content = text("£", "LANTERN").replace("\r\n", "\r").encode(encoding)
    frame = read(content)
    assert frame["Description"].to_list() == ["£", "LANTERN"]
    assert frame["Country"].to_list() == ["United Kingdom"] * 2


@pytest.mark.parametrize("damage", [lambda z: z[: len(z) // 2], lambda z: z[:60] + b"x" * 9])
def test_a_damaged_zstandard_file_is_refused_and_leaves_no_copy(read, cache, damage):
    with pytest.raises(DataError, match="damaged Zstandard file"):
        read(damage(zstd.compress(text(*(str(i) for i in range(999))).encode())))
    assert list(cache.iterdir()) == []


def test_a_file_with_zero_bytes_is_told_to_be_no_text(read):
    with pytest.raises(DataError, match=r"is no text.*dataset\.encoding=utf-16-le"):
        read(text("LANTERN").encode("utf-16-le"))


@pytest.mark.heavy
def test_what_a_killed_reader_left_goes_with_the_next_one(read, cache):
    # No process has this number.
    (cache / "reading-999999999-x").mkdir()
    (cache / "reading-999999999-x" / "recoded.csv").write_text("half")
    (cache / f"reading-{os.getpid()}-y").mkdir()
    read(text("£").encode("latin-1"))
    assert [p.name for p in cache.iterdir()] == [f"reading-{os.getpid()}-y"]
