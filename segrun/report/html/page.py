"""What a page is made of, and how it becomes HTML."""

from __future__ import annotations

import base64
import hashlib
import shlex
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segrun import formats
from segrun.report.pictures.canvas import png

if TYPE_CHECKING:
    from jinja2 import Environment
    from matplotlib.figure import Figure

#: The page's file.
REPORT = "report.html"

Rows = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Picture:
    """A picture of the page, and the file beside it.

    Attributes
    ----------
    name : str
        Of the file, without folder and ending.
    png : bytes
        Its content.
    alt : str
        What it shows, for those who cannot see it.
    caption : str
        What to know to read it: sample, scale; may be empty.
    shown : bool
        False where the page shows the same as a table, and the file is for slides only.
    """

    name: str
    png: bytes
    alt: str
    caption: str = ""
    shown: bool = True

    @property
    def file(self) -> str:
        """Path below the run directory."""
        return f"pictures/{self.name}.png"

    @property
    def uri(self) -> str:
        """The content as a data URI."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, so that nothing jumps while the page loads."""
        return struct.unpack_from(">II", self.png, 16)


def picture(
    name: str, drawn: Figure, alt: str, caption: str = "", *, shown: bool = True
) -> Picture:
    """Return a figure as a picture of the page."""
    return Picture(name, png(drawn), alt, caption, shown)


@dataclass(frozen=True)
class Section:
    """One part of a page under a heading of its own.

    Attributes
    ----------
    id : str
        Name of its anchor and of its template, ``templates/sections/ID.html``.
    title : str
        The heading.
    values : mapping
        What its template shows.
    pictures : sequence of Picture
        In order.
    pictures_first : bool
        Whether they stand before what the template shows, which may be long.
    """

    id: str
    title: str
    values: Mapping[str, Any] = field(default_factory=dict)
    pictures: Sequence[Picture] = ()
    pictures_first: bool = False


@dataclass(frozen=True)
class Page:
    """A page: a lead of a sentence or two, warnings on top, sections, and what was left out."""

    title: str
    lead: str
    warnings: Sequence[str]
    sections: Sequence[Section]
    left_out: str = ""

    @property
    def pictures(self) -> list[Picture]:
        """All pictures, in order."""
        return [picture for section in self.sections for picture in section.pictures]


def render(page: Page) -> str:
    """Return the page as HTML; every text of the data is escaped."""
    from markupsafe import Markup

    environment = _environment()
    script, style = _source("tables.js"), _source("style.css")
    return environment.get_template("page.html").render(
        page=page,
        # Ours, word by word: the only markup that is not escaped.
        script=Markup(script),  # noqa: S704
        style=Markup(style),  # noqa: S704
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("segrun.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("number", "percent", "signed", "seconds", "megabytes", "as_float"):
        environment.filters[name] = getattr(formats, name)
    return environment


def _source(name: str) -> str:
    environment = _environment()
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def reproduce_command(path: Path) -> str:
    """Return the command that reproduces a run or sweep, from where ``outputs/`` is."""
    parts = path.absolute().parts
    if "outputs" in parts:
        seen = "/".join(parts[len(parts) - 1 - parts[::-1].index("outputs") :])
    else:
        seen = parts[-1]
    return shlex.join(["segrun", "reproduce", seen])
