"""How long a search among 100,000 passages of the team's own documents takes, with and without a filter.

The passages are made of sentences of the guidance with invented words in between, so that no two are alike. Vectors are
those of some passages that were really embedded, each moved at random for every passage that takes it.
"""

from __future__ import annotations

import hashlib
import random
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from assistant.languages import language_of
from assistant.team_documents.library import TeamDocuments
from assistant.team_documents.records import NewDocument, searched_text
from assistant.team_documents.store import DocumentStore
from knowledge.documents.cutting import sentences
from knowledge.documents.vector_table import VectorTable, as_bytes
from knowledge.embedding import Embedder, Floats
from knowledge.entry import read_entries
from tests.bench.home import BenchHome
from tests.bench.machine import ROOT
from tests.bench.results import Result, quantile, quantiles, rounded
from tools.mirrors import bundled_folder

DOCUMENTS, PASSAGES = 1_000, 100
"""Documents, and passages of each."""
EMBEDDED = 1_500
"""Passages that are really embedded."""
MOVED = 0.03
"""Standard deviation by which each of a vector's 384 numbers is moved; the vectors have length 1."""
ONE_IN = 10
"""A filter leaves one document in so many."""
P95_MS, FILTERED_RATIO = 60.0, 1.5
WARM_UP = ("May we pin a version?", "版を固定する決まりは", "Who approves the budget?", "予算は誰が承認しますか")
EVERYBODY, ONE = "sees everything", "sees one in ten"


