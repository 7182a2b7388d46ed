"""The program of the process that reads a document: one job in on stdin, blocks of text out; never imported by the product."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[3]
# At the end, so that nothing of the libraries can be hidden by our names.
sys.path += [str(_ROOT / "tools/profiling/isolated"), str(_ROOT / "knowledge/documents/isolated")]

from document_reading import read_document  # noqa: E402  # pyright: ignore[reportMissingImports]
from worker_limits import cut_off  # noqa: E402  # pyright: ignore[reportMissingImports]


def main() -> int:
    """Read the document that stdin names."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
    os.dup2(2, 1)  # libraries that print reach stderr instead

    def line(**content: Any) -> None:
        out.write(json.dumps(content) + "\n")
        out.flush()

    job = json.load(sys.stdin)
    cut_off(job)
    line(progress=[0.1, "Reading the document"])
    try:
        content = Path(job["path"]).read_bytes()
        line(record=read_document(content, job["name"], lambda blocks: line(part={"blocks": blocks})))
    except BaseException as error:  # noqa: BLE001 (whatever a parser does with a hostile file, the parent tells it)
        kind = "memory" if isinstance(error, MemoryError) else "crash"
        message = " ".join(str(error).split())[:300]
        line(error={"kind": kind, "type": type(error).__name__, "message": message})
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # nothing of the parsers needs an orderly end
