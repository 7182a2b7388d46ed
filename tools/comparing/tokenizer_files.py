"""What differs between two tokenizers: vocabulary, special pieces, merges, and how text is cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tools.comparing.change import RISKS, Change, Risk, change_of, highest, kind_of
from tools.comparing.entries import same_values
from tools.comparing.pair import Pair
from tools.comparing.quoting import listed, shown
from tools.comparing.sentencepiece_file import read_pieces
from tools.comparing.settings_files import LAYOUT
from tools.comparing.vocabulary import (
    Said,
    by_line,
    merge_lines,
    numbered,
    rescored,
    rules_of,
    scores_of,
    special_lines,
    special_pieces,
    vocabulary_lines,
)

_TOKENIZER = "It cuts or numbers text in another way."
_MILDER = "It cuts and numbers text as before; lengths or settings differ."


def compare_tokenizer(pair: Pair, name: str) -> Iterator[Change]:
    """Compare two `tokenizer.json`.

    Args:
        pair: The two versions.
        name: A file that both have.

    Raises:
        BadJson: One of the two is not acceptable JSON.
    """
    contents = pair.json(name)
    old, new = (each if isinstance(each, dict) else {} for each in contents)
    said = [
        *vocabulary_lines(pieces_of(old), pieces_of(new)),
        *special_lines(special_pieces(old), special_pieces(new)),
        *merge_lines(_part(old, "model").get("merges"), _part(new, "model").get("merges")),
        *rescored(scores_of(_part(old, "model").get("vocab")), scores_of(_part(new, "model").get("vocab"))),
        *_step_lines(old, new),
        *_length_lines(old, new),
    ]
    yield _change(name, said, same=same_values(*map(_plain, contents)))


def _plain(content: Any) -> Any:
    """The content with its merge rules in the one form, so that another way to write them is no difference."""
    model = content.get("model") if isinstance(content, dict) else None
    if not isinstance(model, dict) or not isinstance(model.get("merges"), list):
        return content
    return {**content, "model": {**model, "merges": rules_of(model["merges"])}}


def compare_word_list(pair: Pair, name: str) -> Iterator[Change]:
    """Compare two `vocab.txt`, `vocab.json`, `merges.txt` or `added_tokens.json`.

    Args:
        pair: The two versions.
        name: A file that both have.

    Raises:
        BadJson: One of the two is not acceptable JSON.
    """
    if name.endswith(".json"):
        old, new = pair.json(name)
        said = list(vocabulary_lines(numbered(old), numbered(new)))
        yield _change(name, said, same=same_values(old, new))
        return
    first, second = ([line.rstrip("\r") for line in text.rstrip("\r\n").split("\n")] for text in pair.texts(name))
    if "merges" in name:
        said = list(merge_lines(_without_head(first), _without_head(second)))
    else:
        said = list(vocabulary_lines(by_line(first), by_line(second)))
    yield _change(name, said, same=first == second)


def _without_head(lines: list[str]) -> list[str]:
    """Merge rules without the line before them that names the format's version."""
    return lines[1:] if lines[0].startswith("#version") else lines


def compare_sentencepiece(pair: Pair, name: str) -> Iterator[Change]:
    """Compare two SentencePiece models.

    Args:
        pair: The two versions.
        name: A file that both have.

    Raises:
        BadSentencePiece: One of the two is none.
    """
    old, new = map(read_pieces, pair.raw(name))
    said = [*vocabulary_lines(old.numbers, new.numbers), *rescored(old.scores, new.scores)]
    special = [each for each in {**old.special, **new.special} if old.special.get(each) != new.special.get(each)]
    if special:
        said.append(Said("high", f"Special pieces are matched in another way: {listed(special)}."))
    if old.normalizer != new.normalizer:
        said.append(Said("high", "The cleaning of text before it is cut has other settings."))
    yield _change(name, said, same=False)


def pieces_of(content: Mapping[str, Any]) -> dict[str, int]:
    """Number of each piece in a parsed `tokenizer.json`, added pieces left out."""
    vocabulary = _part(content, "model").get("vocab")
    if isinstance(vocabulary, list):
        pairs = (each for each in vocabulary)
        return {
            each[0]: number
            for number, each in enumerate(pairs)
            if isinstance(each, list) and each and isinstance(each[0], str)
        }
    return numbered(vocabulary)


def _change(name: str, said: list[Said], *, same: bool) -> Change:
    if not said and not same:
        said = [Said("medium", "What differs in it decides nothing that is known here.")]
    said.sort(key=lambda each: -RISKS.index(each.risk))
    risks: set[Risk] = {each.risk for each in said}
    risk = highest(risks)
    description = {"high": _TOKENIZER, "medium": _MILDER, "low": LAYOUT}[risk]
    return change_of(kind_of(name), name, description, risk=risk, details=tuple(each.line for each in said))


def _part(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = content.get(key)
    return value if isinstance(value, dict) else {}


_STEPS = {
    "normalizer": "The cleaning of text before it is cut",
    "pre_tokenizer": "The first cut into words",
    "post_processor": "What is put around the pieces",
    "decoder": "The way from pieces back to text",
}


def _step_lines(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Said]:
    lower_before, lower_after = _lowers(old.get("normalizer")), _lowers(new.get("normalizer"))
    if lower_before != lower_after:
        yield Said("high", "Capital letters are now kept." if lower_before else "Text is now put in small letters.")
    for key, step in _STEPS.items():
        if old.get(key) != new.get(key):
            yield Said("high", _difference(step, old.get(key), new.get(key)))
    inner = _inner(_part(old, "model")), _inner(_part(new, "model"))
    differing = [key for key in {**inner[0], **inner[1]} if inner[0].get(key) != inner[1].get(key)]
    if differing:
        yield Said("high", f"Settings of the tokenizer's model differ: {listed(differing)}.")


def _difference(step: str, old: object, new: object) -> str:
    before, after = _kind(old), _kind(new)
    return (
        f"{step} differs: from `{before}` to `{after}`."
        if before != after
        else f"{step} has other settings, `{after}`."
    )


def _inner(model: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in model.items() if key not in {"vocab", "merges"}}


def _kind(step: object) -> str:
    """Types of a step and of those within it."""
    if not isinstance(step, dict):
        return "none"
    parts = next((step[key] for key in ("normalizers", "pretokenizers", "processors", "decoders") if key in step), None)
    if isinstance(parts, list):
        return shown(" + ".join(str(each.get("type"))[:40] for each in parts[:12] if isinstance(each, dict)))
    return shown(str(step.get("type"))[:40])


def _lowers(normalizer: object, depth: int = 0) -> bool:
    if not isinstance(normalizer, dict) or depth > 4:
        return False
    if normalizer.get("type") == "Lowercase" or normalizer.get("lowercase") is True:
        return True
    parts = normalizer.get("normalizers")
    return isinstance(parts, list) and any(_lowers(each, depth + 1) for each in parts[:50])


def _length_lines(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Said]:
    for key, step in (("truncation", "The cutting of long texts"), ("padding", "The filling up of short texts")):
        before, after = old.get(key), new.get(key)
        if before != after:
            first, second = shown(_brief(before)), shown(_brief(after))
            yield Said(
                "medium",
                f"{step} differs: from `{first}` to `{second}`."
                if first != second
                else f"{step} has other settings, `{second}`.",
            )


def _brief(settings: object) -> object:
    if not isinstance(settings, dict):
        return settings
    return settings.get("max_length", settings.get("length", settings.get("strategy", settings)))
