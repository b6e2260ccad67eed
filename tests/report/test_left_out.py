"""What was read, left out and clustered: lines, customers and money that add up, by pandas."""

import re

import numpy as np
import pandas as pd
import pytest

from segrun.features.removed import left_out
from segrun.jobs import run_job as run
from segrun.report.html import write_report
from segrun.rundir.finished import open_run
from segrun.segments.segment import page, read_segments

pytestmark = pytest.mark.heavy

PARTS = re.compile(
    r"([\d,.]+) (lines?|customers?)|(Amount|Spent|Quantity \* UnitPrice) (-?[\d,.]+)"
)


def told(text):
    """Return the parts of a line with their numbers: read, clustered, and the others by rule."""
    found = {}
    read, rest = text.removeprefix("Read: ").split(". Left out: ")
    gone, clustered = rest.split(". Clustered: ")
    for part in [f"{read} by read", f"{clustered} by clustered", *gone.split("; ")]:
        numbers, _, rule = re.sub(r" with ", " by ", part).partition(" by ")
        found[rule] = {
            (unit.rstrip("s") or "money"): float((n or money).replace(",", "").rstrip("."))
            for n, unit, _, money in PARTS.findall(numbers)
        }
    return found


@pytest.fixture(scope="module")
def sales():
    """Lines of 90 customers: some have no customer, some are cancelled, few customers are huge."""
    rng = np.random.default_rng(3)
    n = 1500
    lines = pd.DataFrame({
        "CustomerID": [str(c) for c in 1000 + rng.integers(0, 90, n)],
        "InvoiceNo": [f"{i}" for i in range(n)],
        "InvoiceDate": pd.Timestamp("2011-01-03") + pd.to_timedelta(rng.integers(0, 8000, n), "h"),
        "Quantity": rng.integers(1, 9, n),
        "UnitPrice": rng.integers(50, 900, n) / 100,
    })  # fmt: skip
    lines.loc[rng.random(n) < 0.15, "CustomerID"] = None
    back = rng.random(n) < 0.1
    lines.loc[back, "InvoiceNo"] = "C" + lines.loc[back, "InvoiceNo"]
    lines.loc[back, "Quantity"] *= -1
    lines.loc[lines["CustomerID"].isin(["1003", "1017", "1040"]), "UnitPrice"] *= 20
    # Two who have sent everything back.
    gone = lines["CustomerID"].isin(["1005", "1006"])
    lines.loc[gone, "InvoiceNo"] = "C" + lines.loc[gone, "InvoiceNo"].str.removeprefix("C")
    lines.loc[gone, "Quantity"] = -lines.loc[gone, "Quantity"].abs()
    return lines


@pytest.fixture(scope="module")
def done(sales, composed, tmp_path_factory):
    """A run of these lines."""
    folder = tmp_path_factory.mktemp("sales")
    sales.to_csv(folder / "sales.csv", index=False)
    columns = ("{customer: CustomerID, invoice: InvoiceNo, date: InvoiceDate, "
               "quantity: Quantity, price: UnitPrice}")  # fmt: skip
    run(
        composed(
            "dataset=transactions", f"dataset.path={folder}/sales.csv",
            f"dataset.columns={columns}", "features=rfm", "features.cancellations=remove",
            "transform=log_standard", "backend=sklearn", "algo.grid.n_clusters=[3]",
            "segments=full", "segments.stability.refits=0",
        ),
        folder / "run",
    )  # fmt: skip
    return open_run(folder / "run")


def test_lines_customers_and_money_are_those_of_pandas(sales, done):
    found = told(left_out(done.manifest))
    sales = sales.assign(money=(sales["Quantity"] * sales["UnitPrice"]).round(2))
    nameless = sales["CustomerID"].isna()
    back = ~nameless & sales["InvoiceNo"].str.startswith("C")
    inside = sales["CustomerID"].isin(set(done.customers.ids))
    parts = {
        "features.drop_missing=any_column (": sales[nameless],
        "features.cancellations=remove": sales[back],
        "features.outliers.rule=quantile": sales[~nameless & ~back & ~inside],
        "clustered": sales[~back & inside],
        "read": sales,
    }
    assert len(parts["features.outliers.rule=quantile"]) > 10
    for rule, own in parts.items():
        (numbers,) = [numbers for name, numbers in found.items() if name.startswith(rule)]
        assert numbers["line"] == len(own), rule
        assert numbers["money"] == pytest.approx(own["money"].sum(), abs=0.011), rule
        if "customer" in numbers:
            assert numbers["customer"] == own["CustomerID"].nunique(), rule
    assert found["no line that counts"] == {"customer": 2}


def test_the_numbers_add_up(done):
    found = told(left_out(done.manifest))
    whole = found.pop("read")
    for unit, total in whole.items():
        assert sum(part.get(unit, 0) for part in found.values()) == pytest.approx(total, abs=1e-6)


