"""How often the pilot chooses the right tools and arguments, and how many worries and symptoms reach the guidance."""

from __future__ import annotations

import statistics
from typing import Any

from assistant.llm.guidance_opinion import GUIDANCE
from assistant.llm.pilot.evaluation import judge, read_wordings, summarise
from assistant.llm.pilot_chat import PilotChat
from assistant.llm.turn_schema import read_turn
from assistant.services import Services
from knowledge.topics import LANGUAGES, Language
from tests.bench.home import BenchHome
from tests.bench.machine import ROOT
from tests.bench.results import Result, share_interval
from tests.knowledge.evaluation.questions import read_questions

FOLDERS = {"wordings": "tests/assistant/llm/routing", "unseen": "tests/assistant/llm/routing_unseen"}
TITLES = {"wordings": "first set", "unseen": "second set"}
PLAIN = 0.95
INDIRECT = 0.80
DEAR_UNASKED = 0.01


def measure(home: BenchHome) -> list[Result]:
    """Ask the pilot every wording of both collections, and every question of the guidance's evaluation."""
    services = Services(home.settings)
    pilot = PilotChat(routing=services.route_model, closest_entry=services.closest_entry)
    results = [
        result for name, folder in FOLDERS.items() for result in _measure_folder(pilot, name, folder, quick=home.quick)
    ]
    results += [_measure_reached(pilot, services, language, quick=home.quick) for language in LANGUAGES]
    services.close()
    return results


def _measure_reached(pilot: PilotChat, services: Services, language: Language, *, quick: bool) -> Result:
    """How many questions in scope, asked in a new conversation, are answered from the guidance."""
    inside = [q for q in read_questions(language)[:: 12 if quick else 1] if not q.outside and q.covered]
    by_wording = PilotChat(routing=services.route_model)
    found = [
        [
            GUIDANCE in each.decide(turn, each.read(turn)).routes and bool(services.closest_entry(q.ask))
            for each in (pilot, by_wording)
        ]
        for q in inside
        for turn in (read_turn(q.ask),)
    ]
    both, alone = (statistics.fmean(column) for column in zip(*found, strict=True))
    return Result(
        name=f"routing.guidance.{language}", title=f"Worries and symptoms, {language}: answered from the guidance",
        value=round(both, 4), unit="share", n=len(inside), spread=share_interval(both, len(inside)),
        detail={"by_wording_alone": round(alone, 4)},
        conditions="questions in scope of the guidance's evaluation, each the first of a conversation",
    )  # fmt: skip


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
