"""Rules on texts a loader interprets: tokenizers (T17) and the card's front matter (T07)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

from tools.errors import SourceUnavailable
from tools.file_safety.findings import Finding, finding
from tools.file_safety.inspected import Inspected
from tools.file_safety.token_ids import TokenIds, read_token_ids

_NESTED_REPETITION = re.compile(
    r"\((?:\?:)?[^()]*[+*]\)[+*]|\((?:\?:)?[^()]*[+*]\)\{\d+,\d*\}|\((?:\?:)?(\w+)\|\1\w*\)[+*]"
)
_MAX_GROWTH = 256
_MAX_STEPS = 64
_MAX_ADDED = 1_000


def check_tokenizer(model: Inspected) -> Iterator[Finding]:
    """Apply the rule on tokenizers: patterns, replacements, number of steps, ids."""
    name = "tokenizer.json"
    content = model.object(name)
    if not content:
        return
    careful = "It is loaded only in the isolated worker, within ten seconds; use another copy if that fails."
    roots = (content.get(key) for key in ("normalizer", "pre_tokenizer", "decoder", "post_processor"))
    steps = list(itertools.islice(_steps(*roots), _MAX_STEPS + 1))
    growth = 1.0
    for step in steps:
        pattern = step.get("pattern")
        expression = pattern.get("Regex") if isinstance(pattern, dict) else None
        if isinstance(expression, str) and (len(expression) > 5_000 or _NESTED_REPETITION.search(expression)):
            found = f"A pattern of the tokenizer can take endless time: `{expression[:80]}`."
            yield finding("T17", name, found, careful, "flag")
        growth *= _growth(step)
    if growth > _MAX_GROWTH:
        found = f"The steps of the tokenizer make a text up to {growth:.0e} times as long."
        yield finding("T17", name, found, careful)
    if len(steps) > _MAX_STEPS:
        yield finding("T17", name, f"The tokenizer has more than {_MAX_STEPS} steps.", careful)
    yield from _check_ids(name, read_token_ids(model))


def _growth(step: dict[str, Any]) -> float:
    """How many times longer a step can make a text; what a pattern matches is at least one character."""
    new, pattern = step.get("content", step.get("prepend")), step.get("pattern")
    old = pattern.get("String") if isinstance(pattern, dict) else None
    if not isinstance(new, str):
        return 1.0
    return max(1.0, len(new) / max(1, len(old) if isinstance(old, str) else 1))


def _steps(*roots: Any) -> Iterator[dict[str, Any]]:
    waiting = [each for each in roots if isinstance(each, dict)]
    while waiting:
        step = waiting.pop()
        yield step
        for key in ("normalizers", "pretokenizers", "decoders", "processors"):
            inner = step.get(key)
            if isinstance(inner, list):
                waiting.extend(each for each in inner if isinstance(each, dict))


def _check_ids(name: str, ids: TokenIds) -> Iterator[Finding]:
    if ids.has_twice:
        found = "Two tokens of the tokenizer have one id, so that what is read is not what is written."
        yield finding("T17", name, found, "Use the tokenizer that was published with these weights.", "flag")
    if ids.longest_added > _MAX_ADDED:
        found = f"An added token has {ids.longest_added} characters."
        yield finding("T17", name, found, "Use another copy of the model.", "flag")
    if ids.wrong is not None:
        yield finding("T17", name, f"A token has the id `{ids.wrong[:40]}`.", "Use another copy of the model.")


def check_card(model: Inspected) -> Iterator[Finding]:
    """Apply the rule on the card."""
    from tools.front_matter import BadFrontMatter, parse_front_matter, split_card  # noqa: PLC0415 (as dear as all rules)

    entry = model.plain.get("README.md")
    if entry is None:
        return
    try:
        text = model.view.read("README.md", 0, min(entry.size_bytes, 1_000_000)).decode("utf-8", "replace")
        parse_front_matter(split_card(text)[0])
    except BadFrontMatter as error:
        found = f"The card's front matter {error}; it was not read."
        yield finding(
            "T07", "README.md", found, "Read the card as plain text; its licence and data are not known.", "flag"
        )
    except SourceUnavailable:
        return
