"""What must be read alike whichever batch it stands in."""

import pytest

from segrun.data import datasets
from segrun.errors import DataError
from segrun.using.ingest.reading import id_facts, merged_ids

COLUMNS = {"customer": "id", "date": "day", "quantity": "n", "price": "price"}


def read(settings_of, path, *rows, **settings):
    path.write_text("\n".join(["id,day,n,price", *rows]) + "\n", encoding="utf-8")
    config = settings_of(path, COLUMNS, name="transactions", **settings)
    with datasets.load(config, 0) as found:
        return found.frame.collect("polars").to_native(), found.facts


@pytest.mark.heavy
def test_a_line_is_the_same_beside_quantities_with_fractions(settings_of, tmp_path):
    # The price has more digits than are taken for decimals.
    whole = ["a,2024-03-01,3,0.12345678901234567", "b,2024-03-02,7,2.55", "c,2024-03-02,5,"]
    alone, _ = read(settings_of, tmp_path / "a.csv", *whole)
    beside, _ = read(settings_of, tmp_path / "b.csv", *whole, "a,2024-03-03,2.5,3")
    assert beside[:3].equals(alone)
    assert beside[3].select("Quantity", "UnitPrice").row(0) == (25, 0.3)


@pytest.mark.parametrize(
    ("first", "then", "fits"),
    [
        ("17850", "17850.0", True),
        ("17850.0", "17850", True),
        ("17850.0", "17850.5", False),
        ("17850.5", "17850.0", False),
        ("17850.5", "17850.5", True),
    ],
)
def test_ids_that_would_be_read_otherwise_together_are_refused(
    settings_of, tmp_path, first, then, fits
):
    found = [
        id_facts(read(settings_of, tmp_path / f"{i}.csv", f"{key},2024-03-01,1,1")[1])
        for i, key in enumerate((first, then))
    ]
    if fits:
        merged_ids(*found)
        return
    with pytest.raises(DataError, match=r"\.0"):
        merged_ids(*found)
