"""What kinds of intended uses ask of a card: the sections they rest on, the line they need, and why."""

from __future__ import annotations

from typing import Literal, NamedTuple

from tools.cards.template import LIMITATIONS

Concern = Literal[
    "people", "japanese", "other_language", "regulated", "edge", "commercial", "long_documents", "translation", "code", "search",
    "classification", "conversation", "personal_data",
]  # fmt: skip


class ConcernNeed(NamedTuple):
    """What one concern asks of a card."""

    concern: Concern
    use: str
    """Pattern of a use case that has the concern; compiled only for a use, since all take longer than a check."""
    line: str
    """Pattern of a line that answers it."""
    sections: tuple[str, ...]
    weight: float
    wants: str
    reason: str


CONCERN_NEEDS = (
    ConcernNeed(
        "people",
        (r"customer|patient|medical|health|hiring|recruit|applicant|credit|loan|legal|child|student|insurance|"
            r"employee|citizen|benefit|police|"
                   r"顧客|患者|医療|採用|応募者|与信|融資|法務|子ども|学生|生徒|保険|人事|従業員|社員|市民|住民|福祉"),
        r"\bbias|fairness|stereotyp|discriminat|gender|subgroup|demographic|バイアス|偏り|偏った|公平|差別|性別|不利益",
        (LIMITATIONS, "Out-of-scope use", "Evaluation results"), 8,
        "Limits and bias: whom it serves badly",
        "Its mistakes fall on people, and only known limits tell where a person must decide.",
    ),
    ConcernNeed(
        "regulated",
        (r"medical|clinical|diagnos|patient|drug|legal|contract|lawyer|financ|bank|audit|tax|insurance|compliance|"
                   r"医療|臨床|診断|患者|薬|法務|契約|弁護士|金融|銀行|監査|税|保険|法令"),
        r"medical|clinical|legal|financ|domain|professional|advice|not (?:be )?(?:used|intended)|医療|臨床|法|金融|専門|分野|判断",
        ("Out-of-scope use", "Testing data and metrics", "Evaluation results"), 7,
        "Results and exclusions in this field",
        "In a regulated field a general score says little, and a use that the publisher excludes is hard to defend.",
    ),
    ConcernNeed(
        # Kanji without a kana are Japanese too: 社内FAQ検索.
        "japanese", r"日本語|japanese|[\u3041-\u3096\u30a1-\u30fa\u3400-\u9fff\uff66-\uff9d]\w{0,79}",
        r"japanese|日本語|jglue|jmteb|multilingual|多言語|(?<!\d)\d{2,4}(?:\+? languages|\s?(?:以上の|の|[かカヶ]国)?言語)",
        ("Evaluation results", "Training data"), 14,
        "Languages: the card does not name Japanese, which the use case needs",
        "A model that was not made for Japanese can look right in English tests and fail in daily use.",
    ),
    ConcernNeed(
        "long_documents",
        (r"long (?:documents?|texts?|contracts?|reports?)|\breports?\b|contracts?\b|manuals?\b|whole (?:documents?|"
            r"books?)|minutes of|"
                   r"長文|長い(?:文書|文章|資料)|報告書|契約書|マニュアル|議事録|論文|書籍"),
        r"(?:context|sequence|input|max).{0,40}?\d{3,}|(?<!\d)\d[\d,]{0,12}k?[ -]?(?:tokens?|word ?pieces?|トークン)|"
        r"コンテキスト長|系列長|最大長",
        ("Technical specifications", LIMITATIONS), 7,
        "Longest input",
        "What exceeds the longest input is cut off without a word.",
    ),
    ConcernNeed(
        "edge",
        (r"embedded|edge|on[- ]device|mobile|phone|raspberry|iot|microcontroller|offline device|laptop|browser|"
                   r"組み込み|組込|エッジ|端末|スマートフォン|スマホ|携帯|オンデバイス|マイコン|車載|ブラウザ"),
        r"latency|milliseconds?|\bms\b|memory|\bMB\b|\bMiB\b|\bGB\b|quanti[sz]|int8|cpu|throughput|レイテンシ|遅延|メモリ|量子化|"
        r"推論速度",
        ("Technical specifications", "Environmental impact"), 6,
        "Memory and response time on small devices",
        "A small device has a fixed memory and a fixed time, and a figure from a large card says nothing about either.",
    ),
    ConcernNeed(
        "commercial",
        r"commercial|product|customer|sell|paid|saas|商用|製品|商品|顧客|販売|有料",
        r"licen[cs]e|commercial|terms of use|ライセンス|商用|利用規約|許諾",
        ("Training data", "Model details"), 5,
        "Terms: whether commercial use is allowed, and for the data as well",
        "A product carries the terms of the model and of what it was trained on to its customers.",
    ),
    ConcernNeed(
        "translation", r"translat|翻訳|通訳|ローカライズ",
        r"\bBLEU\b|\bchrF|\bCOMET\b|language pairs?|translation (?:quality|results?)|言語対|翻訳(?:品質|精度|結果)|対訳",
        ("Testing data and metrics", "Evaluation results"), 7,
        "Language pairs and a score for each",
        "Quality of a translation differs much between pairs and directions.",
    ),
    ConcernNeed(
        "code", r"\bcod(?:e|ing)\b|programm|software|refactor|unit tests?|コード|プログラ|ソフトウェア|開発支援",
        r"programming languages?|python|javascript|pass@|humaneval|mbpp|permissive|プログラミング言語",
        ("Training data", "Evaluation results", "Out-of-scope use"), 6,
        "Programming languages, and the licences of the code it was trained on",
        "Generated code can repeat what it was trained on, with that code's licence.",
    ),
    ConcernNeed(
        "search", r"search|retriev|faq|similar|rag\b|embedding|検索|類似|埋め込み|ナレッジ",
        r"cosine|dot[- ]product|normali[sz]|prefix|query:|instruction|mteb|retrieval|recall@|ndcg|コサイン|内積|正規化|検索",
        ("Evaluation results", "How to get started"), 4,
        "Similarity to use, prefixes, and results in retrieval",
        "The wrong similarity or a missing prefix lowers the results without an error.",
    ),
    ConcernNeed(
        "classification", r"classif|sentiment|categor|triage|moderat|spam|detect|tagging|分類|感情|仕分け|判定|検知|検出|抽出|タグ付け",
        r"\blabels?\b|\bclass(?:es)?\b|\bF1\b|precision|recall|confusion|ラベル|クラス|適合率|再現率",
        ("Testing data and metrics", "Training data"), 5,
        "What each class means, and a score for each",
        "Classes that mean something else than yours cannot be mended by a threshold.",
    ),
    ConcernNeed(
        "conversation", (r"chat|assistant|dialog|conversation|answer(?:s|ing)? questions|generat|summar|draft|"
                                   r"チャット|対話|会話|質問応答|回答|生成|要約|下書き|問い合わせ"),
        r"hallucinat|factual|makes? (?:things|facts) up|safety|red[- ]team|harmful|guardrail|幻覚|事実(?:と異なる|でない|誤認)|"
        r"もっともらしい|安全性|有害",
        (LIMITATIONS, "Out-of-scope use"), 5,
        "What it makes up, and how it was tried for harmful answers",
        "A fluent answer hides that it is wrong.",
    ),
    ConcernNeed(
        "personal_data", r"personal data|privacy|\bPII\b|\bGDPR\b|medical records?|個人情報|プライバシー|マイナンバー|カルテ",
        r"personal (?:data|information)|privacy|\bPII\b|anonymi[sz]|consent|個人情報|プライバシー|匿名",
        ("Training data", LIMITATIONS), 6,
        "Whether personal data was in the training, and what can come out again",
        "A model can repeat personal data that it was trained on.",
    ),
)  # fmt: skip
"""One for each concern but a language other than Japanese."""
