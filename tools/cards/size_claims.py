"""Claims about sizes: number and type of the parameters, longest input, width."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.cards.claim import Claim, claim_of
from tools.cards.figures import FIGURE, figure_of, is_rounded
from tools.cards.text import Statement
from tools.model_facts import Fact, ModelFacts

_I = re.IGNORECASE
_IS = (
    r"\W{0,4}(?:\s|[:=|~≈は約がを]|is|of|are|about|approximately|roughly|有し|持つ|およそ|全部で|合計(?:で)?|合わせて|full|in total|"
    r"some|nearly|just|only)*[:=\s約~≈(]*"
)
_PARAMETERS = re.compile(
    r"(?<![A-Za-z0-9.,-])(\d[\d,]*(?:\.\d+)?\s?[bmk])\s+weights\b|"
    rf"(?<![A-Za-z0-9.,-])({FIGURE})\s*[- ]?(?:(?:trainable|total|model|learnable)\s+)?(?:parameters?\b|params?\b|"
    rf"(?:個)?(?:の)?パラメータ)|"
    rf"(?:\b(?:number of )?(?:total |trainable |model )?(?:parameters?|params?)(?:\s+count|\s+size)?|\bmodel size|規模|"
    rf"モデルサイズ|"
    rf"パラメータ(?:ー)?(?:数)?)(?:\s*\((?:total|合計)\))?{_IS}({FIGURE})(?!\s*(?:[gkm]i?b\b|bytes?|layers?|%|x\b|トークン|"
    rf"tokens?|px))",
    _I,
)
_PART_ONLY = re.compile(
    r"non-?embedding|activ(?:e|ated)|per (?:token|expert)|optimi[sz]er|\bform letter|非埋め込み|アクティブ|活性", _I
)
_FAMILY = re.compile(
    r"\bfamily\b.{0,80}(?:from|sizes?|collection)|\bsizes\b|\brang(?:es?|ing)\b|\d[bm]? (?:and|or|"
    r"to) \d[\d.]*\s?[bm](?:illion)?\b|respectively|"
    r"\btwo\b.{0,30}models|models in the .{0,30}series|から.{0,12}まで|シリーズ|ファミリー",
    _I,
)
_OF_ADAPTER = re.compile(r"trainable|adapter|lora\b|アダプタ|学習可能", _I)
_FEWEST_PARAMETERS = 10_000
_TOLERANCE = 0.1

_DTYPES = {
    "bf16": "BF16", "bfloat16": "BF16", "bfloat-16": "BF16", "fp16": "F16", "float16": "F16", "f16": "F16", "half": "F16",
    "half precision": "F16", "half-precision": "F16", "fp32": "F32", "float32": "F32", "f32": "F32", "single precision": "F32", "single-precision": "F32", "full-precision": "F32",
    "full precision": "F32", "int8": "I8", "fp8": "F8_E4M3",
}  # fmt: skip
_DTYPE_NAME = "|".join(sorted(map(re.escape, _DTYPES), key=len, reverse=True))
_STORED = (
    r"tensor types?|\bd?types?\b|precision|\bweights?\b|\bformat\b|checkpoint|stored|saved|published|released|shipped|"
    r"データ(?:型|タイプ)|数値型|(?:の)型|数値(?:形式|精度)|精度|形式|重み|保存|配布|公開"
)
_DTYPE = re.compile(rf"(?:{_STORED}).{{0,40}}?(?<![A-Za-z0-9-])({_DTYPE_NAME})(?![A-Za-z0-9])|"
    rf"(?<![A-Za-z0-9-])({_DTYPE_NAME})(?![a-z0-9]).{{0,16}}?(?:{_STORED})", _I)  # fmt: skip
_AT_RUN_TIME = re.compile(
    r"\btrain(?!able)|mixed|\bmixture|inference|quanti[sz]|--|optimi[sz]er|\brun(?:s|ning)?\b|convert|\bcast\b|"
    r"\bload(?:ed|ing)?\b|gradient|activations|"
    r"学習|訓練|混合|推論|量子化|実行|変換|読み込|更新", _I,
)  # fmt: skip

_TOKENS = r"[\s-]*(?:word ?-?pieces?|sub-?words?|tokens?|トークン)"
_CUE = (
    r"context|window|\bmax(?:imum)?\b|longer than|more than|only the first|the first(?= \d)|up to|at most|truncat|"
    r"\bcut\b|\bbeyond|limit|accept|"
    r"input|sequence|support|handle|最大|上限|文脈|系列長|入力|コンテキスト|まで|対応|最長"
)
_KEY = (
    r"(?:native |full )?(?:context|sequence|input|prompt)\s*(?:length|window|size)|max(?:imum|\.)?\s*(?:sequence|"
    r"context|input|position|prompt)?\s*"
    r"(?:length|tokens?|embeddings|window|seq(?:uence)?[ _]len(?:gth)?|positions?)|max_position_embeddings|"
    r"max_seq_length|"
    r"(?:最大)?(?:コンテキスト|文脈|系列|入力|トークン)(?:の)?(?:長さ|長|ウィンドウ|上限|数|サイズ)|最大コンテキスト|最大長|入力の上限|最大トークン数"
)
_LENGTH = re.compile(
    rf"(?:{_CUE}).{{0,60}}?(?<![A-Za-z0-9.,-])({FIGURE}){_TOKENS}|"
    rf"(?<![A-Za-z0-9.,-])({FIGURE}){_TOKENS}.{{0,12}}?(?:context|window|文脈|コンテキスト|まで|以内|に対応|を超える(?:入力|文))|"
    rf"(?:{_KEY}){_IS}({FIGURE})(?!\s*(?:語|文字|characters?|words?\b))",
    _I,
)
_OTHER_TOKENS = re.compile(
    r"train(?!able)|fine-?tun|learning rate|\bbatch|generat|\boutputs?\b|respon|answer|\bnew tokens|\bpairs?\b|"
    r"trillion|billion|per second|"
    r"tokens/s|\brepl(?:y|ies)\b|suggest|recommend|temperature|measured|time-to-first|average|typical|usually|median|"
    r"平均|中央値|通常|dataset|corpus|学習|訓練|バッチ|生成|出力|回答|打ち切|おすすめ|推奨|総トークン|対の|毎秒|コーパス", _I,
)  # fmt: skip
_VOCABULARY = re.compile(r"vocabular|語彙", _I)
_NEAR = 24
_SHORTEST = 16

_DIMENSIONS = re.compile(
    rf"(?<![A-Za-z0-9.,-])({FIGURE})[\s-]*(?:dimensional|dimensions?\b|-?dims?\b|次元)|"
    rf"(?:embeddings?|vectors?)\s+(?:of|with)\s+(?:size|dimension|length)\s*({FIGURE})|"
    rf"(?<![A-Za-z0-9.,-])({FIGURE})-d\s+(?:vectors?|embeddings?)|vectors?\s+(?:of|with)\s+({FIGURE})\s+(?:floating|"
    rf"numbers|floats|values|components|entries)|"
    rf"(?:(?:embedding|output|vector|sentence embedding)\s+(?:size|dimensions?(?:ality)?|dim)\b|hidden\s+(?:size|"
    rf"dim(?:ension)?)|d_model|\bwidth|"
    rf"(?:埋め込み|出力|ベクトル)(?:の)?(?:次元(?:数)?|サイズ)|隠れ層(?:の)?(?:サイズ|次元(?:数)?|幅)|次元数){_IS}({FIGURE})",
    _I,
)
_SHORTENED = re.compile(r"matryoshka|truncat|reduc|shorten|\bplot|projected|visuali|切り詰め|縮小|可視化|削減", _I)
_FEWEST_DIMENSIONS = 8  # less is a remark such as `2-dimensional plot`


def size_claims(statements: tuple[Statement, ...], facts: ModelFacts) -> Iterator[Claim]:
    """Claims about sizes, in the order of the card.

    Args:
        statements: What the card says of the model itself.
        facts: What the files say.

    Yields:
        The claims.
    """
    for statement in statements:
        yield from _parameters(statement, facts)
        yield from _dtype(statement, facts)
        yield from _length(statement, facts)
        yield from _width(statement, facts)


def _first(match: re.Match[str]) -> str:
    return next(each for each in match.groups() if each)


def _parameters(said: Statement, facts: ModelFacts) -> Iterator[Claim]:
    match = _PARAMETERS.search(said.text)
    if match is None or _PART_ONLY.search(said.text) or figure_of(_first(match)) < _FEWEST_PARAMETERS:
        return
    if _FAMILY.search(said.text):
        return
    fact = facts.parameters
    if facts.is_adapter and not _OF_ADAPTER.search(said.text):
        fact = None  # the base model's, whose weights are not here
    counts = (int(fact.value), *facts.other_parameters) if fact is not None else ()
    claimed = figure_of(_first(match))
    holds = any(count > 0 and abs(claimed / count - 1) <= _TOLERANCE for count in counts)
    yield claim_of("parameters", *said.at(match.start(match.lastindex or 0)), fact, holds)


def _dtype(said: Statement, facts: ModelFacts) -> Iterator[Claim]:
    match = _DTYPE.search(said.text)
    if match is None or _AT_RUN_TIME.search(said.text):
        return
    holds = facts.dtype is not None and facts.dtype.value == _DTYPES[_first(match).casefold()]
    yield claim_of("dtype", *said.at(match.start(match.lastindex or 0)), facts.dtype, holds)


def _length(said: Statement, facts: ModelFacts) -> Iterator[Claim]:
    match = _LENGTH.search(said.text)
    if match is None or _OTHER_TOKENS.search(said.text) or figure_of(_first(match)) < _SHORTEST:
        return
    at = match.start(match.lastindex or 0)
    if _VOCABULARY.search(re.split(r"、|, ", said.text[max(0, at - _NEAR) : at])[-1]):
        return
    claimed = figure_of(_first(match))
    exact = next((fact for fact in _in_force(facts.lengths) if _same_length(claimed, int(fact.value))), None)
    longest = max(_in_force(facts.lengths), key=lambda fact: int(fact.value), default=None)
    in_force = facts.lengths[0] if facts.lengths else None
    fact = exact or (longest if longest is not None and claimed > int(longest.value) else in_force)
    yield claim_of("context_length", *said.at(match.start(match.lastindex or 0)), fact, exact is not None)


def _in_force(lengths: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """The lengths that count: where sentence-transformers sets one, texts are cut there."""
    return lengths[:1] if lengths and lengths[0].file.startswith("sentence_") else lengths


def _same_length(claimed: float, actual: int) -> bool:
    """Equal, or the same in thousands, whether 1,000 or 1,024, or without the few positions kept for special tokens."""
    return actual in {round(claimed), round(claimed / 1_000 * 1_024)} or 0 <= actual - claimed <= 2


def _width(said: Statement, facts: ModelFacts) -> Iterator[Claim]:
    match = _DIMENSIONS.search(said.text)
    if match is None or _SHORTENED.search(said.text) or figure_of(_first(match)) < _FEWEST_DIMENSIONS:
        return
    known = [fact for fact in (facts.embedding_size, facts.hidden_size) if fact is not None]
    claimed = figure_of(_first(match))
    exact: Fact | None = next((fact for fact in known if fact.value == claimed), None)
    fact = exact or (known[0] if known else None)
    yield claim_of(
        "embedding_size",
        *said.at(match.start(match.lastindex or 0)),
        fact,
        exact is not None and not is_rounded(_first(match)),
    )
