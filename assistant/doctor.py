"""What works on this machine: each part is really tried, and says what to do where it does not work."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from assistant.languages import Language
from assistant.phrases import say
from assistant.settings import Settings
from assistant.translation import translate


class Check(BaseModel):
    """One part of the installation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """The same in every language; its title is the sentence `doctor.part.<name>`."""
    state: Literal["fine", "reduced", "broken"]
    """`reduced` works with less."""
    found: str
    """What was found, in the reader's language."""
    next_step: str = ""
    """What to do, in the reader's language; empty when there is nothing to do."""


def examine(settings: Settings | None = None, language: Language = "en") -> list[Check]:
    """Try every part.

    Args:
        settings: The settings; read from the environment when not given.
        language: Language of what is found and of the next steps.
    """
    used = settings or Settings()
    parts: tuple[Callable[[Settings, Language], Check], ...] = (
        _libraries, _device, _data_folder, _bundled_model, _guidance, _pilot, _hub,
    )  # fmt: skip
    return [part(used, language) for part in parts]


def _libraries(_settings: Settings, _language: Language) -> Check:
    names = ("torch", "transformers", "langchain", "chromadb", "gradio")
    return Check(name="libraries", state="fine", found=", ".join(f"{n} {importlib.metadata.version(n)}" for n in names))


def _device(_settings: Settings, language: Language) -> Check:
    import torch  # noqa: PLC0415 (heavy import, only when needed)

    if torch.cuda.is_available():
        return Check(name="device", state="fine", found=torch.cuda.get_device_name(0))
    found = say("doctor.cpu", language, threads=torch.get_num_threads())
    return Check(name="device", state="reduced", found=found, next_step=say("doctor.cpu_step", language))


def _data_folder(settings: Settings, language: Language) -> Check:
    from assistant.evidence import EvidenceStore  # noqa: PLC0415 (heavy import, only when needed)

    try:
        store = EvidenceStore(settings.sql_url)
        store.close()
        free_gib = shutil.disk_usage(settings.home).free / 1024**3
    except OSError as error:
        found = f"{settings.home}: {translate(error.strerror or str(error), language)}"
        return Check(
            name="data_folder", state="broken", found=found, next_step=say("doctor.data_folder_step", language)
        )
    found = say("doctor.data_folder", language, folder=settings.home, free=free_gib)
    return Check(name="data_folder", state="fine", found=found)


def _bundled_model(settings: Settings, language: Language) -> Check:
    from tools.errors import ToolError  # noqa: PLC0415 (heavy import, only when needed)
    from tools.fetching import fetch_model  # noqa: PLC0415 (as above)

    try:
        offline = settings.sources.model_copy(update={"offline": True})
        snapshot = fetch_model("sentence-transformers/all-MiniLM-L6-v2", sources=offline)
    except ToolError as error:
        return _failed("bundled_model", error, language)
    return Check(name="bundled_model", state="fine", found=f"{snapshot.model} {snapshot.commit[:19]}")


def _guidance(settings: Settings, language: Language) -> Check:
    from assistant.services import Services  # noqa: PLC0415 (heavy import, only when needed)
    from knowledge.errors import KnowledgeError  # noqa: PLC0415 (as above)

    services = None
    try:
        services = Services(settings)
        passages = services.search.search("pin the version", topic="version-pinning").passages
    except KnowledgeError as error:
        return _failed("guidance", error, language)
    except OSError as error:
        found = translate(error.strerror or str(error), language)
        step = say("doctor.data_folder_step", language)
        return Check(name="guidance", state="broken", found=found, next_step=step)
    finally:
        if services is not None:
            services.close()
    return Check(name="guidance", state="fine", found=say("doctor.index", language, entry=passages[0].entry))


def _pilot(_settings: Settings, language: Language) -> Check:
    from assistant.llm.pilot_chat import WEIGHTS  # noqa: PLC0415 (heavy import, only when needed)

    if not (WEIGHTS / "model.safetensors").exists():
        found, step = say("doctor.no_pilot", language), say("doctor.no_pilot_step", language)
        return Check(name="pilot", state="broken", found=found, next_step=step)
    size_mib = (WEIGHTS / "model.safetensors").stat().st_size / 1024**2
    return Check(name="pilot", state="fine", found=f"{size_mib:.1f} MiB")


def _hub(settings: Settings, language: Language) -> Check:
    from tools.hub import hub_reachable  # noqa: PLC0415 (heavy import, only when needed)

    if settings.sources.offline:
        found, step = say("doctor.hub_off", language), say("doctor.hub_off_step", language)
        return Check(name="hub", state="reduced", found=found, next_step=step)
    if hub_reachable(settings.sources):
        return Check(name="hub", state="fine", found=say("doctor.hub", language))
    found, step = say("doctor.no_hub", language), say("doctor.no_hub_step", language)
    return Check(name="hub", state="reduced", found=found, next_step=step)


def _failed(name: str, error: Exception, language: Language) -> Check:
    """An expected failure of tools or knowledge."""
    message, step = getattr(error, "message", str(error)), getattr(error, "next_step", "")
    return Check(name=name, state="broken", found=translate(message, language), next_step=translate(step, language))
