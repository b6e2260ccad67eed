"""The mapping that is proposed for anybody's file: by content as well as name, and it works."""

from __future__ import annotations

import shlex

import pytest

from segrun.cli.compose import compose_experiment
from segrun.data.datasets import load
from segrun.errors import DataError

pytestmark = pytest.mark.heavy

CLOCK = [f"2024-0{1 + i // 28}-{1 + i % 28:02}" for i in range(56)]


def lines(header, row):
    return "\n".join([header, *(row(i, date) for i, date in enumerate(CLOCK)), ""])


def followed(path, text, tmp_path, monkeypatch):
    """Write a file, ask what its columns are, follow the advice; return it and what is read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / path).write_text(text)
    own = compose_experiment(["dataset=online_retail", f"dataset.path={path}"]).dataset
    with pytest.raises(DataError) as refused, load(own, 0):
        pass
    told = str(refused.value).partition("If these are others: ")[2].partition(" (no column")[0]
    experiment = compose_experiment(shlex.split(told))
    with load(experiment.dataset, 0) as found:
        assert len(found.frame.collect()) == 56
    return experiment


@pytest.mark.parametrize(
    ("header", "row", "mapping"),
    [
        (
            # A grocery log: "order" is in the date's name, "total" in the quantity's.
            "order_date,member_id,product,total_units,paid",
            lambda i, date: f"{date},{i % 7},milk,{i % 3},{i}.5",
            {"date": "order_date", "customer": "member_id", "amount": "paid"},
        ),
        (
            "birthdate,ticket,when,card no,price (€),Größe",
            lambda i, date: f"x{i},T{i},{date},{i % 7},{i}.5,3",
            {"date": "when", "customer": "card no", "price": "price (€)", "invoice": "ticket"},
        ),
        (
            "order_id,order_date,customer_id,quantity",
            lambda i, date: f"{i},{date},{i % 7},{i % 4}",
            {"date": "order_date", "customer": "customer_id", "amount": "quantity",
             "invoice": "order_id"},
        ),
        (
            # No count, no rate, no date, whatever letters they have in common with one.
            "Corporate,Update,invoicedate,Member,Discount,Gesamtbetrag",
            lambda i, date: f"x,y,{date},{i % 7},{i % 3}.5,{i}.5",
            {"date": "invoicedate", "customer": "Member", "amount": "Gesamtbetrag"},
        ),
        (
            f"{'Kundennummer des Kontoinhabers ' * 6}nach Vertrag,Datum,UnitPrice",
            lambda i, date: f"{i % 7},{date},{i}.5",
            {"date": "Datum", "customer": f"{'Kundennummer des Kontoinhabers ' * 6}nach Vertrag",
             "price": "UnitPrice"},
        ),
    ],
)  # fmt: skip
def test_the_proposed_line_is_by_content_and_reads_the_file(
    tmp_path, monkeypatch, header, row, mapping
):
    found = followed("shop (1).csv", lines(header, row), tmp_path, monkeypatch)
    given = {role: name for role, name in vars(found.dataset.columns).items() if name is not None}
    assert given == mapping


def test_of_a_log_without_any_number_lines_are_counted(tmp_path, monkeypatch):
    text = lines("Member,Date,itemDescription", lambda i, date: f"M{i % 7},{date},milk")
    found = followed("log.csv", text, tmp_path, monkeypatch)
    assert (found.dataset.id, list(found.features.columns)) == ("Member", ["Lines", "Recency"])


def test_a_quantity_that_stands_for_money_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.csv").write_text("date,member,qty\n2024-01-02,1,3\n")
    own = compose_experiment(["dataset=online_retail", "dataset.path=f.csv"]).dataset
    said = "no column looks like money, so qty stands for it"
    with pytest.raises(DataError, match=said), load(own, 0):
        pass
