"""Reads a team's documents for what they ask of models, in English and Japanese.

A document never does more than be read for the requirements of the table and be quoted: whatever else it says, in
whatever tone, is a sentence that nobody could check. Sentences that oblige or forbid and speak of models, but ask for
something unknown, are kept as `unrecognised`, so that none is lost silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from assistant.advice.policy_force import WEAK, Clause, Marker, clauses_of, compiled, find_markers, patterns
from assistant.advice.policy_limits import (
    DATA_CLASSES,
    approver,
    data_classes,
    forces_of,
    licence_names,
    limits_of,
)
from assistant.advice.policy_objects import Thing, asked_for, find_things, governing
from assistant.advice.policy_records import Force, Statement
from assistant.advice.policy_text import Sentence, normalised, sentences_of
from knowledge.team_passage import TeamPassage

LONGEST_QUOTE = 400
_QUESTION = re.compile(r"\?\s*[”\"」』)]?$|(?:か|でしょうか|ますか|ですか)[。]?[」』]?$")
_DIGIT = re.compile(r"\d")
_STRONG = {"must", "must_not", "only"}
_LIMIT_OF = {"memory": "max_memory", "latency": "max_latency", "budget": "max_budget", "quality": "min_quality"}
_NEGATED_LEAD = re.compile(r"without|lack|unless|missing|(?:ない|満たさない|欠く)(?:もの|モデル|場合)", re.IGNORECASE)
_NOT_ONLY = re.compile(r"\bnot\s+only\b|\bonly\s+then\b", re.IGNORECASE)
_NO_THIS_NO_THAT = re.compile(r"^no\s+(?P<what>[^,.;]+?)\s*[,–-]+\s*no\b", re.IGNORECASE)
_WHEN = re.compile(r"(?:before|after|when|once|if|as\s+soon\s+as)\b[^,]*,", re.IGNORECASE)
_LONGEST_HEADED = 160
"""A line below a heading such as "Prohibited" takes its force from there when it is no longer than this."""
_LICENCE_WORD = re.compile(r"licen[cs]|ライセンス|許諾", re.IGNORECASE)


class _Read(NamedTuple):
    """What a sentence asks for, before it is put down as a statement."""

    requirement: str
    force: Force
    limit: float | None = None
    unit: str = ""
    values: tuple[str, ...] = ()


def may_oblige(passage: TeamPassage) -> bool:
    """Whether a passage can hold a statement about models; a quick look for texts that cannot.

    Args:
        passage: A passage of a document.
    """
    text = f"{passage.title} {passage.place} {passage.text}".lower()
    return any(stem in text for stem in _stems())


@cache
def _stems() -> tuple[str, ...]:
    rows = patterns()["requirement"].values()
    return tuple(
        dict.fromkeys(
            ["model", "モデル", "ai", "llm", "weights", "重み", *(s for row in rows for s in row.get("stems", ()))]
        )
    )


def read_policy(passages: Iterable[TeamPassage]) -> tuple[Statement, ...]:
    """What the team's documents ask of models, in the order of the passages.

    Args:
        passages: Passages of the documents that the user can see.
    """
    found: dict[tuple[str, str, str], Statement] = {}
    for passage in passages:
        for statement in _read_passage(passage):  # type: ignore[arg-type]  # a frozen record has a hash
            # Passages of one document may overlap.
            found.setdefault((statement.document, statement.quote, statement.requirement), statement)
    return tuple(found.values())


@lru_cache(maxsize=20_000)
def _read_passage(passage: TeamPassage) -> tuple[Statement, ...]:
    """A passage never changes, and a plan is made again and again."""
    return tuple(_statements_of(passage))


def _statements_of(passage: TeamPassage) -> Iterator[Statement]:
    above = passage.place.replace("›", "\n").strip().rsplit("\n", 1)[-1].strip()
    titled = _speaks_of_models(f"{passage.title} {passage.place}")
    about = titled or _speaks_of_models(passage.text)
    for sentence in sentences_of(passage.text):
        text = _NOT_ONLY.sub("", normalised(sentence.text))
        if not text or _QUESTION.search(text):
            continue
        borrowed = _borrowed_force(sentence, above)
        if not borrowed and not find_markers(text) and not _DIGIT.search(text):
            continue
        reads = list(_read_sentence(text, borrowed, f"{sentence.lead} {sentence.heading} {above}"))
        reads = reads or _unread(text, borrowed, titled=titled, leads_in=sentence.leads_in)
        if reads and compiled("context", "reported").search(text):
            reads = [_Read("unrecognised", "should")]  # what others say obliges nobody
        for read in reads:
            if not about and patterns()["requirement"].get(read.requirement, {}).get("context"):
                continue  # words that are said of much else, in a passage that is not about models
            yield _statement(passage, sentence, read, text, speaks_of_models=about, borrowed=bool(borrowed))


def _speaks_of_models(text: str) -> bool:
    return compiled("context", "model").search(normalised(text)) is not None


def _borrowed_force(sentence: Sentence, above: str) -> tuple[Marker, ...]:
    """Words of force of what introduces a sentence that has none of its own."""
    for source in (sentence.lead, sentence.heading, above):
        text = normalised(source)
        if not text or (
            source is not sentence.lead and not (sentence.is_item or len(sentence.text) <= _LONGEST_HEADED)
        ):
            continue
        markers = [m for m in find_markers(text) if m.kind not in {"plain", "plain_not"}]
        only = [m for m in markers if m.kind == "only"]
        strong = only or [m for m in markers if m.kind != "permit"] or markers
        if strong:
            kind = "must" if strong[-1].kind in {"only", "permit"} else strong[-1].kind
            if source is sentence.lead and kind == "must_not" and _NEGATED_LEAD.search(text):
                kind = "must"
            return (Marker(kind, 0, 0, ""),)
    return ()


def _read_sentence(text: str, borrowed: tuple[Marker, ...], around: str) -> Iterator[_Read]:
    things = find_things(text)
    whole = _NO_THIS_NO_THAT.match(text)
    if whole is not None:
        for thing in find_things(whole["what"]):
            if thing.good:
                yield _Read(thing.requirement, "must")
        return
    said: set[str] = set()
    before: Clause | None = None
    for clause in clauses_of(text, [t.span for t in things]):
        if before is not None and not find_things(clause.text):
            # "Remote code needs an exception and is otherwise prohibited": the same thing, with another word of force.
            clause = Clause(
                before.text, tuple(m._replace(start=len(before.text), end=len(before.text)) for m in clause.markers)
            )
        before = clause
        own = [m for m in clause.markers if m.kind not in {"plain", "plain_not"}]
        used = clause if own or not borrowed else Clause(clause.text, borrowed)
        for read in _read_clause(used, find_things(used.text), around):
            if read.requirement not in said:
                said.add(read.requirement)
                yield read


def _read_clause(clause: Clause, things: Sequence[Thing], around: str) -> Iterator[_Read]:
    names = {t.requirement for t in things}
    if not clause.markers and not limits_of(clause.text, set()):
        return
    said = list(_licences(clause, names, around))
    yield from (*_limits(clause), *said, *_data(clause, names))
    for thing in things:
        marker = governing(clause, thing.start, thing.end)
        force = asked_for(clause, thing, things, marker) if marker is not None else ""
        if not force or (thing.text[:2].upper() == "CC" and said):
            continue  # a licence that a list of licences names already
        if thing.requirement == "approval" and _is_way_out(clause, thing, things):
            continue
        if thing.requirement in {"approval", "trial_first"} and len(things) > 1 and _sets_the_time(clause, thing):
            continue
        values = (role,) if thing.requirement == "approval" and (role := approver(clause.text)) else ()
        yield _Read(thing.requirement, force, values=values)  # type: ignore[arg-type]  # one of the three words


def _is_way_out(clause: Clause, approval: Thing, things: Sequence[Thing]) -> bool:
    """Whether an approval is only the exception to another requirement, as in "no remote code unless approved"."""
    head = clause.text[: approval.start]
    return any(t.requirement != "approval" and t.end <= approval.start for t in things) and bool(
        re.search(r"\b(?:unless|except|without)\b[^.;]*$", head, re.IGNORECASE)
        or re.search(r"場合を除|を除き|得た場合|なく|なしに", clause.text)
    )


def _sets_the_time(clause: Clause, thing: Thing) -> bool:
    """Whether a thing only says when, as in "before a model is approved, its licence text has to be there"."""
    when = _WHEN.match(clause.text)
    return when is not None and thing.end <= when.end()


def _limits(clause: Clause) -> Iterator[_Read]:
    forces = forces_of(clause)
    for limit in limits_of(clause.text, forces):
        weak = bool(forces & {"should", "should_not"}) and not forces & _STRONG
        yield _Read(_LIMIT_OF[limit.kind], "should" if weak else "must", limit.number, limit.unit)


def _licences(clause: Clause, names: set[str], around: str) -> Iterator[_Read]:
    """A list of licences: the allowed ones, or those that are ruled out."""
    found = licence_names(clause.text)
    if not found or "permissive" in names or not _LICENCE_WORD.search(f"{clause.text} {around}"):
        return
    first = Thing("licences", True, found[0][1], found[-1][2], "")
    marker = governing(clause, first.start, first.end)
    if marker is None:
        return
    values = tuple(dict.fromkeys(name for name, _, _ in found))
    force = asked_for(clause, first, [first], marker)
    if force == "must" and marker.kind == "plain":
        return
    if force in {"must", "should"}:
        yield _Read("licences", force, values=values)  # type: ignore[arg-type]  # one of the words
    elif marker.kind in {"must_not", "should_not"}:
        yield _Read("no_licences", "must" if marker.kind == "must_not" else "should", values=values)


def _data(clause: Clause, names: set[str]) -> Iterator[_Read]:
    """Classes of data that may not be used."""
    classes = data_classes(clause.text)
    if not classes or "runs_inside" in names:
        return
    place = compiled("classes", classes[-1]).search(clause.text)
    marker = governing(clause, *(place.span() if place else (0, 0)))
    if marker is None:
        return
    if marker.kind in {"must_not", "should_not"}:
        yield _Read("data_class", "must" if marker.kind == "must_not" else "should", values=classes)
    elif marker.kind == "only":
        higher = DATA_CLASSES[DATA_CLASSES.index(classes[-1]) + 1 :]
        yield _Read("data_class", "must", values=higher)


def _unread(text: str, borrowed: tuple[Marker, ...], *, titled: bool, leads_in: bool) -> list[_Read]:
    """A sentence that obliges or forbids and is about models, but asks for nothing that the table knows."""
    if leads_in:
        return []
    kinds = {m.kind for m in find_markers(text)} - WEAK
    if not kinds:
        kinds = {m.kind for m in borrowed}
    binding = kinds & _STRONG and (titled or compiled("context", "obliges").search(text))
    return [_Read("unrecognised", "must")] if binding else []


def _statement(
    passage: TeamPassage, sentence: Sentence, read: _Read, text: str, *, speaks_of_models: bool, borrowed: bool
) -> Statement:
    # "Software without a licence" may or may not mean models: somebody has to say.
    elsewhere = not speaks_of_models and read.requirement in {"licence_text", "licence_known"}
    quote = f"{sentence.lead} {sentence.text}" if borrowed and sentence.lead else sentence.text
    return Statement(
        passage=passage.id,
        document=passage.document,
        title=passage.title,
        place=passage.place,
        quote=quote[:LONGEST_QUOTE],
        force=read.force,
        requirement="unrecognised" if elsewhere else read.requirement,
        limit=read.limit,
        unit=read.unit,
        values=read.values,
        only_if=_condition(text),
        excepted=compiled("context", "exception").search(text) is not None,
    )


def _condition(text: str) -> str:
    """Words of a condition that narrows a sentence; those that name what is asked for, or any use of a model, do not."""
    found = compiled("context", "condition").search(text)
    if found is None:
        return ""
    words = found[0].strip()
    if find_things(words) or compiled("context", "trivial_condition").search(words):
        return ""
    return "" if compiled("context", "not_scope").search(words) else words
