"""Anybody's rows: columns declared, read by the reader of transactions."""

from contextlib import contextmanager
from datetime import datetime

import polars as pl
import pytest
import xlsxwriter

from segrun.config import BadLines, ColumnKind, DateOrder, Decimal, RecordsConfig
from segrun.data.datasets import check, load
from segrun.errors import ConfigError, DataError

VIEWS = """who;url;seconds;when;Country
007;/a;1,5;13.02.2024 10:00;France
007;/b;2,25;14.02.2024 11:30; Åland
8;/a;NA;13.02.2024 10:00;
;/c;1.234,5;15.02.2024 10:00;Spain
"""
COLUMNS = {"page": ColumnKind.text, "seconds": ColumnKind.number, "when": ColumnKind.date,
           "Country": ColumnKind.text}  # fmt: skip


def settings(path, **changes):
    values = {
        "name": "records", "path": str(path), "sheet": None, "encoding": "auto",
        "separator": "auto", "decimal": Decimal.auto, "date_order": DateOrder.auto,
        "date_format": None, "missing": ["NA"], "bad_lines": BadLines.refuse, "id": "who",
        "columns": COLUMNS, "rename": {"page": "url"}, "one_per_id": False,
    } | changes  # fmt: skip
    return RecordsConfig(**values)


@pytest.fixture
def opened(tmp_path, cache):
    @contextmanager
    def made(content, name="views.csv", **changes):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        config = settings(path, **changes)
        check(config)
        with load(config, 0, cache) as rows:
            yield rows

    return made


@pytest.fixture
def read(opened):
    def reading(content, **changes):
        with opened(content, **changes) as rows:
            return rows.frame.collect("polars").to_native()

    return reading


EXPECTED = pl.DataFrame(
    {
        "who": ["007", "007", "8", None],
        "page": ["/a", "/b", "/a", "/c"],
        "seconds": [1.5, 2.25, None, 1234.5],
        "when": [datetime(2024, 2, 13, 10), datetime(2024, 2, 14, 11, 30),
                 datetime(2024, 2, 13, 10), datetime(2024, 2, 15, 10)],
        "Country": ["France", "Åland", None, "Spain"],
    }
)  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_a_csv_in_any_encoding(read, encoding):
    assert read(VIEWS.encode(encoding)).equals(EXPECTED)


def test_parquet_and_excel_give_the_same(read, tmp_path):
    typed = EXPECTED.rename({"page": "url"})
    typed.write_parquet(tmp_path / "views.parquet")
    assert read(None, name="views.parquet").equals(EXPECTED)
    book = xlsxwriter.Workbook(tmp_path / "views.xlsx")
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, typed.columns)
    date = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    for i, row in enumerate(typed.iter_rows(), start=1):
        for j, value in enumerate(row):
            if isinstance(value, datetime):
                sheet.write_datetime(i, j, value, date)
            elif value is not None:
                sheet.write(i, j, value)
    book.close()
    assert read(None, name="views.xlsx").equals(EXPECTED)


def test_what_was_read_is_recorded(opened):
    with opened(VIEWS) as rows:
        assert (rows.key, rows.id_column, dict(rows.kinds)) == ("who", "who", COLUMNS)
        assert rows.facts["n_read"] == 4
        assert rows.facts["n_missing"] == {"who": 1, "seconds": 1, "Country": 1}
        assert rows.facts["date_format"] == "%d.%m.%Y %H:%M"
        assert rows.fingerprint["source"] == "records"
        assert len(rows.fingerprint["sha256"]) == 64


def test_several_dates_have_formats_of_their_own(read):
    text = "who,born,when\na,31.12.1999,2024-02-13 10:00\nb,30.11.1980,2024-02-14 10:00\n"
    kinds = {"born": ColumnKind.date, "when": ColumnKind.date}
    found = read(text, columns=kinds, rename={})
    assert found["born"].to_list() == [datetime(1999, 12, 31), datetime(1980, 11, 30)]
    assert found["when"].to_list() == [datetime(2024, 2, 13, 10), datetime(2024, 2, 14, 10)]


def test_a_column_may_be_called_as_a_role_of_transactions(read):
    text = "who,quantity,customer,price\na,many,2.5,cheap\nb,few,3,dear\n"
    kinds = {"quantity": ColumnKind.text, "customer": ColumnKind.number, "price": ColumnKind.text}
    found = read(text, columns=kinds, rename={})
    assert found.rows() == [("a", "many", 2.5, "cheap"), ("b", "few", 3.0, "dear")]


@pytest.mark.parametrize(
    ("content", "changes", "said"),
    [
        (VIEWS, {"id": "whom"}, r"dataset.id: the column whom is not there.*'who'.*url"),
        (VIEWS, {"rename": {}}, r"dataset.columns.page: the column page is not there.*rename"),
        (VIEWS.replace("1,5;", "soon;"), {}, r"line 2: seconds is 'soon', not a number"),
        (VIEWS.replace("14.02.2024", "31.02.2024"), {}, r"line 3: when is '31.02.2024 11:30'"),
        ("who;url;seconds;when;Country\n", {}, "no line below"),
        ("", {}, "is empty: 0 bytes"),
    ],
)
def test_files_that_do_not_fit_are_refused(read, content, changes, said):
    with pytest.raises(DataError, match=said):
        read(content, **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": " "}, "dataset.id is empty"),
        ({"id": "replica"}, r"dataset.id=replica: results have a column of this name"),
        ({"id": "label"}, r"dataset.id=label: results have a column of this name"),
        ({"id": "page"}, r"dataset.columns.page is the id already"),
        ({"rename": {"pagee": "url"}}, r"dataset.rename.pagee.*Did you mean 'page'\?"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(changes, said):
    with pytest.raises(ConfigError, match=said):
        check(settings("views.csv", **changes))


def test_bad_lines_can_be_left_out(opened):
    with opened(VIEWS.replace("1,5;", "soon;"), bad_lines=BadLines.quarantine) as rows:
        assert rows.frame.collect("polars").to_native().equals(EXPECTED[1:])
        assert rows.quarantine.read_text().splitlines()[1].startswith("2,\"seconds is 'soon', not")


PEOPLE = "who,age\n1,30\n2,41\n1.0,50\n2,7\n2,8\n"


@pytest.mark.parametrize("policy", list(BadLines))
def test_a_table_has_one_row_per_id(read, policy):
    table = {"columns": {"age": ColumnKind.number}, "rename": {}, "one_per_id": True}
    with pytest.raises(DataError, match=r"2 ids .* '1' \(lines 2, 4\); '2' \(lines 3, 5, 6\)"):
        read(PEOPLE, bad_lines=policy, **table)
    with pytest.raises(DataError, match=r"1 rows have no who, such as line 3"):
        read("who,age\n1,30\n,41\n", bad_lines=policy, **table)
    assert read("who,age\n2,30\n1,41\n", bad_lines=policy, **table)["who"].to_list() == ["2", "1"]
