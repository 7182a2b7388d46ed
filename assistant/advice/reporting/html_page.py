"""A report as one web page that stands alone: no script, nothing from elsewhere, drawn plots within."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.advice.reporting.content import Block, Document, Figure, Table, anchors, spans
from assistant.advice.reporting.drawings import inline_svg
from assistant.languages import language_of

if TYPE_CHECKING:
    from jinja2 import Template

_FOLDER = Path(__file__).parent


def html_of(document: Document) -> str:
    """The report as an HTML page.

    Every text is escaped by the template; a figure's drawing is cut down to shapes. The page tells the browser to load and
    run nothing, and to apply no style but the one whose hash it names.

    Args:
        document: The report.
    """
    style = _style(document.running_title)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = _template().render(document=document, style=style, style_hash=digest, anchors=anchors(document))
    return f"{page.strip()}\n"


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 (only when a page is made)
    from markupsafe import Markup  # noqa: PLC0415 (as above)

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["spans"] = lambda text: list(spans(text))
    environment.filters["unmarked"] = lambda text: "".join(span.text for span in spans(text))
    environment.filters["groupby_kind"] = _in_a_row
    environment.filters["wide"] = _has_figures
    environment.filters["spoken"] = language_of
    environment.filters["drawn"] = lambda figure: Markup(_drawn(figure))
    return environment.get_template("page.html.jinja")


def _in_a_row(blocks: Sequence[Block]) -> list[tuple[str, list[Block]]]:
    """Blocks of one kind that follow each other: plots stand side by side."""
    return [(kind, list(group)) for kind, group in itertools.groupby(blocks, lambda block: block.kind)]


def _drawn(figure: Figure) -> str:
    return inline_svg(figure.svg, f"{figure.name}-", f"about-{figure.name}") if figure.svg else ""


def _has_figures(table: Table) -> bool:
    """Whether a table is mostly figures, which stay side by side on a narrow screen."""
    return 2 * sum(column.numeric for column in table.columns) >= len(table.columns)


@cache
def _sheet() -> str:
    return (_FOLDER / "page.css").read_text(encoding="utf-8").strip()


def _style(running_title: str) -> str:
    """The style sheet with the title that every printed page shows, in which no letter can end the string."""
    title = re.sub(r"[^0-9A-Za-z]", lambda match: f"\\{ord(match[0]):06x}", running_title)
    return _sheet().replace("RUNNING-TITLE", title)
