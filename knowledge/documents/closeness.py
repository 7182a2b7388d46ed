"""Whether a passage of the team's documents says anything to a question, and which of its sentences says it.

Between two English texts the similarity of MiniLM decides together with the words that they share. MiniLM finds all
Japanese alike and nothing alike in two languages, so that there the words decide alone: how much of what the question
is about the passage speaks of, each word by how rare it is. Measured on `tests/knowledge/policy_questions.toml`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache

from knowledge.documents.cutting import sentences
from knowledge.documents.words import asked_topics, topics_of
from knowledge.glossary import expand, terms
from knowledge.lexical import language_of
from knowledge.team_passage import TeamPassage
from knowledge.topics import Language

LEAST_OF_BOTH = ((0.45, 0.0), (0.30, 0.10), (0.22, 0.28), (0.15, 0.48))
"""English: similarity and share of the question's words; any pair is enough."""
LEAST_SHARE = 0.30
"""Japanese: share of the question's words."""
LEAST_SHARE_ACROSS: dict[Language, float] = {"en": 0.38, "ja": 0.28}
"""The same between two languages, where the glossary stands in between, by the language of the question."""
BY_GLOSSARY = 0.5
"""What a word counts within one language that the passage has only as another one of the glossary's."""
NOT_FAR_BEHIND = 0.5
"""Share of the closest passage's measure that another one must have to be shown beside it."""
_UNASKED = 0.5
"""Added to the weight of a question, so that a single common word is not all of it."""


class Closeness:
    """Judges passages against one question.

    Args:
        question: The question.
        weight: How much it tells that a passage has a word.
    """

    def __init__(self, question: str, weight: Callable[[str], float]) -> None:
        self._language: Language = language_of(question)
        self._weights = {word: weight(word) for word in asked_topics(question)}
        self._asked = topics_of(expand(question))
        self._meanings = [
            (form, others) for forms in _glossary() for form, others in _sides(forms) if form <= self._weights.keys()
        ]
        # A word tells no more than what stands for it in the other language: `model` is as common as モデル.
        for form, others in self._meanings:
            least = min((max(map(weight, other)) for other in others), default=1.0)
            self._weights |= {word: min(self._weights[word], least) for word in form}

    def close(self, passages: Sequence[TeamPassage], similarity: Sequence[float]) -> list[bool]:
        """Which passages are close enough to be an answer, and not far behind the closest of their language.

        Args:
            passages: The passages.
            similarity: Cosine similarity of each to the question.
        """
        measured = [self._measure(p, like) for p, like in zip(passages, similarity, strict=True)]
        closest = {of: max((m for m, each in measured if each == of), default=0.0) for _, of in measured}
        return [m > 0 and m >= NOT_FAR_BEHIND * closest[of] for m, of in measured]

    def _measure(self, passage: TeamPassage, similarity: float) -> tuple[float, Language]:
        """How close a passage is, 0 when it is not close enough, and its language, within which that can be compared."""
        language = language_of(passage.text)
        if self._language != language:
            share = self.share(passage, by_glossary=1.0)
            return (share if share >= LEAST_SHARE_ACROSS[self._language] else 0.0), language
        share = self.share(passage, by_glossary=BY_GLOSSARY)
        if language == "ja":
            return (share if share >= LEAST_SHARE else 0.0), language
        close = any(similarity >= like and share >= least for like, least in LEAST_OF_BOTH)
        return (similarity if close else 0.0), language

    def share(self, passage: TeamPassage, by_glossary: float) -> float:
        """How much of what the question is about the passage speaks of, from 0 to 1.

        Args:
            passage: The passage.
            by_glossary: What a word counts that the passage has only as another one of the glossary's.
        """
        there = topics_of(f"{passage.title} {passage.place} {passage.text}")
        meant = {word for form, others in self._meanings if any(other <= there for other in others) for word in form}
        counted = {word: 1.0 if word in there else by_glossary if word in meant else 0.0 for word in self._weights}
        shared = sum(weight * counted[word] for word, weight in self._weights.items())
        return shared / (sum(self._weights.values()) + _UNASKED)

    def closest_sentence(self, passage: TeamPassage) -> str:
        """The sentence that shares most with the question; the first one where none shares anything."""
        found = [sentence.strip() for sentence in sentences(passage.text)]
        return max(found, key=lambda sentence: len(self._asked & topics_of(sentence)), default="")


@cache
def _glossary() -> tuple[tuple[frozenset[str], ...], ...]:
    """What the terms of the glossary are about, form by form; a form that is about nothing is left out."""
    return tuple(tuple(filter(None, (frozenset(topics_of(form)) for form in forms))) for forms in terms())


def _sides(forms: tuple[frozenset[str], ...]) -> Iterator[tuple[frozenset[str], tuple[frozenset[str], ...]]]:
    """Each form of a term with the others."""
    for i, form in enumerate(forms):
        yield form, (*forms[:i], *forms[i + 1 :])
