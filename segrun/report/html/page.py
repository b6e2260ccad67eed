"""From sections to HTML: templates, style and the few lines of script."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING

from segrun import formats
from segrun.report.html.section import Page

if TYPE_CHECKING:
    from jinja2 import Environment


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


#: The page's file.
REPORT = "report.html"
