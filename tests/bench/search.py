"""How long a search of the guidance takes, the embedding of the question included, and how long its index takes to open and build."""

from __future__ import annotations

import tempfile
import time
import tomllib
from pathlib import Path
from unittest import mock

from assistant.languages import language_of
from knowledge import index
from knowledge.embedding import Embedder
from knowledge.search import GuidanceSearch
from tests.bench.home import BenchHome
from tests.bench.machine import ROOT
from tests.bench.results import Result, quantile, quantiles, rounded
from tools.mirrors import bundled_folder

P95_MS = 40.0
OPEN_S, REBUILD_S = 0.3, 60.0
OPENINGS, REBUILDS = 9, 2
WARM_UP = ("pin the version", "版を固定する", "What does a pilot cost?", "メモリは足りますか")


def read_questions() -> list[str]:
    """Every question that the tests of the search ask, those that the guidance does not answer among them."""
    sections = tomllib.loads((ROOT / "tests/knowledge/questions.toml").read_text(encoding="utf-8")).values()
    found = [item["ask"] if isinstance(item, dict) else item for section in sections for item in section]
    return list(dict.fromkeys(found))


def measure(home: BenchHome) -> list[Result]:
    """Search for each question once, one after the other."""
    search = GuidanceSearch(home.settings.index_folder, Embedder(bundled_folder()))
    questions = read_questions()[:: 20 if home.quick else 1]
    for question in WARM_UP:
        search.search(question)
    taken_ms = [(_time_search(search, question), language_of(question)) for question in questions]
    milliseconds = [ms for ms, _ in taken_ms]
    p95 = {
        language: rounded(quantile([ms for ms, spoken in taken_ms if spoken == language], 0.95))
        for language in ("en", "ja")
    }
    return [
        Result(
            name="search.latency_p95", title="Guidance search with embedding, p95",
            value=rounded(quantile(milliseconds, 0.95)), unit="ms", goal=P95_MS, n=len(questions),
            spread=quantiles(milliseconds), detail={f"p95.{k}": v for k, v in p95.items()},
            conditions=f"p95; {len(questions)} different questions, each once, after a warm-up with others",
        ),
        *_index(home),
    ]  # fmt: skip


def _index(home: BenchHome) -> list[Result]:
    """Open what is there, and build from nothing: with the vectors that are shipped, and without any."""
    embedder = Embedder(bundled_folder())
    embedder.embed(WARM_UP)
    opened = [_time_opening(home.settings.index_folder, embedder) for _ in range(OPENINGS)]
    rounds = range(1 if home.quick else REBUILDS)
    shipped = [_time_opening(Path(tempfile.mkdtemp(dir=home.folder)), embedder) for _ in rounds]
    with mock.patch.object(index, "embed_texts", lambda texts, embedder: embedder.embed(texts)):
        anew = [_time_opening(Path(tempfile.mkdtemp(dir=home.folder)), embedder) for _ in rounds]
    return [
        Result(
            name="search.open", title="Opening the unchanged guidance index", value=rounded(quantile(opened, 0.5)), unit="s",
            goal=OPEN_S, n=len(opened), spread=quantiles(opened), conditions="median; libraries imported, MiniLM loaded",
        ),
        Result(
            name="search.rebuild", title="Building the guidance index from nothing, every text embedded",
            value=rounded(quantile(anew, 0.5)), unit="s", goal=REBUILD_S, n=len(anew), spread=quantiles(anew),
            detail={"with shipped vectors": rounded(quantile(shipped, 0.5))},
            conditions="median; libraries imported, MiniLM loaded; entries read and ranked anew; with the vectors that are shipped beside it",
        ),
    ]  # fmt: skip


def _time_opening(folder: Path, embedder: Embedder) -> float:
    start = time.perf_counter()
    GuidanceSearch(folder, embedder)
    return time.perf_counter() - start


def _time_search(search: GuidanceSearch, question: str) -> float:
    start = time.perf_counter()
    search.search(question)
    return 1000 * (time.perf_counter() - start)
