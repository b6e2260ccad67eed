"""Files of ratings: MovieLens in its three forms, anybody's, and bad ones."""

import csv
import io

import polars as pl
import pytest

from segrun.config import (
    BadLines,
    DateOrder,
    Decimal,
    Header,
    ItemsFile,
    RatingColumns,
    RatingsFileConfig,
)
from segrun.data.datasets import check, load
from segrun.errors import ConfigError, DataError

TRIPLETS = [
    ("196", "242", 3.0, 881250949),
    ("186", "302", 3.5, 891717742),
    ("22", "377", 1.0, 878887116),
]
TITLES = {"242": 'Kolya "1996"', "302": "L.A. Confidential (1997)", "377": "Caf\u00e9, au lait"}


def settings(path, columns=None, items=None, **changes):
    values = {
        "name": "ratings", "path": str(path), "sheet": None, "encoding": "auto",
        "separator": "auto", "decimal": Decimal.auto, "date_order": DateOrder.auto,
        "date_format": None, "missing": ["NA", "NULL"], "bad_lines": BadLines.refuse,
        "header": Header.auto, "columns": RatingColumns(**(columns or {})),
        "items": items or ItemsFile(),
    }  # fmt: skip
    return RatingsFileConfig(**values | changes)


def rows_of(config, tmp_path):
    check(config)
    with load(config, 0, tmp_path) as rows:
        frame = rows.frame.to_native().collect()
        return rows, frame


def written(path, rows, encoding="utf-8", separator=",", end="\n"):
    text = end.join(separator.join(map(str, row)) for row in rows) + end
    path.write_bytes(text.encode(encoding))
    return path


def quoted(rows):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def u_data(tmp_path):
    """MovieLens 100k: tabs, no header; titles between bars in ISO-8859-1."""
    ratings = written(
        tmp_path / "u.data", [(u, i, f"{r:g}", t) for u, i, r, t in TRIPLETS], separator="\t"
    )
    rest = ["01-Jan-1997", "", "http://us.imdb.com/?x"] + ["0"] * 19
    titles = [(i, title.replace('"', "'"), *rest) for i, title in TITLES.items()]
    items = written(tmp_path / "u.item", titles, "iso-8859-1", "|")
    return settings(ratings, items=ItemsFile(str(items)))


def latest(tmp_path):
    """MovieLens latest: CSV with a header."""
    (tmp_path / "ratings.csv").write_text(
        quoted([("userId", "movieId", "rating", "timestamp"), *TRIPLETS])
    )
    rows = [("movieId", "title", "genres"), *((i, t, "Drama|War") for i, t in TITLES.items())]
    (tmp_path / "movies.csv").write_text(quoted(rows), encoding="utf-8")
    return settings(tmp_path / "ratings.csv", items=ItemsFile(str(tmp_path / "movies.csv")))


def dat(tmp_path):
    """MovieLens 1M and 10M: two colons, no header, quotes that mean nothing."""
    ratings = written(tmp_path / "ratings.dat", TRIPLETS, separator="::", end="\r\n")
    rows = [(i, title, "Drama") for i, title in TITLES.items()]
    items = written(tmp_path / "movies.dat", rows, "iso-8859-1", "::")
    return settings(ratings, items=ItemsFile(str(items)))


@pytest.mark.parametrize("make", [u_data, latest, dat])
def test_movielens_is_read_as_it_is(make, tmp_path):
    rows, frame = rows_of(make(tmp_path), tmp_path)
    assert [row[:4] for row in frame.select("user", "item", "rating", "time").rows()] == TRIPLETS
    titles = [title.replace('"', "'") for title in TITLES.values()]
    assert [title.replace('"', "'") for title in frame["title"]] == titles
    assert rows.id_column == ("userId" if make is latest else "UserID")
    assert set(rows.kinds) == {"item", "rating", "time", "title"}
    assert len(rows.fingerprint["sha256"]) == len(rows.fingerprint["items"]["sha256"]) == 64


def test_columns_can_be_named_or_numbered_and_the_rating_left_out(tmp_path):
    path = written(tmp_path / "loans.csv", [("Reader", "Book"), ("ann", "b1"), ("bob", "b2")])
    rows, frame = rows_of(settings(path, {"user": "Reader", "item": "Book"}), tmp_path)
    assert frame.rows() == [("ann", "b1"), ("bob", "b2")]
    assert (rows.id_column, set(rows.kinds)) == ("Reader", {"item"})
    path = written(
        tmp_path / "other.csv", [("b1", "x", "ann", "2,5"), ("b2", "y", "bob", "4")], separator=";"
    )
    _, frame = rows_of(
        settings(path, {"item": "1", "user": "3", "rating": "4", "time": None}), tmp_path
    )
    assert frame.select("user", "item", "rating").rows() == [("ann", "b1", 2.5), ("bob", "b2", 4.0)]


def test_parquet_has_its_types(tmp_path):
    frame = pl.DataFrame(TRIPLETS, ["user_id", "item_id", "rating", "timestamp"], orient="row")
    frame.with_columns(pl.col("user_id").cast(pl.Int64)).write_parquet(tmp_path / "r.parquet")
    _, found = rows_of(settings(tmp_path / "r.parquet"), tmp_path)
    assert found.rows() == TRIPLETS


def test_texts_without_header_are_told_how_to_be_read(tmp_path):
    path = written(tmp_path / "likes.csv", [("ann", "b1"), ("bob", "b2")])
    with pytest.raises(DataError, match=r"dataset\.header=absent"):
        rows_of(settings(path), tmp_path)
    _, frame = rows_of(settings(path, header=Header.absent), tmp_path)
    assert frame.rows() == [("ann", "b1"), ("bob", "b2")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\t2\tgood\t3\n" + "1\t3\t4\t5\n" * 9, "line 1: 3 is 'good', not a number"),
        ("1\t2\t3\t4\n" * 9 + "1\t2\t3\n", "line 10: 3 fields, the header has 4"),
        ("1\t2\t3\t4\n" * 9 + "1\t2\tinf\t4\n", "line 10: 3 is 'inf'"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(text, said, tmp_path):
    (tmp_path / "u.data").write_text(text)
    with pytest.raises(DataError) as told:
        rows_of(settings(tmp_path / "u.data"), tmp_path)
    assert said in str(told.value)
    _, frame = rows_of(settings(tmp_path / "u.data", bad_lines=BadLines.skip), tmp_path)
    assert len(frame) == 9


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"user": "usr"}, "dataset.columns.user=usr: not there"),
        ({"user": "userId", "item": "userId"}, "item and user are both 'userId'"),
    ],
)
def test_columns_that_are_not_there_are_told(columns, said, tmp_path):
    config = latest(tmp_path)
    config.columns = RatingColumns(**columns)
    with pytest.raises((ConfigError, DataError)) as told:
        rows_of(config, tmp_path)
    assert said in str(told.value)


def test_a_missing_file_of_items_is_told(tmp_path):
    config = latest(tmp_path)
    config.items = ItemsFile(str(tmp_path / "none.csv"))
    with pytest.raises(DataError, match=r"dataset\.items\.path=.*there is no such file"):
        rows_of(config, tmp_path)


def test_only_ratings_are_separated_by_two_colons(settings_of, tmp_path):
    with pytest.raises(ConfigError, match="must be auto or one letter"):
        check(settings_of(tmp_path / "x", {"customer": "a", "date": "b"}, separator="::"))
    check(settings(tmp_path / "x", separator="::"))
