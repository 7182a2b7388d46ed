"""The program of the isolated process: one job in on stdin, progress lines and one record out; never imported by the product."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent))  # at the end: nothing of the libraries can be hidden by our names

from worker_limits import cut_off

_MAX_MESSAGE = 600


class Reply:
    """Writes lines for the parent; libraries that print reach stderr instead."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
        os.dup2(2, 1)

    def line(self, **content: Any) -> None:
        """Send one line."""
        self._out.write(json.dumps(content, ensure_ascii=True) + "\n")
        self._out.flush()

    def progress(self, fraction: float, message: str) -> None:
        """Send how far the job is."""
        self.line(progress=[round(fraction, 3), message])

    def part(self, **content: Any) -> None:
        """Send figures as soon as they are there, so that they outlive the process; a list is added to what was sent."""
        self.line(part=content)


def _run(job: dict, reply: Reply) -> dict:
    reply.progress(0.02, "Importing the libraries")
    start = time.perf_counter()
    import torch  # noqa: PLC0415 (heavy import, only after the limits are in place)
    import transformers  # noqa: PLC0415 (heavy import, only after the limits are in place)
    import transformers.modeling_utils  # noqa: PLC0415 (every model imports it, which is no part of loading its weights)

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(job["threads"])
    torch.manual_seed(0)
    torch.set_grad_enabled(False)
    from worker_loading import load  # noqa: PLC0415 (imports the libraries)

    imports = _imports(job, time.perf_counter() - start)
    reply.part(**imports)
    reply.progress(0.25, "Loading the weights")
    loaded = load(job)
    if job["kind"] == "trials":
        from worker_trials import run_trials  # noqa: PLC0415 (imports the libraries)

        return run_trials(job, loaded, reply.progress)
    from worker_timing import measure  # noqa: PLC0415 (imports the libraries)

    return {**imports, **measure(job, loaded, reply)}


def _imports(job: dict, own_s: float) -> dict:
    """What importing took: here, or in the process that this one was forked from."""
    if "imported_s" in job:
        return {"import_s": job["imported_s"] + own_s, "imports": "fork_server"}
    return {"import_s": own_s, "imports": "own_process"}


def _failure(error: BaseException) -> dict:
    kind = getattr(error, "kind", None)
    text = " ".join(str(error).split())[:_MAX_MESSAGE]
    if kind is None:
        low = text.lower()
        memory = isinstance(error, MemoryError) or "alloc" in low and "memory" in low or "out of memory" in low
        kind = "memory" if memory else "crash"
    return {"kind": kind, "type": type(error).__name__, "message": text}


def main() -> int:
    """Run the job on stdin."""
    reply = Reply()
    job = json.load(sys.stdin)
    isolation = cut_off(job)
    reply.part(isolation=isolation)
    try:
        record = _run(job, reply)
    except BaseException as error:  # noqa: BLE001 (tokenizers' panics are no Exception; the parent names the failure)
        reply.line(error=_failure(error), isolation=isolation)
        return 1
    reply.line(record={**record, "isolation": isolation})
    return 0


if __name__ == "__main__":
    code = main()
    os._exit(code)  # interpreter shutdown of the libraries takes a second that nobody needs
