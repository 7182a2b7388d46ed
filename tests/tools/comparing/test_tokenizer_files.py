import struct

import pytest

VOCABULARY = {"[UNK]": 0, "a": 1, "b": 2, "ab": 3}
BERT = {
    "added_tokens": [{"id": 0, "content": "[UNK]", "special": True}],
    "normalizer": {"type": "BertNormalizer", "lowercase": True},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "truncation": {"max_length": 128},
    "padding": None,
    "model": {"type": "WordPiece", "vocab": VOCABULARY},
}


def with_model(**changes):
    return {**BERT, "model": {**BERT["model"], **changes}}


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (with_model(vocab={**VOCABULARY, "c": 4}), ["The vocabulary has 5 pieces instead of 4.", "1 pieces were added: `c`."]),
        (with_model(vocab={"[UNK]": 0, "b": 2, "ab": 3, "c": 1}), ["1 pieces were removed: `a`.", "1 pieces were added: `c`."]),
        (with_model(vocab={**VOCABULARY, "a": 2, "b": 1}), ["2 pieces have another number: `a`, `b`."]),
        (with_model(unk_token="[UNK]"), ["Settings of the tokenizer's model differ: `unk_token`."]),
        ({**BERT, "added_tokens": []}, ["Special pieces were removed: `[UNK]`."]),
        ({**BERT, "added_tokens": [{"id": 7, "content": "[UNK]", "special": True}]}, ["Special pieces have another number: `[UNK]`."]),
        ({**BERT, "normalizer": {"type": "BertNormalizer", "lowercase": False}},
         ["Capital letters are now kept.", "The cleaning of text before it is cut has other settings, `BertNormalizer`."]),
        ({**BERT, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Whitespace"}, {"type": "Digits"}]}},
         ["The first cut into words differs: from `BertPreTokenizer` to `Whitespace + Digits`."]),
    ],
)  # fmt: skip
def test_what_changes_the_pieces_is_of_high_risk(change_of, new, said):
    change = change_of("tokenizer.json", BERT, new)
    assert (change.kind, change.risk, list(change.details)) == ("tokenizer", "high", said)


def test_another_length_is_of_medium_risk(change_of):
    change = change_of("tokenizer.json", BERT, {**BERT, "truncation": {"max_length": 64}, "padding": {"strategy": "x"}})
    assert change.risk == "medium"
    assert change.details == (
        "The cutting of long texts differs: from `128` to `64`.",
        "The filling up of short texts differs: from `null` to `x`.",
    )


def test_another_order_of_entries_is_no_change_that_matters(change_of):
    change = change_of("tokenizer.json", BERT, dict(reversed(BERT.items())))
    assert (change.risk, change.details, change.retest) == ("low", (), "")


def test_merges_are_the_same_in_either_form_and_differ_by_their_order(change_of, differ):
    old = with_model(type="BPE", merges=["a b", "ab a"])
    swapped = with_model(type="BPE", merges=[["ab", "a"], ["a", "b"]])
    assert change_of("tokenizer.json", old, with_model(type="BPE", merges=[["a", "b"], ["ab", "a"]])).risk == "low"
    (change,) = differ({"tokenizer__json": old}, {"tokenizer__json": swapped})
    assert change.details == ("2 of 2 merge rules differ, the first is number 1.",)


