"""How often the pilot chooses the right tools and arguments, on wordings written apart from its examples."""

from __future__ import annotations

from typing import Any

from assistant.llm.pilot.evaluation import judge, read_wordings, summarise
from assistant.llm.pilot_chat import PilotChat
from tests.bench.home import BenchHome
from tests.bench.machine import ROOT
from tests.bench.results import Result, share_interval

FOLDERS = {"wordings": "tests/assistant/llm/routing", "unseen": "tests/assistant/llm/routing_unseen"}
TITLES = {"wordings": "first set", "unseen": "second set"}
PLAIN = 0.95
INDIRECT = 0.80
DEAR_UNASKED = 0.01


def measure(home: BenchHome) -> list[Result]:
    """Ask the pilot every wording of both collections."""
    pilot = PilotChat()
    return [
        result for name, folder in FOLDERS.items() for result in _measure_folder(pilot, name, folder, quick=home.quick)
    ]


def _measure_folder(pilot: PilotChat, name: str, folder: str, *, quick: bool) -> list[Result]:
    wordings = read_wordings(ROOT / folder)[:: 25 if quick else 1]
    summary = summarise(judge(pilot, wordings))
    counts = {
        "indirect": sum(indirect for _, indirect in wordings),
        "plain": sum(not indirect for _, indirect in wordings),
    }
    unasked = summary["dear_tools_unasked"]
    return [
        *(
            Result(
                name=f"routing.{name}.{kind}", title=f"Right tools and arguments, {kind} questions ({TITLES[name]})",
                value=summary["right"][kind], unit="share", goal=goal, bound="at least", n=counts[kind],
                spread=share_interval(summary["right"][kind], counts[kind]), detail=_detail(summary, kind),
                conditions=f"every {kind} wording of {folder}, each read by itself with the tool and models before it",
            )
            for kind, goal in (("plain", PLAIN), ("indirect", INDIRECT))
        ),
        Result(
            name=f"routing.{name}.dear_unasked", title=f"Dear tools started unasked ({TITLES[name]})",
            value=unasked, unit="share", goal=DEAR_UNASKED, n=len(wordings),
            spread=share_interval(unasked, len(wordings)), conditions=f"every wording of {folder}, each read by itself with the tool and models before it",
        ),
    ]  # fmt: skip


def _detail(summary: dict[str, Any], kind: str) -> dict[str, float]:
    """By language, the tools alone, and each view of the pilot alone."""
    by_language = {k: v for k, v in summary["right"].items() if k.startswith(f"{kind}.")}
    views = {f"alone.{name}": shares[kind] for name, shares in summary["views_alone"].items()}
    return {**by_language, "tools_right": summary["tools_right"][kind], **views}
