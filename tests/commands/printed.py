"""The commands that README, docs, `segrun --help` and the comments of conf/ print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from segrun.cli.pages import COMMANDS, HELP

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Printed:
    """A command, where it is printed, and which block's earlier ones it follows."""

    page: str
    line: int
    text: str
    block: int

    def __str__(self) -> str:
        first = re.sub(r"\s+#.*", "", self.text.splitlines()[0])
        return f"{self.page}:{self.line} {first}"


def statements(code: str) -> list[tuple[int, str]]:
    """Return the commands of a shell block with their lines: continued ones and here-documents."""
    found, lines, number = [], code.splitlines(), 0
    while number < len(lines):
        first, text = number, lines[number]
        while text.endswith("\\"):
            number += 1
            text += "\n" + lines[number]
        here = re.search(r"<<'(\w+)'", text)
        while here and lines[number] != here[1]:
            number += 1
            text += "\n" + lines[number]
        if text.strip() and not text.lstrip().startswith("#"):
            found.append((first, text))
        number += 1
    return found


def printed_in(page: str, text: str) -> list[Printed]:
    """Return the commands of a Markdown page: in blocks, and in sentences."""
    found = []

    def blank(match: re.Match[str]) -> str:
        line = text.count("\n", 0, match.start()) + 2
        # The crontab's line is in a block without a language.
        code = "\n".join(
            row for row in match[2].split("\n") if match[1] == "sh" or "segrun " in row
        )
        for number, command in statements(code) if match[1] in ("", "sh") else []:
            found.append(Printed(page, line + number, command, line))
        return "\n" * match[0].count("\n")

    prose = re.sub(r"^ *```(\w*)\n(.*?)^ *```$", blank, text, flags=re.MULTILINE | re.DOTALL)
    for match in re.finditer(r"`((?:segrun|pip|optuna-dashboard|\.venv\S+)\s[^`]+)`", prose):
        line = prose.count("\n", 0, match.start()) + 1
        found.append(Printed(page, line, " ".join(match[1].split()), line))
    return sorted(found, key=lambda command: command.line)


def printed_in_help() -> list[Printed]:
    """Return what the help's usage, examples, commands and options are when they are typed."""
    found, part = [], ""
    for number, line in enumerate(HELP.splitlines(), 1):
        if line and not line.startswith(" "):
            part = line.split()[0]
        elif line.strip() and part in ("usage", "examples", "commands", "options"):
            words = re.split(r"\s{2,}", line.strip())[0]
            for text in words.split(", ") if part == "options" else [words]:
                whole = text if text.startswith("segrun") else f"segrun {text}"
                found.append(Printed("--help", number, whole, number))
    return found


def printed_in_yaml(path: Path) -> list[Printed]:
    """Return the commands in the comments on top of a committed YAML file."""
    rows = [row.removeprefix("#").strip() for row in path.read_text().splitlines()]
    page = path.relative_to(ROOT).as_posix()
    found = []
    for number, row in enumerate(rows):
        if row.startswith(("segrun ", "One size alone: segrun ")):
            text, last = row.partition("alone: ")[2] or row, number
            while text.endswith("\\"):
                last += 1
                text = text[:-1] + rows[last]
            for part in text.split("; "):
                command = re.sub(r"( reproduce \w+) checks.*", r"\1", part)
                found.append(Printed(page, number + 1, command, 1))
    return found


def everything_printed() -> list[Printed]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    found = [c for p in pages for c in printed_in(p.relative_to(ROOT).as_posix(), p.read_text())]
    found += printed_in_help()
    for path in sorted((ROOT / "conf").glob("*/*.yaml")):
        found += printed_in_yaml(path)
    return found


def is_mention(text: str) -> bool:
    """Tell whether only a command's name is meant, such as segrun apply."""
    words = text.split()
    alone = {"plugins", "doctor", "cache", "plan"}
    named = len(words) == 2 and words[1] in COMMANDS and words[1] not in alone
    return words[0] == "segrun" and (
        named or text in ("segrun plugins check", "segrun plugins new")
    )
