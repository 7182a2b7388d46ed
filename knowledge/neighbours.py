"""Questions like it: graded questions that the entry reader reads alike tell which entries help with a new one.

`python -m knowledge.fitting FOLDER_OF_MINILM` writes `knowledge/weights/neighbours.safetensors`: the reader's vector of every
graded question, and its grades. A question may be Japanese and its neighbours English.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.embedding import Floats
from knowledge.entry_reader import EntryReader
from knowledge.shipped_vectors import signed_bytes, unit_vectors
from knowledge.topics import LANGUAGES, Language
from knowledge.wordings import read_graded

FILE = Path(__file__).parent / "weights" / "neighbours.safetensors"
NARROWNESS = 0.055
"""Difference in cosine similarity at which a graded question counts e times less."""
_ENTRIES = "entries"
"""Key of the file's metadata: ids of the columns of the grades, separated by spaces."""


class Neighbours:
    """Graded questions by what the reader makes of them.

    Args:
        entries: Ids of the entries, in the order of the chances; one that no question was graded for has none.
        file: What `write_neighbours` wrote.
    """

    def __init__(self, entries: Sequence[str], file: Path = FILE) -> None:
        from safetensors import safe_open  # noqa: PLC0415 (only when needed)

        with safe_open(file, framework="numpy") as stored:
            vectors, grades = stored.get_tensor("vectors").astype(np.float32), stored.get_tensor("grades")
            column = {entry: i for i, entry in enumerate(stored.metadata()[_ENTRIES].split())}
        self._vectors = unit_vectors(vectors)
        with_none = np.pad(grades, ((0, 0), (0, 1))).astype(np.float32)  # the last column is of what nobody graded
        helping = with_none[:, [column.get(entry, -1) for entry in entries]]
        self._shares = helping / np.maximum(1.0, helping.sum(axis=1, keepdims=True))

    def chances(self, read: Floats) -> npt.NDArray[np.float64]:
        """What helped with the questions nearest to one: the entries' shares, shape (entries,), that sum to 1 or less.

        Args:
            read: The entry reader's vector of the question, shape (384,).
        """
        alike = np.einsum("qd,d->q", self._vectors, unit_vectors(read[None])[0])
        weights = np.exp((alike - alike.max()) / NARROWNESS)
        return np.einsum("q,qe->e", weights / weights.sum(), self._shares).astype(np.float64)


def write_neighbours(entries: Sequence[str], reader: EntryReader, file: Path = FILE) -> None:
    """Write the vectors, one signed byte a dimension, and the grades of all graded questions.

    Args:
        entries: Ids of the entries.
        reader: Makes the vectors; a reader that was trained anew needs a file that was written anew.
        file: Where to write.
    """
    from safetensors.numpy import save_file  # noqa: PLC0415 (only when needed)

    asked: list[tuple[str, Language, dict[str, int]]] = [
        (text, language, grades) for language in LANGUAGES for text, grades in read_graded(language).items()
    ]
    read = np.stack([reader.read(text, language).pooled for text, language, _ in asked])
    grades = np.array([[each.get(entry, 0) for entry in entries] for *_, each in asked], dtype=np.uint8)
    save_file({"vectors": signed_bytes(read), "grades": grades}, file, metadata={_ENTRIES: " ".join(entries)})
