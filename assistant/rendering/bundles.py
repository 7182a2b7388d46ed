"""A bundle as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.style import bytes_size, code, next_step

if TYPE_CHECKING:
    from tools.bundles.bundle import Bundle


def render_bundle(bundle: Bundle, language: Language) -> str:
    """What a bundle holds, its id, and what to do with it.

    Args:
        bundle: A bundle that was made, verified or unpacked.
        language: Language of the text.
    """
    contents = [
        say("bundle.model", language, model=code(bundle.model), commit=code(bundle.commit)),
        say("bundle.files", language, count=bundle.files, size=bytes_size(bundle.total_bytes)),
        say(f"bundle.evidence_{'yes' if bundle.has_evidence else 'no'}", language),
        say(f"bundle.lock_{'yes' if bundle.has_lock else 'no'}", language),
        say("bundle.id", language, id=bundle.id),
    ]
    if bundle.unpacked_into is None:
        headline = say("bundle.whole", language, file=code(bundle.file))
        step = say("bundle.compare_id", language)
    else:
        headline = say("bundle.unpacked", language, folder=code(bundle.unpacked_into))
        step = say("bundle.use", language, model=code(bundle.model))
    return "\n\n".join([headline, "\n".join(contents), next_step(step, language)])
