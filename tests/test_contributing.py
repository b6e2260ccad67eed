"""What CONTRIBUTING.md quotes stands in the code."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
QUOTES = re.findall(
    r"\(`([\w/]+\.py)`\):\n\n```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL
)


def test_there_are_quotes():
    assert len(QUOTES) >= 3


@pytest.mark.parametrize(("path", "quoted"), QUOTES, ids=[path for path, _ in QUOTES])
def test_a_quote_is_true(path, quoted):
    assert quoted in (ROOT / path).read_text()
