"""Labels of the page in both languages."""

from __future__ import annotations

from assistant.languages import Language

LABELS: dict[str, tuple[str, str]] = {
    "tagline": (
        "Try it small, decide by measurement, set the operating rules first.",
        "まず小さく試し、実測で判断し、運用ルールを先に定めます。",
    ),
    "ask": ("Ask about adopting a pre-trained model …", "事前学習モデルの導入について質問してください…"),
    "send": ("Send", "送信"),
    "stop": ("Stop", "中止"),
    "new": ("New conversation", "新しい会話"),
    "language_auto": ("Answer as asked", "回答は質問の言語"),
    "for_auto": ("Any reader", "読み手を問わない"),
    "for_manager": ("Manager", "管理職向け"),
    "for_engineer": ("Engineer", "技術者向け"),
    "evidence": ("Evidence of this conversation", "この会話の証拠"),
    "no_evidence": ("Nothing has been measured or checked yet.", "まだ計測・確認した項目はありません。"),
    "plots": ("Plots of the newest measurement", "最新の実測のグラフ"),
    "reports": ("Plan and report", "計画と報告書"),
    "documents": ("Your team's documents", "チームの文書"),
    "add_documents": ("Add documents", "文書を追加"),
    "share": ("Share with the team", "チームで共有"),
    "own_documents": ("Documents that you added", "自分が追加した文書"),
    "remove": ("Remove", "削除"),
    "adding": ("Reading the document …", "文書を読み込んでいます…"),
    "choose_document": ("Choose the document to remove first.", "先に、削除する文書を選んでください。"),
    "approve": ("Run it", "実行する"),
    "reject": ("Do not run it", "実行しない"),
    "loading": ("Getting ready, the first question takes a moment …", "準備しています。初回は少し時間がかかります…"),
    "reading": ("Reading the question …", "質問を読んでいます…"),
    "going_on": ("Going on …", "続けています…"),
    "broken": (
        "Something went wrong inside the assistant; the terminal that it runs in says what.",
        "アシスタントの内部で問題が発生しました。詳しくは、起動した端末の表示をご覧ください。",
    ),
    "broken_next": (
        "Ask the question again; if it fails again, report what the terminal says.",
        "もう一度質問してください。再び起きる場合は、端末の表示を添えてお知らせください。",
    ),
}
EXAMPLES: dict[str, tuple[str, ...]] = {
    "en": (
        "Can't we just download a model and use it?",
        "Profile sentence-transformers/all-MiniLM-L6-v2 with batch 1, 8 and 32, then tell me if 2 GB of memory is enough.",
        "Check the version and documentation of sentence-transformers/all-MiniLM-L6-v2",
    ),
    "ja": (
        "部下から事前学習モデルを使えば効率化できると言われています。拾ってきて使えばいいだけではないのですか",
        "sentence-transformers/all-MiniLM-L6-v2 の版と文書を確認して",
        "sentence-transformers/all-MiniLM-L6-v2 をFAQ検索に使いたい。導入計画を立てて",
    ),
}


def label(key: str, language: Language) -> str:
    """The label in that language."""
    return LABELS[key][0 if language == "en" else 1]
