"""A process that adds documents until it is killed: `python adding_host.py FOLDER NUMBER`.

With the number `half` it stops in the middle of writing the first one.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

TESTS = Path(__file__).parents[2]
sys.path[:0] = [str(TESTS.parent), str(TESTS)]

from hash_embedder import HashEmbedder  # noqa: E402 (found there)

from assistant.team_documents.library import TeamDocuments  # noqa: E402 (as above)
from assistant.team_documents.store import DocumentStore  # noqa: E402 (as above)


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def stop_half_way(*_: object) -> None:
    say("half")
    time.sleep(600)


def main(folder: Path, number: str) -> None:
    embedder = HashEmbedder()
    library = TeamDocuments(f"sqlite:///{folder / 'team.sqlite3'}", lambda: embedder, folder / "index" / "documents")
    library.search("once, so that everything is imported")
    if number == "half":
        DocumentStore._keep_vectors = stop_half_way
    say("ready")
    for i in range(1000):
        rules = "\n\n".join(f"## Rule {j}\n\n" + f"Rule {j} of {number}.{i} holds. " * 40 for j in range(60))
        library.add(f"# Policy {number}.{i}\n\n{rules}".encode(), "policy.md")
        say("added")


main(Path(sys.argv[1]), sys.argv[2])
