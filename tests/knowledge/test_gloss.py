"""The English gloss of Japanese utterances, and the dictionary behind it."""

from __future__ import annotations

import re
import tomllib
import unicodedata

import pytest

from knowledge.gloss import DICTIONARY, OF_THE_FIELD, gloss, gloss_question, gloss_words


def test_the_longest_key_wins():
    assert gloss("見積もって") == "estimate"
    assert gloss("そのあと") == "and then"


def test_unknown_characters_are_skipped():
    assert gloss("ゑゑ怪しゐ") == "suspicious"


def test_masks_and_ascii_words_are_kept_in_order():
    assert gloss("<model>をGPUに落として、<model2>を教えて") == "<model> gpu download <model2> tell me"


def test_full_width_text_is_read():
    assert gloss("２４ＧＢで足りますか") == "24gb enough ?"
    assert gloss("ﾒﾓﾘ") == gloss("メモリ") == "memory"


@pytest.mark.parametrize("text", ["", "Is it safe?", "<model>", "ゑ"])
def test_text_without_a_known_word_has_no_gloss(text):
    assert gloss(text) == ""


def test_the_dictionary_is_well_formed():
    document = tomllib.loads(DICTIONARY.read_text(encoding="utf-8"))
    assert document.keys() == {"words"}
    assert 2_500 <= len(gloss_words()) <= 3_000


def test_the_field_has_words_of_its_own():
    assert gloss_words().keys() & gloss_words(OF_THE_FIELD).keys() == set()
    assert "percentile" in gloss_question("パーセンタイルで約束する")
    assert "percentile" not in gloss("パーセンタイルで約束する")


@pytest.mark.parametrize("file", [DICTIONARY, OF_THE_FIELD])
def test_keys_are_japanese_as_the_text_is_read_and_none_is_a_single_kana(file):
    for key in gloss_words(file):
        assert key == unicodedata.normalize("NFKC", key).lower(), key
        assert not re.search(r"[\x00-\x7f]", key), key
        assert not re.fullmatch(r"[ぁ-ゖァ-ヺー]", key), key


@pytest.mark.parametrize("file", [DICTIONARY, OF_THE_FIELD])
def test_glosses_are_plain_ascii(file):
    for key, english in gloss_words(file).items():
        assert re.fullmatch(r"[\x20-\x7e]+", english), key
        assert english == english.strip(), key
