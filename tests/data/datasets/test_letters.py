"""An encoding is proposed by what makes words of a language; lines are counted by their ends."""

import re

import pytest

from segrun.data.datasets.letters import proposals, words_of
from segrun.errors import DataError

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
LINE = "536365,85123A,{},6,12/13/2010 8:26,2.55,17850,Germany"

TEXTS = {
    "German": "Köln Müller Straße Bäcker München Größe Österreich",
    "one letter": "Köln",
    "French": "Café à l’été crème Noël français Hélène",  # noqa: RUF001
    "Spanish": "Señor niño Málaga López José",
    "English": "don’t “Hello” – it’s",  # noqa: RUF001
    "Czech": "Plzeň Dvořák Škoda žluťoučký kůň příliš",
    "Polish": "Łódź Kraków żółty Gdańsk Wrocław Poznań łąka",
    "Russian": "Привет Москва Иванов",
    "Greek": "Αθήνα καλημέρα",
    "Swedish": "Malmö Göteborg Åsa Ängelholm",
    "Danish": "København Ærø Århus smørrebrød",
    "Portuguese": "São João coração avó",
    "Italian": "Forlì città perché",
    "several": "Köln Müller Café São Málaga Malmö København",
}
ENCODINGS = {
    "cp1252": [n for n in TEXTS if n not in ("Czech", "Polish", "Russian", "Greek")],
    "mac_roman": [n for n in TEXTS if n not in ("Czech", "Polish", "Russian", "Greek")],
    "cp850": ["German", "one letter", "Spanish", "Swedish", "Danish", "Portuguese", "several"],
    "cp1250": ["Czech", "Polish"], "cp852": ["Czech", "Polish"], "mac_latin2": ["Czech", "Polish"],
    "cp1251": ["Russian"], "koi8_r": ["Russian"], "cp866": ["Russian"], "mac_cyrillic": ["Russian"],
    "cp1253": ["Greek"], "mac_greek": ["Greek"],
}  # fmt: skip


def text(descriptions, end):
    return end.join([HEADER, *(LINE.format(d) for d in descriptions), ""])


@pytest.mark.parametrize(
    ("encoding", "name"), [(encoding, n) for encoding, names in ENCODINGS.items() for n in names]
)
def test_what_is_proposed_reads_the_words_as_they_were_written(encoding, name):
    content = TEXTS[name].encode(encoding)
    for mac_lines in (False, True) if encoding.startswith("mac") else (False,):
        best = proposals(words_of([content]), mac_lines=mac_lines)[0]
        assert content.decode(best.encoding) == TEXTS[name]


@pytest.mark.heavy
@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("setting", ["auto", "utf-8"])
def test_a_file_of_an_old_mac_is_refused_with_its_line_and_read_as_proposed(read, end, setting):
    words = [*["LANTERN"] * 404, "Köln"]
    content = text(words, end).encode("mac_roman")
    with pytest.raises(DataError, match=r"byte 0x9a in line 406 \(after") as error:
        read(content, encoding=setting)
    said = str(error.value)
    (advised,) = re.findall(r"dataset\.encoding=(\w+)", said)
    assert advised == "mac_roman"
    assert "'Köln'" in said
    assert read(content, encoding=advised)["Description"].to_list() == words


@pytest.mark.heavy
def test_a_line_break_within_a_cell_of_an_old_mac_ends_no_row(read):
    content = text(['"one\nand two"', "LANTERN"], "\r").encode()
    assert read(content)["Description"].to_list() == ["one\nand two", "LANTERN"]


@pytest.mark.heavy
@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_a_bad_line_has_its_number_whatever_ends_lines(read, end, encoding):
    content = text(["é", "LANTERN", "LANTERN"], end).replace("2.55", "free", 3)
    content = content.replace("free", "2.55", 2)
    with pytest.raises(DataError, match="line 4: UnitPrice is 'free'"):
        read(content.encode(encoding))


@pytest.mark.heavy
@pytest.mark.parametrize(("encoding", "doubted"), [("cp1251", True), ("latin-1", False)])
def test_words_that_iso_8859_1_makes_nonsense_of_are_a_warning(read, caplog, encoding, doubted):
    word = "Привет" if doubted else "Málaga ÄÖÜ £20"
    content = text([word] * 3, "\n").encode(encoding)
    read(content)
    told = [r.getMessage() for r in caplog.records if "is read as ISO-8859-1" in r.getMessage()]
    assert len(told) == doubted
    if doubted:
        assert "dataset.encoding=cp1251: 'Привет'" in told[0]
        assert read(content, encoding="cp1251")["Description"].to_list() == [word] * 3
