"""A process that builds an index in children of its own, and kills them at moments that the test names.

One line in, one line out: `count` builds without a kill and says how many calls that made; `call N` kills the child at
its Nth call after Chroma began; `after S` kills it S seconds after its start, wherever it then is, native code included.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from knowledge.index import open_index
from knowledge.passages import IndexedText


def build(folder: Path, model: str, version: str, count: int, kill_at: int | None) -> int:
    calls = 0

    def count_calls(frame, event, _argument):
        nonlocal calls
        # Before Chroma has its folder there is nothing to break, only imports by the hundred thousand.
        if event == "call" and (calls or frame.f_code.co_name == "create_collection"):
            calls += 1
            if calls == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    texts = make_texts(count, version)
    embedder = HashEmbedder(model)
    embedder.embed([text.text for text in texts])
    sys.setprofile(count_calls)
    opened = open_index(folder, texts, embedder)
    sys.setprofile(None)
    assert opened.built, "there was nothing to build"
    assert not opened.problem, opened.problem
    return calls


def make_texts(count: int, version: str) -> list[IndexedText]:
    return [
        IndexedText(id=f"G{i:04}.en.what", entry=f"G{i:04}", language="en", piece="what", text=f"{version} text {i}")
        for i in range(count)
    ]


def in_child(folder: Path, model: str, version: str, count: int, kill_at: int | None, after_s: float | None) -> str:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, str(build(folder, model, version, count, kill_at)).encode())
        finally:
            os._exit(0)
    os.close(writer)
    if after_s is not None:
        time.sleep(after_s)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode()
    return "killed" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL else said or "failed"


def main(folder: Path, model: str, version: str, count: int) -> None:
    say("ready")
    for line in sys.stdin:
        order, _, value = line.strip().partition(" ")
        if order == "count":
            place = Path(tempfile.mkdtemp())
            answer = in_child(place, model, version, count, None, None)
            shutil.rmtree(place)
        elif order == "build":
            answer = in_child(folder, model, version, count, None, None)
        else:
            kill_at, after_s = (int(value), None) if order == "call" else (None, float(value))
            answer = in_child(folder, model, version, count, kill_at, after_s)
        say(answer)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    spec = importlib.util.spec_from_file_location("hash_embedder", Path(__file__).parents[1] / "hash_embedder.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    HashEmbedder = module.HashEmbedder
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
