"""Claims about what a model reads and answers: its tokenizer, the languages it writes, the classes it tells apart."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.cards.claim import Claim, claim_of
from tools.cards.figures import COUNT, FIGURE, figure_of, is_rounded
from tools.cards.text import Statement
from tools.model_facts import Fact, ModelFacts
from tools.tokenizer_facts import TokenizerFacts, has_own_script

_I = re.IGNORECASE
_IS = r"\W{0,4}(?:\s|[:=|~≈は約がを]|is|of|are|contains?|holds|has|counts|comprises|about|approximately)*[:=\s約~≈(]*"
_ABOUT_TOKENIZER = re.compile(r"token|vocab|トークナイ|トークン化|語彙|sentence-?piece|word-?piece", _I)
_KINDS = (
    ("WordPiece", re.compile(r"word-?piece(?!s?\s+(?:is|are)?\s*truncat|s\b)", _I)),
    ("Unigram", re.compile(r"\buni-?gram\b", _I)),
    ("BPE", re.compile(r"\bBPE\b|byte[- ]pair|バイト対", _I)),
    ("SentencePiece", re.compile(r"sentence-?piece", _I)),
)
_LENGTH_IN_PIECES = re.compile(r"\d[\d,]*\s*(?:word ?-?pieces?|sub-?words?)", _I)
_VOCABULARY = re.compile(
    rf"(?:vocab(?:ulary)?(?:[ _]size)?|語彙(?:数|サイズ|の大きさ)?){_IS}({FIGURE})|\btokenizer (?:of|"
    rf"with) ({FIGURE}) (?:entries|tokens|pieces)|({FIGURE})[- ](?:entry |word |token |piece )?vocabulary", _I,
)  # fmt: skip
_CASE = re.compile(
    r"(?<![A-Za-z0-9/-])(uncased|cased|case[- ]sensitive|case[- ]insensitive|lower-?cased?|"
    r"lower-?cases)(?![A-Za-z0-9-]*/)",
    _I,
)
_KEEPS_CASE = {"cased", "casesensitive"}
_ROUNDING = 0.025

_LABEL_WORD = r"(?:labels?|class(?:es)?|categor(?:y|ies)|kinds?|types? of)"
_LABEL_COUNT = re.compile(
    rf"(?<![A-Za-z0-9.,-])({COUNT})[\s-]+(?:\w+\s+)?{_LABEL_WORD}\b|(?:number of (?:labels|classes|categories)|"
    rf"num_labels){_IS}({COUNT})|"
    rf"(?:クラス|ラベル|カテゴリー?|分類)数{_IS}({COUNT})|(?<![\d,.])({COUNT})(?:つの)?\s*(?:クラス|段階|種類?の(?:クラス|ラベル|カテゴリ)|種類に|種に|カテゴリ|"
    rf"値分類|ラベル|個のラベル)", _I,
)  # fmt: skip
_LABEL_LIST = re.compile(r"(?:\b(?:labels?|classes)(?:\s+names?)?\s*(?::|are\b|=)|ラベル(?:名)?\s*(?:[:：は=])|(?:labels|"
    r"classes)\s*:|クラス\s*[:：])\s*(.+)", _I)  # fmt: skip
_LISTED_AFTER_COUNT = re.compile(rf"\blabels?\s*[:(]\s*([^()]+)|ラベル数{_IS}{COUNT}\s*(?:です)?\s*\((.+)\)", _I)
_EARLIER = re.compile(r"at first|originally|merged|formerly|当初|統合|もともと", _I)
_SEPARATORS = re.compile(r"\s*(?:,\s*(?:and|or)\b|,|、|・|;|/|\band\b|\bor\b|および|と(?=\s))\s*")

_LANGUAGES = {
    "ja": "japanese|日本語", "zh": "chinese|中国語", "ko": "korean|韓国語", "ru": "russian|ロシア語", "uk": "ukrainian|ウクライナ語",
    "bg": "bulgarian|ブルガリア語", "ar": "arabic|アラビア語", "fa": "persian|farsi|ペルシャ語", "hi": "hindi|ヒンディー語", "th": "thai|タイ語",
    "el": "greek|ギリシャ語", "he": "hebrew|ヘブライ語",
}  # fmt: skip
_LANGUAGE_NAMES = {
    code: re.compile(rf"\b(?:{names})" if names.isascii() else names, _I) for code, names in _LANGUAGES.items()
}
_SUPPORTS = re.compile(r"\bsupport|サポート|\blanguages?\b|\bcovers?\b|\bhandles?\b|対応|対象言語|言語\s*[:：]", _I)
_NEGATED = re.compile(r"\bnot?\b|n't\b|\bexcept|\bbut\b|cannot|未対応|ない|ません|以外|非対応", _I)


def tokenizer_claims(
    statements: tuple[Statement, ...], facts: ModelFacts, tokenizer: TokenizerFacts
) -> Iterator[Claim]:
    """Claims about kind, size and case of the tokenizer, in the order of the card."""
    for said in statements:
        if _ABOUT_TOKENIZER.search(said.text):
            yield from _kind(said, tokenizer)
            yield from _vocabulary(said, facts, tokenizer)
        yield from _case(said, tokenizer)


def _kind(said: Statement, tokenizer: TokenizerFacts) -> Iterator[Claim]:
    text = _LENGTH_IN_PIECES.sub(lambda found: " " * len(found.group()), said.text)
    named = [(kind, found.start()) for kind, pattern in _KINDS if (found := pattern.search(text))]
    exact = [kind for kind, _ in named if kind != "SentencePiece"]
    if len(exact) > 1 or not named:
        return
    kind = tokenizer.kind
    fact = Fact(value=kind, file=tokenizer.file) if kind is not None else None
    holds = kind == exact[0] if exact else tokenizer.is_sentencepiece
    yield claim_of("tokenizer", *said.at(named[0][1]), fact, holds)


def _vocabulary(said: Statement, facts: ModelFacts, tokenizer: TokenizerFacts) -> Iterator[Claim]:
    match = _VOCABULARY.search(said.text)
    if match is None:
        return
    figure = next(each for each in match.groups() if each)
    claimed = figure_of(figure)
    if claimed < 100:
        return
    fact = facts.vocabulary_size
    sizes = [int(fact.value)] if fact is not None else []
    if not _near(claimed, figure, sizes):  # the table is often padded; only then the large file is read
        sizes += tokenizer.sizes
        fact = fact or (Fact(value=sizes[0], file=tokenizer.file) if sizes else None)
        exact = next((size for size in tokenizer.sizes if _near(claimed, figure, [size])), None)
        fact = Fact(value=exact, file=tokenizer.file) if exact is not None else fact
    yield claim_of("tokenizer", *said.at(match.start(match.lastindex or 0)), fact, _near(claimed, figure, sizes))


def _near(claimed: float, written: str, sizes: list[int]) -> bool:
    tolerance = _ROUNDING if is_rounded(written) or claimed % 1_000 == 0 else 0.0
    return any(abs(claimed - size) <= tolerance * size for size in sizes)


def _case(said: Statement, tokenizer: TokenizerFacts) -> Iterator[Claim]:
    match = _CASE.search(said.text)
    if match is None:
        return
    told = tokenizer.lowercases
    keeps = re.sub(r"[- ]", "", match.group(1).casefold()) in _KEEPS_CASE
    fact = Fact(value="lower case" if told[0] else "case kept", file=told[1]) if told is not None else None
    yield claim_of(
        "tokenizer", *said.at(match.start(match.lastindex or 0)), fact, told is not None and told[0] != keeps
    )


def label_claims(statements: tuple[Statement, ...], facts: ModelFacts) -> Iterator[Claim]:
    """Claims about number and names of the classes; only of a model that has some."""
    if facts.label_count is None:
        return
    for said in statements:
        if not _EARLIER.search(said.text):
            yield from _label_count(said, facts.label_count)
            yield from _label_names(said, facts)


def _label_count(said: Statement, count: Fact) -> Iterator[Claim]:
    match = _LABEL_COUNT.search(said.text)
    if match is not None:
        claimed = figure_of(next(each for each in match.groups() if each))
        if claimed >= 2:
            yield claim_of("labels", *said.at(match.start(match.lastindex or 0)), count, claimed == count.value)


def _label_names(said: Statement, facts: ModelFacts) -> Iterator[Claim]:
    match = _LISTED_AFTER_COUNT.search(said.text) or _LABEL_LIST.search(said.text)
    if match is None:
        return
    listed = next(each for each in match.groups() if each)
    names = [name for each in _SEPARATORS.split(listed.split("。")[0]) if (name := _bare(each))]
    if not 2 <= len(names) <= 200 or any(len(name) > 40 or name.isdigit() for name in names):
        return
    own = {_bare(label) for label in facts.labels} | {_bare(label.partition("-")[2]) for label in facts.labels}
    fact = Fact(value=", ".join(facts.labels)[:200], file="config.json") if facts.labels else None
    yield claim_of("labels", *said.at(match.start(match.lastindex or 0)), fact, all(name in own for name in names))


def _bare(name: str) -> str:
    return re.sub(r"(?:です|ます)$", "", name.strip(" .。`'\"()「」").casefold()).strip(" 「」")


def language_claims(
    statements: tuple[Statement, ...], named: tuple[tuple[str, int | None, str], ...], tokenizer: TokenizerFacts
) -> Iterator[Claim]:
    """Claims about languages that are written in a script of their own.

    Args:
        statements: What the card says of the model itself.
        named: Codes of the front matter, each with its line and that line's text.
        tokenizer: What the tokenizer can write.

    Yields:
        The claims.
    """
    for code, line, quote in named:
        short = code.casefold()[:2] if len(code) <= 3 or "-" in code else _code_of(code)
        fact, holds = _coverage((short,) if short else (), tokenizer)
        yield claim_of("languages", line, quote, fact, holds)
    for said in statements:
        found = {code: match for code, pattern in _LANGUAGE_NAMES.items() if (match := pattern.search(said.text))}
        if found and _SUPPORTS.search(said.text) and not _NEGATED.search(said.text):
            fact, holds = _coverage(tuple(found), tokenizer)
            first = min(match.start() for match in found.values())
            yield claim_of("languages", *said.at(first), fact, holds)


def _code_of(name: str) -> str:
    return next((code for code, pattern in _LANGUAGE_NAMES.items() if pattern.fullmatch(name)), "")


def _coverage(codes: tuple[str, ...], tokenizer: TokenizerFacts) -> tuple[Fact | None, bool | None]:
    counted = [(code, tokenizer.pieces_in(code)) for code in codes if has_own_script(code)]
    known = sorted((pieces, code) for code, pieces in counted if pieces is not None)
    if not known:
        return None, None
    pieces, code = known[0]
    text = f"{pieces:,} pieces of the tokenizer are in the script of `{code}`"
    return Fact(value=text, file=tokenizer.file), tokenizer.covers(pieces)
