"""What the renderers share: the rendered form, sizes in words, and untrusted text made harmless in Markdown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from assistant.languages import Language
from assistant.phrases import say
from assistant.translation import translate
from assistant.turn_events import Citation


@dataclass(frozen=True)
class Rendered:
    """A record as Markdown."""

    headline: str
    """The answer in a sentence."""
    details: str = ""
    """Table, figures, conditions."""
    advice: str = ""
    """What to do next, in words."""
    citations: tuple[Citation, ...] = ()
    choices: tuple[str, ...] = field(default=())
    points: str = ""
    """What it means in a few points; a manager reads them instead of the details."""
    deeper: str = ""
    """Figures for an engineer, which other readers do not get."""

    def for_audience(self, audience: Literal["auto", "manager", "engineer"]) -> str:
        """The Markdown for that reader; managers get what it means before, or instead of, the figures."""
        if audience == "manager":
            parts = (self.headline, self.points, self.advice, "" if self.points else self.details)
        else:
            parts = (self.headline, self.details, self.deeper if audience == "engineer" else "", self.advice)
        return "\n\n".join(p for p in parts if p)


def size(mib: float) -> str:
    """A size in MiB or GiB."""
    return f"{mib:,.0f} MiB" if mib < 10_240 else f"{mib / 1024:,.1f} GiB"


def age(seconds: float, language: Language) -> str:
    """How long ago something was, in the largest unit that is not below one."""
    for unit, length_s in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= length_s:
            return say(f"age.{unit}", language, count=int(seconds // length_s))
    return say("age.just_now", language)


def bytes_size(count: int) -> str:
    """A number of bytes in a readable unit."""
    return (
        f"{count:,} B"
        if count < 10_000
        else f"{count / 1024:,.0f} KiB"
        if count < 10_485_760
        else size(count / 1_048_576)
    )


def plain(text: str, limit: int = 240) -> str:
    """Untrusted text as one harmless line: no Markdown, HTML or table marks act, and it is not endless."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = line if len(line) <= limit else line[: limit - 1] + "…"
    return re.sub(r"([\\`*_{}\[\]<>#|!~])", r"\\\1", line)


def code(text: str, limit: int = 160) -> str:
    """Untrusted text for use within backticks."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split()).replace("`", "ˋ")
    return line if len(line) <= limit else line[: limit - 1] + "…"


def inline(text: str, limit: int = 600) -> str:
    """A tool's text with untrusted quotes between backticks: what is quoted stays code, what is not is made harmless."""
    pieces = text[:limit].split("`")
    if len(pieces) % 2 == 0 or len(text) > limit:
        return plain(text, limit)
    shown = [code(piece) and f"`{code(piece)}`" if at % 2 else _escaped(piece) for at, piece in enumerate(pieces)]
    return "".join(shown).strip()


def _escaped(piece: str) -> str:
    """A piece of a line, with the spaces at its ends that `plain` takes away."""
    return f"{' ' if piece[:1] == ' ' else ''}{plain(piece, len(piece) + 1)}{' ' if piece[1:] and piece[-1:] == ' ' else ''}"


def next_step(text: str, language: Language) -> str:
    """A next step with its label."""
    return say("common.next_step", language, text=text)


def not_checked(items: tuple[str, ...] | list[str], language: Language) -> str:
    """What was not checked, a line each below the label; empty when there is nothing to say."""
    lines = "".join(f"\n- {translate(item, language)}" for item in items)
    return say("common.not_checked", language, text="").rstrip() + lines if items else ""


def table(header: str, rows: list[list[str]]) -> str:
    """A Markdown table of a header line and rows of cells."""
    columns = header.count("|") - 1
    return "\n".join([header, "|" + "---|" * columns, *("| " + " | ".join(row) + " |" for row in rows)])
