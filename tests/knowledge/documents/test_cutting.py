"""Passages are a few sentences long, stand under one heading or on one page, and are quoted word by word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.documents.cutting import LONGEST, Piece, ReadBlock, cut, sentences, weight


def blocks(*rows):
    return [ReadBlock(text, level, page) for text, level, page in rows]


def squeezed(text):
    return "".join(text.split())


def test_no_passage_crosses_a_heading_and_its_place_names_the_headings():
    found = cut(
        blocks(
            ("Policy", 1, 0), ("Intro.", 0, 0), ("Security", 2, 0), ("Licences", 3, 0), ("One.", 0, 0), ("Two.", 0, 0),
            ("Formats", 2, 0), ("Three.", 0, 0),
        ),
        "Policy",
    )  # fmt: skip
    assert list(found) == [
        Piece("", "Intro."),
        Piece("Security › Licences", "One.\nTwo."),
        Piece("Formats", "Three."),
    ]


def test_no_passage_crosses_a_page():
    found = cut(blocks(("One.", 0, 1), ("Two.", 0, 1), ("Three.", 0, 2)))
    assert list(found) == [Piece("p. 1", "One.\nTwo."), Piece("p. 2", "Three.")]


def test_an_article_is_a_place_of_its_own():
    found = cut(
        blocks(("第2章 選定", 2, 0), ("第3条(ライセンス) 本文を確認する。", 0, 0), ("第4条 版を固定する。", 0, 0))
    )
    assert [piece.place for piece in found] == ["第2章 選定 › 第3条(ライセンス)", "第2章 選定 › 第4条"]


def test_a_heading_that_nothing_follows_is_a_text():
    found = cut(blocks(("Rules", 1, 0), ("Pickle files are forbidden", 2, 0), ("Pin every version", 2, 0)), "Rules")
    assert [piece.text for piece in found] == ["Pickle files are forbidden", "Pin every version"]


def test_a_document_of_nothing_but_a_title_says_that():
    assert list(cut(blocks(("Rules", 1, 0)), "Rules")) == [Piece("", "Rules")]


@pytest.mark.parametrize(
    ("sentence", "count", "low", "high"),
    [("Every model has a licence text and an owner.", 200, 60, 185), ("モデルの版はコミットで固定し、台帳に記録する。", 120, 60, 185)],
)  # fmt: skip
def test_long_texts_are_cut_into_passages_of_like_length(sentence, count, low, high):
    found = list(cut(blocks((" ".join([sentence] * count), 0, 0))))
    assert len(found) > 3
    assert all(low <= weight(piece.text) <= high for piece in found)
    assert all(piece.text.endswith((".", "。")) for piece in found)


def test_japanese_passages_have_two_to_four_hundred_characters():
    found = list(
        cut(blocks(("担当者は、モデルの版をコミットのハッシュで固定し、台帳に記録しなければならない。" * 40, 0, 0)))
    )
    assert all(200 <= len(piece.text) <= 400 for piece in found)


def test_a_text_without_any_sentence_is_cut_as_well():
    found = list(cut(blocks(("word " * 2000, 0, 0), ("語" * 5000, 0, 0))))
    assert all(weight(piece.text) <= LONGEST + 1 for piece in found)


@given(st.lists(st.tuples(st.text(min_size=1, max_size=400), st.integers(0, 3)), max_size=12))
def test_nothing_is_lost_and_nothing_added(rows):
    given_blocks = blocks(*((text, level, 0) for text, level in rows if text.strip()))
    texts = [block.text for block in given_blocks if not block.level]
    found = "".join(squeezed(piece.text) for piece in cut(given_blocks))
    for text in texts:
        assert squeezed(text) in found


@given(st.text(max_size=500))
def test_sentences_joined_are_the_text(text):
    assert "".join(sentences(text)) == text


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Use v1.2.3 of a.b. Then stop.", 2),
        ("It costs 3.5 EUR, e.g. per day. 1. First item. Done!", 3),
        ("「はい。」と答える。次へ進む。", 3),
        ("One line\nanother line", 2),
        ("", 0),
    ],
)
def test_where_a_sentence_ends(text, count):
    assert len(sentences(text)) == count
