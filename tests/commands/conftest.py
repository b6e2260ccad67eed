"""A shell in which everything that README and docs name is really there, only small."""

from __future__ import annotations

import gzip
import io
import os
import re
import shutil
import sqlite3
import subprocess
import threading
import zipfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from segrun.config import conf_directory

README = Path(__file__).parents[2] / "README.md"

Paste = Callable[..., "subprocess.CompletedProcess[str]"]

#: Embedded data of these sizes, by a ./conf of the user's own.
SMALL = {
    "synthetic_retail": ("n_customers: 4300", "n_customers: 150"),
    "synthetic_ratings": ("n_users: 900\nn_items: 400", "n_users: 200\nn_items: 80"),
    "synthetic_sales": ("n_users: 2000", "n_users: 200"),
    "synthetic_weblogs": ("n_visitors: 1500", "n_visitors: 200"),
}


@pytest.fixture(scope="session")
def world(tmp_path_factory, paste) -> Path:
    """A folder with a RUN, a SWEEP and the files that pages name. Take a copy of it."""
    folder = tmp_path_factory.mktemp("world")

    def do(command: str) -> None:
        done = paste(command, folder)
        assert done.returncode == 0, (command, done.stdout, done.stderr)

    _write_conf(folder / "conf")
    _write_retail(folder, do)
    _write_others(folder, do)
    fields = "seed=0 store.models=all features=rfm transform=standard segments=full"
    do(
        f"segrun dataset=online_retail dataset.path=shop.csv {fields} "
        "'algo.grid.n_clusters=[3,5]' 'algo.grid.tol=[1e-3,1e-4]' "
        "segments.point='\"n_clusters=5,tol=0.001\"' hydra.run.dir=RUN"
    )
    do(
        "segrun -m hydra/sweeper=optuna hydra.sweeper.n_trials=3 dataset.n_customers=60 "
        "algo=kmeans,birch hydra.sweep.dir=SWEEP"
    )
    shutil.copy(folder / "RUN" / "experiment.yaml", folder / "FILE.yaml")
    sweep = folder / "outputs" / "default" / "2026-11-21_10-00-00-4711"
    shutil.copytree(folder / "SWEEP", sweep)
    return folder


def _write_conf(conf: Path) -> None:
    (conf / "dataset").mkdir(parents=True)
    for name, (usual, small) in SMALL.items():
        text = (conf_directory() / "dataset" / f"{name}.yaml").read_text()
        assert usual in text, name
        (conf / "dataset" / f"{name}.yaml").write_text(text.replace(usual, small))
    # What the README itself tells to write.
    text = README.read_text()
    (block,) = re.findall(r"`conf/algo/spectral.yaml`:\n\n```yaml\n(.*?)```", text, re.DOTALL)
    (conf / "algo").mkdir()
    (conf / "algo" / "spectral.yaml").write_text(block)
    (conf / "experiment").mkdir()
    (conf / "experiment" / "mine.yaml").write_text("# @package _global_\nname: mine\nseed: 7\n")


def _write_retail(folder: Path, do: Callable[[str], None]) -> None:
    """Write the retailer's files: the real one's head count reduced, a shop, later sales."""
    real = os.environ.get("SEGRUN_ONLINE_RETAIL")
    if real:
        lines = pl.read_csv(real, infer_schema=False, encoding="utf8-lossy")
        few = lines.filter(pl.col("CustomerID").str.ends_with("50"))
    else:
        do("segrun generate dataset=synthetic_retail dataset.n_customers=45 --output uci.csv")
        few = pl.read_csv(folder / "uci.csv", infer_schema=False)
    with gzip.open(folder / "OnlineRetail.csv.gz", "wb") as file:
        few.write_csv(file)
    do("segrun generate dataset=synthetic_retail dataset.n_customers=130 --output all.csv")
    sales = pl.read_csv(folder / "all.csv", infer_schema=False)
    sales = sales.with_columns(pl.col("InvoiceDate").str.slice(0, 10).str.to_date().alias("day"))
    parts = {
        "shop.csv": pl.col("day") < pl.date(2011, 9, 10),
        "2011-12-09.csv": pl.col("day") == pl.date(2011, 12, 9),
        "sales/2011-11.csv": pl.col("day").is_between(pl.date(2011, 11, 1), pl.date(2011, 11, 30)),
        "sales/2011-12-09.csv": pl.col("day") == pl.date(2011, 12, 9),
        "new.csv": pl.col("day") >= pl.date(2011, 9, 10),
    }
    (folder / "sales").mkdir()
    for name, which in parts.items():
        sales.filter(which).drop("day").write_csv(folder / name)
    with gzip.open(folder / "lines.csv.gz", "wb") as file:
        sales.drop("day").write_csv(file)
    ids = sales["CustomerID"].drop_nulls().unique().sort()
    cities = ["Leeds", "York", "Bath"]
    pl.DataFrame({"CustomerID": ids, "City": [cities[i % 3] for i in range(len(ids))]}).write_csv(
        folder / "customers.csv"
    )


