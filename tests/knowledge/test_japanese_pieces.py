"""How the entry reader gets Japanese: the gloss first, then pieces of its own behind MiniLM's vocabulary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from knowledge.entry_reader import MAX_TOKENS, WEIGHTS, QuestionTokens, stored_reader
from knowledge.fitting.piece_learning import first_vectors, learn_pieces
from knowledge.japanese_pieces import JapanesePieces
from knowledge.low_rank import ADDED_WORDS
from knowledge.wordings import read_unseen
from tools.mirrors import bundled_folder

STORED = stored_reader(WEIGHTS)
TOKENIZER = AutoTokenizer.from_pretrained(bundled_folder(), local_files_only=True)
PIECES = JapanesePieces(STORED.pieces, TOKENIZER)
TOKENS = QuestionTokens(TOKENIZER, STORED.pieces)
OWN = len(TOKENIZER)


def unknown(ids):
    """The share of tokens that stand for nothing: MiniLM's unknown, or the pieces'."""
    return sum(each in (TOKENIZER.unk_token_id, OWN) for each in ids) / len(ids)


def test_unseen_questions_are_read_where_minilm_is_blind():
    asked = list(read_unseen("ja").graded)
    by_pieces = unknown([each for text in asked for each in PIECES.ids(text)])
    by_minilm = unknown([each for text in asked for each in TOKENIZER(text, add_special_tokens=False)["input_ids"]])
    assert by_minilm > 0.2
    assert by_pieces < 0.01


def test_words_that_minilm_confuses_are_told_apart():
    assert TOKENIZER("ばす")["input_ids"] == TOKENIZER("はず")["input_ids"]
    assert PIECES.ids("ばす") != PIECES.ids("はず")


def test_ascii_keeps_the_words_of_minilm():
    error = TOKENIZER("CUDA out of memory", add_special_tokens=False)["input_ids"]
    assert PIECES.ids("CUDA out of memoryと出る")[: len(error)] == error


def test_full_and_half_width_are_the_same():
    assert PIECES.ids("ＧＰＵのﾒﾓﾘｰ") == PIECES.ids("GPUのメモリー")


def test_english_is_read_by_minilm_alone():
    assert TOKENS.ids("Why is it slow?", "en") == TOKENIZER("Why is it slow?")["input_ids"]


def test_the_gloss_leaves_room_for_a_long_question():
    ids = TOKENS.ids("メモリが足りない。" * 40, "ja")
    assert len(ids) == MAX_TOKENS
    assert sum(each >= OWN for each in ids) > MAX_TOKENS / 3


@given(st.text(max_size=200), st.booleans())
def test_any_text_gives_ids_that_have_a_vector(text, gloss):
    ids = TOKENS.ids(text, "ja", gloss=gloss)
    assert len(ids) <= MAX_TOKENS
    assert all(0 <= each < OWN + len(STORED.arrays[ADDED_WORDS]) for each in ids)
    assert [ids[0], ids[-1]] == [TOKENIZER.cls_token_id, TOKENIZER.sep_token_id]


@pytest.fixture(scope="module")
def learnt():
    return learn_pieces([text for text in read_unseen("ja").outside for _ in range(2)])


def test_pieces_learnt_anew_read_the_texts_they_were_learnt_from(learnt):
    pieces = JapanesePieces(learnt, TOKENIZER)
    assert unknown([each for text in read_unseen("ja").outside for each in pieces.ids(text)]) < 0.01


def test_the_vector_of_a_piece_begins_at_its_gloss():
    import torch

    vectors = torch.randn(OWN, 8)
    found = first_vectors(STORED.pieces, TOKENIZER, vectors)
    (data,) = PIECES.ids("データ")
    (glossed,) = TOKENIZER("data", add_special_tokens=False)["input_ids"]
    assert torch.equal(found[data - OWN], vectors[glossed])
