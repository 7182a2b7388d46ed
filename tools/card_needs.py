"""What an intended use asks of a card: which sections weigh more, which lines must be there, and why."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from tools.card_sections import LIMITATIONS, SECTION_WEIGHTS, CardSection, quote_line

_I = re.IGNORECASE
Concern = Literal[
    "people", "japanese", "other_language", "regulated", "edge", "commercial", "long_documents", "translation", "code", "search",
    "classification", "conversation", "personal_data",
]  # fmt: skip


class CardNeed(BaseModel):
    """One thing that the intended use needs to read in the card."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    concern: Concern
    """What about the use asks for it."""
    because: str
    """Words of the use case that say so, quoted. Untrusted text."""
    wants: str
    """What the card should say."""
    reason: str
    """Why that matters for this use."""
    line: int | None
    """Line of the card that says something about it, from 1; absent when there is none."""
    quote: str | None
    """That line, quoted; absent when there is none. Untrusted text."""


class _Need(NamedTuple):
    concern: Concern
    use: re.Pattern[str]
    line: re.Pattern[str]
    sections: tuple[str, ...]
    weight: float
    wants: str
    reason: str


_OTHER_LANGUAGES = {
    "chinese": "chinese|中国語|zh", "korean": "korean|韓国語|ko", "french": "french|フランス語|fr", "german": "german|ドイツ語|de",
    "spanish": "spanish|スペイン語|es", "vietnamese": "vietnamese|ベトナム語|vi", "thai": "thai|タイ語|th", "portuguese": "portuguese|ポルトガル語|pt",
    "indonesian": "indonesian|インドネシア語|id", "arabic": "arabic|アラビア語|ar", "hindi": "hindi|ヒンディー語|hi", "russian": "russian|ロシア語|ru",
}  # fmt: skip
_NEEDS = (
    _Need(
        "people",
        re.compile(r"customer|patient|medical|health|hiring|recruit|applicant|credit|loan|legal|child|student|insurance|employee|citizen|benefit|police|"
                   r"顧客|患者|医療|採用|応募者|与信|融資|法務|子ども|学生|生徒|保険|人事|従業員|社員|市民|住民|福祉", _I),
        re.compile(r"\bbias|fairness|stereotyp|discriminat|gender|subgroup|demographic|バイアス|偏り|偏った|公平|差別|性別|不利益", _I),
        (LIMITATIONS, "Out-of-scope use", "Evaluation results"), 8,
        "Limits and bias: whom it serves badly",
        "Its mistakes fall on people, and only known limits tell where a person must decide.",
    ),
    _Need(
        "regulated",
        re.compile(r"medical|clinical|diagnos|patient|drug|legal|contract|lawyer|financ|bank|audit|tax|insurance|compliance|"
                   r"医療|臨床|診断|患者|薬|法務|契約|弁護士|金融|銀行|監査|税|保険|法令", _I),
        re.compile(r"medical|clinical|legal|financ|domain|professional|advice|not (?:be )?(?:used|intended)|医療|臨床|法|金融|専門|分野|判断", _I),
        ("Out-of-scope use", "Testing data and metrics", "Evaluation results"), 7,
        "Results and exclusions in this field",
        "In a regulated field a general score says little, and a use that the publisher excludes is hard to defend.",
    ),
    _Need(
        "japanese", re.compile(r"日本語|japanese|[\u3041-\u30ff\u4e00-\u9fff]{0,40}[\u3041-\u30ff][\u3041-\u30ff\u4e00-\u9fff]{0,40}", _I), re.compile(r"japanese|日本語|jglue|jmteb|multilingual|多言語", _I),
        ("Evaluation results", "Training data"), 14,
        "Languages: the card does not name Japanese, which the use case needs",
        "A model that was not made for Japanese can look right in English tests and fail in daily use.",
    ),
    _Need(
        "long_documents",
        re.compile(r"long (?:documents?|texts?|contracts?|reports?)|\breports?\b|contracts?\b|manuals?\b|whole (?:documents?|books?)|minutes of|"
                   r"長文|長い(?:文書|文章|資料)|報告書|契約書|マニュアル|議事録|論文|書籍", _I),
        re.compile(r"(?:context|sequence|input|max).{0,40}?\d{3,}|(?<!\d)\d[\d,]{0,12}k?[ -]?(?:tokens?|word ?pieces?|トークン)|コンテキスト長|系列長|最大長", _I),
        ("Technical specifications", LIMITATIONS), 7,
        "Longest input",
        "What exceeds the longest input is cut off without a word.",
    ),
    _Need(
        "edge",
        re.compile(r"embedded|edge|on[- ]device|mobile|phone|raspberry|iot|microcontroller|offline device|laptop|browser|"
                   r"組み込み|組込|エッジ|端末|スマートフォン|スマホ|携帯|オンデバイス|マイコン|車載|ブラウザ", _I),
        re.compile(r"latency|milliseconds?|\bms\b|memory|\bMB\b|\bMiB\b|\bGB\b|quanti[sz]|int8|cpu|throughput|レイテンシ|遅延|メモリ|量子化|推論速度", _I),
        ("Technical specifications", "Environmental impact"), 6,
        "Memory and response time on small devices",
        "A small device has a fixed memory and a fixed time, and a figure from a large card says nothing about either.",
    ),
    _Need(
        "commercial",
        re.compile(r"commercial|product|customer|sell|paid|saas|商用|製品|商品|顧客|販売|有料", _I),
        re.compile(r"licen[cs]e|commercial|terms of use|ライセンス|商用|利用規約|許諾", _I),
        ("Training data", "Model details"), 5,
        "Terms: whether commercial use is allowed, and for the data as well",
        "A product carries the terms of the model and of what it was trained on to its customers.",
    ),
    _Need(
        "translation", re.compile(r"translat|翻訳|通訳|ローカライズ", _I),
        re.compile(r"\bBLEU\b|\bchrF|\bCOMET\b|language pairs?|translation (?:quality|results?)|言語対|翻訳(?:品質|精度|結果)|対訳", _I),
        ("Testing data and metrics", "Evaluation results"), 7,
        "Language pairs and a score for each",
        "Quality of a translation differs much between pairs and directions.",
    ),
    _Need(
        "code", re.compile(r"\bcod(?:e|ing)\b|programm|software|refactor|unit tests?|コード|プログラ|ソフトウェア|開発支援", _I),
        re.compile(r"programming languages?|python|javascript|pass@|humaneval|mbpp|permissive|プログラミング言語", _I),
        ("Training data", "Evaluation results", "Out-of-scope use"), 6,
        "Programming languages, and the licences of the code it was trained on",
        "Generated code can repeat what it was trained on, with that code's licence.",
    ),
    _Need(
        "search", re.compile(r"search|retriev|faq|similar|rag\b|embedding|検索|類似|埋め込み|ナレッジ", _I),
        re.compile(r"cosine|dot[- ]product|normali[sz]|prefix|query:|instruction|mteb|retrieval|recall@|ndcg|コサイン|内積|正規化|検索", _I),
        ("Evaluation results", "How to get started"), 4,
        "Similarity to use, prefixes, and results in retrieval",
        "The wrong similarity or a missing prefix lowers the results without an error.",
    ),
    _Need(
        "classification", re.compile(r"classif|sentiment|categor|triage|moderat|spam|detect|tagging|分類|感情|仕分け|判定|検知|検出|抽出|タグ付け", _I),
        re.compile(r"\blabels?\b|\bclass(?:es)?\b|\bF1\b|precision|recall|confusion|ラベル|クラス|適合率|再現率", _I),
        ("Testing data and metrics", "Training data"), 5,
        "What each class means, and a score for each",
        "Classes that mean something else than yours cannot be mended by a threshold.",
    ),
    _Need(
        "conversation", re.compile(r"chat|assistant|dialog|conversation|answer(?:s|ing)? questions|generat|summar|draft|"
                                   r"チャット|対話|会話|質問応答|回答|生成|要約|下書き|問い合わせ", _I),
        re.compile(r"hallucinat|factual|makes? (?:things|facts) up|safety|red[- ]team|harmful|guardrail|幻覚|事実(?:と異なる|でない|誤認)|もっともらしい|安全性|有害", _I),
        (LIMITATIONS, "Out-of-scope use"), 5,
        "What it makes up, and how it was tried for harmful answers",
        "A fluent answer hides that it is wrong.",
    ),
    _Need(
        "personal_data", re.compile(r"personal data|privacy|\bPII\b|\bGDPR\b|medical records?|個人情報|プライバシー|マイナンバー|カルテ", _I),
        re.compile(r"personal (?:data|information)|privacy|\bPII\b|anonymi[sz]|consent|個人情報|プライバシー|匿名", _I),
        ("Training data", LIMITATIONS), 6,
        "Whether personal data was in the training, and what can come out again",
        "A model can repeat personal data that it was trained on.",
    ),
)  # fmt: skip
_JAPANESE = re.compile(r"日本語|japanese", _I)
_OTHER_LANGUAGE_WEIGHT = 13.0
_GAIN_OF_FIRST = 1.0
_GAIN = 0.5
_LONGEST_USE_CASE = 4_000
_LONGEST_LINE = 2_000


