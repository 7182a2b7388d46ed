"""What the search learns: every grade is of an entry, and nothing is learnt of what it is chosen or measured on."""

from __future__ import annotations

import unicodedata

import pytest

from knowledge.entry import read_entries
from knowledge.topics import LANGUAGES
from knowledge.wordings import ANSWERS, read_graded, read_outside, read_unseen, read_wordings
from tests.knowledge.evaluation.questions import read_questions

ENTRIES = {entry.id for entry in read_entries()}


def plain(texts):
    """The texts without what two people who type the same may do differently."""
    return {unicodedata.normalize("NFKC", text).casefold().strip(" .?!。？！") for text in texts}


def learnt(language):
    return plain(
        [
            *(text for own in read_wordings().values() for text in own[language]),
            *read_graded(language),
            *read_outside(language),
        ]
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_grade_is_of_an_entry(language):
    for ask, grades in {**read_graded(language), **read_unseen(language).graded}.items():
        assert ask == ask.strip() != ""
        assert set(grades) <= ENTRIES, ask
        assert grades, ask
        assert set(grades.values()) <= {1, ANSWERS}, ask


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_learnt_of_the_questions_that_it_is_measured_on(language):
    assert learnt(language) & plain(each.ask for each in read_questions(language)) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_learnt_of_the_questions_that_settings_are_chosen_on(language):
    unseen = read_unseen(language)
    chosen_on = plain([*unseen.graded, *unseen.outside])
    assert learnt(language) & chosen_on == set()
    assert plain(each.ask for each in read_questions(language)) & chosen_on == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guidance_is_not_taught_to_answer_what_it_is_not_to_answer(language):
    assert plain(read_graded(language)) & plain(read_outside(language)) == set()