def _write_others(folder: Path, do: Callable[[str], None]) -> None:
    rng = np.random.default_rng(0)
    n = 600
    account = [f"K{number:03d}" for number in rng.integers(0, 60, n)]
    day = [f"2024-{m:02d}-{d:02d}" for m, d in zip(rng.integers(1, 13, n), rng.integers(1, 28, n),
                                                 strict=True)]  # fmt: skip
    amount = np.round(rng.lognormal(3, 1, n), 2)
    pieces = rng.integers(1, 9, n)
    payments = pl.DataFrame({"Account": account, "Booked": day, "Value": amount})
    payments.write_csv(folder / "payments.csv")
    columns = pl.DataFrame({"A": account, "B": day, "C": amount, "D": pieces})
    columns.write_csv(folder / "FILE")
    columns.write_parquet(folder / "sales.parquet")
    people = pl.DataFrame(
        {"customer": [f"p{i}" for i in range(60)], "age": rng.integers(18, 90, 60),
         "city": [("Leeds", "York", "Bath")[i % 3] for i in range(60)]}
    )  # fmt: skip
    people.write_csv(folder / "people.csv")
    views = pl.DataFrame(
        {"visitor": account, "URL": [f"/{i}" for i in pieces], "seconds": amount, "time": day}
    )
    views.write_csv(folder / "views.csv")
    views.rename({"URL": "page"}).write_csv(folder / "pages.csv")
    do("segrun generate dataset=synthetic_weblogs dataset.n_visitors=80 --output weblogs.csv")
    do("segrun generate dataset=synthetic_sales dataset.n_users=80 --output grouped.csv")
    _write_ratings(folder, rng)
    with sqlite3.connect(folder / "crm.db") as crm:
        crm.execute("CREATE TABLE people (id INTEGER, age REAL, city TEXT, active INTEGER)")
        rows = [(i, 20 + i % 50, ["Leeds", "York"][i % 2], i % 5 > 0) for i in range(80)]
        crm.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", rows)
    crm.close()


def _write_ratings(folder: Path, rng: np.random.Generator) -> None:
    """Write ratings in the forms of MovieLens 100k and of its later editions."""
    pairs = [(user, item) for user in range(1, 81) for item in range(1, 41)
             if rng.random() < (0.6 if user % 4 == item % 4 else 0.1)]  # fmt: skip
    lines = [f"{u}\t{i}\t{1 + (u * i) % 5}\t{881250000 + u * 100 + i}" for u, i in pairs]
    (folder / "u.data").write_text("\n".join(lines) + "\n")
    csv = [line.replace("\t", ",") for line in lines]
    (folder / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *csv, ""]))
    named = [f"{i},Film {i} (1995),Drama" for i in range(1, 41)]
    (folder / "movies.csv").write_text("\n".join(["movieId,title,genres", *named, ""]))
    titles = [f"{i}|Film {i} (1995)|01-Jan-1995||http://x/{i}" + "|0" * 19 for i in range(1, 41)]
    (folder / "u.item").write_text("\n".join(titles) + "\n", encoding="iso-8859-1")


@pytest.fixture(scope="session")
def publisher():
    """Address of a server that has the real file as its publisher does, packed by zip."""
    real = os.environ.get("SEGRUN_ONLINE_RETAIL")
    if not real:
        pytest.skip("SEGRUN_ONLINE_RETAIL does not name the UCI Online Retail CSV")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("Online Retail.csv", gzip.decompress(Path(real).read_bytes()))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(packed.getbuffer().nbytes))
            self.end_headers()
            self.wfile.write(packed.getbuffer())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/online+retail.zip"
        server.shutdown()
        thread.join()
