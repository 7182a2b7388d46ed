"""A closer reading of a sentence's quantities once the tool is known: 8 in a question about memory is a batch.

`quantities.find_quantities` judges a number by the words beside it, whatever is asked; what it finds is also what an LLM
reads as masks. Here the tool is known, so that more can be read off the sentence: "answers stop at 100" are new tokens,
"90 orders come in each day" are a load, `dev` is a branch, "Swiss francs" a currency. What is read here changes
arguments only, never the masks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.llm.error_texts import blanked, error_spans
from assistant.llm.quantities import BARE, COUNT_WORDS, Kind, Quantity, Spans, overlaps
from assistant.llm.reading_costs import with_loads, with_money
from assistant.llm.reading_lengths import with_devices, with_lengths, with_memory
from assistant.llm.reading_offers import with_offers
from assistant.llm.reading_revisions import with_revisions

_LENGTH_TOOLS = frozenset({"estimate_memory", "profile_model"})
_LOAD_TOOLS = frozenset({"estimate_cost", "plan_adoption"})
_REVISION_TOOLS = frozenset({"fetch_model", "check_version"})


def read_closer(tool: str, text: str, quantities: Sequence[Quantity], names: Spans = ()) -> tuple[Quantity, ...]:
    """The quantities of a sentence as this tool reads them.

    Args:
        tool: The tool whose arguments are wanted.
        text: The normalised sentence.
        quantities: What `find_quantities` found in it.
        names: Where model references stand.
    """
    pasted = error_spans(text)
    text = blanked(text, pasted)
    found = [
        _uncounted(text, q, names)
        for q in _compounds(text, [q for q in quantities if not overlaps(*q.span, pasted)])
        if q.kind not in BARE or not _names_something(text, q)
    ]
    if tool in _LOAD_TOOLS:
        found = with_loads(text, with_money(text, found, names))
        found = with_offers(text, found) if tool == "estimate_cost" else found
    elif tool in _LENGTH_TOOLS:
        found = with_memory(text, with_money(text, found, names))
        found = with_lengths(tool, text, with_devices(text, found, names) if tool == "profile_model" else found)
    elif tool in _REVISION_TOOLS:
        found = with_revisions(text, found, names)
    return tuple(sorted(found, key=lambda q: q.start))


_AGAIN = re.compile(
    r"\b(?:again|once more|anew|afresh|re-?(?:measure|profile|run|test))\b|"
    r"もう一度|もう1度|再度|再計測|再測定|測り直|計り直|計測し直|測定し直|やり直|改めて",
    re.IGNORECASE,
)


def asks_again(text: str) -> bool:
    """Whether the sentence wants something done anew, although it may have been done before."""
    return bool(_AGAIN.search(text))


_NAMED_BY_NUMBER = re.compile(
    r"(?:section|chapter|clause|article|art\.|page|p\.|row|line|figure|fig\.|table|step|item|no\.?|number|ticket|issue|room|port|"
    r"iso|rfc|cve|rtx|gtx|rx|geforce|radeon|quadro|tesla|ryzen|epyc|xeon|windows|python|torch|pytorch|transformers|ubuntu|"
    r"#|§|第|表|図|行|ページ|令和|平成)\s*$",
    re.IGNORECASE,
)
_NO_AMOUNT_AFTER = re.compile(
    r"\s*(?:[%℃°]|per ?cent|パーセン|割|-\d|年|月\d|日|時\d|章|節|ページ目|行目|番|(?:st|nd|rd|th|times|years|months|weeks|days|hours|[ap]m)\b)"
)
_GRAPHICS_CARD = re.compile(r"(?:10|16|20|30|40|50)[5-9]0")
_YEAR_BEFORE = re.compile(r"(?:\b(?:in|since|from|until|till|by|before|after|of|year)|fy)\s*$", re.IGNORECASE)


def _names_something(text: str, quantity: Quantity) -> bool:
    """Whether the number is a year, a share, a part of a phone number, or names a thing, such as "section 12"."""
    left, right = text[max(0, quantity.start - 16) : quantity.start], text[quantity.end : quantity.end + 12]
    if _NO_AMOUNT_AFTER.match(right) or _NAMED_BY_NUMBER.search(left):
        return True
    if _GRAPHICS_CARD.fullmatch(quantity.text) and not re.match(r"\s*-?\s*(?:tokens?|トークン)", right):
        return True
    year = all(isinstance(v, int) and 1990 <= v <= 2040 for v in quantity.values) and "," not in quantity.text
    return year and bool(_YEAR_BEFORE.search(left))


_COMPOUND = re.compile(
    r"(?<![\d.,])(?P<ten_thousands>\d{1,4})万(?:(?P<thousands>\d)千)?(?P<rest>\d{1,4})?(?![\d.,万千億])"
)


def _compounds(text: str, quantities: Sequence[Quantity]) -> list[Quantity]:
    """With 1万6千 and 2万5000 as one number each."""
    found = list(quantities)
    for m in _COMPOUND.finditer(text):
        if not m["thousands"] and not m["rest"]:
            continue
        value = int(m["ten_thousands"]) * 10_000 + int(m["thousands"] or 0) * 1000 + int(m["rest"] or 0)
        parts = [q for q in found if overlaps(*q.span, [m.span()])]
        if not parts or any(q.kind not in {*BARE, "requests_per_day"} for q in parts):
            continue
        kind: Kind = "count" if COUNT_WORDS.match(text[m.end() :]) else "other"
        if any(q.kind == "requests_per_day" for q in parts):
            kind = "requests_per_day"
        whole = Quantity(kind=kind, values=(value,), text=m[0], start=m.start(), end=m.end())
        found = [*(q for q in found if q not in parts), whole]
    return sorted(found, key=lambda q: q.start)


def _uncounted(text: str, quantity: Quantity, names: Spans) -> Quantity:
    """A bare number where the thing counted is but the beginning of a model's name, as in "sentence-transformers"."""
    counts_a_name = quantity.kind == "count" and any(
        s > quantity.end
        and not re.search(r"[^a-z ]", text[quantity.end : s])
        and not COUNT_WORDS.match(text[quantity.end : s])
        for s, _ in names
    )
    return quantity.model_copy(update={"kind": "other"}) if counts_a_name else quantity
