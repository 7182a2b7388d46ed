"""Questions like it: graded questions that are near in meaning tell which entries help with a new one.

`python -m knowledge.fitting FOLDER_OF_MINILM` writes `knowledge/weights/neighbours.safetensors`: two vectors of every graded
question, MiniLM's own (of a Japanese one's English gloss) and the entry reader's, and its grades. A question may be Japanese
and its neighbours English.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.embedding import Embedder, Floats
from knowledge.entry_reader import EntryReader
from knowledge.gloss import english_of
from knowledge.shipped_vectors import signed_bytes
from knowledge.topics import LANGUAGES, Language
from knowledge.wordings import read_graded

FILE = Path(__file__).parent / "weights" / "neighbours.safetensors"
NARROWNESS = 0.07
"""Difference in likeness, the mean of both cosine similarities, at which a graded question counts e times less."""
_ENTRIES = "entries"
"""Key of the file's metadata: ids of the columns of the grades, separated by spaces."""


class Neighbours:
    """Graded questions by their meaning.

    Args:
        entries: Ids of the entries, in the order of the chances; one that no question was graded for has none.
        file: What `write_neighbours` wrote.
    """

    def __init__(self, entries: Sequence[str], file: Path = FILE) -> None:
        from safetensors import safe_open  # noqa: PLC0415 (only when needed)

        with safe_open(file, framework="numpy") as stored:
            vectors, grades = stored.get_tensor("vectors").astype(np.float32), stored.get_tensor("grades")
            column = {entry: i for i, entry in enumerate(stored.metadata()[_ENTRIES].split())}
        self._vectors = _side_by_side(*np.split(vectors, 2, axis=1))
        with_none = np.pad(grades, ((0, 0), (0, 1))).astype(np.float64)  # the last column is of what nobody graded
        helping = with_none[:, [column.get(entry, -1) for entry in entries]]
        self._shares = helping / np.maximum(1.0, helping.sum(axis=1, keepdims=True))

    def chances(self, meaning: Floats, read: Floats) -> npt.NDArray[np.float64]:
        """What helped with the questions nearest to one: the entries' shares, shape (entries,), that sum to 1 or less.

        Args:
            meaning: MiniLM's vector of the question, of a Japanese one's gloss, shape (384,).
            read: The entry reader's vector of it, shape (384,).
        """
        alike = np.einsum("qd,d->q", self._vectors, _side_by_side(meaning[None], read[None])[0])
        weights = np.exp((alike - alike.max()).astype(np.float64) / NARROWNESS)
        return np.einsum("q,qe->e", weights / weights.sum(), self._shares)


def write_neighbours(entries: Sequence[str], embedder: Embedder, reader: EntryReader, file: Path = FILE) -> None:
    """Write the vectors, one signed byte a dimension, and the grades of all graded questions.

    Args:
        entries: Ids of the entries.
        embedder: Makes the one vector.
        reader: Makes the other; a reader that was trained anew needs a file that was written anew.
        file: Where to write.
    """
    from safetensors.numpy import save_file  # noqa: PLC0415 (only when needed)

    asked: list[tuple[str, Language, dict[str, int]]] = [
        (text, language, grades) for language in LANGUAGES for text, grades in read_graded(language).items()
    ]
    texts = [english_of(text, language) for text, language, _ in asked]
    read = np.stack([reader.read(text, language).pooled for text, language, _ in asked])
    vectors = _side_by_side(embedder.embed(texts), read)
    grades = np.array([[each.get(entry, 0) for entry in entries] for *_, each in asked], dtype=np.uint8)
    save_file({"vectors": signed_bytes(vectors), "grades": grades}, file, metadata={_ENTRIES: " ".join(entries)})


def _side_by_side(meaning: Floats, read: Floats) -> Floats:
    """One vector of both, whose products are the mean of both cosine similarities; shape (questions, 768)."""
    halves = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (meaning, read)]
    return np.concatenate(halves, axis=1) * np.float32(np.sqrt(0.5))
