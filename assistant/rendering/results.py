"""One tool's result and who renders it; the renderer is imported when its tool has spoken."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assistant.languages import Language

if TYPE_CHECKING:
    from pydantic import BaseModel

    from assistant.rendering.style import Rendered

_RENDERERS: dict[str, str] = {
    "search_guidance": "assistant.rendering.guidance:render_guidance",
    "fetch_model": "assistant.rendering.files:render_snapshot",
    "inspect_files": "assistant.rendering.files:render_safety",
    "estimate_memory": "assistant.rendering.measuring:render_memory",
    "profile_model": "assistant.rendering.profiles:render_profile",
    "check_version": "assistant.rendering.version:render_version",
    "check_documentation": "assistant.rendering.documentation:render_documentation",
    "observe_behavior": "assistant.rendering.measuring:render_behavior",
    "estimate_cost": "assistant.rendering.cost:render_cost",
    "compare_models": "assistant.rendering.advice:render_comparison",
    "plan_adoption": "assistant.rendering.advice:render_plan",
}


@dataclass(frozen=True)
class TurnResult:
    """One tool's result within a turn."""

    evidence_id: str
    """Evidence id, or empty when the tool failed."""
    tool: str
    arguments: dict[str, Any]
    record: BaseModel
    """The record, or the failure."""
    age_s: float | None = None
    """Seconds since stored evidence was made that answered; absent for a new record."""
    spoken_of: str = ""
    """Model that the conversation is about, for which a general answer can go on; or empty."""

    @property
    def payload(self) -> dict[str, Any]:
        """The record as JSON."""
        return self.record.model_dump(mode="json")


Renderer = Callable[[TurnResult, Language, Sequence[TurnResult]], "Rendered"]


def rendered(result: TurnResult, language: Language, turn: Sequence[TurnResult]) -> Rendered:
    """One result by its tool's renderer.

    Args:
        result: The result.
        language: Language of the text.
        turn: What was found in the same turn, the result included.
    """
    renderer: Renderer = pkgutil.resolve_name(_RENDERERS[result.tool])
    return renderer(result, language, turn)


def render_result(result: TurnResult, language: Language) -> str:
    """One result as Markdown, for an engineer."""
    return rendered(result, language, [result]).for_audience("engineer")
