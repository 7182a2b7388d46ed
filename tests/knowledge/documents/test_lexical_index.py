"""Row T33: the index of words follows the documents, also through several hands, and is a cache."""

from __future__ import annotations

import pytest

from knowledge.documents.lexical_index import LexicalIndex, keys_by_number
from knowledge.documents.words import asked_words

TEXTS = {
    "a" * 32: ["No model without a licence text.", "Pickle files are forbidden."],
    "b" * 32: ["モデルの版を固定すること。", "ライセンスの本文がないモデルの利用を禁止する。"],
}
A, B = (int(key[:15], 16) for key in TEXTS)


def texts_of(key):
    return TEXTS[key]


def following(index, keys=tuple(TEXTS)):
    index.follow(lambda: keys_by_number(keys), texts_of)
    return index


def found(index, question, language="en", documents=None):
    return [(hit.document, hit.number) for hit in index.best(asked_words(question, language), 10, documents)]


@pytest.fixture(params=["on disk", "in memory"])
def index(request, tmp_path):
    return following(LexicalIndex(tmp_path if request.param == "on disk" else None))


def test_passages_are_found_by_their_words(index):
    assert found(index, "Is pickle forbidden?")[0] == (A, 1)
    assert found(index, "版の固定", "ja")[0] == (B, 0)
    assert found(index, "What about the weather?") == []


def test_the_glossary_leads_to_the_other_language(index):
    assert (B, 1) in found(index, "Which licence do models need?")
    assert (A, 0) in found(index, "ライセンスは必要ですか", "ja")


def test_only_the_documents_that_are_asked_for(index):
    assert found(index, "licence of a model", documents=[B]) == [(B, 1)]
    assert found(index, "licence of a model", documents=[]) == []


def test_a_rare_word_weighs_more_than_a_common_one(index):
    assert index.weight("nowhere") > index.weight("pickle") > index.weight("モデル")


def test_a_document_that_is_gone_is_not_found(index):
    assert found(following(index, ("b" * 32,)), "Is pickle forbidden?") == []


def test_another_process_finds_what_is_there_without_reading_the_texts(tmp_path):
    following(LexicalIndex(tmp_path))
    other = LexicalIndex(tmp_path)
    other.follow(lambda: keys_by_number(TEXTS), lambda key: pytest.fail("nothing needs to be read"))
    assert found(other, "Is pickle forbidden?")[0] == (A, 1)


def test_only_what_is_new_is_read(tmp_path):
    index, read = following(LexicalIndex(tmp_path), ("a" * 32,)), []
    index.follow(lambda: keys_by_number(TEXTS), lambda key: read.append(key) or TEXTS[key])
    assert read == ["b" * 32]


def test_a_damaged_folder_is_built_anew(tmp_path):
    following(LexicalIndex(tmp_path))
    (folder,) = tmp_path.glob("words-*")
    for file in folder.iterdir():
        file.write_bytes(b"broken")
    assert found(following(LexicalIndex(tmp_path)), "Is pickle forbidden?")[0] == (A, 1)


def test_what_other_versions_left_is_swept(tmp_path):
    (tmp_path / "words-old").mkdir()
    following(LexicalIndex(tmp_path))
    assert not (tmp_path / "words-old").exists()
