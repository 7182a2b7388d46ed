"""The look before a download as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.style import bytes_size, code, inline, next_step, plain, size
from assistant.translation import translate

if TYPE_CHECKING:
    from tools.fetch_preview import FetchPreview


def render_preview(preview: FetchPreview, language: Language) -> str:
    """The verdict, what speaks for and against, the figures, and what to do next.

    Args:
        preview: What the look found.
        language: Language of the text.
    """
    reasons = [
        say("preview.reason", language, found=_told(each.found, language), next_step=_told(each.next_step, language))
        for each in preview.reasons
    ]
    parts = [
        say(f"preview.{preview.verdict}", language, model=code(preview.model)),
        "\n".join(reasons),
        "\n".join(_figures(preview, language)),
        "" if reasons else next_step(translate(preview.next_step, language), language),
    ]
    return "\n\n".join(part for part in parts if part)


def _told(text: str, language: Language) -> str:
    return inline(translate(text, language))


def _figures(preview: FetchPreview, language: Language) -> Iterator[str]:
    if preview.commit is not None:
        yield say("preview.commit", language, commit=preview.commit)
    sizes = {"size": bytes_size(preview.needed_bytes), "missing": bytes_size(preview.download_bytes)}
    yield say("preview.files", language, count=preview.needed_files, **sizes)
    if preview.unneeded_files:
        left = bytes_size(preview.unneeded_bytes)
        yield say("preview.unneeded", language, count=preview.unneeded_files, size=left)
    yield say("preview.disk", language, size=bytes_size(preview.disk_free_bytes))
    if preview.parameters is not None:
        yield say("preview.parameters", language, count=preview.parameters)
    if preview.memory_forecast_mib is None or preview.memory_there_mib is None:
        yield say("preview.memory_unknown", language)
    else:
        there = size(preview.memory_there_mib)
        yield say("preview.memory", language, size=size(preview.memory_forecast_mib), there=there)
    if preview.licence is None:
        yield say("preview.licence_unknown", language)
    else:
        yield say("preview.licence", language, licence=plain(preview.licence, 100))
    if preview.access is not None:
        yield say(f"preview.access_{preview.access}", language)
