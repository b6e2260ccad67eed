"""Tables of other shapes than a retailer's, from file to run in at most three settings each."""

from __future__ import annotations

import shlex
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from segrun.rundir.store import read_csv, read_manifest

RNG = np.random.default_rng(5)


def moments(n, seconds=365 * 86_400):
    start = datetime(2024, 1, 1)
    return [start + timedelta(seconds=int(s)) for s in RNG.integers(0, seconds, n)]


def bank_payments(folder):
    """German bank export: semicolons, cp1252, day first, decimal comma, minus behind, IBANs."""
    n = 4000
    accounts = [f"DE{k:02} 5001 0517 {k:010}" for k in RNG.integers(0, 300, n)]
    value = RNG.normal(-40, 300, n).round(2)
    text = ["Buchungstag;Kontonummer;Verwendungszweck;Betrag;Währung"]
    for account, when, amount in zip(accounts, moments(n), value, strict=True):
        shown = f"{abs(amount):,.2f}".translate(str.maketrans(",.", ".,"))
        sign = "-" if amount < 0 else ""
        text.append(f"{when:%d.%m.%Y};{account};Miete \u2013 Rate;{shown}{sign};EUR")
    path = folder / "bank.csv"
    path.write_bytes("\r\n".join(text).encode("cp1252"))
    settings = [
        f"dataset.path={path.name}", "dataset.encoding=cp1252",
        "dataset.columns={customer: Kontonummer, date: Buchungstag, amount: Betrag}",
    ]  # fmt: skip
    return settings, pl.DataFrame({"id": accounts, "amount": value})


def web_shop(folder):
    """A French shop: tabs, decimal commas with blanks as groups, ISO times with a zone, JSON."""
    n = 5000
    clients = [f"client-{k}@exemple.fr" for k in RNG.integers(0, 400, n)]
    price = (RNG.lognormal(3, 1.5, n) + 900 * (RNG.random(n) < 0.1)).round(2)
    quantity = RNG.integers(1, 6, n)
    shown = [f"{p:,.2f} €".translate(str.maketrans({",": "\u202f", ".": ","})) for p in price]
    frame = pl.DataFrame(
        {
            "commande": [f"FR-{i // 3}" for i in range(n)],
            "créée": [f"{m:%Y-%m-%dT%H:%M:%S}+01:00" for m in moments(n)],
            "client": clients,
            "détails": ['{"cadeau": "oui, vraiment"}'] * n,
            "prix unitaire": shown,
            "quantité": quantity,
        }
    )
    path = folder / "boutique.tsv"
    frame.write_csv(path, separator="\t")
    columns = "{customer: client, date: 'créée', price: prix unitaire, quantity: 'quantité'}"
    settings = [f"dataset.path={path.name}", f"dataset.columns={columns}", "features=rfm"]
    return settings, pl.DataFrame({"id": clients, "amount": price * quantity})


def telecom_usage(folder):
    """Call records: bars, compact times, seconds and fractions of gigabytes, packed."""
    n = 20_000
    numbers = [f"00491701{k:06}" for k in RNG.integers(0, 800, n)]
    volume = RNG.exponential(0.8, n).round(3)
    frame = pl.DataFrame(
        {
            "record_id": range(n),
            "msisdn": numbers,
            "start_time": [f"{m:%Y%m%d%H%M%S}" for m in moments(n)],
            "cell": RNG.integers(1, 99, n),
            "gigabytes": volume,
            "tariff_per_gigabyte": [1.25] * n,
        }
    )
    path = folder / "usage.csv.zst"
    frame.write_csv(path, separator="|", compression="zstd")
    settings = [
        f"dataset.path={path.name}",
        "dataset.columns={customer: msisdn, date: start_time, price: tariff_per_gigabyte, "
        "quantity: gigabytes}",
        "algo=dbscan",
    ]
    return settings, pl.DataFrame({"id": numbers, "amount": volume * 1.25})


@pytest.mark.parametrize("make", [bank_payments, web_shop, telecom_usage])
def test_from_file_to_run_in_three_settings(segrun, tmp_path, make):
    settings, lines = make(tmp_path)
    assert len(settings) <= 3
    done = segrun("dataset=transactions", *settings, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "run"
    assert {row["status"] for row in read_csv(run / "scores.csv")} == {"done"}
    features = pl.read_parquet(run / "features_all.parquet")
    # The id column has the name that it has in the file; ids are whole numbers or letter by letter.
    id_column = features.columns[0]
    assert f"customer: {id_column}" in " ".join(settings)
    expected = lines.group_by("id").agg(pl.col("amount").mean(), n=pl.len()).sort("id")
    assert features[id_column].cast(pl.String).to_list() == expected["id"].to_list()
    assert features["NumberOfOrders"].to_list() == expected["n"].to_list()
    assert features["Amount"].to_list() == pytest.approx(expected["amount"].to_list(), abs=1e-6)
    assert read_manifest(run)["transactions"]["n_read"] == len(lines)


@pytest.mark.parametrize("make", [bank_payments, web_shop, telecom_usage])
def test_without_a_mapping_a_line_to_paste_is_proposed_and_works(segrun, tmp_path, make):
    settings, _ = make(tmp_path)
    others = [s for s in settings if "columns" not in s]
    done = segrun("dataset=transactions", *others, cwd=tmp_path)
    assert done.returncode == 1
    message = " ".join(done.stderr.split())
    # As a shell reads it.
    proposed = shlex.split(message.split("Perhaps: ")[1])[:3]
    again = segrun(
        *others, *proposed, "features=rfm",
        "algo=kmeans", "algo.params.n_clusters=3", cwd=tmp_path,
    )  # fmt: skip
    assert again.returncode == 0, (proposed, again.stderr)
