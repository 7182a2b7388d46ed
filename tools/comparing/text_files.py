"""Chat templates, model cards and licences: which lines or sections differ."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from tools.comparing.change import Change, Risk, change_of, highest
from tools.comparing.entries import Known, compare_entries
from tools.comparing.pair import Pair
from tools.comparing.quoting import listed, shown
from tools.front_matter import BadFrontMatter, parse_front_matter, split_card

_MOST_LINES = 800
_LINE_CHARACTERS = 100
_STATEMENT = re.compile(r"(?=\{[%{])")
_SPACING = "Only spaces and line breaks changed."
_SECTIONS: tuple[tuple[str, Risk, re.Pattern[str]], ...] = (
    ("uses", "medium", re.compile(r"\buses?\b|intended|out[- ]of[- ]scope|用途|利用|使用", re.IGNORECASE)),
    ("limitations", "medium", re.compile(r"limitation|bias|risk|safety|caveat|制限|限界|偏り|バイアス|リスク|注意", re.IGNORECASE)),
    ("training data", "medium", re.compile(r"\bdata|corpus|corpora|データ|コーパス", re.IGNORECASE)),
    ("results", "medium", re.compile(r"evaluat|result|benchmark|performance|metric|評価|性能|ベンチマーク", re.IGNORECASE)),
    ("licence", "high", re.compile(r"licen[cs]e|terms|ライセンス|許諾|利用規約", re.IGNORECASE)),
    ("training", "low", re.compile(r"training|fine-?tun|pre-?train|学習|訓練", re.IGNORECASE)),
)  # fmt: skip
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+(.*?)\s*#*\s*\Z")
_CARD_KEYS = {
    "license": Known("the licence", "high"),
    "license_name": Known("the licence", "high"),
    "license_link": Known("the licence", "high"),
    "base_model": Known("the model it was made from", "medium"),
    "base_model_relation": Known("the model it was made from", "medium"),
    "datasets": Known("the training data", "medium"),
    "language": Known("the languages", "medium"),
    "pipeline_tag": Known("the task", "medium"),
    "library_name": Known("the library it is for", "low"),
    "tags": Known("words to find it by", "low"),
}


def compare_template(name: str, old: str, new: str) -> Change:
    """Compare two chat templates line by line; they are never run.

    Args:
        name: The file that holds them.
        old: The template before.
        new: The template after.
    """
    if old.split() == new.split():
        return change_of("chat_template", name, _SPACING, risk="medium", details=())
    details = tuple(_line_changes(old, new))
    return change_of("chat_template", name, "The text that is put around a conversation changed.", details=details)


def compare_card(pair: Pair, name: str) -> Iterator[Change]:
    """Compare two model cards by section and by the entries at their head.

    Args:
        pair: The two versions.
        name: A file that both have.
    """
    old, new = pair.texts(name)
    if old.split() == new.split():
        yield change_of("card", name, _SPACING, risk="low")
        return
    risk, lines = _head_changes(old, new)
    risks: list[Risk] = [risk]
    first, second = _sections(old), _sections(new)
    headings = [each for each in {**first, **second} if first.get(each) != second.get(each)]
    for topic, topic_risk, pattern in _SECTIONS:
        about = [each for each in headings if pattern.search(each)]
        headings = [each for each in headings if each not in about]
        if about:
            risks.append(topic_risk)
            lines.append(f"What it says about {topic} changed: {listed(each or 'introduction' for each in about)}.")
    if headings:
        lines.append(f"Other sections changed: {listed(each or 'introduction' for each in headings)}.")
    yield change_of("card", name, "The model card changed.", risk=highest(risks), details=tuple(lines))


def _head_changes(old: str, new: str) -> tuple[Risk, list[str]]:
    try:
        first, second = (parse_front_matter(split_card(text)[0]) for text in (old, new))
    except BadFrontMatter as error:
        return "medium", [f"The entries at its head were not compared: one of them {error}."]
    difference = compare_entries(first, second, _CARD_KEYS, unknown_risk="low")
    return difference.risk, list(difference.lines)


def _sections(card: str) -> dict[str, str]:
    """Text below each heading, with spacing made even; the text before the first one stands under an empty name."""
    found: dict[str, list[str]] = {"": []}
    heading, fenced = "", False
    for line in split_card(card)[1].split("\n"):
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        match = _HEADING.match(line) if not fenced else None
        if match is not None:
            heading = " ".join(match.group(1).split())[:120]
            found.setdefault(heading, [])
        else:
            found[heading].append(line)
    return {heading: " ".join(" ".join(lines).split()) for heading, lines in found.items()}


def compare_licence_text(pair: Pair, name: str) -> Iterator[Change]:
    """Compare two licence texts: whether they are another licence, and which lines differ.

    Args:
        pair: The two versions.
        name: A file that both have.
    """
    old, new = pair.texts(name)
    if old.split() == new.split():
        yield change_of("licence", name, _SPACING, risk="low")
        return
    from tools.license import compare_licence  # noqa: PLC0415 (heavy import, only when a licence changed)

    before, after = (compare_licence({}, name, text).spdx for text in (old, new))
    details = tuple(_line_changes(old, new))
    if before == after and before is not None:
        description = f"It is still {before}, but its wording changed."
        yield change_of("licence", name, description, risk="medium", details=details)
    elif before is not None and after is not None:
        yield change_of("licence", name, f"It is another licence: {after} instead of {before}.", details=details)
    else:
        yield change_of(
            "licence", name, "Its wording changed, and not both texts are licences known here.", details=details
        )


def _line_changes(old: str, new: str) -> Iterator[str]:
    """Removed and added lines, as far as the texts are short enough to be laid side by side."""
    first, second = _lines(old), _lines(new)
    if max(len(first), len(second)) > _MOST_LINES:
        yield f"It has {len(second):,} lines instead of {len(first):,}, too many to be laid side by side."
        return
    matcher = difflib.SequenceMatcher(None, first, second)
    for operation, start, end, new_start, new_end in matcher.get_opcodes():
        if operation != "equal":
            yield from (f"Removed: `{shown(line, _LINE_CHARACTERS)}`." for line in first[start:end])
            yield from (f"Added: `{shown(line, _LINE_CHARACTERS)}`." for line in second[new_start:new_end])


def _lines(text: str) -> list[str]:
    """Lines that are not empty; a template written in one line is cut at its statements."""
    if max(map(len, text.splitlines()), default=0) > _LINE_CHARACTERS:
        text = _STATEMENT.sub("\n", text)
    return [line.strip() for line in text.splitlines() if line.strip()]


def template_of(content: Any) -> str | None:
    """The chat template in a parsed `tokenizer_config.json` or `chat_template.json`; None when there is none."""
    template = content.get("chat_template") if isinstance(content, dict) else None
    if isinstance(template, str):
        return template
    if isinstance(template, list):  # several templates by name
        named = [each for each in template if isinstance(each, dict)]
        return "\n".join(f"{each.get('name')}: {each.get('template')}" for each in named) or None
    return None
