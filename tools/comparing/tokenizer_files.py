"""What differs between two tokenizers: vocabulary, special pieces, merges, and how text is cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any, NamedTuple

from tools.comparing.change import RISKS, Change, Risk, change_of, highest, kind_of
from tools.comparing.pair import Pair
from tools.comparing.quoting import listed, shown
from tools.comparing.settings_files import LAYOUT

_TOKENIZER = "It cuts or numbers text in another way."
_MILDER = "It cuts and numbers text as before; lengths or settings differ."
_MODEL_TYPES = ("WordPiece", "BPE", "Unigram", "WordLevel")


class _Said(NamedTuple):
    risk: Risk
    line: str


def compare_tokenizer(pair: Pair, name: str) -> Iterator[Change]:
    """Compare two `tokenizer.json`.

    Args:
        pair: The two versions.
        name: A file that both have.

    Raises:
        BadJson: One of the two is not acceptable JSON.
    """
    old, new = (each if isinstance(each, dict) else {} for each in pair.json(name))
    said = [
        *_vocabulary_lines(pieces_of(old), pieces_of(new)),
        *_special_lines(_special(old), _special(new)),
        *_merge_lines(_part(old, "model").get("merges"), _part(new, "model").get("merges")),
        *_score_lines(_part(old, "model").get("vocab"), _part(new, "model").get("vocab")),
        *_step_lines(old, new),
        *_length_lines(old, new),
    ]
    yield _change(name, said)


def compare_word_list(pair: Pair, name: str) -> Iterator[Change]:
    """Compare two `vocab.txt`, `vocab.json`, `merges.txt` or `added_tokens.json`.

    Args:
        pair: The two versions.
        name: A file that both have.

    Raises:
        BadJson: One of the two is not acceptable JSON.
    """
    if name.endswith(".json"):
        old, new = (_numbered(each) for each in pair.json(name))
        yield _change(name, list(_vocabulary_lines(old, new)))
        return
    first, second = (text.splitlines() for text in pair.texts(name))
    if "merges" in name:
        yield _change(name, list(_merge_lines(first, second)))
    else:
        yield _change(name, list(_vocabulary_lines(_by_line(first), _by_line(second))))


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
    return _numbered(vocabulary)


def _change(name: str, said: list[_Said]) -> Change:
    said.sort(key=lambda each: -RISKS.index(each.risk))
    risks: set[Risk] = {each.risk for each in said}
    risk = highest(risks)
    description = {"high": _TOKENIZER, "medium": _MILDER, "low": LAYOUT}[risk]
    return change_of(kind_of(name), name, description, risk=risk, details=tuple(each.line for each in said))


def _part(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def _numbered(content: object) -> dict[str, int]:
    if not isinstance(content, dict):
        return {}
    return {piece: number for piece, number in content.items() if type(number) is int}


def _by_line(lines: list[str]) -> dict[str, int]:
    return {piece: number for number, piece in enumerate(lines)}


def _vocabulary_lines(old: dict[str, int], new: dict[str, int]) -> Iterator[_Said]:
    if old == new:
        return
    if len(old) != len(new):
        yield _Said("high", f"The vocabulary has {len(new):,} pieces instead of {len(old):,}.")
    removed, added = [each for each in old if each not in new], [each for each in new if each not in old]
    moved = [piece for piece, number in old.items() if new.get(piece, number) != number]
    if removed:
        yield _Said("high", f"{len(removed):,} pieces were removed: {listed(removed)}.")
    if added:
        yield _Said("high", f"{len(added):,} pieces were added: {listed(added)}.")
    if moved:
        yield _Said("high", f"{len(moved):,} pieces have another number: {listed(moved)}.")


def _special(content: Mapping[str, Any]) -> dict[str, Any]:
    entries = content.get("added_tokens")
    found = (each for each in entries if isinstance(each, dict)) if isinstance(entries, list) else ()
    return {str(each.get("content"))[:200]: each for each in found}


def _special_lines(old: dict[str, Any], new: dict[str, Any]) -> Iterator[_Said]:
    removed, added = [each for each in old if each not in new], [each for each in new if each not in old]
    if removed:
        yield _Said("high", f"Special pieces were removed: {listed(removed)}.")
    if added:
        yield _Said("high", f"Special pieces were added: {listed(added)}.")
    both = [each for each in old if each in new]
    moved = [each for each in both if old[each].get("id") != new[each].get("id")]
    if moved:
        yield _Said("high", f"Special pieces have another number: {listed(moved)}.")
    other = [each for each in both if each not in moved and old[each] != new[each]]
    if other:
        yield _Said("medium", f"Special pieces are matched in another way: {listed(other)}.")


def _merge_lines(old: object, new: object) -> Iterator[_Said]:
    first, second = _merges(old), _merges(new)
    if first == second:
        return
    position = next(number for number, (one, other) in enumerate(zip_longest(first, second)) if one != other)
    if len(first) == len(second):
        differing = sum(1 for one, other in zip(first, second, strict=True) if one != other)
        yield _Said(
            "high", f"{differing:,} of {len(first):,} merge rules differ, the first is number {position + 1:,}."
        )
    else:
        yield _Said(
            "high",
            f"There are {len(second):,} merge rules instead of {len(first):,}, the first that differs is number {position + 1:,}.",
        )


def _merges(content: object) -> list[str]:
    """Merge rules, written as one text or as two."""
    if not isinstance(content, list):
        return []
    rules = (" ".join(map(str, each)) if isinstance(each, list) else str(each) for each in content)
    return [each for each in rules if not each.startswith("#version")]


def _score_lines(old: object, new: object) -> Iterator[_Said]:
    """Scores of a Unigram vocabulary, which decide among several ways to cut a word."""
    first, second = _scores(old), _scores(new)
    differing = [piece for piece, score in first.items() if piece in second and second[piece] != score]
    if differing:
        yield _Said("high", f"{len(differing):,} pieces have another score: {listed(differing)}.")


def _scores(content: object) -> dict[str, Any]:
    if not isinstance(content, list):
        return {}
    return {
        each[0]: each[1] for each in content if isinstance(each, list) and len(each) == 2 and isinstance(each[0], str)
    }


_STEPS = {
    "normalizer": "The cleaning of text before it is cut",
    "pre_tokenizer": "The first cut into words",
    "post_processor": "What is put around the pieces",
    "decoder": "The way from pieces back to text",
}


def _step_lines(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[_Said]:
    lower_before, lower_after = _lowers(old.get("normalizer")), _lowers(new.get("normalizer"))
    if lower_before != lower_after:
        yield _Said("high", "Capital letters are now kept." if lower_before else "Text is now put in small letters.")
    for key, step in _STEPS.items():
        if old.get(key) != new.get(key):
            yield _Said("high", _difference(step, old.get(key), new.get(key)))
    inner = _inner(_part(old, "model")), _inner(_part(new, "model"))
    differing = [key for key in {**inner[0], **inner[1]} if inner[0].get(key) != inner[1].get(key)]
    if differing:
        yield _Said("high", f"Settings of the tokenizer's model differ: {listed(differing)}.")


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


def _length_lines(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[_Said]:
    for key, step in (("truncation", "The cutting of long texts"), ("padding", "The filling up of short texts")):
        before, after = old.get(key), new.get(key)
        if before != after:
            first, second = shown(_brief(before)), shown(_brief(after))
            yield _Said(
                "medium",
                f"{step} differs: from `{first}` to `{second}`."
                if first != second
                else f"{step} has other settings, `{second}`.",
            )


def _brief(settings: object) -> object:
    if not isinstance(settings, dict):
        return settings
    return settings.get("max_length", settings.get("length", settings.get("strategy", settings)))
