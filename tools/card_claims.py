"""What a card claims in numbers and names, compared with what the files say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tools.card_sections import quote_line
from tools.file_safety.file_view import FileView
from tools.license import LicenceFinding
from tools.model_facts import Fact, ModelFacts, pieces_in_script

Topic = Literal["parameters", "dtype", "context_length", "embedding_size", "languages", "licence", "base_model"]
ClaimVerdict = Literal["confirmed", "contradicted", "not_checkable"]


class Claim(BaseModel):
    """Something the card says that the files can confirm or contradict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: Topic
    """What the claim is about."""
    claim: str
    """What the card says, quoted. Untrusted text."""
    claim_line: int | None
    """Line of the card, from 1; absent when the claim is in no single line."""
    fact: str | None
    """What the files say; absent when they do not say anything."""
    fact_source: str | None
    """The file the fact was read from; absent when there is no fact."""
    verdict: ClaimVerdict
    """Whether the files bear the claim out."""


_NUMBER = r"(\d[\d,]*(?:\.\d+)?)"
_PARAMETERS = re.compile(
    rf"{_NUMBER}\s*(b(?:illion)?|m(?:illion)?|k|億|万)?\s*[- ]?(?:trainable |total )?(?:parameters?\b|params?\b|パラメータ)|"
    rf"(?:(?:number of |total )?param(?:eter)?s?(?: count| size)?|パラメータ数?)\W{{1,12}}{_NUMBER}\s*(b(?:illion)?|m(?:illion)?|k|億|万)?\b",
    re.IGNORECASE,
)
_SCALES = {"b": 1e9, "m": 1e6, "k": 1e3, "億": 1e8, "万": 1e4}
_DTYPE = re.compile(
    r"(?:tensor type|dtype|precision|weights? (?:are )?(?:stored|saved|in)|データ型|精度)\W{0,12}(?:in |is )?"
    r"(bf16|bfloat16|fp16|float16|f16|fp32|float32|f32|int8|fp8)",
    re.IGNORECASE,
)
_DTYPE_NAMES = {"bf16": "BF16", "bfloat16": "BF16", "fp16": "F16", "float16": "F16", "f16": "F16", "fp32": "F32", "float32": "F32",
                "f32": "F32", "int8": "I8", "fp8": "F8_E4M3"}  # fmt: skip
_LENGTH = re.compile(
    rf"(?:context|sequence|input|max(?:imum)?|longer|up to|truncat|length|window|コンテキスト|最大|系列長|文脈長|入力長).{{0,60}}?\b{_NUMBER}\s*(k)?"
    rf"[\s-]*(?:word ?pieces?|sub-?words?|tokens?|トークン)|(?:context (?:length|window)|max(?:imum)? (?:sequence|context|input) length|コンテキスト長|最大(?:系列|入力)?長)"
    rf"\W{{1,12}}{_NUMBER}\s*(k)?\b",
    re.IGNORECASE,
)
_TRAINING = re.compile(r"\btrain|fine-?tun|learning rate|batch|学習|訓練", re.IGNORECASE)
_EMBEDDING = re.compile(
    rf"\b{_NUMBER}[\s-]*(?:dimensional|dimensions?\b|dims?\b|次元)|(?:embedding (?:size|dimensions?)|output dimension(?:ality)?|埋め込み次元|次元数)\W{{1,12}}{_NUMBER}",
    re.IGNORECASE,
)
_TOLERANCE = 0.1
_MOST_PER_TOPIC = 3
_FEWEST_DIMENSIONS = 8  # less is a remark such as `2-dimensional plot`
_FEWEST_PIECES = 1_000  # an English tokenizer has single letters of many scripts, but hardly any words of them


def find_claims(
    lines: list[tuple[int, str]],
    front_matter: dict[str, Any],
    facts: ModelFacts,
    licence: LicenceFinding,
    view: FileView,
) -> tuple[Claim, ...]:
    """Find the card's claims and compare each with the files.

    Args:
        lines: The card's text with line numbers.
        front_matter: Its parsed front matter.
        facts: What the files say.
        licence: The licence comparison.
        view: The files, for the tokenizer.

    Returns:
        At most three claims by topic.
    """
    claims: list[Claim] = []
    for topic in (
        _parameter_claims(lines, facts),
        _dtype_claims(lines, facts),
        _length_claims(lines, facts),
        _embedding_claims(lines, facts),
    ):
        claims += [claim for _, claim in zip(range(_MOST_PER_TOPIC), topic, strict=False)]
    claims += _language_claims(front_matter, view)
    claims += _base_claims(lines, front_matter, facts)
    claims += _licence_claim(licence)
    return tuple(claims)


def _claim(topic: Topic, number: int | None, line: str, fact: Fact | None, verdict: ClaimVerdict) -> Claim:
    text = None if fact is None else f"{fact.value:,}" if isinstance(fact.value, int) else quote_line(fact.value)
    source = None if fact is None else fact.file
    return Claim(topic=topic, claim=quote_line(line), claim_line=number, fact=text, fact_source=source, verdict=verdict)


def _figure(match: re.Match[str]) -> float:
    """The number of a match, in its scale, from whichever half of the pattern fitted."""
    groups = [each for each in match.groups() if each]
    scale = groups[1].casefold()[0] if len(groups) > 1 else ""
    return float(groups[0].replace(",", "")) * _SCALES.get(scale, 1.0)


