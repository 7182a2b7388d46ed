"""Whose figures a clause of a card gives: the model's own, or those of a model that it is held against."""

from __future__ import annotations

import re
from functools import cache

# From here on a clause speaks of what the model is held against; what stands before is its own.
_HELD_AGAINST = re.compile(
    r"\b(?:than|compared (?:to|with)|versus|vs|whereas|in contrast|unlike)\b|、?(?:に対し|に比べ|と比べ|とは異な)"
)
_LONGER_INPUT = re.compile(r"\b(?:longer|more) than\b.{0,40}(?:tokens?|pieces)")
_SHORTEST_OWN_PART = 20
_OTHERS = re.compile(
    r"\b(?:larg|bigg)(?:er|est)\b|\bsiblings?\b|\bteacher\b|\bcomparison\b|\bcompar(?:ing|es?)\b|"
    r"\b(?:other|another|last|previous|earlier|original|older|first|full-size)(?:\s+\w+)?\s+(?:models?|versions?|checkpoints?|"
    r"releases?|variants?)\b|"
    r"\bbaselines?\b|\b(?:a|another|one) (?:\w+ )?variant\b|\bharness\b|\bevaluated?\b|\bfilter(?:s|ed|ing)?\b|"
    r"\b(?:reviewer|judge|reward|annotat\w+)\b|\bdistill(?:ed|ation)\b|\breplac(?:es|ed|ing)\b|\btried\b|"
    r"\b(?:coming (?:soon|next|later)|upcoming|planned|will be (?:released|published|available)|in the works|roadmap)\b|"
    r"教師|試作|試し|初期の|最初の|先行モデル|前身|旧モデル|他の|ほかの|他社|別の|前の版|旧版|以前の|元のモデルは\s*[0-9]|より(?:も)?(?:小さ|大き|低|高)|大きなモデル|"
    r"同じ系列|予定|準備中|予告|(?:モデル|版)も"
)
_FAMILIES = (
    "bert|roberta|electra|deberta|albert|gpt|llama|qwen|mistral|mixtral|gemma|phi|falcon|starcoder|labse|e5|bge|gte|mpnet|minilm|"
    "t5|bart|bloom|opt|vit|clip|whisper|mamba|deepseek|yi|olmo|command-r|xlm|distilbert|modernbert"
)
_OTHER_MODEL = re.compile(
    rf"(?<![a-z0-9/.-])(?:[a-z0-9_.-]+/)?(?:(?:[a-z]{{0,8}}-)?(?:{_FAMILIES})[a-z0-9.]*"
    r"(?:[- ](?:v?\d[a-z0-9.]*|[a-z]\d|[a-z]/\d+|base|large|small|tiny|mini|xl|medium)(?![a-z0-9]))+|"
    r"[a-z]{3,12}bert\b|[a-z][a-z.]+(?:-[a-z.]+)?-(?:\d[\d.]*[bm]|xx?l|pro|ultra)\b)"
)
_LICENCE_OF_NAME = re.compile(r"[\s-]*(?:community|コミュニティ)?[\s-]*(?:licen[sc]e|ライセンス|terms)")
# A name with capitals or figures in it, and a verb or a particle that makes it the subject.
_SUBJECT = re.compile(
    r"\W*((?=[\w.+-]*[a-z0-9][A-Z]|[A-Z]{2}|[\w.+-]*\d)[A-Za-z][A-Za-z0-9.+/-]*)(?:'s)?(?: \w+)?"
    r"(?: (?:is|are|was|has|have|had|uses|used|comes|needs|produces|reaches|gets|scores|supports|accepts|takes|returns)\b|(?:の[\w-]+)?[はも])"
)
_PAST = re.compile(r" (?:was|had|used)\b")
_TERMS = (
    "bert|gpt|lora|qlora|vit|llama|qwen|fp16|fp32|bf16|float16|float32|bfloat16|int8|bpe|wordpiece|sentencepiece|gpu|cpu|api|onnx|gguf|"
    "safetensors|pytorch|utf-8|rope|gqa|mlp|f16|f32|faq|url|pdf|q8|relu|gelu|swiglu"
)
_NO_NAMES = frozenset("".join(filter(str.isalnum, each)) for each in _TERMS.split("|"))
_VERSION = re.compile(r"(?<![\w.-])v\d[\d.]*(?!\w)")
_UNNAMED = re.compile(r"(?<![\w-])(?:labse|gpt-2|mpnet|distilbert)(?![\w-])")
_SUBJECT_ENDS = 30
_PRONOUN = re.compile(r"\W*(?:it|its|they|their|それ|これ)\b")
_PREPOSITION = re.compile(r"\W*(?:compared|unlike|like|as|than|in contrast|with|for|from|(?:so )?this (?:is|model))\b")
_OWN_CELL = re.compile(
    r"\((?:this|ours?)\b[^)]*\)|\A(?:ours?|our model|this (?:model|work|repo|checkpoint)|本モデル|当モデル|このモデル|提案(?:モデル|手法))\W*\Z"
)
_SHORTEST_NAME = 3
_BRACKETS = re.compile(r"\([^)]*\)")


