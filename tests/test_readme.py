"""What the README says of groups, choices and keys is so."""

import re
from pathlib import Path

from segrun.config import conf_directory

README = Path(__file__).parent.parent / "README.md"


def test_the_table_of_groups_names_every_choice():
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", README.read_text(), flags=re.MULTILINE)
    for group, cell in rows:
        there = {path.stem for path in (conf_directory() / group).glob("*.yaml")}
        if group == "experiment":
            families = set(re.findall(r"`(\w+)\*`", cell))
            alone = set(re.findall(r"`(\w+)`", cell))
            assert {n for n in there if not n.startswith(tuple(families))} == alone
            assert families <= {name.partition("_")[0] + "_" for name in there}
        else:
            assert set(re.findall(r"`(\w+)`", cell)) == there, group
    folders = {p.name for p in conf_directory().iterdir() if p.is_dir()} - {"hydra"}
    assert {group for group, _ in rows} == folders


def test_the_readme_is_short():
    assert len(README.read_text().splitlines()) <= 200
