"""What stands beside the chat: the evidence as a list, and plots of measurements and forecasts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assistant.evidence import Evidence, EvidenceStore, latest
from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.plots import Panel, device_mib_of, panels_of, profile_figure
from assistant.rendering.style import code
from assistant.toolbox import read_record
from assistant.web.strings import label

MOST_EVIDENCE = 30
_CITED = re.compile(r"\[(E\d{1,9})\]")


def evidence_of_chat(store: EvidenceStore, user: str, conversation: str, chat: Sequence[Any]) -> list[Evidence]:
    """What the chat rests on, newest first: its own evidence, and what it cites that an earlier conversation made.

    Args:
        store: The evidence.
        user: Whose chat it is; nobody else's evidence is found.
        conversation: The conversation.
        chat: Its messages.
    """
    found = {e.id: e for e in store.find(user=user, conversation=conversation)}
    said = " ".join(str(message.get("content")) for message in chat if message.get("role") == "assistant")
    for cited in dict.fromkeys(_CITED.findall(said)):
        if cited not in found and (reused := store.get(cited, user=user)):
            found[cited] = reused
    return sorted(found.values(), key=lambda e: -int(e.id[1:]))


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


@dataclass(frozen=True)
class ProfilePlot:
    """One panel of the newest profile, and the panels that the reader can choose from."""

    figure: Any
    panel: Panel
    panels: tuple[Panel, ...]


def profile_plot(evidence: Sequence[Evidence], language: Language, wanted: str | None = None) -> ProfilePlot | None:
    """The newest profile drawn, or None.

    Args:
        evidence: Evidence of the conversation, newest first.
        language: Language of the labels.
        wanted: The panel that the reader chose; without figures for it, the first that has some is drawn.
    """
    newest = latest(evidence, "profile_model")
    if newest is None:
        return None
    record = read_record(newest)
    panels = panels_of(record)
    if not panels:
        return None
    panel = wanted if wanted in panels else panels[0]
    there = device_mib_of(evidence, newest.model)
    return ProfilePlot(profile_figure(record, language, [panel], device_mib=there), panel, panels)


def newest_plan(evidence: Sequence[Evidence]) -> Evidence | None:
    """The newest plan of the conversation, or None."""
    return latest(evidence, "plan_adoption")
