"""Advice that a message prints is pasted as it stands, behind what was refused: then it works."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

tally: Counter[str] = Counter()

TRANSACTIONS = "segrun dataset=transactions 'dataset.columns={customer: A, date: B, amount: C}'"
TABLE = "segrun features=table dataset=table dataset.id=id"
ONE = "algo.params.n_clusters=2 algo.params.tol=1e-4"

#: What is refused, where its advice stands in the message, and how it is pasted: {0} is the
#: command, {1} the advice. Where no form is given it comes behind the command.
ADVICE = [
    ("segrun algo=kmens", r"Did you mean '(\w+)'", "segrun algo={1}"),
    ("segrun experiment=planted_tipes", r"Did you mean '(\w+)'", "segrun experiment={1}"),
    ("segrun algo.params.n_cluster=3", r"Did you mean '(\w+)'", "segrun algo.params.{1}=3"),
    ("segrun dataset.n_custmers=90", r"Did you mean '(\w+)'", "segrun dataset.{1}=90"),
    ("segrun plugin", r"Did you mean '(\w+)'", "segrun {1}"),
    ("segrun engine.name=duckdb", r"choose (engine=duckdb)", "segrun {1}"),
    ("segrun dataset=transactions dataset.path=payments.csv", r"('dataset\.columns=\{.*?\}')"),
    ("segrun dataset=transactions dataset.path=grocery.csv", r"('dataset\.columns=\{.*?\}')"),
    ("segrun dataset=online_retail dataset.path=payments.csv features=rfm",
     r"If these are others: (.*)$", "segrun dataset.path=payments.csv features=rfm {1}"),
    (f"{TRANSACTIONS} dataset.path=both.csv features=rfm", r"(dataset\.date_order=\w+)"),
    (f"{TABLE} dataset.path=halves.csv '+dataset.columns={{x: number}}'",
     r"(dataset\.decimal=point)"),
    (f"{TABLE} dataset.path=halves.csv '+dataset.columns={{x: number}}'",
     r"(dataset\.decimal=comma)"),
    (f"{TRANSACTIONS} dataset.path=wrong.csv features=rfm", r"(dataset\.bad_lines=\w+)"),
    (f"{TABLE} dataset.path=windows.csv '+dataset.columns={{x: number, city: text}}'",
     r"(dataset\.encoding=cp1252)"),
    (f"{TABLE} dataset.path=utf16.csv '+dataset.columns={{x: number}}'",
     r"(dataset\.encoding=utf-16-le)"),
    (f"{TABLE} dataset.path=gaps.csv '+dataset.columns={{x: number, age: number}}'",
     r"('\+features\.columns=\{.*?\}\}'|\+?features\.columns\.age\.missing=\w+)"),
    (f"{TABLE} dataset.path=cities.csv '+dataset.columns={{x: number, city: text}}'",
     r"('\+features\.columns=\{.*?\}\}'|\+?features\.columns\.city\.cluster=false)"),
    (f"{TABLE} dataset.path=cities.csv", r"('\+dataset\.columns=\{.*?\}')",
     "{0} '+dataset.columns={{x: number}}'"),
    ("segrun dataset=records dataset.path=views.csv dataset.id=visitor features=aggregate "
     "'+dataset.columns={seconds: number}'", r"('\+features\.columns=\{.*?\}\}')"),
    ("segrun dataset=records dataset.path=moments.csv dataset.id=id features=aggregate "
     "'+dataset.columns={since: date, until: date}' "
     "'+features.columns={n: {function: count}, age: {function: days_since, of: since}}'",
     r"(features\.date=\w+)"),
    ("segrun dataset=online_retail dataset.path=returns.csv features=rfm features.amount=total "
     "transform=log_standard features.outliers.rule=none", r"('transform\.log1p=[^']*')"),
    ("segrun dataset=online_retail dataset.path=returns.csv features=spend transform=log_standard",
     r"('transform\.log1p=[^']*')"),
    ("segrun features.outliers.factor=inf",
     r"(features\.outliers\.rule=none)", "segrun {1}"),
    ("segrun preflight.action=refuse preflight.max_seconds=1e-9", r"(preflight\.action=warn)"),
    ("segrun backend.require=true algo=birch", r"(backend\.require=false)"),
    ("segrun algo=hdbscan algo.params.cluster_selection_epsilon=3.0 "
     "algo.params.cluster_selection_method=leaf algo.params.min_cluster_size=5",
     r"(algo\.params\.cluster_selection_epsilon=0\.0) avoids"),
    ("segrun algo.params.n_clusters=5000 algo.params.tol=1e-4",
     r"such as (algo\.params\.n_clusters=\d+)"),
    ("segrun algo=gaussian_mixture algo.params.n_components=5000 algo.params.covariance_type=diag",
     r"such as (algo\.params\.n_components=\d+)"),
    ("segrun features=ratings features.item=StockCode features.values=rating transform=svd_10 "
     "features.rating=null",
     r"(features\.values=ones)"),
    ("segrun dataset=ratings dataset.path=twice.csv features=ratings transform.pca=2 "
     f"transform.scale=none {ONE}", r"(features\.duplicates=last)"),
    ("segrun -m hydra/sweeper=optuna hydra.sweeper.sampler=grid hydra.sweeper.n_trials=2 "
     "algo=birch hydra/launcher=basic", r"(hydra\.sweeper\.sampler=tpe)"),
    ("segrun -m hydra.sweep.dir=SWEEP seed=1,2", r"(segrun resume \S+)", "{1}"),
    ("segrun name BARE 0=Shops", r"(segrun describe \S+)", "{1}"),
    ("segrun describe NOISE", r"(segrun describe .*)\. Points:", "{1}"),
    ("segrun apply TREE new.csv --output placed.csv", r"(--nearest)"),
    ("segrun apply RUN new.csv --output customers.csv", r"(--force)"),
    ("segrun export RUN --to customers.csv", r"(--replace)"),
    ("segrun export RUN --to sqlite:///crm.db --table people", r"(--replace)"),
    ("segrun generate dataset=synthetic_sales --output customers.csv", r"(--replace)"),
    ("segrun ingest RUN shop.csv", r"(--force)"),
    ("segrun ingest RUN shop.csv", r"(--skip-known)"),
    ("segrun report GONE", r"(segrun resume \S+)", "{1}"),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(world, paste, tmp_path_factory) -> Path:
    """The world, and in it what is wrong."""
    place = tmp_path_factory.mktemp("advice") / "work"
    shutil.copytree(world, place)

    def lines(name: str, header: str, rows: list[str], encoding: str = "utf-8") -> None:
        (place / name).write_bytes("\n".join([header, *rows, ""]).encode(encoding))

    ids = range(240)
    lines("both.csv", "A,B,C", [f"c{i % 60},{1 + i % 12:02d}/{1 + i % 7:02d}/2024,{i + 1}.55"
                                for i in ids])  # fmt: skip
    lines("halves.csv", "id,x", [f'c{i},"{1 + i % 9}.{100 + i}"' for i in ids])
    lines("wrong.csv", "A,B,C", [f"c{i % 60},2024-01-{1 + i % 28:02d},{'?' if i == 7 else i}"
                                 for i in ids])  # fmt: skip
    lines("windows.csv", "id,x,city", [f"c{i},{i},{'Zürich “Süd”' if i % 2 else 'Köln €'}"
                                       for i in ids], "cp1252")  # fmt: skip
    lines("utf16.csv", "id,x", [f"c{i},{i % 3}" for i in ids], "utf-16-le")
    lines("gaps.csv", "id,x,age", [f"c{i},{i},{'' if i == 3 else 20 + i}" for i in ids])
    lines("cities.csv", "id,x,city", [f"c{i},{i},city {i}" for i in ids])
    lines("moments.csv", "id,since,until", [f"c{i % 60},2024-01-{1 + i % 28:02d},2024-03-01"
                                            for i in ids])  # fmt: skip
    lines("grocery.csv", "order_id,order_date,customer_no,product,qty,price",
          [f"{500 + i},2015-07-{1 + i % 28:02d},{1000 + i % 60},milk {i % 4},{1 + i % 3},0.79"
           for i in ids])  # fmt: skip
    lines("twice.csv", "userId,movieId,rating,timestamp",
          [f"{1 + i % 8},{1 + i % 5},{1 + i % 4},{881250000 + i}" for i in range(90)])  # fmt: skip
    lines("returns.csv", "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,"
          "CustomerID,Country",
          [f"{'C' if i % 9 == 8 else ''}{500 + i},s,d,{-90 if i % 9 == 8 else 1 + i % 5},"
           f"2011-01-{1 + i % 28:02d} 10:00,2.55,{13000 + i % 60},France" for i in ids]
    )  # fmt: skip
    for command in (
        f"segrun {ONE} hydra.run.dir=BARE",
        "segrun algo=dbscan algo.params.eps=1e-6 algo.params.min_samples=50 hydra.run.dir=NOISE",
        "segrun dataset=online_retail dataset.path=shop.csv features=rfm algo=agglomerative "
        "algo.params.n_clusters=3 hydra.run.dir=TREE",
    ):
        done = paste(command, place)
        assert done.returncode == 0, done.stderr
    shutil.copytree(place / "SWEEP", place / "GONE")
    (place / "GONE" / "scores.csv").unlink()
    return place


@pytest.mark.parametrize("case", ADVICE, ids=[f"{case[0]} -- {case[1]}" for case in ADVICE])
def test_what_a_message_advises_works_when_it_is_pasted(case, folder, paste):
    command, pattern, *form = case
    refused = paste(command, folder)
    said = " ".join(refused.stderr.split())
    assert refused.returncode in (1, 2), said
    assert "Traceback" not in refused.stderr
    tally["tried"] += 1
    found = re.search(pattern, said)
    assert found, f"no such advice: {said}"
    pasted = (form[0] if form else "{0} {1}").format(command, found[1])
    done = paste(pasted, folder)
    assert done.returncode == 0, f"{pasted}\n{done.stderr}"
    tally["works"] += 1


def test_the_numbers_are_told(capsys):
    with capsys.disabled():
        print(f"\nadvice: {tally['tried']} tried, {tally['works']} works")  # noqa: T201
