"""The record of one difference, what kind of file it is in, and what to test again because of it."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

from pydantic import BaseModel, ConfigDict

ChangeKind = Literal[
    "weights", "tokenizer", "chat_template", "config", "generation_defaults", "code", "licence", "card", "other"
]
"""What a changed file means to the user of a model."""
Risk = Literal["high", "medium", "low"]
"""high: answers or rights can differ · medium: some uses are touched · low: nothing that a user would notice."""

MOST_DETAILS = 8
"""Most lines below one change."""
_KINDS: tuple[tuple[ChangeKind, re.Pattern[str]], ...] = (
    ("weights", re.compile(r"\.(?:safetensors|bin|pt|pth|ckpt|gguf|onnx|h5|msgpack)\Z|\.(?:safetensors|bin)\.index\.json\Z")),
    ("chat_template", re.compile(r"chat_template|\.jinja\Z")),
    ("tokenizer", re.compile(r"token|vocab|merges|spiece|sentencepiece|special_tokens|\.(?:tiktoken|spm)\Z", re.IGNORECASE)),
    ("licence", re.compile(r"(?:^|/)(?:licen[cs]e|notice|copying|use_policy)[^/]*\Z", re.IGNORECASE)),
    ("card", re.compile(r"(?:^|/)(?:readme|model_card)[^/]*\Z|\.md\Z", re.IGNORECASE)),
    ("generation_defaults", re.compile(r"(?:^|/)generation_config\.json\Z")),
    ("config", re.compile(r"\.json\Z")),
    ("code", re.compile(r"\.(?:py|pyc|so|sh|dll)\Z")),
)  # fmt: skip
RETEST: dict[ChangeKind, str] = {
    "weights": "Run your acceptance test again, and build stored embeddings anew: outputs differ.",
    "tokenizer": "Run your acceptance test again, and check lengths and stored token counts.",
    "chat_template": "Try your prompts again: the text the model sees differs.",
    "config": "Run your acceptance test and the profile again: loading and defaults can differ.",
    "generation_defaults": "Generate your examples again, or set these values yourself in every call.",
    "code": "Have the code read before anybody runs it; it is never run here.",
    "licence": "Have the licence read again before the new version is used.",
    "card": "Read what changed in uses and limitations.",
    "other": "",
}
"""What to test again by kind; the order is the order in which changes are told."""
_USUAL_RISK: dict[ChangeKind, Risk] = {
    "weights": "high", "tokenizer": "high", "chat_template": "high", "config": "medium", "generation_defaults": "medium",
    "code": "high", "licence": "high", "card": "low", "other": "low",
}  # fmt: skip
RISKS: tuple[Risk, ...] = ("low", "medium", "high")
"""From the least to the greatest."""


class Change(BaseModel):
    """One file, or set of weight files, that differs between two versions of a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ChangeKind
    """What the file means."""
    file: str
    """Path inside the model's folder; of several weight files the first one that differs. Untrusted text."""
    description: str
    """What happened to it, one sentence."""
    retest: str
    """What to test again because of it, one sentence; empty when nothing."""
    risk: Risk
    """high: answers or rights can differ · medium: some uses are touched · low: nothing that a user would notice."""
    details: tuple[str, ...] = ()
    """What differs in it, a few short lines, the weightiest first. Quotes untrusted text in backticks."""


def kind_of(name: str) -> ChangeKind:
    """What a file means to the user of a model."""
    kinds: list[ChangeKind] = [kind for kind, pattern in _KINDS if pattern.search(name)]
    return kinds[0] if kinds else "other"


def change_of(
    kind: ChangeKind, file: str, description: str, *, risk: Risk | None = None, details: tuple[str, ...] = ()
) -> Change:
    """A change with what its kind asks to test again; what is of no consequence asks for nothing.

    Args:
        kind: What the file means.
        file: Its name.
        description: What happened to it.
        risk: The kind's usual risk when absent.
        details: What differs in it, the weightiest first; only so many are kept.
    """
    risk = risk or _USUAL_RISK[kind]
    retest = RETEST[kind] if risk != "low" or kind == "card" else ""
    return Change(
        kind=kind, file=file, description=description, retest=retest, risk=risk, details=details[:MOST_DETAILS]
    )


def highest(risks: Collection[Risk]) -> Risk:
    """The highest of several risks; low when there are none."""
    if "high" in risks:
        return "high"
    return "medium" if "medium" in risks else "low"


def told_first(change: Change) -> tuple[int, int, str]:
    """Key of the order in which changes are told: by kind, and within it by risk."""
    return list(RETEST).index(change.kind), -RISKS.index(change.risk), change.file