def test_copies_that_are_left_out_are_in_the_sum(sales, composed, tmp_path):
    twice = pd.concat([sales, sales[:40]])
    twice.to_csv(tmp_path / "twice.csv", index=False)
    columns = ("{customer: CustomerID, invoice: InvoiceNo, date: InvoiceDate, "
               "quantity: Quantity, price: UnitPrice}")  # fmt: skip
    run(
        composed(
            "dataset=transactions", f"dataset.path={tmp_path}/twice.csv",
            f"dataset.columns={columns}", "dataset.duplicates=drop", "features=rfm",
            "backend=sklearn", "algo.grid.n_clusters=[3]",
        ),
        tmp_path / "run",
    )  # fmt: skip
    found = told(left_out(open_run(tmp_path / "run").manifest))
    copies = found["dataset.duplicates=drop"]
    assert (copies["line"], found["read"]["line"]) == (40, len(twice))
    money = (twice["Quantity"] * twice["UnitPrice"]).round(2)
    assert copies["money"] == pytest.approx(money[-40:].sum(), abs=0.011)
    assert found["read"]["money"] == pytest.approx(money.sum(), abs=0.011)


def test_page_and_terminal_have_the_line(done, read_page):
    write_report(done.path)
    line = left_out(done.manifest)
    assert line in read_page(done.path).texts
    run = open_run(done.path)
    assert page(run, read_segments(run)).endswith(line)


def test_a_run_that_has_not_counted_says_nothing(done):
    assert left_out({}) == ""
    features = {name: v for name, v in done.manifest["features"].items() if name != "kept"}
    assert left_out({**done.manifest, "features": features}) == ""


@pytest.mark.parametrize("form", ["records", "table", "ratings"])
def test_what_has_no_money_is_told_without(form, composed, tmp_path):
    rng = np.random.default_rng(1)
    own = pd.DataFrame({
        "id": [f"u{i}" for i in (range(40) if form == "table" else rng.integers(0, 40, 400))],
    })  # fmt: skip
    own["x"] = rng.integers(1, 6, len(own))
    own["item"] = [f"i{n}" for n in rng.integers(0, 6, len(own))]
    own.loc[:2, "x"] = [90, 80, 85]
    if form == "records":
        own.loc[5:9, "id"] = None
    own.to_csv(tmp_path / "own.csv", index=False)
    keys = {
        "records": ["dataset=records", "dataset.id=id", "+dataset.columns={x: number}",
                    "features=aggregate", "+features.columns={N: {function: count}}"],
        "table": ["dataset=table", "dataset.id=id", "+dataset.columns={x: number}",
                  "features=table", "features.outliers.rule=quantile",
                  "features.outliers.columns=[x]"],
        "ratings": ["dataset=ratings", "features=ratings", "features.min_user_ratings=6",
                    "transform=none", "features.duplicates=mean",
                    "dataset.columns={user: id, item: item, rating: x}"],
    }  # fmt: skip
    path = tmp_path / "run"
    run(composed("backend=sklearn", f"dataset.path={tmp_path}/own.csv", *keys[form],
                 "algo.grid.n_clusters=[2]"), path)  # fmt: skip
    found = told(left_out(open_run(path).manifest))
    whole = found.pop("read")
    assert whole["line"] == len(own)
    assert "money" not in whole
    assert sum(part.get("line", 0) for part in found.values()) == len(own)
    assert whole["customer"] == own["id"].nunique()
    if form == "records":
        assert found["id missing"] == {"line": 5}


@pytest.mark.parametrize(("price", "is_told"), [(1e10, True), (9e12, False)])
def test_money_beyond_64_bits_adds_up_or_is_not_told(price, is_told, sales, composed, tmp_path):
    lines = sales.copy()
    nameless = lines["CustomerID"].isna()
    # Together beyond 64 bits, no customer alone; a single line of 9e12 is.
    lines["UnitPrice"] *= 2e8
    lines.loc[nameless, "Quantity"], lines.loc[nameless, "UnitPrice"] = 1, price
    lines.to_csv(tmp_path / "sales.csv", index=False)
    columns = "{customer: CustomerID, date: InvoiceDate, quantity: Quantity, price: UnitPrice}"
    experiment = composed(
        "dataset=transactions", f"dataset.path={tmp_path}/sales.csv",
        f"dataset.columns={columns}", "features=rfm", "backend=sklearn", "transform=standard",
        "algo.grid.n_clusters=[3]", "algo.params.tol=1e-4", "features.allow_removed=1",
    )  # fmt: skip
    run(experiment, tmp_path / "run")
    line = left_out(open_run(tmp_path / "run").manifest)
    assert ("Amount is not told" in line) == (not is_told)
    found = told(line.removesuffix(" Amount is not told: not all of it can be summed here."))
    if is_told:
        whole = (lines["Quantity"] * lines["UnitPrice"]).sum()
        assert found["read"]["money"] == pytest.approx(whole, rel=1e-12)
    else:
        assert not any("money" in part for part in found.values())
