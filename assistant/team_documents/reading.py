"""Reads a document in a process of its own, with limits on time and memory, and cuts it into passages."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from knowledge.documents.cutting import Piece, ReadBlock, cut
from knowledge.documents.problems import unreadable
from tools.errors import OutOfMemory, WorkerFailed
from tools.profiling.isolation import run_worker
from tools.profiling.worker_watch import WorkerLimits
from tools.progress import CancelToken, Progress, ignore_progress

PROGRAM = Path(__file__).resolve().parent / "isolated" / "read_document.py"
"""The program of that process, run by its path."""
MOST_MIB = 32
"""Size of a file, at most."""
LIMITS = WorkerLimits(wall_s=120.0, memory_mib=1024, reply_bytes=64 * 1024 * 1024)
LONGEST_NAME = 120


class ReadDocument(BaseModel):
    """What a document says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str
    """`pdf`, `docx`, `html`, `md` or `txt`, by its content."""
    title: str
    """Its title, or the name of its file."""
    pieces: tuple[Piece, ...]
    """Its passages, in order."""


def read_document(
    content: bytes,
    name: str,
    *,
    limits: WorkerLimits = LIMITS,
    progress: Progress = ignore_progress,
    cancel: CancelToken | None = None,
) -> ReadDocument:
    """Read a document.

    Args:
        content: The bytes of its file.
        name: Name of the file.
        limits: What the reading process may use.
        progress: Told how far it is.
        cancel: Ends the process.

    Raises:
        UnreadableDocument: It cannot be read, for a reason that is named.
        Cancelled: It was stopped.
    """
    shown = shown_name(name)
    if len(content) > MOST_MIB * 1024**2:
        raise unreadable("too_large", shown, str(MOST_MIB))
    blocks: list[ReadBlock] = []

    def take(part: dict[str, Any]) -> None:
        blocks.extend(ReadBlock(str(text), int(level), int(page)) for text, level, page in part.get("blocks", ()))

    with tempfile.TemporaryDirectory(prefix="tameshi-document-") as folder:
        path = Path(folder) / "document"
        path.write_bytes(content)
        job = {"path": str(path), "name": shown, "device": "cpu", "threads": 1}
        try:
            record = run_worker(job, limits, progress=progress, cancel=cancel, on_part=take, program=PROGRAM)
        except OutOfMemory as error:
            raise unreadable("limits", shown, _limits_in_words(limits)) from error
        except WorkerFailed as error:
            stopped = any(word in error.message for word in ("was stopped after", "processor time", "sent more than"))
            raise unreadable("limits" if stopped else "damaged", shown, _limits_in_words(limits)) from error
    if "problem" in record:
        raise unreadable(str(record["problem"]), shown, str(record.get("detail") or ""))
    title = str(record["title"]) or _first_heading(blocks) or Path(shown).stem
    return ReadDocument(format=str(record["format"]), title=title, pieces=tuple(cut(blocks, title)))


def shown_name(name: str) -> str:
    """The name of a file as it can be shown: one line, no path, not endless."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = " ".join("".join(c if c.isprintable() else " " for c in last).split()).replace("`", "ˋ") or "document"
    if len(plain) <= LONGEST_NAME:
        return plain
    stem, dot, ending = plain.rpartition(".")
    kept = f"{dot}{ending}" if stem and len(ending) <= 10 else ""
    return f"{plain[: LONGEST_NAME - len(kept) - 1]}…{kept}"


def _first_heading(blocks: list[ReadBlock]) -> str:
    """The heading that a document begins with."""
    return blocks[0].text if blocks and blocks[0].level else ""


def _limits_in_words(limits: WorkerLimits) -> str:
    return f"{limits.wall_s:g} s and {limits.memory_mib or 0:,} MiB"
