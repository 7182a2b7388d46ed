"""Claims about what a model reads: its tokenizer, and the languages it writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from tools.cards.claim import Claim, claim_of
from tools.cards.quantities import Counted
from tools.cards.text import Statement
from tools.model_facts import Fact, ModelFacts
from tools.tokenizer_facts import TokenizerFacts, has_own_script

_ABOUT_TOKENIZER = re.compile(
    r"token|vocab|トークナイ|トークン化|語彙|sentence-?piece|word-?piece|sub-?word|分かち書き|サブワード"
)
_KINDS = (
    ("WordPiece", re.compile(r"word-?piece(?!s?\s+(?:is|are)?\s*truncat|s\b)")),
    ("Unigram", re.compile(r"\buni-?gram\b")),
    ("BPE", re.compile(r"\bbpe\b|byte[- ]pair|バイト対")),
    ("SentencePiece", re.compile(r"sentence-?piece")),
)
_LENGTH_IN_PIECES = re.compile(r"\d[\d,]*\s*(?:word ?-?pieces?|sub-?words?)")
_FEWEST_PIECES = 100
_CASE = re.compile(
    r"(?<![a-z0-9/-])(?:(?P<keeps>cased|case[- ]sensitive|original case|preserves? case|case is (?:kept|preserved)|"
    r"区別(?:する|し(?!な|ま?せ))|区別され(?!な|ま?せ))|"
    r"(?P<lowers>uncased|case[- ]insensitive|lower-?cased?|lower-?cases|小文字(?:に(?:変換|統一)|化)|区別し(?:な|ま?せ)|区別され(?:な|ま?せ)))"
    r"(?![a-z0-9-]*/|[a-z0-9])"
)
_NOT = re.compile(r"\b(?:not|never|n't|without)\s*(?:\w+\s+)?\Z")
_ROUNDING = 0.025

_LANGUAGES = {
    "japanese": "ja", "日本語": "ja", "chinese": "zh", "中国語": "zh", "korean": "ko", "韓国語": "ko", "russian": "ru", "ロシア語": "ru",
    "ukrainian": "uk", "ウクライナ語": "uk", "bulgarian": "bg", "ブルガリア語": "bg", "arabic": "ar", "アラビア語": "ar", "persian": "fa",
    "farsi": "fa", "ペルシャ語": "fa", "ペルシア語": "fa", "hindi": "hi", "ヒンディー語": "hi", "thai": "th", "タイ語": "th", "greek": "el",
    "ギリシャ語": "el", "ギリシア語": "el", "hebrew": "he", "ヘブライ語": "he",
}  # fmt: skip
_SUPPORTS = r"\bsupport|サポート|\blanguages?\b|\bcovers?\b|\bhandles?\b|対応|対象言語|言語\s*:"
_BETWEEN = r"\s*(?:,\s*(?:and|or)?|and|or|、|・|と|および|/)\s*"
_OF_DATA = r"train|fine-?tun|\bdata|\bcorp|evaluat|reach|scor|\bpairs\b|translat|学習|訓練|データ|コーパス|評価|翻訳"
_NEGATED = r"\breach|\bscor|\bnot?\b|n't\b|\bexcept|\bbut\b|cannot|未対応|ない|ません|以外|非対応"


def tokenizer_claims(
    statements: tuple[Statement, ...], facts: ModelFacts, tokenizer: TokenizerFacts
) -> Iterator[Claim]:
    """Claims about kind, size and case of the tokenizer, in the order of the card."""
    for said in statements:
        counted = said.counted.get("vocabulary")
        if counted is not None and counted.value >= _FEWEST_PIECES:
            yield _vocabulary(said, counted, facts, tokenizer)
        if _ABOUT_TOKENIZER.search(said.small):
            yield from _kind(said, tokenizer)
        yield from _case(said, tokenizer)


def _kind(said: Statement, tokenizer: TokenizerFacts) -> Iterator[Claim]:
    text = _LENGTH_IN_PIECES.sub(lambda found: " " * len(found.group()), said.small)
    named = [(kind, found.start()) for kind, pattern in _KINDS if (found := pattern.search(text))]
    exact = [kind for kind, _ in named if kind != "SentencePiece"]
    if len(exact) > 1 or not named:
        return
    kind = tokenizer.kind
    fact = Fact(value=kind, file=tokenizer.file) if kind is not None else None
    holds = kind == exact[0] if exact else tokenizer.is_sentencepiece
    yield claim_of("tokenizer", *said.at(named[0][1]), fact, holds)


def _vocabulary(said: Statement, counted: Counted, facts: ModelFacts, tokenizer: TokenizerFacts) -> Claim:
    fact = facts.vocabulary_size
    sizes = [int(fact.value)] if fact is not None else []
    if not _near(counted, sizes):  # the table is often padded; only then the large file is read
        sizes += tokenizer.sizes
        fact = fact or (Fact(value=sizes[0], file=tokenizer.file) if sizes else None)
        exact = next((size for size in tokenizer.sizes if _near(counted, [size])), None)
        fact = Fact(value=exact, file=tokenizer.file) if exact is not None else fact
    return claim_of("tokenizer", *said.at(counted.figure.start), fact, _near(counted, sizes))


def _near(counted: Counted, sizes: list[int]) -> bool:
    tolerance = _ROUNDING if counted.figure.rounded or counted.value % 1_000 == 0 else 0.0
    return any(abs(counted.value - size) <= tolerance * size for size in sizes)


def _case(said: Statement, tokenizer: TokenizerFacts) -> Iterator[Claim]:
    match = _CASE.search(said.small)
    if match is None:
        return
    told = tokenizer.lowercases
    keeps = (match.lastgroup == "keeps") != (_NOT.search(said.small[: match.start()]) is not None)
    fact = Fact(value="lower case" if told[0] else "case kept", file=told[1]) if told is not None else None
    yield claim_of("tokenizer", *said.at(match.start()), fact, told is not None and told[0] != keeps)


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
        short = code.casefold()[:2] if len(code) <= 3 or "-" in code else _LANGUAGES.get(code.lower(), "")
        fact, holds = _coverage((short,) if short else (), tokenizer)
        yield claim_of("languages", line, quote, fact, holds)
    for said in statements:
        found = _languages_in(said.small)
        if (
            found
            and (re.search(_SUPPORTS, said.small) or _is_list(said.small, found))
            and not re.search(_NEGATED, said.small)
        ):
            fact, holds = _coverage(tuple(found), tokenizer)
            yield claim_of("languages", *said.at(min(start for start, _ in found.values())), fact, holds)


def _languages_in(text: str) -> dict[str, tuple[int, int]]:
    """The languages that a text names, by their code, with the place of each."""
    found: dict[str, tuple[int, int]] = {}
    for name, code in _LANGUAGES.items():
        start = text.find(name)
        if start >= 0 and not (name.isascii() and text[start - 1 : start].isalpha()):
            found.setdefault(code, (start, start + len(name)))
    return found


def _is_list(text: str, found: dict[str, tuple[int, int]]) -> bool:
    """Whether several languages are named in a row, and not as those of data."""
    gaps = [text[end:start] for (_, end), (start, _) in pairwise(sorted(found.values()))]
    return bool(gaps) and all(re.fullmatch(_BETWEEN, gap) for gap in gaps) and not re.search(_OF_DATA, text)


def _coverage(codes: tuple[str, ...], tokenizer: TokenizerFacts) -> tuple[Fact | None, bool | None]:
    counted = [(code, tokenizer.pieces_in(code)) for code in codes if has_own_script(code)]
    known = sorted((pieces, code) for code, pieces in counted if pieces is not None)
    if not known:
        return None, None
    pieces, code = known[0]
    text = f"{pieces:,} pieces of the tokenizer are in the script of `{code}`"
    return Fact(value=text, file=tokenizer.file), tokenizer.covers(pieces)