class OwnNames:
    """How a model is called, so that its own name does not count as that of another."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._own = {letters for name in names if (letters := _letters(name))}
        self._versions = {found for name in names for found in _VERSION.findall(name.casefold())}

    def are_in_cell(self, cell: str) -> bool:
        """Whether a cell of a table is the model's name, or says `ours`."""
        small = cell.casefold()
        return _OWN_CELL.search(small) is not None or _letters(_BRACKETS.sub("", small)) in self._own

    def own_part(self, clause: str) -> int:
        """How much of a clause is about the model itself.

        Args:
            clause: A clause in small letters.

        Returns:
            The length of that part; 0 when the clause is about something else.
        """
        held = _HELD_AGAINST.search(clause)
        end = len(clause)
        if held is not None and _LONGER_INPUT.search(clause) is None:
            end = held.start() if held.start() >= _SHORTEST_OWN_PART else 0
        return end if _OTHERS.search(clause, 0, end) is None else 0

    def _is_own(self, name: str) -> bool:
        """Whether a name is this model's, or a longer or shorter form of it."""
        return name in self._own or any(
            min(len(name), len(own)) >= _SHORTEST_NAME and (name in own or own in name) for own in self._own
        )

    def is_about_another(self, clause: str) -> bool:
        """Whether the subject of a clause, as it is written, is a name that is not this model's."""
        subject = _SUBJECT.match(clause)
        if subject is None:
            return False
        name = _letters(subject.group(1))
        if _VERSION.fullmatch(version := subject.group(1).casefold()):
            return version not in self._versions and _PAST.search(subject.group()) is not None
        return name not in _NO_NAMES and not self._is_own(name)

    def name_of_another(self, clause: str) -> int | None:
        """Where a clause names another model; None when it names none."""
        found = _UNNAMED.search(clause)
        if found is not None and _letters(found.group()) not in self._own:
            return found.start()
        for match in _OTHER_MODEL.finditer(clause):
            named = _letters(match.group())
            if not _LICENCE_OF_NAME.match(clause, match.end()) and not self._is_own(named):
                return match.start()
        version = next((each for each in _VERSION.finditer(clause) if each.group() not in self._versions), None)
        return version.start() if version is not None and self._versions else None


def speaks_of_another(clause: str, place: int | None) -> bool:
    """Whether another model is what a clause is about, so that `it` in the next one means that model.

    Args:
        clause: A clause in small letters.
        place: Where it names another model; None when it names none.
    """
    if _PREPOSITION.match(clause):
        return False
    others = _OTHERS.search(clause)
    places = [each for each in (place, others.start() if others else None) if each is not None]
    return bool(places) and min(places) < _SUBJECT_ENDS


def goes_on(clause: str) -> bool:
    """Whether a clause begins with a pronoun for what the one before spoke of."""
    return _PRONOUN.match(clause) is not None


@cache
def _letters(name: str) -> str:
    return "".join(each for each in name.casefold().rpartition("/")[2] if each.isalnum())
