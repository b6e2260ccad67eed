"""Lines that are copies of others: told where files overlap, left out where that is wanted."""

import logging
import random
from datetime import date, timedelta

import pandas as pd
import polars as pl
import pytest

from segrun.config import CacheConfig, Copies
from segrun.data.datasets import check, load
from segrun.errors import ConfigError

COLUMNS = {"customer": "who", "date": "day", "amount": "paid"}
START = date(2011, 1, 1)


def lines_of(days, per_day=6):
    """Lines of a shop for some of the days since the start, each line different."""
    found = []
    for day in days:
        rng = random.Random(day)
        found += [
            f"c{rng.randrange(20)},{START + timedelta(day)},{rng.randrange(100, 999)}.{i:02},n {i}"
            for i in range(per_day)
        ]
    return found


EVERY = lines_of(range(120))
FIRST = [line for line in EVERY if line.split(",")[1] <= "2011-02-19"]
SECOND = [line for line in EVERY if line.split(",")[1] >= "2011-02-11"]
SHARED = [line for line in FIRST if line in set(SECOND)]


def content(lines):
    return "who,day,paid,note\n" + "".join(f"{line}\n" for line in lines)


@pytest.fixture
def told(settings_of, cache, caplog):
    """Load a file, folder or glob: rows, facts, warnings."""

    def opened(path, min_bytes=10**9, **changes):
        config = settings_of(path, COLUMNS, **changes)
        check(config)
        caplog.clear()
        caplog.set_level(logging.WARNING, "segrun.data.datasets")
        settings = CacheConfig(min_bytes=min_bytes)
        with load(config, 0, cache, settings) as found:
            rows = found.frame.collect("polars").to_native()
            return rows, found.facts, [r.getMessage() for r in caplog.records]

    return opened


@pytest.fixture
def joined(tmp_path):
    """Two editions with nine days in common as one file, shuffled as a database would."""
    lines = FIRST + SECOND
    random.Random(1).shuffle(lines)
    path = tmp_path / "joined.csv"
    path.write_text(content(lines))
    return path


def worth(lines):
    return sum(float(line.split(",")[2]) for line in lines)


def test_two_editions_that_overlap_are_a_warning_with_the_days_and_the_money(told, joined):
    rows, facts, warnings = told(joined)
    assert len(rows) == len(FIRST) + len(SECOND)
    n = len(SHARED)
    assert n == 9 * 6
    assert warnings == [
        f"{n} of {2 * n} lines from 2011-02-11 to 2011-02-19 (worth {worth(SHARED):,.2f}) are "
        "copies of others, and hardly any on other days: do files that were joined overlap there? "
        "dataset.duplicates=drop leaves them out"
    ]
    assert facts["copied_days"] == [
        {"first": "2011-02-11", "last": "2011-02-19", "n_copies": n, "n_lines": 2 * n,
         "money": pytest.approx(worth(SHARED))}
    ]  # fmt: skip


def test_several_ranges_are_told_and_copies_among_others_do_not_hide_them(told, tmp_path):
    monthly = [line for k in range(4) for line in lines_of(range(30 * k, 30 * k + 33))]
    scattered = random.Random(2).sample(EVERY, 12)
    path = tmp_path / "lines.csv"
    path.write_text(content(monthly + scattered))
    _, facts, [warning] = told(path)
    days = [(part["first"], part["last"]) for part in facts["copied_days"]]
    assert days == [
        ("2011-01-31", "2011-02-02"), ("2011-03-02", "2011-03-04"), ("2011-04-01", "2011-04-03"),
    ]  # fmt: skip
    assert all(first in warning and last in warning for first, last in days)


def test_copies_here_and_there_are_none(told, tmp_path):
    path = tmp_path / "lines.csv"
    path.write_text(content(EVERY + random.Random(2).sample(EVERY, 40)))
    rows, facts, warnings = told(path)
    assert warnings == []
    assert facts["n_copies"] == 40
    assert "copied_days" not in facts
    assert len(rows) == len(EVERY) + 40


def test_a_file_that_is_there_twice_is_told_as_that(told, tmp_path):
    path = tmp_path / "lines.csv"
    path.write_text(content(EVERY + EVERY))
    _, facts, [warning] = told(path)
    assert f"{len(EVERY)} of {2 * len(EVERY)} lines are copies of others (worth " in warning
    assert "joined twice" in warning
    assert "copied_days" not in facts


