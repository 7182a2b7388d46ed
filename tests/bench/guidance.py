"""How well a question finds its guidance, and what is refused, beside plainer ways to search the same texts."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

import numpy as np

from knowledge.embedding import Embedder
from knowledge.entry import Entry, read_entries
from knowledge.fitting.measures import scores_of
from knowledge.lexical import LexicalRanker
from knowledge.passages import IndexedText, indexed_texts
from knowledge.ranking import HybridRanker
from knowledge.search import GuidanceSearch
from knowledge.topics import LANGUAGES, Language
from tests.bench.home import BenchHome
from tests.bench.results import Result, share_interval
from tests.knowledge.evaluation.questions import Question, read_questions
from tools.mirrors import bundled_folder

RECALL_5, RECALL_1, NDCG, REFUSED, GOOD_REFUSED = 0.95, 0.75, 0.85, 0.9, 0.05
DEPTH = 10
Ranker = Callable[[str], list[str]]
"""Entry ids for a question, the best first."""
_MEASURES = (("recall_at_1", "an answer stands first", RECALL_1), ("recall_at_5", "an answer among the first five", RECALL_5),
             ("ndcg_at_10", "order of the first ten (nDCG@10)", NDCG))  # fmt: skip


def measure(home: BenchHome) -> list[Result]:
    """Rank every question by each way, and count what is refused."""
    embedder, entries = Embedder(bundled_folder()), read_entries()
    search = GuidanceSearch(home.settings.index_folder, embedder)
    results: list[Result] = []
    for language in LANGUAGES:
        questions = read_questions(language)[:: 12 if home.quick else 1]
        inside = [each for each in questions if not each.outside and each.covered]
        ours = _scores(inside, lambda ask: [p.entry for p in search.search(ask, limit=DEPTH).passages])
        others = {
            "minilm_chroma": _scores(inside, _chroma(entries, language, embedder)),
            "bm25": _scores(inside, _bm25(entries, language)),
            "fused_without_glossary": _scores(inside, _fused(entries, language, embedder)),
        }
        results += [
            Result(
                name=f"guidance.{language}.{name}", title=f"Guidance, {language}: {title}", value=round(ours[name], 4),
                unit="share", goal=goal, bound="at least", n=len(inside), spread=share_interval(ours[name], len(inside)),
                detail={way: round(found[name], 4) for way, found in others.items()},
                conditions="questions by someone who had not read the entries, labelled by another against all of them; a refused "
                "question counts as not found; beside it MiniLM with Chroma, BM25, and the reciprocal rank fusion of both without a glossary, over the entries' texts",
            )
            for name, title, goal in _MEASURES
        ]  # fmt: skip
        results += _refusals(search, language, questions, inside)
    return results


def _refusals(
    search: GuidanceSearch, language: Language, questions: Sequence[Question], inside: Sequence[Question]
) -> list[Result]:
    outside = [each for each in questions if each.outside]
    refused = statistics.fmean(not search.search(each.ask).passages for each in outside)
    lost = statistics.fmean(not search.search(each.ask).passages for each in inside)
    return [
        Result(
            name=f"guidance.{language}.outside_refused", title=f"Guidance, {language}: questions out of scope that are refused",
            value=round(refused, 4), unit="share", goal=REFUSED, bound="at least", n=len(outside),
            spread=share_interval(refused, len(outside)), conditions="half of them share words with the field",
        ),
        Result(
            name=f"guidance.{language}.inside_refused", title=f"Guidance, {language}: questions in scope that are refused",
            value=round(lost, 4), unit="share", goal=GOOD_REFUSED, n=len(inside), spread=share_interval(lost, len(inside)),
            conditions="short and colloquial ones among them",
        ),
    ]  # fmt: skip


def _scores(questions: Sequence[Question], rank: Ranker) -> dict[str, float]:
    return scores_of([(rank(each.ask), each.relevant) for each in questions])


def _texts(entries: Sequence[Entry], language: Language) -> list[IndexedText]:
    return [text for text in indexed_texts(entries) if text.language == language]


def _chroma(entries: Sequence[Entry], language: Language, embedder: Embedder) -> Ranker:
    """What one writes first: every text in a collection, the nearest ones' entries."""
    import chromadb

    texts = _texts(entries, language)
    client = chromadb.EphemeralClient(chromadb.Settings(anonymized_telemetry=False))
    collection = client.create_collection(
        f"plain-{language}", embedding_function=None, metadata={"hnsw:space": "cosine"}
    )
    vectors = embedder.embed([text.text for text in texts])
    for start in range(0, len(texts), 1000):
        rows = slice(start, start + 1000)
        collection.add(ids=[text.id for text in texts[rows]], embeddings=vectors[rows])

    def rank(ask: str) -> list[str]:
        found = collection.query(query_embeddings=embedder.embed([ask]), n_results=100)["ids"][0]
        return list(dict.fromkeys(id.split(".")[0] for id in found))[:DEPTH]

    return rank


def _bm25(entries: Sequence[Entry], language: Language) -> Ranker:
    """BM25 over the same texts, Japanese cut into pairs and triples of characters."""
    texts = _texts(entries, language)
    ranker = LexicalRanker([text.text for text in texts])

    def rank(ask: str) -> list[str]:
        order = np.argsort(-ranker.scores(ask), kind="stable")[:100]
        return list(dict.fromkeys(texts[i].entry for i in order))[:DEPTH]

    return rank


def _fused(entries: Sequence[Entry], language: Language, embedder: Embedder) -> Ranker:
    """Reciprocal rank fusion of MiniLM and BM25 over the texts, without glossary, gloss or reader."""
    texts = _texts(entries, language)
    ranker = HybridRanker([text.text for text in texts], embedder, embedder.embed([text.text for text in texts]))

    def rank(ask: str) -> list[str]:
        return list(dict.fromkeys(texts[i].entry for i, *_ in ranker.rank(ask, limit=100)))[:DEPTH]

    return rank
