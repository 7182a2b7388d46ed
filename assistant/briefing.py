"""The briefing: what code says from a turn's evidence, below the LLM's words, in the reader's language.

`compose` puts the rendered results together, adds citations and the next questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

from langchain_core.messages import AIMessage
from pydantic import BaseModel, ConfigDict

from assistant.languages import Language
from assistant.llm.turn_schema import TurnContext
from assistant.phrases import say
from assistant.rendering.results import TurnResult, rendered
from assistant.rendering.style import next_step
from assistant.translation import translate
from assistant.turn_events import Citation, ToolFailed

Audience = Literal["auto", "manager", "engineer"]


class Briefing(BaseModel):
    """What code has to say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    """Markdown."""
    citations: tuple[Citation, ...] = ()
    """What the text rests on."""
    choices: tuple[str, ...] = ()
    """Questions that the reader can pick next."""
    takes_lead: bool = True
    """Whether an LLM's opening sentence fits above the text."""


_COVERING = ("plan_adoption", "compare_models", "estimate_cost")
"""Tools whose text covers what they rest on; the first that finished speaks alone."""

_FIRST_TOLD = ("conflicts", "team_passages")
_SUGGESTED = ("search_guidance", "profile_model", "plan_adoption")


def compose(
    results: Sequence[TurnResult],
    message: AIMessage,
    turn: TurnContext,
    language: Language,
    audience: Audience,
    *,
    brief: bool = False,
) -> Briefing:
    """The briefing of a turn.

    Args:
        results: Results in the order of the calls, failures included.
        message: The LLM's last message; its metadata says why there are no results.
        turn: The question.
        language: Language of the briefing.
        audience: Whom it is for; `auto` lets each renderer judge.
        brief: Leave out everything but the answers themselves.
    """
    if not results:
        return _without_results(message, turn, language)
    spoken_of = turn.models[0] if turn.models else ""
    finished = [replace(r, spoken_of=spoken_of) for r in results if r.evidence_id]
    failed = [r for r in results if not r.evidence_id]
    covering = next((r for tool in _COVERING for r in finished if r.tool == tool), None)
    spoken = [covering] if covering else _principal(finished)
    spoken_texts = [rendered(r, language, finished) for r in spoken]
    texts = [r.headline if brief else r.for_audience(audience) for r in spoken_texts] + [
        _failure(r, language) for r in failed
    ]
    citations = [c for r in spoken_texts for c in r.citations]
    citations += [_citation(r, language) for r in finished if r.tool != "search_guidance"]
    return Briefing(
        text="\n\n".join(t for t in texts if t),
        citations=tuple({c.id: c for c in citations}.values()),
        choices=tuple(dict.fromkeys(c for r in spoken_texts for c in r.choices))[:3],
        takes_lead=not failed or bool(finished),
    )


def outcome_of(tool: str, record: BaseModel) -> str:
    """`tool.outcome` of a record, in one word that an LLM can open an answer with."""
    return f"{tool}.{_OUTCOMES[tool](record)}"


def text_for_llm(record: BaseModel) -> str:
    """The record as a short text for an LLM: its figures without long lists, untrusted words kept short."""
    content = record.model_dump(mode="json", exclude_none=True)
    # What outranks the rest is not to be cut off behind it.
    return _short({**{name: content[name] for name in _FIRST_TOLD if name in content}, **content})[:3000]


def _principal(finished: Sequence[TurnResult]) -> list[TurnResult]:
    """Results that answer; a forecast after a measurement speaks first, since it holds the question's answer."""
    profile = next((r for r in finished if r.tool == "profile_model"), None)
    memory = next((r for r in finished if r.tool == "estimate_memory"), None)
    if profile and memory:
        rest = [r for r in finished if r is not profile and r is not memory]
        return [memory, profile, *rest]
    return list(finished)


def _without_results(message: AIMessage, turn: TurnContext, language: Language) -> Briefing:
    if message.additional_kwargs.get("ask_model_for") == "compare_models":
        return Briefing(text=say("ask.two_models", language), takes_lead=False)
    if tool := message.additional_kwargs.get("ask_model_for"):
        model = "sentence-transformers/all-MiniLM-L6-v2"
        return Briefing(
            text=say("ask.model", language), choices=(say(f"reading.{tool}", language, model=model),), takes_lead=False
        )
    route = message.response_metadata.get("route") or {}
    if route.get("routes") == ["ask_user"]:
        return _ask_back(route, turn, language)
    choices = _requests(_SUGGESTED, turn, language)
    chosen = (route.get("routes") or [""])[0]
    if chosen in {"talk", "off_topic"}:
        text = f"{say('talk.can', language)} {say('talk.try', language)}"
        return Briefing(text=text, choices=choices)
    return Briefing(text="", choices=choices)


def _ask_back(route: dict[str, Any], turn: TurnContext, language: Language) -> Briefing:
    readings = [name for name, _ in route["readings"] if name not in {"ask_user", "talk", "off_topic"}][:2]
    if len(readings) < 2:
        readings = list(dict.fromkeys([*readings, "estimate_memory", "check_documentation"]))[:2]
    return Briefing(text=say("ask.readings", language), choices=_requests(readings, turn, language))


def _requests(routes: Sequence[str], turn: TurnContext, language: Language) -> tuple[str, ...]:
    model = turn.models[0] if turn.models else "sentence-transformers/all-MiniLM-L6-v2"
    return tuple(say(f"reading.{route}", language, model=model) for route in routes)


def _failure(result: TurnResult, language: Language) -> str:
    failure = result.record
    if not isinstance(failure, ToolFailed):
        return ""
    message, step = translate(failure.message, language), translate(failure.next_step, language)
    return f"**{say(f'tool.{failure.name}', language)}** — {message}\n\n{next_step(step, language)}"


def _citation(result: TurnResult, language: Language) -> Citation:
    payload = result.payload
    about = payload.get("model") or ", ".join(m["model"] for m in payload.get("models", []))
    return Citation(
        id=result.evidence_id,
        title=say(f"tool.{result.tool}", language),
        source=f"{about} {payload.get('commit') or ''}".strip(),
    )


def _short(value: Any, depth: int = 0) -> str:
    if isinstance(value, dict):
        return "; ".join(
            f"{k}: {_short(v, depth + 1)}" for k, v in value.items() if v not in ("", [], {}) and depth < 3
        )
    if isinstance(value, list):
        return ", ".join(_short(v, depth + 1) for v in value[:6])
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)[:200]


def _forecast_outcome(record: Any) -> str:
    return "unknown" if record.fits is None else "fits" if record.fits else "too_small"


def _version_outcome(record: Any) -> str:
    if record.compared_with is not None:
        return "differs" if record.changes else "same"
    return "behind" if record.newest_commit and record.newest_commit != record.commit else "pinned"


def _documentation_outcome(record: Any) -> str:
    return "complete" if all(s.state == "filled" for s in record.sections) else "gaps"


_OUTCOMES: dict[str, Callable[[Any], str]] = {
    "search_guidance": lambda r: "found" if r.passages or r.team_passages else "nothing",
    "fetch_model": lambda _: "ready",
    "inspect_files": lambda r: r.verdict,
    "estimate_memory": _forecast_outcome,
    "profile_model": lambda r: r.noise,
    "check_version": _version_outcome,
    "check_documentation": _documentation_outcome,
    "observe_behavior": lambda r: "stable" if all(t.stable for t in r.trials) else "differences",
    "estimate_cost": lambda _: "estimated",
    "compare_models": lambda _: "compared",
    "plan_adoption": lambda r: "conditions" if r.verdict == "go_with_conditions" else r.verdict,
}
