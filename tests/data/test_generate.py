"""Generated files: the embedded rows, at any size, whole or not there."""

import hashlib
import os
import resource
import signal
import subprocess
import sys
import time

import polars as pl
import pytest

from segrun.cli.generate import generate_command, read_bytes
from segrun.config import SyntheticRetailConfig, SyntheticSalesConfig, SyntheticWeblogsConfig
from segrun.data.datasets import generated, load
from segrun.data.generate import generate
from segrun.errors import ConfigError, StoreError

#: The dataset with so many users, its id, and a column that belongs to one user alone.
DATASETS = {
    "retail": (lambda n: SyntheticRetailConfig("synthetic_retail", n), "CustomerID", "InvoiceNo"),
    "sales": (lambda n: SyntheticSalesConfig("synthetic_sales", n), "User", None),
    "weblogs": (lambda n: SyntheticWeblogsConfig("synthetic_weblogs", n), "Visitor", "Session"),
}


@pytest.fixture(params=list(DATASETS))
def dataset(request):
    return DATASETS[request.param]


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(generated, "BLOCK_USERS", 40)


def embedded(config, seed):
    with load(config, seed) as found:
        return found.frame.collect("polars").to_native(), found.fingerprint


def texts(path):
    return pl.read_csv(path, infer_schema=False)


def test_a_small_file_has_the_embedded_rows(dataset, tmp_path):
    made, *_ = dataset
    frame, fingerprint = embedded(made(60), 3)
    told = generate(made(60), 3, tmp_path / "rows.csv")
    content = (tmp_path / "rows.csv").read_bytes()
    assert content == frame.write_csv().encode()
    assert fingerprint["sha256"] == hashlib.sha256(content).hexdigest()
    assert (told.n_users, told.n_rows, told.n_bytes) == (60, len(frame), len(content))


def test_so_has_a_file_of_many_blocks(dataset, small_blocks, tmp_path):
    made, *_ = dataset
    frame, fingerprint = embedded(made(130), 3)
    generate(made(130), 3, tmp_path / "rows.csv")
    assert hashlib.sha256((tmp_path / "rows.csv").read_bytes()).hexdigest() == fingerprint["sha256"]
    assert fingerprint["n_lines"] == len(frame)


@pytest.mark.heavy
def test_a_seed_gives_the_same_bytes_and_another_seed_others(dataset, small_blocks, tmp_path):
    made, *_ = dataset
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        for suffix in ("csv", "parquet"):
            generate(made(90), seed, tmp_path / f"{name}.{suffix}")
    for suffix in ("csv", "parquet"):
        first, again, other = ((tmp_path / f"{n}.{suffix}").read_bytes() for n in "abc")
        assert first == again != other


@pytest.mark.heavy
def test_block_boundaries_do_not_show(dataset, small_blocks, tmp_path):
    made, user, own = dataset
    generate(made(130), 0, tmp_path / "all.csv")
    generate(made(40), 0, tmp_path / "first.csv")
    rows, first = texts(tmp_path / "all.csv"), texts(tmp_path / "first.csv")
    assert rows[user].drop_nulls().n_unique() == 130
    # The first block is the same, however many follow, and none repeats it.
    assert rows.head(len(first)).equals(first)
    known = set(first[user].drop_nulls())
    assert not known & set(rows[len(first) :][user].drop_nulls())
    if own:
        assert rows.drop_nulls(user).group_by(own).agg(pl.col(user).n_unique())[user].max() == 1
    if "InvoiceNo" in rows.columns:
        numbers = set(rows["InvoiceNo"].str.strip_prefix("C").cast(int))
        assert numbers == set(range(min(numbers), max(numbers) + 1))
        for column in ("Description", "UnitPrice"):
            named = rows.drop_nulls("Description")
            assert named.group_by("StockCode").agg(pl.col(column).n_unique())[column].max() == 1


def test_an_item_costs_the_same_in_every_block(small_blocks, tmp_path):
    generate(DATASETS["sales"][0](130), 0, tmp_path / "rows.csv")
    prices = (
        texts(tmp_path / "rows.csv")
        .group_by("Item", "Promotion")
        .agg(pl.col("UnitPrice").n_unique())
    )
    assert prices["UnitPrice"].max() == 1


