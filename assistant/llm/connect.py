"""The one factory of LLMs: the embedded pilot, a model in this process, or an OpenAI-compatible server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.language_models import BaseChatModel

if TYPE_CHECKING:
    from assistant.llm.pilot_chat import PilotChat
    from assistant.settings import Settings


def connect_llm(settings: Settings, pilot: PilotChat) -> BaseChatModel:
    """The LLM that the setting `llm` names.

    Args:
        settings: The settings.
        pilot: The embedded pilot, returned when nothing else is set.
    """
    if settings.llm == "pilot":
        return pilot
    if settings.llm.startswith(("http://", "https://")):
        from assistant.llm.server_chat import connect_server  # noqa: PLC0415 (heavy import, only when needed)

        return connect_server(settings.llm, settings.llm_model, settings.llm_api_key, settings.llm_timeout_s)
    from assistant.llm.transformers_chat import TransformersChat  # noqa: PLC0415 (heavy import, only when needed)

    return TransformersChat(source=settings.llm, device_map="auto")