def measure(home: BenchHome) -> list[Result]:
    """Ask every question without a filter, as a user who sees one document in ten, and of one document in ten."""
    documents = DOCUMENTS // (20 if home.quick else 1)
    embedder = Embedder(bundled_folder())
    texts, vectors = _passages(documents * PASSAGES, embedder, EMBEDDED // (20 if home.quick else 1))
    place = home.folder / "team-documents"
    library = TeamDocuments(f"sqlite:///{place / 'team.sqlite3'}", lambda: embedder, place / "index")
    _fill(place, embedder, texts, vectors)
    build_s = _timed(lambda: library.search(WARM_UP[0], EVERYBODY))
    load_s = _first_search(place, embedder)
    add_s = _timed(lambda: library.add("# One more\n\n版を固定すること。\n".encode(), "one.md", user=EVERYBODY))
    few = [d.id for d in library.listed(EVERYBODY)][::ONE_IN]
    for question in WARM_UP:
        library.search(question, EVERYBODY)
    questions = read_questions()[:: 5 if home.quick else 1]
    taken = {
        "all": [_timed(lambda q=q: library.search(q, EVERYBODY)) for q in questions],
        "user": [_timed(lambda q=q: library.search(q, ONE)) for q in questions],
        "documents": [_timed(lambda q=q: library.search(q, EVERYBODY, documents=few)) for q in questions],
    }
    milliseconds = {name: [1000 * each for each in found] for name, found in taken.items()}
    p95 = {name: quantile(found, 0.95) for name, found in milliseconds.items()}
    by_language = {
        language: quantile([ms for ms, q in zip(milliseconds["all"], questions, strict=True) if language_of(q) == language], 0.95)
        for language in ("en", "ja")
    }  # fmt: skip
    ratios = {name: p95[name] / p95["all"] for name in ("user", "documents")}
    recall = _recall(embedder.embed(questions), vectors)
    library.close()
    size = f"{documents * PASSAGES:,} passages in {documents:,} documents"
    return [
        Result(
            name="documents.latency_p95", title=f"Search of the team's documents, {size}, with embedding, p95",
            value=rounded(p95["all"]), unit="ms", goal=P95_MS, n=len(questions), spread=quantiles(milliseconds["all"]),
            detail={f"p95.{name}": rounded(value) for name, value in (p95 | by_language).items()},
            conditions=f"p95; {len(questions)} different questions, each once, after a warm-up with others; "
            "synthetic passages, moved vectors of real ones",
        ),
        Result(
            name="documents.filtered", title="Search of the team's documents with a filter against without, p95",
            value=rounded(max(ratios.values())), unit="ratio", goal=FILTERED_RATIO, n=len(questions),
            spread=_ratios_of(milliseconds), detail={f"p95.{name}": rounded(value) for name, value in ratios.items()},
            conditions=f"the larger of: a user who sees one document in {ONE_IN}; one document in {ONE_IN} named",
        ),
        _told("documents.build", "Index of words built from the database", build_s, "s"),
        _told("documents.first_search", "First search of a process, everything read", load_s, "s"),
        _told("documents.add", "One more document added, reading process included", add_s, "s"),
        _told("documents.recall_at_10", "Of the ten nearest vectors, found by signs first", recall, "share", len(questions)),
    ]  # fmt: skip


def read_questions() -> list[str]:
    """Every question of the tests of closeness, those that no policy answers among them."""
    sections = tomllib.loads((ROOT / "tests/knowledge/policy_questions.toml").read_text(encoding="utf-8")).values()
    found = [
        item["ask"] if isinstance(item, dict) else item
        for section in sections
        for part in section.values()
        for item in part
    ]
    return list(dict.fromkeys(found))  # fmt: skip


def _told(name: str, title: str, value: float, unit: str, n: int = 1) -> Result:
    return Result(name=name, title=title, value=rounded(value), unit=unit, n=n, conditions="as above")


def _passages(count: int, embedder: Embedder, embedded: int) -> tuple[list[str], Floats]:
    choose, move = random.Random(7), np.random.default_rng(7)
    pools = {language: _sentences(language) for language in ("en", "ja")}
    texts = [_passage(pools["ja" if i % 2 else "en"], choose, japanese=bool(i % 2)) for i in range(count)]
    real = embedder.embed([searched_text("", "", text) for text in texts[:embedded]])
    # Of the passage's own language: the passages take turns.
    base = real[np.arange(count) % (embedded - embedded % 2)]
    moved = base + move.normal(0, MOVED, base.shape).astype(np.float32)
    return texts, (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)


def _sentences(language: str) -> list[str]:
    texts = [
        text
        for entry in read_entries()
        for text in entry.text("ja" if language == "ja" else "en").model_dump().values()
    ]
    return [found.strip() for text in texts for found in sentences(text) if len(found.strip()) > 15]  # fmt: skip


def _passage(pool: Sequence[str], choose: random.Random, *, japanese: bool) -> str:
    said = choose.choices(pool, k=choose.randint(3, 5))
    if japanese:
        return "".join(f"{sentence}{_invented(choose)}と{_invented(choose)}も同じとする。" for sentence in said)
    return " ".join(f"{sentence} So do {_word(choose)} and {_word(choose)}." for sentence in said)


def _word(choose: random.Random) -> str:
    """One of a million words, some of them often."""
    return "".join(("ka", "mo", "ri", "te", "su", "no", "la", "ve", "qui", "zo")[int(10 * choose.random() ** 2)] for _ in range(6))  # fmt: skip


def _invented(choose: random.Random) -> str:
    return "".join(chr(0x4E00 + int(2_000 * choose.random() ** 2)) for _ in range(2))


def _fill(place: Path, embedder: Embedder, texts: Sequence[str], vectors: Floats) -> None:
    store, content = DocumentStore(f"sqlite:///{place / 'team.sqlite3'}", lambda: embedder), as_bytes(vectors)
    for number in range(len(texts) // PASSAGES):
        rows = slice(number * PASSAGES, (number + 1) * PASSAGES)
        seen = number % ONE_IN == 0
        document = NewDocument(
            title=f"Document {number}", file_name=f"{number}.md", format="md", size_bytes=1,
            sha256=hashlib.sha256(str(number).encode()).hexdigest(), places=tuple(f"§ {i}" for i in range(PASSAGES)),
            texts=tuple(texts[rows]), vectors=content[rows],
        )  # fmt: skip
        # One user's documents are shared, so that the other one sees everything; the other's are not.
        store.add(document, user=ONE if seen else EVERYBODY, shared=seen)
    store.close()


def _first_search(place: Path, embedder: Embedder) -> float:
    library = TeamDocuments(f"sqlite:///{place / 'team.sqlite3'}", lambda: embedder, place / "index")
    try:
        return _timed(lambda: library.search(WARM_UP[0], EVERYBODY))
    finally:
        library.close()


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _ratios_of(milliseconds: dict[str, list[float]]) -> dict[str, float]:
    pairs = [
        found / every
        for name in ("user", "documents")
        for found, every in zip(milliseconds[name], milliseconds["all"], strict=True)
    ]
    return quantiles(pairs)  # fmt: skip


def _recall(questions: Floats, vectors: Floats) -> float:
    table, found = VectorTable([as_bytes(vectors)]), []
    for question in questions:
        exact = np.argpartition(-(vectors @ question), 10)[:10]
        found.append(len(set(table.nearest(question, 10)[0]) & set(exact)) / 10)
    return float(np.mean(found))
