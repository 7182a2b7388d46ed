"""The sections of the annotated model card template, with their weights and the headings they are known by."""

from __future__ import annotations

from typing import NamedTuple


class ExpectedSection(NamedTuple):
    """One section of the template."""

    name: str
    """Its name in the template, in English."""
    weight: float
    """How much it counts when nothing is known of the use: what a reuser decides by counts most."""
    headings: str
    """Pattern of the headings it is found under, in small letters, in English and Japanese."""


LIMITATIONS = "Bias, risks and limitations"
"""The section whose absence matters most when nothing else is known."""
EXPECTED_SECTIONS = (
    ExpectedSection("Model details", 2, r"(?:model|key|technical)? ?(?:details|description|summary|overview|"
        r"information|introduction|card|facts)|introduction|overview|"
              r"about(?: (?:this model|the model))?|at a glance|background|highlights|モデル(?:の)?(?:詳細|概要|説明|情報|紹介)|"
        r"概要|はじめに|基本情報|"
              r"(?:この|本)モデルについて"),
    ExpectedSection("Direct use", 4, r"(?:intended|direct) uses?(?: (?:&|and) limitations)?|what it (?:is|"
        r"can be used) for|primary (?:intended )?uses?|できること.*|(?:主な|直接の|想定する)?用途(?:と限界)?|利用目的|uses?|use cases?|"
        r"intended (?:use|uses|usage).*|applications?|用途|想定(?:される)?(?:用途|利用)|"
              r"直接(?:的な)?利用|ユースケース"),
    ExpectedSection("Downstream use", 1, r"downstream uses?|fine-?tuning (?:guide|this model)|secondary uses?|下流.*|"
        r"応用.*|組み込んでの用途"),
    ExpectedSection("Out-of-scope use", 3, r"out[- ]of[- ]scope.*|misuse.*|prohibited.*|(?:uses? )?not (?:intended|"
        r"recommended|supported).*|what it (?:cannot|can't|should not) .*|"
              r"(?:対象|想定|範囲|適用)外.*|禁止.*|してはいけない.*|使うべきでない.*"),
    ExpectedSection(LIMITATIONS, 5, r".*\b(?:limitations?|biases|bias|risks?|limits)\b.*|.*\b(?:safety|caveats|"
        r"ethical|weaknesses|fairness)\b.*|"
              r"known (?:problems?|issues?|weaknesses)|weak points|failure modes?|.*(?:制限|限界|バイアス|リスク|注意(?:点|事項)|"
              r"倫理|安全性).*"),
    ExpectedSection("Recommendations", 1, r"recommendations?|best practices|推奨(?:事項|設定)?|おすすめ.*"),
    ExpectedSection("How to get started", 2, r"how to (?:get started|use|run).*|(?:quick ?start|getting started|"
        r"usage|get started|example).*|inference.*|"
              r"使い方.*|使い始め方|使用(?:方法|例).*|利用(?:方法|例).*|実行(?:方法|例).*|推論.*|クイックスタート|コード例|サンプルコード"),
    ExpectedSection("Training data", 4, r"(?:pre-?|post-?|fine-?tuning )?(?:training)? ?(?:data|datasets?|corpus|"
        r"corpora)(?: (?:used|sources?|mix(?:ture)?))?|where the data came from|(?:学習|訓練|事前学習)(?:用)?(?:データ|コーパス).*|"
              r"(?:使用)?データ(?:セット)?|コーパス"),
    ExpectedSection("Training procedure", 2, r"training(?: (?:procedure|details|process|regime|hyperparameters))?|"
        r"(?:pre|post)-?training|fine-?tuning|"
              r"hyper-?\s?parameters?|how (?:we|it was) trained.*|(?:事前|追加)?(?:学習|訓練)(?:手順|方法|設定|(?:の)?(?:詳細|手順|方法|"
        r"設定|概要))?|ハイパーパラメータ"),
    ExpectedSection("Testing data and metrics", 2, r"testing data.*|test(?:ing)? (?:set|data)|metrics|factors|"
        r"evaluation (?:data|setup|protocol|metrics)|"
              r"評価(?:の)?(?:データ|指標|方法|条件).*|テストデータ.*"),
    ExpectedSection("Evaluation results", 4, r"(?:evaluation|results?|benchmarks?|performance|model performance|"
        r"accuracy|scores?)(?: results?)?.*|評価(?:結果|スコア)?|結果|ベンチマーク.*|性能.*|精度.*"),
    ExpectedSection("Model examination", 1, r"model examination|interpretability|explainability|モデルの検証|説明可能性"),
    ExpectedSection("Environmental impact", 1, r"environmental impact|carbon.*|co2.*|energy.*|環境(?:への)?(?:影響|負荷)|炭素.*"),
    ExpectedSection("Technical specifications", 1, r"technical spec.*|(?:model )?architecture.*|"
        r"full model architecture|specifications?|model (?:specs?|configuration)|技術仕様|(?:モデル)?(?:の)?(?:構造|アーキテクチャ|"
        r"仕様|構成)|諸元"),
    ExpectedSection("Citation", 1, r"citations?.*|citing.*|references?|bibtex.*|引用.*|参考文献"),
    ExpectedSection("Glossary", 0.5, r"glossary|用語(?:集)?"),
    ExpectedSection("More information", 0.5, r"more information|further information|links|resources|詳細情報|関連情報|リンク"),
    ExpectedSection("Model card authors", 1, r"(?:model card )?authors?|acknowledge?ments?|"
        r"(?:モデル)?(?:カード)?(?:の)?(?:著者|作成者|開発者|執筆者)|謝辞"),
    ExpectedSection("Model card contact", 1, r"(?:model card )?contacts?(?: us)?|feedback|support|(?:お)?問い?合わ?せ.*|連絡先"),
)  # fmt: skip
"""In the template's order."""
SECTION_WEIGHTS: dict[str, float] = {each.name: each.weight for each in EXPECTED_SECTIONS}
"""The template's sections in its order, each with its weight when nothing is known of the use."""
