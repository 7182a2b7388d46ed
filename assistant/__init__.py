"""The conversation: who is asked what, in which order, and what is made of the answers."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.conversation import Assistant
    from assistant.settings import Settings

__all__ = ["Assistant", "Settings"]


def __getattr__(name: str) -> Any:
    """`Assistant` and `Settings` on first use: importing the package alone stays quick."""
    if name == "Assistant":
        from assistant.conversation import Assistant  # noqa: PLC0415 (heavy import, only when needed)

        return Assistant
    if name == "Settings":
        from assistant.settings import Settings  # noqa: PLC0415 (heavy import, only when needed)

        return Settings
    raise AttributeError(f"module 'assistant' has no attribute '{name}'")
