"""What stands beside the chat: the evidence as a list, and plots of measurements and forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assistant.briefing import TurnResult
from assistant.evidence import Evidence, latest
from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.plots import profile_figure
from assistant.rendering.style import code
from assistant.toolbox import read_record
from assistant.web.strings import label

MOST_EVIDENCE = 30


def evidence_markdown(evidence: Sequence[Evidence], language: Language) -> str:
    """The evidence of a conversation, the newest first."""
    if not evidence:
        return label("no_evidence", language)
    lines = []
    for item in evidence[:MOST_EVIDENCE]:
        about = f" `{code(item.model)}`" if item.model else ""
        when = item.created_at.astimezone().strftime("%H:%M")
        lines.append(f"- **{item.id}** {say(f'tool.{item.tool}', language)}{about} · {when}")
    return "\n".join(lines)


def profile_plot(evidence: Sequence[Evidence], language: Language) -> Any:
    """A figure of the newest profile, or None."""
    newest = latest(evidence, "profile_model")
    return profile_figure(read_record(newest), language) if newest else None


def newest_plan(evidence: Sequence[Evidence]) -> TurnResult | None:
    """The newest plan of the conversation, or None."""
    newest = latest(evidence, "plan_adoption")
    return TurnResult(newest.id, newest.tool, newest.arguments, read_record(newest)) if newest else None
