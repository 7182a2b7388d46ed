"""The words by which passages of the team's documents are found, and those that a question is about."""

from __future__ import annotations

from knowledge.glossary import expand
from knowledge.lexical import content_pieces, tokens_of
from knowledge.topics import Language

_OF_A_QUESTION = frozenset(
    ["policy", "polic", "company", "compan", "rule", "regulation", "handbook", "according", "say", "allow",
     "当社", "弊社", "貴社", "会社", "社内", "内規", "規程", "規定", "規則", "方針", "ルール", "社規"]
)  # fmt: skip
"""Words by which a question says whom it asks, and not about what."""


def words_of(text: str) -> list[str]:
    """What is indexed of a passage; a single kanji, which stands in no pair alone, is a word as well."""
    return [*tokens_of(text), *sorted(piece for piece in content_pieces(text) if _is_single(piece))]


def asked_words(question: str, language: Language) -> list[str]:
    """What is looked up for a question, in both languages as far as the glossary goes.

    Of Japanese only what is no grammar: among few passages an ending such as 「ますか」 may be rarer than what was asked.
    """
    widened = expand(question)
    return tokens_of(widened) if language == "en" else sorted(content_pieces(widened))


def topics_of(text: str) -> set[str]:
    """What a text is about: its words without those of the grammar, and without single kanji, which stand for verbs."""
    return {piece for piece in content_pieces(text) if not _is_single(piece)}


def _is_single(piece: str) -> bool:
    return len(piece) == 1 and not piece.isascii()


def asked_topics(question: str) -> set[str]:
    """What a question is about, without the words by which it asks the team's own rules; these alone when it has no other."""
    topics = topics_of(question)
    return topics - _OF_A_QUESTION or topics
