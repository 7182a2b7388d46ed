"""What works on this machine: each part is really tried, and says what to do where it does not work."""

from __future__ import annotations

import importlib.metadata
import shutil
from typing import Literal

from pydantic import BaseModel, ConfigDict

from assistant.settings import Settings


class Check(BaseModel):
    """One part of the installation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    state: Literal["fine", "reduced", "broken"]
    """`reduced` works with less."""
    found: str
    next_step: str = ""


def examine(settings: Settings | None = None) -> list[Check]:
    """Try every part."""
    used = settings or Settings()
    return [_libraries(), _device(), _data_folder(used), _bundled_model(used), _guidance(used), _pilot(), _hub(used)]


def _libraries() -> Check:
    names = ("torch", "transformers", "langchain", "chromadb", "gradio")
    return Check(name="libraries", state="fine", found=", ".join(f"{n} {importlib.metadata.version(n)}" for n in names))


def _device() -> Check:
    import torch  # noqa: PLC0415 (heavy import, only when needed)

    if torch.cuda.is_available():
        return Check(name="device", state="fine", found=torch.cuda.get_device_name(0))
    step = "Measurements are made on the CPU; a CUDA device is used when there is one."
    return Check(name="device", state="reduced", found=f"CPU, {torch.get_num_threads()} threads", next_step=step)


def _data_folder(settings: Settings) -> Check:
    from assistant.evidence import EvidenceStore  # noqa: PLC0415 (heavy import, only when needed)

    try:
        store = EvidenceStore(settings.sql_url)
        store.close()
        free_gib = shutil.disk_usage(settings.home).free / 1024**3
    except OSError as error:
        step = "Set TAMESHI_HOME to a folder that can be written."
        return Check(name="data folder", state="broken", found=str(error), next_step=step)
    return Check(name="data folder", state="fine", found=f"{settings.home}, {free_gib:.0f} GiB free")


def _bundled_model(settings: Settings) -> Check:
    from tools.errors import ToolError  # noqa: PLC0415 (heavy import, only when needed)
    from tools.fetching import fetch_model  # noqa: PLC0415 (as above)

    try:
        offline = settings.sources.model_copy(update={"offline": True})
        snapshot = fetch_model("sentence-transformers/all-MiniLM-L6-v2", sources=offline)
    except ToolError as error:
        return Check(name="bundled model", state="broken", found=error.message, next_step=error.next_step)
    return Check(name="bundled model", state="fine", found=f"{snapshot.model} {snapshot.commit[:19]}")


def _guidance(settings: Settings) -> Check:
    from assistant.services import Services  # noqa: PLC0415 (heavy import, only when needed)
    from knowledge.errors import KnowledgeError  # noqa: PLC0415 (as above)

    try:
        passages = Services(settings).search.search("pin the version").passages
    except KnowledgeError as error:
        return Check(name="guidance", state="broken", found=error.message, next_step=error.next_step)
    return Check(name="guidance", state="fine", found=f"the index answers ({passages[0].entry})")


def _pilot() -> Check:
    from assistant.llm.pilot_chat import WEIGHTS  # noqa: PLC0415 (heavy import, only when needed)

    if not (WEIGHTS / "model.safetensors").exists():
        return Check(name="pilot", state="broken", found="no weights", next_step="Train it: `make pilot`.")
    size_mib = (WEIGHTS / "model.safetensors").stat().st_size / 1024**2
    return Check(name="pilot", state="fine", found=f"{size_mib:.1f} MiB")


def _hub(settings: Settings) -> Check:
    from tools.hub import hub_reachable  # noqa: PLC0415 (heavy import, only when needed)

    if settings.sources.offline:
        return Check(name="hub", state="reduced", found="switched off", next_step="Unset TAMESHI_OFFLINE to use it.")
    if hub_reachable(settings.sources):
        return Check(name="hub", state="fine", found="answers")
    step = "Models come from the cache, mirrors and folders; set HF_ENDPOINT for a hub of your own."
    return Check(name="hub", state="reduced", found="does not answer", next_step=step)
