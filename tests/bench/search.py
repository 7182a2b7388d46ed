"""How long a search of the guidance takes, the embedding of the question included."""

from __future__ import annotations

import time
import tomllib

from assistant.languages import language_of
from knowledge.embedding import Embedder
from knowledge.search import GuidanceSearch
from tests.bench.home import BenchHome
from tests.bench.machine import ROOT
from tests.bench.results import Result, quantile, quantiles, rounded
from tools.mirrors import bundled_folder

P95_MS = 40.0
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
        )
    ]  # fmt: skip


def _time_search(search: GuidanceSearch, question: str) -> float:
    start = time.perf_counter()
    search.search(question)
    return 1000 * (time.perf_counter() - start)
