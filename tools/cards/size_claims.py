"""Claims about sizes: number of the parameters, longest input and width."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.cards.claim import Claim, claim_of
from tools.cards.quantities import Counted
from tools.cards.text import Statement
from tools.cards.words import WordList, spaced_words
from tools.model_facts import Fact, ModelFacts

_PART_ONLY = (
    r"non-?embedding|activ(?:e|ated)|per (?:token|expert)|optimi[sz]er|\bform letter|非埋め込み|アクティブ|活性"
)
_FAMILY = (
    r"\bfamily\b.{0,80}(?:from|sizes?|collection)|\bsizes\b|\brang(?:es?|ing)\b|\d[bm]? (?:and|or|"
    r"to) \d[\d.]*\s?[bm](?:illion)?\b|respectively|"
    r"\btwo\b.{0,30}models|models in the .{0,30}series|から.{0,12}まで|シリーズ|ファミリー"
)
_OF_ADAPTER = r"trainable|adapter|lora\b|アダプタ|学習可能|学習した"
_FEWEST_PARAMETERS = 10_000
_TOLERANCE = 0.1

_CUE = WordList(
    "context|window| max | maximum |longer than|more than|only the first| the first |up to|at most|truncat| cut | beyond|limit|accept",
    "attend|input|sequence|support|handle|最大|上限|文脈|系列長|入力|コンテキスト|対応|最長|長さ",
)
_CUE_BEHIND = (
    r"[^,、。;]{0,12}?(?:context|window|inputs?\b|sequences?\b|at most|max|文脈|コンテキスト|まで|以内|に対応|"
    r"を(?:超え|こえ)[るた](?:入力|文|部分|分|もの|テキスト))"
)
_CUE_WITHIN = 60
_OTHER_TOKENS = WordList(
    "train|fine tun|finetun|learning rate| batch|generat| output | outputs |respon|answer| new tokens| pair | pairs |trillion|billion",
    "per second|tokens s |replies| reply |suggest|recommend|temperature|measured| was limited| was set| was cut| was kept| was split",
    " were limited| were set| were cut| were kept| were split|time to first|average|typical|usually|median|dataset|corpus",
    "平均|中央値|通常|ファインチューニング|微調整|評価|学習|訓練|バッチ|生成|出力|回答|打ち切|おすすめ|推奨|総トークン|対の|毎秒|コーパス",
)
_PART_ENDS = re.compile(r"[,、;。(]")
_SHORTEST = 16

_SHORTENED = (
    r"matryoshka|truncat|reduc|shorten|\bplot|\bproject(?:ed|ion)|\bpca\b|主成分|visuali|切り詰め|縮小|可視化|削減"
)
_FEWEST_DIMENSIONS = 8  # less is a remark such as `2-dimensional plot`


def size_claims(statements: tuple[Statement, ...], facts: ModelFacts) -> Iterator[Claim]:
    """Claims about sizes, in the order of the card.

    Args:
        statements: What the card says of the model itself.
        facts: What the files say.

    Yields:
        The claims.
    """
    for said in statements:
        counted = said.counted
        if (parameters := counted.get("parameters")) is not None:
            yield from _parameters(said, parameters, facts)
        if (length := counted.get("length")) is not None:
            yield from _length(said, length, facts)
        if (width := counted.get("width")) is not None:
            yield from _width(said, width, facts)


def _parameters(said: Statement, counted: Counted, facts: ModelFacts) -> Iterator[Claim]:
    if counted.value < _FEWEST_PARAMETERS or re.search(_PART_ONLY, said.small) or re.search(_FAMILY, said.small):
        return
    fact = facts.parameters
    if facts.is_adapter and not re.search(_OF_ADAPTER, said.small):
        fact = None  # the base model's, whose weights are not here
    counts = (int(fact.value), *facts.other_parameters) if fact is not None else ()
    holds = any(count > 0 and abs(counted.value / count - 1) <= _TOLERANCE for count in counts)
    yield claim_of("parameters", *said.at(counted.figure.start), fact, holds)


def _length(said: Statement, counted: Counted, facts: ModelFacts) -> Iterator[Claim]:
    if counted.value < _SHORTEST or (counted.by_unit and not _has_cue(said.small, counted)):
        return
    end = _PART_ENDS.search(said.small, counted.figure.end)
    if _OTHER_TOKENS.are_in(spaced_words(said.small[: end.start()] if end is not None else said.small)):
        return
    exact = next((fact for fact in _in_force(facts.lengths) if _same_length(counted.value, int(fact.value))), None)
    longest = max(_in_force(facts.lengths), key=lambda fact: int(fact.value), default=None)
    in_force = facts.lengths[0] if facts.lengths else None
    fact = exact or (longest if longest is not None and counted.value > int(longest.value) else in_force)
    yield claim_of("context_length", *said.at(counted.figure.start), fact, exact is not None)


def _has_cue(text: str, counted: Counted) -> bool:
    """Whether a number of tokens is said to be a limit."""
    start, end = counted.figure.start, counted.figure.end
    behind = re.sub(r"^[\s-]*(?:word ?-?pieces?|sub-?words?|tokens?|positions|トークン)?(?: tokens)?", "", text[end:])
    return _CUE.are_in(spaced_words(text[max(0, start - _CUE_WITHIN) : start])) or bool(re.match(_CUE_BEHIND, behind))


def _in_force(lengths: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """The lengths that count: where sentence-transformers sets one, texts are cut there."""
    return lengths[:1] if lengths and lengths[0].file.startswith("sentence_") else lengths


def _same_length(claimed: float, actual: int) -> bool:
    """Equal, or the same in thousands, whether 1,000 or 1,024, or without the few positions kept for special tokens."""
    return actual in {round(claimed), round(claimed / 1_000 * 1_024)} or 0 <= actual - claimed <= 2


def _width(said: Statement, counted: Counted, facts: ModelFacts) -> Iterator[Claim]:
    if counted.value < _FEWEST_DIMENSIONS or re.search(_SHORTENED, said.small):
        return
    known = [fact for fact in (facts.embedding_size, facts.hidden_size) if fact is not None]
    exact = next((fact for fact in known if fact.value == counted.value), None)
    fact = exact or (known[0] if known else None)
    holds = exact is not None and not counted.figure.rounded
    yield claim_of("embedding_size", *said.at(counted.figure.start), fact, holds)
