"""What docs/features.md shows is accepted."""

import re
import shlex
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from segrun.config import AggregateColumn, ColumnKind
from segrun.features.declared import declared
from segrun.runner.checks import check

PAGE = Path(__file__).parents[2] / "docs" / "features.md"
TEXT = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""


@pytest.mark.heavy
@pytest.mark.skipif(not TEXT, reason="no docs here")
def test_the_command_is_accepted(composed):
    command = re.search(r"```sh\nsegrun (.*?)```", TEXT, re.DOTALL)[1].replace("\\\n", " ")
    check(composed(*shlex.split(command)))


@pytest.mark.skipif(not TEXT, reason="no docs here")
def test_the_declared_columns_are_accepted(declaring):
    whole = OmegaConf.create(re.search(r"```yaml\n(# conf.*?)```", TEXT, re.DOTALL)[1])
    schema = OmegaConf.structured(AggregateColumn)
    columns = {
        name: OmegaConf.to_object(OmegaConf.merge(schema, given))
        for name, given in whole.columns.items()
    }
    text, number, date = ColumnKind.text, ColumnKind.number, ColumnKind.date
    kinds = {"page": text, "price": number, "quantity": number, "country": text, "group": text,
             "promotion": text, "time": date}  # fmt: skip
    found = declared(declaring.aggregate(columns), kinds, {"Spend": ["Food", "Toys"]})
    assert [column.name for column in found][4:6] == ["Spend_Food", "Spend_Toys"]
