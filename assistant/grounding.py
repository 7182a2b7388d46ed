"""Check an LLM's words against the evidence: a number that no record contains is not shown as fact.

Numbers are compared with rounding and units in mind: `87 MiB` matches a record's 86.73, `0.09 GB` matches 86.73 MiB,
`1,200` matches 1200, `3万` matches 30000.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.])(?P<digits>\d{1,3}(?:,\d{3})+|\d+)(?P<fraction>\.\d+)?\s?(?P<scale>万|千|億|million|thousand|k(?![a-zA-Z]))?"
)
_CITATION = re.compile(r"\[([EG]\d+|D[0-9a-f]{8})\]")
_SENTENCE = re.compile(r"[^。！？!?\n]*?(?:[。！？!?]+|\.(?=\s|$)|\n|$)\s*")
_SCALES = {"万": 1e4, "千": 1e3, "億": 1e8, "million": 1e6, "thousand": 1e3, "k": 1e3}
_UNIT_FACTORS = (1.0, 1024.0, 1 / 1024.0, 1000.0, 1 / 1000.0, 1.048576, 1 / 1.048576, 100.0, 1.073741824)
_WORDS_OF_THE_MODEL = frozenset({"lines", "claim"})
"""Fields that quote a model's own card: what it says of itself is quoted as such, it is no measured figure."""
_WORDS_OF_DOCUMENTS = frozenset({"team_passages", "conflicts"})
"""Fields that quote the team's documents: their figures are those of the document, and stand beside its citation alone."""
_LONGEST_TEXT = 20_000
_HARMLESS = frozenset({0.0, 1.0, 2.0, 3.0})
"""Small counts ("three points", "the 2 options") are words rather than figures."""


class CheckedText(BaseModel):
    """An LLM's words after the check."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    """Words that may be shown: sentences with an unsupported number or citation are left out."""
    unsupported: tuple[str, ...]
    """Numbers and citations that no evidence supports."""


def check_text(
    text: str, figures: Iterable[float], citations: Iterable[str], quoted: Mapping[str, Sequence[float]] | None = None
) -> CheckedText:
    """Keep the sentences whose numbers are among `figures` and whose citations exist.

    Args:
        text: An LLM's words.
        figures: Numbers of the evidence and of the user's question.
        citations: Ids that can be cited.
        quoted: Numbers of the team's documents by id, which hold in a sentence that cites the document.
    """
    known, ids = tuple(figures), set(citations)
    kept: list[str] = []
    unsupported: list[str] = []
    for sentence in split_sentences(text):
        cited = _CITATION.findall(sentence)
        here = (*known, *(figure for id in cited for figure in (quoted or {}).get(id, ())))
        wrong = [
            *(raw for raw, value in numbers_in(_CITATION.sub("", sentence)) if not is_supported(value, raw, here)),
            *(found for found in cited if found not in ids),
        ]
        unsupported += wrong
        if not wrong:
            kept.append(sentence)
    return CheckedText(text="".join(kept).strip(), unsupported=tuple(dict.fromkeys(unsupported)))


def split_sentences(text: str) -> list[str]:
    """The text cut after each sentence; joined again it is the text."""
    return [part for part in _SENTENCE.findall(text) if part]


def numbers_in(text: str) -> list[tuple[str, float]]:
    """Numbers of a text, as written and as values."""
    found = []
    for match in _NUMBER.finditer(text):
        value = float(match["digits"].replace(",", "") + (match["fraction"] or ""))
        found.append((match[0].strip(), value * _SCALES.get(match["scale"] or "", 1.0)))
    return found


def is_supported(value: float, raw: str, figures: Sequence[float]) -> bool:
    """Whether a number as written is one of the figures, rounded and in a related unit."""
    if value in _HARMLESS and "." not in raw:
        return True
    decimals = len(raw.split(".")[1].rstrip("万千億kmilonthusad ")) if "." in raw else 0
    step = 0.5 * 10.0**-decimals
    tolerance = max(step, abs(value) * 0.005) if "." in raw or value >= 100 else step
    return any(abs(value - figure * factor) <= tolerance for figure in figures for factor in _UNIT_FACTORS)


def figures_of(record: Any, references: Sequence[str] = ()) -> list[float]:
    """All numbers of a record's JSON, those within its texts included, save what it quotes of a model's own words.

    Args:
        record: A JSON value.
        references: Names and folders of models, whose digits are no figures.
    """
    if isinstance(record, bool) or record is None:
        return []
    if isinstance(record, int | float):
        return [float(record)]
    if isinstance(record, str):
        if len(record) >= _LONGEST_TEXT:
            return []
        for reference in references:
            record = record.replace(reference, " ")
        return [value for _, value in numbers_in(record)]
    if isinstance(record, dict):
        parts = [v for key, v in record.items() if key not in _WORDS_OF_THE_MODEL and key not in _WORDS_OF_DOCUMENTS]
        return [figure for part in parts for figure in figures_of(part, references)]
    if isinstance(record, list | tuple):
        return [figure for part in record for figure in figures_of(part, references)]
    return []


def quoted_figures(records: Iterable[dict[str, Any]]) -> dict[str, list[float]]:
    """Numbers in the quotes of the team's documents, by the document's id.

    Args:
        records: Records as JSON.
    """
    found: dict[str, list[float]] = {}
    for record in records:
        for passage in record.get("team_passages") or ():
            found.setdefault(passage["document"], []).extend(v for _, v in numbers_in(passage["quote"]))
    return found
