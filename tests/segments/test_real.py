"""The real Online Retail file, described: what an analyst would check first."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from segrun.config.override import segments_config
from segrun.rundir.finished import open_run
from segrun.rundir.store import read_csv
from segrun.segments.describe import describe

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def real(finished, online_retail, tmp_path_factory):
    """The alibaba_rfm experiment on the real file, k = 5."""
    return finished(
        tmp_path_factory.mktemp("real") / "run", "experiment=alibaba_rfm", "report=none",
        "dataset=online_retail", f"dataset.path={online_retail}", "algo.params.n_clusters=5",
        "segments.stability.refits=5",
    )  # fmt: skip


def test_the_champions_are_few_and_bring_most(real):
    profile = read_csv(real.path / "segments" / "profile.csv")
    amount = {row["name"]: row for row in profile if row["column"] == "Amount"}
    members = pl.read_parquet(real.path / "segments" / "members.parquet")
    shares = dict(members["name"].value_counts(normalize=True).iter_rows())
    brought = {name: shares[name] * float(row["ratio"]) for name, row in amount.items()}
    assert sum(brought.values()) == pytest.approx(1)
    assert shares["Champions"] < 0.1
    assert brought["Champions"] > 0.5


def test_the_names_are_true(real, check_names_are_true):
    assert check_names_are_true(real.path) >= 5


def test_every_sentence_is_true_of_the_customers(real):
    """Means and medians in the sentences are those of pandas, rounded."""
    members = pl.read_parquet(real.path / "segments" / "members.parquet")
    features = pl.read_parquet(real.path / "features_all.parquet")
    both = pd.DataFrame(features.join(members, on="CustomerID").to_dict(as_series=False))
    facts = read_csv(real.path / "segments" / "facts.csv")
    told = [row for row in facts if row["column"] in ("Amount", "Recency", "NumberOfOrders")]
    assert len(told) >= 10
    for row in told:
        of = "median" if "median" in row["text"] else "mean"
        column = both[row["column"]]
        own = column[both["segment"] == int(row["segment"])]
        numbers = row["text"].rpartition("(")[2].rstrip(")").removeprefix("median ")
        mine, every = (float(n.replace(",", "")) for n in numbers.split(" against "))
        assert mine == pytest.approx(getattr(own, of)(), rel=0.05)
        assert every == pytest.approx(getattr(column, of)(), rel=0.05)
        assert np.sign(float(row["effect"])) == np.sign(mine - every)


def test_described_again_it_is_the_same(real):
    def files():
        folder = real.path / "segments"
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    before = files()
    describe(open_run(real.path), segments_config(real.experiment, []))
    assert files() == before
