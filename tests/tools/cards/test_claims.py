"""Claims of the cards beside this file: true ones are confirmed, planted ones contradicted, and nothing else is."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.bench.claims import GOAL, SETS, count
from tests.tools.cards.card_models import build_model
from tests.tools.cards.planted import cards_of, check_planted
from tools.documentation import check_documentation
from tools.licences.terms import licence_text
from tools.model_sources import ModelSources

OFFLINE = ModelSources(offline=True)


@pytest.mark.parametrize("card", cards_of("tuned"), ids=lambda card: card.stem)
def test_a_true_card_is_confirmed_and_a_false_one_contradicted(card, tmp_path):
    true, false = check_planted(card, tmp_path)
    assert true.found("contradicted") == Counter()
    assert true.found("confirmed") == true.expected
    assert false.found("contradicted") == false.expected


@pytest.mark.parametrize("name", SETS)
def test_every_set_of_cards_holds_the_goal(name, tmp_path):
    checked = [each for card in cards_of(name) for each in check_planted(card, tmp_path / card.stem)]
    for verdict, false in (("contradicted", True), ("confirmed", False)):
        right, expected, found = count(checked, verdict, false=false)
        assert expected >= 40
        assert min(right / expected, right / found) >= GOAL


def claims_of(folder, kind, card):
    build_model(kind, folder)
    (folder / "README.md").write_text(card, encoding="utf-8")
    return {
        (c.topic, c.claim_line): (c.verdict, c.fact) for c in check_documentation(str(folder), sources=OFFLINE).claims
    }


@pytest.mark.parametrize(
    "said",
    [
        "| model | parameters | dimensions |\n|---|---|---|\n| other | 7B | 768 |",
        "Compared to BERT-large with 340M parameters it is small.",
        "## Training\nThe maximum length was 1,024 tokens, in fp32, with 3B parameters.",
        "```\nThis model has 7B parameters.\n```",
        "<!-- 7B parameters, 9,999 dimensions -->",
        "    max_length = 9999 tokens  # 7B parameters",
        "We offer sizes from 1B to 70B parameters.",
        "The active parameters number 3B.",
        "It produces about 4,000 new tokens a second.",
        "Embeddings can be truncated to 32 dimensions.",
        "2-dimensional plots are in the paper.",
        "教師モデルは 70億パラメータ、1,024 次元です。",
        "## 学習\n最大 9,999 トークン、float32 で学習しました。",
        "他の 768 次元のモデルとは混ぜられません。",
        "Phi-2 (2.7B parameters) scores higher. It has a context of 2048 tokens.",
        "OpenAI embeddings have 1536 dimensions, PCA to 64 costs two points.",
        "v1 had 768 dimensions and accepted 512 tokens.",
        "A 1.7B version with a 64k context window is coming next month.",
        "東北大学のBERT-largeは3.4億パラメータ、1024次元です。",
        "130億パラメータのモデルも公開しています。",
        "推論は半精度(fp16)でも動きます。",
        "The dataset is under CC BY-SA 4.0.",
        "| model | params |\n|---|---|\n| Phi-2 | 2.7B |\n| x (ours) | 1.9M |",
    ],
)  # fmt: skip
def test_what_is_said_of_other_things_is_no_claim(said, tmp_path):
    found = claims_of(tmp_path / "m", "decoder", f"# x\n\n{said}\n")
    assert [each for each in found.values() if each[0] == "contradicted"] == []


@pytest.mark.parametrize(
    ("kind", "said", "topic", "verdict"),
    [
        ("decoder", "It has 1.9M parameters.", "parameters", "confirmed"),
        ("decoder", "Parameters: 852K without embeddings", "parameters", "confirmed"),
        ("decoder", "It has 2.9M parameters.", "parameters", "confirmed"),  # its table is shared with the output
        ("embedder", "It has 0.9M parameters.", "parameters", "contradicted"),  # it has no output
        ("decoder", "パラメータ数は約1億8,000万です。", "parameters", "contradicted"),
        ("adapter", "The model has 4B parameters.", "parameters", "not_checkable"),
        ("decoder", "Weights are stored in half precision.", "dtype", "contradicted"),
        ("decoder", "The context window is 32K tokens.", "context_length", "confirmed"),
        ("embedder", "Texts above the maximum length of 512 tokens are cut.", "context_length", "contradicted"),
        ("embedder", "64次元のベクトルを出力します。", "embedding_size", "confirmed"),
        ("embedder", "The tokenizer is case-sensitive.", "tokenizer", "contradicted"),
        ("decoder", "語彙サイズは3.2万です。", "tokenizer", "contradicted"),
        ("japanese_decoder", "A SentencePiece tokenizer is used.", "tokenizer", "confirmed"),
        ("decoder", "It supports Japanese.", "languages", "not_checkable"),
        ("embedder", "日本語に対応しています。", "languages", "contradicted"),
        ("classifier", "The labels are negative, neutral and positive.", "labels", "confirmed"),
        ("tagger", "ラベル: PER、LOC", "labels", "confirmed"),
        ("classifier", "二値分類のモデルです。", "labels", "contradicted"),
        ("adapter", "Adapter for quiet-lab/chat-4b.", "base_model", "confirmed"),
        ("embedder", "Fine-tuned from other-lab/e5-base.", "base_model", "contradicted"),
        ("decoder", "params: 0.6B", "parameters", "contradicted"),
        ("decoder", "size: 1.9M", "parameters", "confirmed"),
        ("decoder", "It has 1.9M parameters, 70 times fewer than GPT-2 with 124M.", "parameters", "confirmed"),
        ("decoder", "We reduced 110M parameters to 1.9M.", "parameters", "confirmed"),
        ("decoder", "パラメータ数を1.1億から188万に減らしました。", "parameters", "confirmed"),
        ("decoder", "ctx: 8192", "context_length", "contradicted"),
        ("decoder", "It comes with a 32K context window.", "context_length", "confirmed"),
        ("decoder", "It remembers up to 32K tokens!", "context_length", "confirmed"),
        ("decoder", "Weights were saved in bf16, training ran in fp32.", "dtype", "confirmed"),
        ("decoder", "学習は fp32、保存形式は fp16 です。", "dtype", "contradicted"),
        ("embedder", "You get back a 768-d vector.", "embedding_size", "contradicted"),
        ("embedder", "Input is not lowercased.", "tokenizer", "contradicted"),
        ("embedder", "大文字と小文字は区別しません。", "tokenizer", "confirmed"),
        ("classifier", "Binary sentiment classification.", "labels", "contradicted"),
        ("classifier", "0 → negative, 1 → neutral, 2 → positive", "labels", "confirmed"),
        ("multilingual", "One space for Thai, Hindi and Arabic.", "languages", "contradicted"),
        ("embedder", "Initialised from other-lab/e5-base.", "base_model", "contradicted"),
    ],
)  # fmt: skip
def test_a_claim_is_held_against_its_file(kind, said, topic, verdict, tmp_path):
    assert claims_of(tmp_path / "m", kind, f"# x\n\n{said}\n")[topic, 3][0] == verdict


def test_packed_weights_make_the_number_of_parameters_uncheckable(tmp_path):
    folder = build_model("decoder", tmp_path / "m")
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace("{", '{"quantization_config": {"bits": 4},', 1))
    (folder / "README.md").write_text("# x\n\nIt has 7B parameters.\n")
    claim = next(c for c in check_documentation(str(folder), sources=OFFLINE).claims if c.topic == "parameters")
    assert claim.verdict == "not_checkable"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("| | m | Phi-2 |\n|---|---|---|\n| Params | 1.9M | 2.7B |\n| ctx | 2048 | 2048 |", {5: "confirmed", 6: "contradicted"}),
        ("| Model | Params (M) |\n|---|---|\n| Phi-2 | 2700 |\n| m (ours) | 1.9 |", {6: "confirmed"}),
        ("| Item | Value | Note |\n|---|---|---|\n| Params | 2.7B | all |", {5: "contradicted"}),
        ("| Params | Hidden |\n|---|---|\n| Phi-2 | 2560 |", {}),
    ],
)  # fmt: skip
def test_of_a_table_only_what_is_named_after_the_model_counts(table, expected, tmp_path):
    found = claims_of(tmp_path / "m", "decoder", f"# m\n\n{table}\n")
    assert {line: verdict for (_, line), (verdict, _) in found.items()} == expected


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("Released under the Apache License, Version 2.0.", "confirmed"),
        ("License: MIT", "contradicted"),
        ("クリエイティブ・コモンズ 表示-継承 4.0 ライセンスです。", "contradicted"),
        ("Apache ライセンスです。", "confirmed"),
        ("The training data is under the MIT licence.", None),
        ("The base model is under the MIT licence.", None),
        ("We met at MIT.", None),
    ],
)
def test_a_licence_in_words_is_held_against_the_licence_text(said, verdict, tmp_path):
    folder = build_model("decoder", tmp_path / "m")
    (folder / "LICENSE").write_text(licence_text("Apache-2.0") or "", encoding="utf-8")
    (folder / "README.md").write_text(f"# m\n\n{said}\n", encoding="utf-8")
    found = [c.verdict for c in check_documentation(str(folder), sources=OFFLINE).claims if c.topic == "licence"]
    assert found == ([verdict] if verdict else [])