@pytest.mark.heavy
def test_parquet_has_the_rows_of_the_csv_file(dataset, small_blocks, tmp_path):
    made, *_ = dataset
    for suffix in ("csv", "parquet"):
        generate(made(130), 0, tmp_path / f"rows.{suffix}")
    rows = pl.read_parquet(tmp_path / "rows.parquet")
    assert rows.write_csv().encode() == (tmp_path / "rows.csv").read_bytes()


def test_lines_grow_by_their_factor(tmp_path):
    n_rows = [
        generate(SyntheticSalesConfig("synthetic_sales", 300, f), 0, tmp_path / f"{f}.csv").n_rows
        for f in (1.0, 3.0)
    ]
    # One line that each has at any rate, and about 25 more.
    assert (n_rows[1] - 300) / (n_rows[0] - 300) == pytest.approx(3, rel=0.05)


@pytest.mark.heavy
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_size_chooses_the_number_of_users(dataset, suffix, tmp_path):
    made, *_ = dataset
    told = generate(made(3), 0, tmp_path / f"rows.{suffix}", about_bytes=3_000_000)
    # Parquet's dictionaries of ids take more in a large file than in the sample.
    assert told.n_bytes == pytest.approx(3_000_000, rel={"csv": 0.05, "parquet": 0.3}[suffix])
    assert told.n_bytes == (tmp_path / f"rows.{suffix}").stat().st_size


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [("6.8GB", 6_800_000_000), ("500 mb", 500_000_000), ("1k", 1000), ("12", 12)],
)
def test_sizes(text, n_bytes):
    assert read_bytes(text) == n_bytes


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "6.8GiB", "0", "nan", "1e9"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ConfigError, match="takes a size such as 500MB"):
        read_bytes(text)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--output rows.xlsx dataset=synthetic_sales", "suffix says how"),
        ("--output r.csv algo=kmeans", "algo=kmeans: only the dataset and the seed count"),
        ("--output r.csv dataset=synthetic_ratings", "synthetic_ratings is not generated in block"),
        ("--output r.csv dataset=synthetic_sales dataset.n_users=2", "n_users must be at least 3"),
        ("--output r.csv dataset=synthetic_sales dataset.lines_factor=0", "lines_factor must be"),
        ("--output r.csv dataset=synthetic_sales seed=-1", "seed must be from 0"),
        ("--output r.csv dataset=synthetic_sales dataset.n_users=9 --bytes 1MB", "leave out one"),
        ("--output r.csv dataset=synthetic_sales --bytes 10", "room for fewer than 3 users"),
        ("--output r.csv dataset=synthetik", "synthetik"),
        ("dataset=synthetic_sales", "--output"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        generate_command(arguments.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.heavy
def test_a_file_stays_unless_it_is_to_be_replaced(tmp_path, capsys):
    path = tmp_path / "rows.csv"
    path.write_text("mine")
    arguments = ["dataset=synthetic_sales", "dataset.n_users=5", "--output", str(path)]
    with pytest.raises(StoreError, match="exists"):
        generate_command(arguments)
    assert path.read_text() == "mine"
    assert generate_command([*arguments, "--replace"]) == 0
    assert f"{len(texts(path))} rows" in capsys.readouterr().out


def test_no_room_is_known_beforehand(tmp_path):
    with pytest.raises(StoreError, match=r"takes about 9\d\d,000 GB and .* free"):
        generate(DATASETS["sales"][0](3), 0, tmp_path / "rows.csv", about_bytes=950 * 10**12)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_that_cannot_be_written_leaves_nothing(suffix, tmp_path):
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, old[1]))
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(StoreError, match="cannot write"):
            generate(DATASETS["sales"][0](2000), 0, tmp_path / f"rows.{suffix}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.heavy
def test_a_kill_leaves_no_file_and_the_next_run_clears_up(tmp_path):
    path = tmp_path / "rows.csv"
    process = subprocess.Popen(
        [sys.executable, "-m", "segrun", "generate", "dataset=synthetic_sales",
         "dataset.n_users=2000000", "--output", str(path)], env=os.environ,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not any(p.stat().st_size for p in tmp_path.glob(".rows.csv.*.tmp")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not path.exists()
    generate(DATASETS["sales"][0](5), 0, path)
    assert list(tmp_path.iterdir()) == [path]
