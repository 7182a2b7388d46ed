"""What differs between two vocabularies: pieces, their numbers and scores, special ones, and the rules that merge them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any, NamedTuple

from tools.comparing.change import Risk
from tools.comparing.quoting import listed


class Said(NamedTuple):
    """One difference between two tokenizers."""

    risk: Risk
    """What it can do."""
    line: str
    """What differs, one sentence."""


def numbered(content: object) -> dict[str, int]:
    """Number of each piece in a parsed vocabulary; what is no number is left out."""
    if not isinstance(content, dict):
        return {}
    return {piece: number for piece, number in content.items() if type(number) is int}


def by_line(lines: list[str]) -> dict[str, int]:
    """Number of each piece in a list with a piece on each line."""
    return {piece: number for number, piece in enumerate(lines)}


def vocabulary_lines(old: Mapping[str, int], new: Mapping[str, int]) -> Iterator[Said]:
    """Pieces that were added or removed, or have another number."""
    if old == new:
        return
    if len(old) != len(new):
        yield Said("high", f"The vocabulary has {len(new):,} pieces instead of {len(old):,}.")
    removed, added = [each for each in old if each not in new], [each for each in new if each not in old]
    moved = [piece for piece, number in old.items() if new.get(piece, number) != number]
    if removed:
        yield Said("high", f"{len(removed):,} pieces were removed: {listed(removed)}.")
    if added:
        yield Said("high", f"{len(added):,} pieces were added: {listed(added)}.")
    if moved:
        yield Said("high", f"{len(moved):,} pieces have another number: {listed(moved)}.")


def special_pieces(content: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of the special pieces in a parsed `tokenizer.json` by their text."""
    entries = content.get("added_tokens")
    found = (each for each in entries if isinstance(each, dict)) if isinstance(entries, list) else ()
    return {str(each.get("content"))[:200]: each for each in found}


def special_lines(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Said]:
    """Special pieces that were added or removed, or have another number or another way to be matched."""
    removed, added = [each for each in old if each not in new], [each for each in new if each not in old]
    if removed:
        yield Said("high", f"Special pieces were removed: {listed(removed)}.")
    if added:
        yield Said("high", f"Special pieces were added: {listed(added)}.")
    both = [each for each in old if each in new]
    moved = {each: None for each in both if old[each].get("id") != new[each].get("id")}
    if moved:
        yield Said("high", f"Special pieces have another number: {listed(moved)}.")
    other = [each for each in both if each not in moved and old[each] != new[each]]
    if other:
        yield Said("medium", f"Special pieces are matched in another way: {listed(other)}.")


def merge_lines(old: object, new: object) -> Iterator[Said]:
    """Rules that merge pieces; their order decides which comes first."""
    first, second = rules_of(old), rules_of(new)
    if first == second:
        return
    position = next(number for number, (one, other) in enumerate(zip_longest(first, second)) if one != other)
    if len(first) == len(second):
        differing = sum(1 for one, other in zip(first, second, strict=True) if one != other)
        yield Said("high", f"{differing:,} of {len(first):,} merge rules differ, the first is number {position + 1:,}.")
    else:
        yield Said(
            "high",
            f"There are {len(second):,} merge rules instead of {len(first):,}, the first that differs is number {position + 1:,}.",
        )


def rules_of(content: object) -> list[list[Any]]:
    """Merge rules as lists of pieces; files write a rule as one text or as a list."""
    if not isinstance(content, list):
        return []
    return [each if isinstance(each, list) else str(each).split(" ") for each in content]


def rescored(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Said]:
    """Scores by piece, which decide among several ways to cut a word."""
    differing = [piece for piece, score in first.items() if piece in second and second[piece] != score]
    if differing:
        yield Said("high", f"{len(differing):,} pieces have another score: {listed(differing)}.")


def scores_of(content: object) -> dict[str, Any]:
    """Score of each piece in a parsed Unigram vocabulary; empty for another one."""
    if not isinstance(content, list):
        return {}
    return {
        each[0]: each[1] for each in content if isinstance(each, list) and len(each) == 2 and isinstance(each[0], str)
    }
