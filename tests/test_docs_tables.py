"""Every table of README and docs is one: a header, its line, and rows of as many cells."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_have_a_header_and_as_many_cells_in_every_row(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.M):
        rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines()]
        assert len(rows) > 2, table
        assert all(re.fullmatch(r"\s*:?-+:?\s*", cell) for cell in rows[1]), table
        assert {len(row) for row in rows} == {len(rows[0])}, table