def needs_of(use_case: str | None, card: str, body_at: int, languages: tuple[str, ...]) -> tuple[CardNeed, ...]:
    """What an intended use needs to read in a card, and whether it is there.

    Args:
        use_case: What the model is meant for, in the user's words.
        card: The whole card.
        body_at: Where its text begins, after the front matter.
        languages: Language codes of the front matter.

    Returns:
        The needs, the weightiest first; none without a use case.
    """
    text = (use_case or "")[:_LONGEST_USE_CASE]
    read = _Card(card, body_at, languages)
    others = _language_needs(text, read)
    wanted = [(need, found.group()) for need in _NEEDS if (found := need.use.search(text))]
    needs = [
        _need(need, because, read)
        for need, because in wanted
        # A use case that is written in Japanese is about Japanese texts, unless it names another language.
        if need.concern != "japanese" or not others or _JAPANESE.search(text)
    ]
    return tuple(sorted((*needs, *others), key=lambda each: -weight_of(each)))


def weights_for(use_case: str | None) -> dict[str, float]:
    """The sections' weights for an intended use: each reason for a section adds to it, the section it rests on first most."""
    weights = dict(SECTION_WEIGHTS)
    for need in _NEEDS:
        if need.use.search((use_case or "")[:_LONGEST_USE_CASE]):
            for place, section in enumerate(need.sections):
                weights[section] += SECTION_WEIGHTS[section] * (_GAIN if place else _GAIN_OF_FIRST)
    return weights


