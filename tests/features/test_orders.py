"""What NumberOfOrders counts where nobody says it."""

import pytest

from segrun.config import Orders
from segrun.data.datasets import load
from segrun.features import build

COLUMNS = "dataset.columns={customer: who, date: day, amount: paid%s}"
LINES = ["a,2011-03-01,1.5,7", "a,2011-03-01,2.5,7", "a,2011-03-04,1.0,8", "b,2011-03-02,4.0,9"]


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("overrides", "counted"),
    [
        (["dataset=transactions", "dataset.path=x", COLUMNS % ", invoice: order"], "invoices"),
        (["dataset=transactions", "dataset.path=x", COLUMNS % ""], "lines"),
        (["dataset=online_retail", "dataset.path=x"], "lines"),
        (["dataset=synthetic_retail"], "lines"),
        (
            ["dataset=transactions", "dataset.path=x", COLUMNS % ", invoice: order",
             "features.orders=lines"],
            "lines",
        ),
        (
            ["experiment=kit_kmeans_x1", "dataset=transactions", "dataset.path=x",
             COLUMNS % ", invoice: order"],
            "lines",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("features", ["rfm", "rfm_calendar"])
def test_orders_are_invoices_where_their_column_is_mapped(composed, features, overrides, counted):
    experiment = composed(*overrides, f"features={features}")
    # What is recorded is what was counted.
    assert experiment.features.orders is Orders(counted)


@pytest.mark.heavy
@pytest.mark.parametrize(("invoice", "expected"), [(", invoice: order", [2, 1]), ("", [3, 1])])
def test_such_orders_are_counted_once(composed, tmp_path, invoice, expected):
    path = tmp_path / "lines.csv"
    path.write_text("who,day,paid,order\n" + "\n".join(LINES) + "\n")
    experiment = composed(
        "dataset=transactions", f"dataset.path={path}", COLUMNS % invoice, "features=rfm",
        "features.outliers.rule=none",
    )  # fmt: skip
    with load(experiment.dataset, 0, tmp_path) as source:
        found = build(source, experiment.features).all_customers
    assert found.columns["NumberOfOrders"].tolist() == expected
