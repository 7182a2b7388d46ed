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
        from langchain_openai import ChatOpenAI  # noqa: PLC0415 (heavy import, only when needed)

        return ChatOpenAI(
            base_url=settings.llm,
            model=settings.llm_model or "default",
            api_key=settings.llm_api_key or "none",  # type: ignore[arg-type]  # a plain text becomes a secret
            timeout=settings.llm_timeout_s,
            max_retries=0,
            temperature=0,
        )
    from assistant.llm.transformers_chat import TransformersChat  # noqa: PLC0415 (heavy import, only when needed)

    return TransformersChat(source=settings.llm, device_map="auto")