def test_scores_of_a_unigram_vocabulary_count(change_of):
    old = with_model(type="Unigram", vocab=[["a", -1.0], ["b", -2.0]])
    change = change_of("tokenizer.json", old, with_model(type="Unigram", vocab=[["a", -1.0], ["b", -3.0]]))
    assert change.details == ("1 pieces have another score: `b`.",)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("vocab.txt", "a\nb\n", "a\nc\n", "1 pieces were removed: `b`."),
        ("vocab.json", {"a": 0}, {"a": 1}, "1 pieces have another number: `a`."),
        ("merges.txt", "#version: 0.2\na b\n", "#version: 0.3\na b\nb c\n",
         "There are 2 merge rules instead of 1, the first that differs is number 2."),
    ],
)  # fmt: skip
def test_lists_of_pieces_are_read_too(change_of, name, old, new, said):
    assert said in change_of(name, old, new).details


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("tokenizer.json", {**BERT, "version": "1.0"}, {**BERT, "version": "2.0"}),
        ("vocab.json", {"a": 0, "b": "x"}, {"a": 0, "b": "y"}),
        ("tokenizer.json", [1], [2]),
    ],
)
def test_what_is_not_understood_is_not_said_to_be_the_same(change_of, name, old, new):
    change = change_of(name, old, new)
    assert (change.risk, change.details) == ("medium", ("What differs in it decides nothing that is known here.",))


def test_a_template_among_the_settings_is_a_change_of_its_own(differ):
    old, new = {"chat_template": "{{ a }}", "model_max_length": 1}, {"chat_template": "{{ b }}", "model_max_length": 2}
    changes = differ({"tokenizer_config__json": old}, {"tokenizer_config__json": new})
    assert [(each.kind, each.risk) for each in changes] == [("tokenizer", "medium"), ("chat_template", "high")]
    assert changes[1].details == ("Removed: `{{ a }}`.", "Added: `{{ b }}`.")
    (alone,) = differ({"tokenizer_config__json": old}, {"tokenizer_config__json": {**old, "chat_template": "{{ c }}"}})
    assert alone.kind == "chat_template"


@pytest.mark.parametrize(
    "odd",
    [[], {"model": []}, {"model": {"vocab": 3}}, {"model": {"vocab": [[1], [], "x"]}}, {"added_tokens": {"a": 1}},
     {"added_tokens": [{"content": ["x"]}, 3]}, {"normalizer": {"normalizers": [{"normalizers": [{}]}]}}, {"model": {"merges": [1, {}]}}],
)  # fmt: skip
def test_T17_odd_tokenizers_are_compared_without_failing(change_of, odd):
    assert change_of("tokenizer.json", BERT, odd).risk == "high"
    assert change_of("tokenizer.json", odd, BERT).risk == "high"


def sentencepiece(pieces, normalizer=b"nmt", trained=b"x"):
    """The bytes of a SentencePiece model, written by hand: fields 1 (pieces), 2 (training) and 3 (normaliser)."""

    def field(number, value):
        return bytes([number << 3 | 2, len(value)]) + value

    rows = [
        field(1, field(1, text.encode()) + b"\x15" + struct.pack("<f", score) + bytes([0x18, kind]))
        for text, score, kind in pieces
    ]
    return b"".join([*rows, field(2, trained), field(3, normalizer)])


PIECES = [("<unk>", 0.0, 2), ("▁a", -1.0, 1), ("b", -2.0, 1)]


@pytest.mark.parametrize(
    ("new", "risk", "said"),
    [
        (sentencepiece([*PIECES, ("c", -3.0, 1)]), "high", "1 pieces were added: `c`."),
        (sentencepiece([*PIECES[:2], ("b", -2.5, 1)]), "high", "1 pieces have another score: `b`."),
        (sentencepiece([*PIECES[:2], ("b", -2.0, 4)]), "high", "Special pieces are matched in another way: `b`."),
        (sentencepiece(PIECES, normalizer=b"identity"), "high", "The cleaning of text before it is cut has other settings."),
        (sentencepiece(PIECES, trained=b"y"), "medium", "What differs in it decides nothing that is known here."),
        (b"\x0a\xff\xff", "high", "One of the two versions is not a SentencePiece model, so its entries were not compared."),
        (b"", "high", "One of the two versions has no pieces, so its entries were not compared."),
    ],
)  # fmt: skip
def test_sentencepiece_models_are_read_without_their_library(change_of, new, risk, said):
    change = change_of("sentencepiece.bpe.model", sentencepiece(PIECES), new)
    assert (change.kind, change.risk) == ("tokenizer", risk)
    assert said in change.details