def sources(joined, tmp_path):
    """The joined file by every road that files take."""
    folder = tmp_path / "editions"
    folder.mkdir()
    (folder / "2010.csv").write_text(content(FIRST))
    # Written otherwise: what is read of it is the same.
    (folder / "2011.csv").write_text(content(SECOND).replace(",", ";"))
    parquet = tmp_path / "joined.parquet"
    pl.read_csv(joined, infer_schema=False).write_parquet(parquet)
    return {
        "csv": (joined, 10**9), "large": (joined, 1), "folder": (folder, 10**9),
        "glob": (folder / "201*.csv", 10**9), "parquet": (parquet, 10**9),
    }  # fmt: skip


@pytest.mark.parametrize("road", ["csv", "large", "folder", "glob", "parquet"])
def test_copies_are_left_out_by_every_road_and_counted(told, joined, tmp_path, road):
    path, min_bytes = sources(joined, tmp_path)[road]
    rows, facts, [warning] = told(path, min_bytes, duplicates=Copies.drop)
    expected = sorted(
        (who, day, float(paid)) for who, day, paid, _ in (x.split(",") for x in EVERY)
    )
    found = rows.select("CustomerID", pl.col("InvoiceDate").dt.date().cast(str), "UnitPrice")
    assert sorted(found.rows()) == expected
    assert facts["n_read"] == len(EVERY)
    n = len(SHARED)
    assert facts["dropped_copies"] == {
        "n_lines": n,
        "share": {
            "lines": pytest.approx(n / (len(EVERY) + n), abs=1e-6),
            "money": pytest.approx(worth(SHARED) / (worth(EVERY) + worth(SHARED)), abs=1e-6),
        },
        "sum": {"money": pytest.approx(worth(SHARED))},
    }
    assert warning.endswith("They are left out")


def test_lines_that_differ_in_a_column_that_is_not_used_are_no_copies(told, tmp_path):
    path = tmp_path / "lines.csv"
    path.write_text(content(["a,2011-03-01,1.5,x", "a,2011-03-01,1.5,y", "a,2011-03-01,1.50,x"]))
    rows, facts, _ = told(path, duplicates=Copies.drop)
    # 1.50 is 1.5.
    assert len(rows) == 2
    assert facts["n_copies"] == 1


@pytest.mark.heavy
def test_of_ratings_another_key_decides(composed):
    dataset = composed(
        "experiment=movielens", "dataset=ratings", "dataset.path=x", "dataset.duplicates=drop"
    ).dataset
    with pytest.raises(ConfigError, match=r"of ratings features\.duplicates decides"):
        check(dataset)


@pytest.mark.parametrize("drop", [False, True])
def test_two_editions_of_the_real_file(online_retail, settings_of, cache, tmp_path, caplog, drop):
    whole = pd.read_csv(online_retail, dtype=str, encoding="latin-1", keep_default_na=False)
    when = pd.to_datetime(whole["InvoiceDate"], format="%m/%d/%Y %H:%M")
    both = pd.concat([whole[when < "2011-03-10"], whole[when >= "2011-03-01"]])
    both.to_csv(tmp_path / "joined.csv", index=False)
    copied = both.duplicated()
    config = settings_of(tmp_path / "joined.csv", duplicates=Copies.drop if drop else Copies.keep)
    caplog.set_level(logging.WARNING, "segrun.data.datasets")
    with load(config, 0, cache) as found:
        n_rows = found.frame.collect("polars").shape[0]
    assert n_rows == len(both) - copied.sum() * drop
    within = both["InvoiceDate"].str.match(r"3/[1-9]/2011 ")
    paid = both["Quantity"].astype(int) * both["UnitPrice"].astype(float)
    [warning] = [r.getMessage() for r in caplog.records]
    assert warning.startswith(
        f"{(within & copied).sum()} of {within.sum()} lines from 2011-03-01 to 2011-03-09 (worth "
        f"{paid[within & copied].sum():,.2f}) "
    )
    # The file itself has copies here and there, and no such days.
    caplog.clear()
    with load(settings_of(online_retail), 0, cache) as found:
        assert found.facts["n_copies"] == 5268
    assert caplog.records == []