def _parameter_claims(lines: list[tuple[int, str]], facts: ModelFacts) -> Iterator[Claim]:
    for number, line in lines:
        match = _PARAMETERS.search(line[:2_000])
        if match is None or line.count("|") > 3 or _figure(match) < 10_000:  # tables compare several models
            continue
        if facts.parameters is None:
            yield _claim("parameters", number, line, None, "not_checkable")
            continue
        close = abs(_figure(match) / int(facts.parameters.value) - 1) <= _TOLERANCE
        yield _claim("parameters", number, line, facts.parameters, "confirmed" if close else "contradicted")


def _dtype_claims(lines: list[tuple[int, str]], facts: ModelFacts) -> Iterator[Claim]:
    for number, line in lines:
        match = _DTYPE.search(line[:2_000])
        if match is not None:
            same = facts.dtype is not None and facts.dtype.value == _DTYPE_NAMES[match.group(1).casefold()]
            verdict = "not_checkable" if facts.dtype is None else "confirmed" if same else "contradicted"
            yield _claim("dtype", number, line, facts.dtype, verdict)


def _length_claims(lines: list[tuple[int, str]], facts: ModelFacts) -> Iterator[Claim]:
    for number, line in lines:
        match = _LENGTH.search(line[:2_000])
        if match is None or _TRAINING.search(line) or line.count("|") > 3:
            continue
        claimed = _figure(match)
        exact = next((fact for fact in facts.lengths if _same_length(claimed, int(fact.value))), None)
        if not facts.lengths:
            yield _claim("context_length", number, line, None, "not_checkable")
        elif exact is not None:
            yield _claim("context_length", number, line, exact, "confirmed")
        elif claimed > max(int(fact.value) for fact in facts.lengths):
            yield _claim(
                "context_length", number, line, max(facts.lengths, key=lambda fact: int(fact.value)), "contradicted"
            )
        else:
            yield _claim("context_length", number, line, facts.lengths[0], "not_checkable")


def _same_length(claimed: float, actual: int) -> bool:
    """Equal, or the same in thousands, whether 1,000 or 1,024, or without the few positions kept for special tokens."""
    return actual in {round(claimed), round(claimed / 1_000 * 1_024)} or 0 <= actual - claimed <= 2


def _embedding_claims(lines: list[tuple[int, str]], facts: ModelFacts) -> Iterator[Claim]:
    for number, line in lines:
        match = _EMBEDDING.search(line[:2_000])
        if match is None or line.count("|") > 3 or _figure(match) < _FEWEST_DIMENSIONS:
            continue
        if facts.embedding_size is None:
            yield _claim("embedding_size", number, line, None, "not_checkable")
            continue
        same = _figure(match) == facts.embedding_size.value
        yield _claim("embedding_size", number, line, facts.embedding_size, "confirmed" if same else "contradicted")


def languages_of(front_matter: dict[str, Any]) -> tuple[str, ...]:
    """Language codes the card names."""
    value = front_matter.get("language", front_matter.get("languages"))
    values = value if isinstance(value, list) else [value] if value is not None else []
    return tuple(str(each)[:20] for each in values[:200])


def _language_claims(front_matter: dict[str, Any], view: FileView) -> Iterator[Claim]:
    languages = languages_of(front_matter)
    checked = [(each, pieces_in_script(view, each.casefold()[:2])) for each in languages[:_MOST_PER_TOPIC]]
    for language, pieces in checked:
        if pieces is None:
            yield _claim("languages", None, f"language: {language}", None, "not_checkable")
            continue
        fact = Fact(value=f"{pieces[0]:,} pieces of the tokenizer are in the script of `{language}`", file=pieces[1])
        yield _claim(
            "languages",
            None,
            f"language: {language}",
            fact,
            "confirmed" if pieces[0] >= _FEWEST_PIECES else "contradicted",
        )


def _base_claims(lines: list[tuple[int, str]], front_matter: dict[str, Any], facts: ModelFacts) -> Iterator[Claim]:
    for base in base_models(front_matter):
        if facts.base_name is None:
            yield _claim("base_model", None, f"base_model: {base}", None, "not_checkable")
        else:
            same = str(facts.base_name.value).casefold() == base.casefold()
            yield _claim(
                "base_model", None, f"base_model: {base}", facts.base_name, "confirmed" if same else "not_checkable"
            )
    if not base_models(front_matter) and facts.base_name is not None:
        name = str(facts.base_name.value)
        said = next(((number, line) for number, line in lines if name.casefold() in line.casefold()), None)
        if said is not None:
            yield _claim("base_model", said[0], said[1], facts.base_name, "confirmed")


def base_models(front_matter: dict[str, Any]) -> tuple[str, ...]:
    """Base models the front matter names."""
    value = front_matter.get("base_model")
    values = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    return tuple(quote_line(str(each))[:120] for each in values[:5])


def _licence_claim(licence: LicenceFinding) -> Iterator[Claim]:
    if licence.tag is None:
        return
    verdicts: dict[str, ClaimVerdict] = {"agrees": "confirmed", "differs": "contradicted"}
    fact = (
        Fact(value=licence.spdx or "a text that is not recognised", file=licence.text_file)
        if licence.text_file
        else None
    )
    yield _claim("licence", None, f"license: {licence.tag}", fact, verdicts.get(licence.agreement, "not_checkable"))
