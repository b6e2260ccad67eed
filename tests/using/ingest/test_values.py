"""Unix time, and totals beyond 64 bits, along every road: a run, new customers, new sales."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from segrun.cli.ingest import ingest_command
from segrun.errors import DataError
from segrun.using.apply import ApplyOptions, apply

START = datetime(2023, 1, 1, tzinfo=UTC)
COLUMNS = "dataset.columns={customer: Pelanggan, date: Waktu, price: Nilai, quantity: Jumlah}"


def sales(n, seed):
    """Lines of thousands of billions of rupiah: customer, moment, price, pieces."""
    rng = np.random.default_rng(seed)
    return [
        (f"k{rng.integers(30)}", START + timedelta(seconds=int(rng.integers(20_000_000))),
         Decimal(int(rng.integers(10**10, 10**14))) / 100, int(rng.integers(1, 90)))
        for _ in range(n)
    ]  # fmt: skip


def written(path, lines, unit):
    rows = [f"{c},{int(when.timestamp()) * unit},{p},{n}" for c, when, p, n in lines]
    path.write_text("\n".join(["Pelanggan,Waktu,Nilai,Jumlah", *rows]) + "\n")
    return str(path)


def expected(lines):
    """Total and days since the last line by customer, by plain Python."""
    latest = max(when for _, when, _, _ in lines)
    found = {}
    for customer in sorted({line[0] for line in lines}):
        own = [line for line in lines if line[0] == customer]
        total = sum(price * n for _, _, price, n in own)
        found[customer] = float(total), (latest - max(line[1] for line in own)).days
    return found


def told(frame):
    rows = frame.select("Pelanggan", "Amount", "Recency").rows()
    return {customer: (amount, recency) for customer, amount, recency in rows}


@pytest.mark.parametrize("min_bytes", [0, 10**9])
def test_unix_time_and_large_totals_along_every_road(run_of, tmp_path, min_bytes):
    first, then = sales(300, 1), sales(40, 2)
    path, more = (written(tmp_path / f"{n}.csv", s, 1000) for n, s in (("a", first), ("b", then)))
    run = run_of(
        tmp_path / "run", "dataset=transactions", f"dataset.path={path}", COLUMNS, "features=rfm",
        "features.amount=total", "features.outliers.rule=none", "algo=kmeans", "segments=full",
        "algo.grid.n_clusters=[3]", "algo.params.tol=1e-4", f"cache.min_bytes={min_bytes}",
        "store.state=true",
    )  # fmt: skip
    assert run.manifest["transactions"]["date_format"] == "unix_ms"
    assert told(pl.read_parquet(run.path / "features.parquet")) == expected(first)
    new = apply(run, ApplyOptions(more)).new.customers
    columns = [new.columns[name].tolist() for name in ("Amount", "Recency")]
    assert dict(zip(new.ids, zip(*columns, strict=True), strict=True)) == expected(then)
    assert ingest_command([str(run.path), more, "--features"]) == 0
    merged = pl.read_parquet(run.path / "ingest" / "features_all.parquet")
    assert told(merged) == expected(first + then)


def test_totals_beyond_128_bits_name_the_columns_of_the_file(run_of, tmp_path):
    lines = [(c, when, p * 10**30, n) for c, when, p, n in sales(30, 1)]
    path = written(tmp_path / "a.csv", lines, 1)
    with pytest.raises(DataError, match=r"too large .*: look for a wrong Jumlah or Nilai$"):
        run_of(
            tmp_path / "run", "dataset=transactions", f"dataset.path={path}", COLUMNS,
            "features=rfm", "algo=kmeans",
        )  # fmt: skip
