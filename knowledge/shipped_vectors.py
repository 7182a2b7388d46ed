"""Vectors that come with their texts, so that a first start need not embed them for minutes: here those of the guidance.

One signed byte a dimension. Each vector is filed under the hash of its own text and of the embedding model: a text that
was changed, or another model, has none here and is embedded. So a stale file costs time and never a wrong answer.
`python -m knowledge.shipped_vectors FOLDER_OF_MINILM` writes the file anew; a test says when that is due.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from knowledge.embedding import DIMENSIONS, Embedder, Floats
from knowledge.entry import read_entries
from knowledge.passages import indexed_texts

SHIPPED = Path(__file__).with_name("guidance_vectors.safetensors")
KEY_BYTES = 16
"""Bytes of a text's hash that are kept."""


def embed_texts(texts: Sequence[str], embedder: Embedder, shipped: Path = SHIPPED) -> Floats:
    """Unit vectors of shape (texts, dimensions): those that are shipped, and new ones for all other texts.

    Args:
        texts: What is embedded.
        embedder: Makes the vectors that are not shipped.
        shipped: The file of vectors.
    """
    known = _read(shipped)
    keys = [_key(text, embedder) for text in texts]
    missing = [i for i, key in enumerate(keys) if key not in known]
    if len(missing) == len(texts):
        return embedder.embed(texts)
    vectors = np.stack([known.get(key, np.zeros(DIMENSIONS, np.float32)) for key in keys])
    if missing:
        vectors[missing] = embedder.embed([texts[i] for i in missing])
    return vectors


def write_shipped(texts: Sequence[str], vectors: Floats, embedder: Embedder, shipped: Path = SHIPPED) -> None:
    """Write the file of vectors.

    Args:
        texts: What the vectors belong to.
        vectors: What `embedder` made of them, shape (texts, dimensions).
        embedder: The model that is named in the file.
        shipped: The file.
    """
    keys = np.stack([np.frombuffer(_key(text, embedder), dtype=np.uint8) for text in texts])
    save_file({"keys": keys, "vectors": signed_bytes(vectors)}, shipped)


def signed_bytes(vectors: Floats) -> npt.NDArray[np.int8]:
    """The vectors with one signed byte a dimension.

    Each by its largest value: a vector's length is made one again when it is read, so no scale need be kept.
    """
    return np.rint(vectors * (127 / np.abs(vectors).max(axis=1, keepdims=True))).astype(np.int8)


def unit_vectors(vectors: Floats) -> Floats:
    """The vectors, each made one long."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _read(shipped: Path) -> dict[bytes, npt.NDArray[np.float32]]:
    """The vectors by key; none when the file is missing or damaged, for it only saves time."""
    try:
        arrays = load_file(shipped)
        keys, vectors = arrays["keys"], arrays["vectors"]
    except (OSError, SafetensorError, KeyError):
        return {}
    if (keys.dtype, vectors.dtype) != (np.uint8, np.int8) or keys.shape != (len(vectors), KEY_BYTES):
        return {}
    if vectors.shape != (len(keys), DIMENSIONS):
        return {}
    unit = unit_vectors(vectors.astype(np.float32))
    return {key.tobytes(): vector for key, vector in zip(keys, unit, strict=True)}


def _key(text: str, embedder: Embedder) -> bytes:
    return hashlib.sha256(f"{embedder.model_hash}\0{text}".encode("utf-8", "replace")).digest()[:KEY_BYTES]


if __name__ == "__main__":
    guidance = [text.text for text in indexed_texts(read_entries())]
    minilm = Embedder(Path(sys.argv[1]))
    write_shipped(guidance, minilm.embed(guidance), minilm)