def weight_of(need: CardNeed) -> float:
    """How much a missing line weighs beside the sections."""
    return next((each.weight for each in _NEEDS if each.concern == need.concern), _OTHER_LANGUAGE_WEIGHT)


def sections_of(concern: Concern) -> tuple[str, ...]:
    """The sections that a concern rests on."""
    return next((each.sections for each in _NEEDS if each.concern == concern), ())


def use_score(sections: tuple[CardSection, ...], needs: tuple[CardNeed, ...], use_case: str | None) -> float:
    """Share of what an intended use asks for that the card says, 0 to 1.

    Args:
        sections: The card's sections.
        needs: What the use needs to read.
        use_case: The use.

    Returns:
        The weighted share over sections and needed lines.
    """
    weights = weights_for(use_case)
    filled = sum(weights[section.name] for section in sections if section.state == "filled")
    said = sum(weight_of(need) for need in needs if need.quote is not None)
    return round((filled + said) / (sum(weights.values()) + sum(map(weight_of, needs))), 3)


class _Card(NamedTuple):
    """A card's text, for finding the line that something stands in."""

    text: str
    body_at: int
    languages: tuple[str, ...]

    def line_with(self, pattern: re.Pattern[str], *, front_matter: bool = False) -> tuple[int, str] | None:
        """Number and text of the first line that has the pattern."""
        found = pattern.search(self.text, 0 if front_matter else self.body_at)
        if found is None:
            return None
        start = self.text.rfind("\n", 0, found.start()) + 1
        line = self.text[start : start + _LONGEST_LINE].split("\n", 1)[0]
        return 1 + self.text.count("\n", 0, start), line

    def names_language(self, *codes: str) -> tuple[int, str] | None:
        """The front matter's languages, when one of these is among them."""
        if not {"multilingual", *codes} & {each.casefold() for each in self.languages}:
            return None
        return 1, f"language: {', '.join(self.languages)[:80]}"


def _need(need: _Need, because: str, card: _Card) -> CardNeed:
    line = card.line_with(need.line, front_matter=need.concern == "commercial")
    if need.concern == "japanese":
        line = line or card.names_language("ja", "jpn", "japanese")
    return _card_need(need.concern, because, need.wants, need.reason, line)


def _language_needs(text: str, card: _Card) -> list[CardNeed]:
    found: list[CardNeed] = []
    for name, words in _OTHER_LANGUAGES.items():
        latin, japanese, code = words.split("|")
        pattern = re.compile(rf"\b{latin}\b|{japanese}", _I)
        asked = pattern.search(text)
        if asked is not None:
            line = card.line_with(pattern) or card.names_language(code, name)
            wants = f"Languages: the card does not name `{name.capitalize()}`, which the use case needs"
            reason = "A language that is not named was most likely not tested."
            found.append(_card_need("other_language", asked.group(), wants, reason, line))
    return found


def _card_need(concern: Concern, because: str, wants: str, reason: str, line: tuple[int, str] | None) -> CardNeed:
    number, quote = (line[0], quote_line(line[1])) if line is not None else (None, None)
    return CardNeed(concern=concern, because=quote_line(because), wants=wants, reason=reason, line=number, quote=quote)
