"""Attacks in weights: pickles (T01), other formats (T02), wrong models (T10), headers (T12), indexes (T14)."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from tests.tools.attacks.case import (
    Build,
    Case,
    Payload,
    as_tar,
    as_zip,
    changes_config,
    pickled,
    puts,
    python_code,
    template_code,
)
from tests.tools.attacks.sound import bert_tensors, saved_models, write_saved

WEIGHTS = "model.safetensors"


def _objects(marker: Path) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([Payload(marker)], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def _only_pickle(folder: Path, marker: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / "pytorch_model.bin").write_bytes(pickled(marker, 2))


def _in_dill_style(marker: Path) -> bytes:
    return b"cbuiltins\neval\n(S" + repr(python_code(marker).strip()).encode() + b"\ntR."


PICKLES: tuple[Case, ...] = (
    *(Case("T01", f"protocol {each}", "refuse", puts("pytorch_model.bin", lambda m, each=each: pickled(m, each))) for each in range(6)),
    Case("T01", "no safetensors beside it", "refuse", _only_pickle),
    Case("T01", "torch zip", "refuse", puts("model.pt", lambda m: as_zip({"archive/data.pkl": pickled(m), "archive/version": b"3"}))),
    Case("T01", "torch zip with another member name", "refuse", puts("model.pth", lambda m: as_zip({"x/data.PKL": pickled(m)}))),
    Case("T01", "torch tar", "refuse", puts("old.pt", lambda m: as_tar({"storages": b"", "pickle": pickled(m)}))),
    Case("T01", "named like weights of the safe format", "refuse", puts("extra.safetensors", pickled)),
    Case("T01", "named like a text", "refuse", puts("notes.txt", pickled)),
    Case("T01", "named like a config", "refuse", puts("training_args.json", pickled)),
    Case("T01", "without a suffix", "refuse", puts("optimizer", pickled)),
    Case("T01", "in a subfolder", "refuse", puts("checkpoint-1/rng_state.pth", pickled)),
    Case("T01", "NumPy objects", "refuse", puts("vectors.npy", _objects)),
    Case("T01", "NumPy archive with objects", "refuse", puts("vectors.npz", lambda m: as_zip({"a.npy": _objects(m)}))),
    Case("T01", "joblib with zlib", "refuse", puts("model.joblib", lambda m: zlib.compress(pickled(m)))),
    Case("T01", "gzip", "refuse", puts("model.pkl.gz", lambda m: gzip.compress(pickled(m)))),
    Case("T01", "bzip2", "refuse", puts("model.pkl.bz2", lambda m: bz2.compress(pickled(m)))),
    Case("T01", "xz", "refuse", puts("model.pkl.xz", lambda m: lzma.compress(pickled(m)))),
    Case("T01", "compressed twice", "refuse", puts("model.bin", lambda m: gzip.compress(zlib.compress(pickled(m))))),
    Case("T01", "7z, which cannot be looked into", "refuse", puts("model.7z", b"7z\xbc\xaf\x27\x1c" + bytes(40))),
    Case("T01", "broken zip that torch still reads", "refuse", puts("model.bin", lambda m: as_zip({"a/data.pkl": pickled(m)})[:-8])),
    Case("T01", "pickle of protocol 0 that evaluates", "refuse", puts("weights.dat", _in_dill_style)),
    Case("T01", "a second pickle after a harmless one", "refuse", puts("model.bin", lambda m: pickle.dumps({}, 2) + pickled(m))),
    Case("T01", "zip in a zip", "refuse", puts("model.zip", lambda m: as_zip({"inner.pt": as_zip({"a/data.pkl": pickled(m)})}))),
    Case("T01", "pickle under a plain name in a zip", "refuse", puts("model.zip", lambda m: as_zip({"weights": pickled(m)}))),
)  # fmt: skip


def gguf(template: str, pairs: int = 1) -> bytes:
    """A GGUF file without tensors: numbers, then a chat template."""
    key, value = b"tokenizer.chat_template", template.encode()
    filler = b"".join(struct.pack("<Q", 4) + b"k%03d" % each + struct.pack("<II", 4, each) for each in range(pairs - 1))
    entry = struct.pack("<Q", len(key)) + key + struct.pack("<IQ", 8, len(value)) + value
    return b"GGUF" + struct.pack("<IQQ", 3, 0, pairs) + filler + entry


def _onnx(location: str) -> bytes:
    path = location.encode()
    return b"\x08\x08\x12\x07pytorch\x0a\x08location\x12" + bytes([len(path)]) + path


FOREIGN: tuple[Case, ...] = (
    Case("T02", "Keras archive with a Lambda layer", "refuse", puts("model.keras", lambda m: as_zip(
        {"config.json": json.dumps({"class_name": "Lambda", "code": python_code(m)}).encode(), "model.weights.h5": b""}))),
    Case("T02", "Keras archive that names a function", "refuse", puts("model.keras", as_zip(
        {"config.json": b'{"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}', "model.weights.h5": b""}))),
    Case("T02", "HDF5 with a Lambda layer", "refuse", puts("model.h5", b"\x89HDF\r\n\x1a\n" + b'{"class_name": "Lambda"}')),
    Case("T02", "NeMo archive", "refuse", puts("model.nemo", lambda m: as_tar({"model_config.yaml": b"", "model_weights.ckpt": pickled(m)}))),
    Case("T02", "NeMo archive, compressed", "refuse", puts("model.nemo", lambda m: gzip.compress(as_tar({"model_config.yaml": b"x: 1\n", "w.ckpt": pickled(m)})))),
    Case("T02", "GGUF whose template escapes", "refuse", puts("model.gguf", lambda m: gguf(template_code(m)))),
    Case("T02", "GGUF whose template escapes by a filter", "refuse", puts("model.gguf", gguf("{{ x|attr('y') }}", 200))),
    Case("T02", "GGUF with absurd counts", "refuse", puts("model.gguf", b"GGUF\x03\x00\x00\x00" + struct.pack("<QQ", 2**60, 1))),
    Case("T02", "GGUF with a text longer than the file", "refuse", puts(
        "model.gguf", b"GGUF\x03\x00\x00\x00" + struct.pack("<QQQ", 0, 1, 2**40) + b"general")),
    Case("T02", "GGUF that is sound, not measurable", "flag", puts("model.gguf", gguf("{{ messages }}"))),
    Case("T02", "ONNX with data outside of the folder", "refuse", puts("model.onnx", _onnx("../../etc/passwd"))),
    Case("T02", "ONNX with data at an absolute path", "refuse", puts("onnx/model.onnx", _onnx("/etc/passwd"))),
    Case("T02", "ONNX that is sound, not measurable", "flag", puts("model.onnx", b"\x08\x08\x12\x07pytorch")),
    Case("T02", "Flax weights", "flag", puts("flax_model.msgpack", b"\x81\xa1a\x01")),
)  # fmt: skip


def _tensors(change: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]) -> Build:
    def build(folder: Path, _marker: Path) -> None:
        (folder / WEIGHTS).write_bytes(save(change(bert_tensors())))

    return build


def _without(*parts: str) -> Build:
    return _tensors(lambda all_: {name: v for name, v in all_.items() if not any(part in name for part in parts)})


def _renamed(old: str, new: str) -> Build:
    return _tensors(lambda all_: {name.replace(old, new): value for name, value in all_.items()})


def _saved(kind: str, changes: dict[str, Any], drop: str = "") -> Build:
    """A saved architecture with another config, or without some tensors, in the place of the sound model."""

    def build(folder: Path, _marker: Path) -> None:
        row = next(each for each in saved_models() if each["type"] == kind)
        tensors = {name: info for name, info in row["tensors"].items() if not drop or drop not in name}
        write_saved(folder / "saved", {"config": row["config"] | changes, "tensors": tensors})
        for file in (folder / "saved").iterdir():
            file.replace(folder / file.name)
        (folder / "saved").rmdir()
        (folder / "tokenizer.json").unlink()

    return build


def _not_a_number(folder: Path, _marker: Path) -> None:
    tensors = bert_tensors()
    tensors["encoder.layer.1.output.dense.weight"][3, 3] = np.nan
    (folder / WEIGHTS).write_bytes(save(tensors))


def _small_vocabulary(folder: Path, _marker: Path) -> None:
    vocabulary = {f"t{each}": each for each in range(25)}
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"type": "WordPiece", "vocab": vocabulary}}))


WRONG_MODELS: tuple[Case, ...] = (
    Case("T10", "more layers in the config", "refuse", changes_config(num_hidden_layers=4)),
    Case("T10", "fewer layers in the config", "refuse", changes_config(num_hidden_layers=2)),
    Case("T10", "other width", "refuse", changes_config(hidden_size=16)),
    Case("T10", "other inner width", "refuse", changes_config(intermediate_size=32)),
    Case("T10", "other vocabulary", "refuse", changes_config(vocab_size=30)),
    Case("T10", "fewer positions", "refuse", changes_config(max_position_embeddings=8)),
    Case("T10", "class of another family", "refuse", changes_config(architectures=["LlamaForCausalLM"])),
    Case("T10", "type of another family", "refuse", changes_config(model_type="gpt2", architectures=["GPT2LMHeadModel"], n_layer=3)),
    Case("T10", "type of a like family", "refuse", changes_config(model_type="distilbert", architectures=["DistilBertModel"])),
    Case("T10", "class with a head that is not there", "refuse", changes_config(architectures=["BertForSequenceClassification"])),
    Case("T10", "half the tensors", "refuse", _without(".key.", ".value.", "intermediate")),
    Case("T10", "one tensor missing", "refuse", _without("layer.1.attention.self.key")),
    Case("T10", "one layer missing", "refuse", _without("layer.1.")),
    Case("T10", "no embedding", "refuse", _without("word_embeddings")),
    Case("T10", "only the embedding", "refuse", _without("encoder.")),
    Case("T10", "renamed layers", "refuse", _renamed("encoder.layer", "model.layers")),
    Case("T10", "renamed tensors", "refuse", _renamed("attention.self.query", "attention.q_lin")),
    Case("T10", "values that are no numbers", "flag", _not_a_number),
    Case("T10", "tokenizer with more tokens", "flag", _small_vocabulary),
    Case("T10", "wrong number of key heads", "refuse", _saved("llama", {"num_key_value_heads": 1})),
    Case("T10", "wrong number of heads", "refuse", _saved("qwen3", {"num_attention_heads": 2})),
    Case("T10", "wrong width of a head", "refuse", _saved("gemma3_text", {"head_dim": 64})),
    Case("T10", "no output layer where none is shared", "refuse", _saved("llama", {"tie_word_embeddings": False}, "lm_head")),
    Case("T10", "no experts", "refuse", _saved("mixtral", {}, ".experts.")),
    Case("T10", "decoder without its encoder's attention", "refuse", _saved("t5", {}, "EncDecAttention")),
    Case("T10", "wrong inner width of a decoder", "refuse", _saved("gpt2", {"n_embd": 96})),
    Case("T10", "half the stack of a vision model", "refuse", _saved("vit", {"num_hidden_layers": 8})),
    Case("T10", "labels that the classifier does not have", "refuse", _saved("vit", {"id2label": {str(n): str(n) for n in range(9)}})),
)  # fmt: skip


def _header(change: Callable[[dict[str, Any], bytes], tuple[dict[str, Any] | bytes, bytes]]) -> Build:
    """Writes the weights anew after a change to header and data."""

    def build(folder: Path, _marker: Path) -> None:
        content = (folder / WEIGHTS).read_bytes()
        length = int.from_bytes(content[:8], "little")
        header, data = change(json.loads(content[8 : 8 + length]), content[8 + length :])
        raw = header if isinstance(header, bytes) else json.dumps(header).encode()
        (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(raw)) + raw + data)

    return build


def _entry(**changes: Any) -> Build:
    name = "embeddings.LayerNorm.bias"
    return _header(lambda header, data: (header | {name: header[name] | changes}, data))


def _first(header: dict[str, Any]) -> str:
    return next(name for name, entry in header.items() if entry.get("data_offsets", [1])[0] == 0)


def _moved(header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """Two tensors with the same data."""
    first, *rest = (name for name in header if name != "__metadata__")
    same = next(name for name in rest if header[name]["shape"] == header[first]["shape"])
    return header | {same: header[first]}, data


def _twice(header: dict[str, Any], data: bytes) -> tuple[bytes, bytes]:
    text = json.dumps(header)
    name = _first(header)
    return (text[:-1] + f', "{name}": {json.dumps(header[name])}}}').encode(), data


def _polyglot(folder: Path, marker: Path) -> None:
    inner = np.frombuffer(as_zip({"archive/data.pkl": pickled(marker)}), np.uint8)
    (folder / "second.safetensors").write_bytes(save({"weight": inner}))


def _appended_zip(folder: Path, marker: Path) -> None:
    with (folder / WEIGHTS).open("ab") as stream:
        stream.write(as_zip({"archive/data.pkl": pickled(marker)}))


HEADERS: tuple[Case, ...] = (
    Case("T12", "length of an exabyte", "refuse", puts(WEIGHTS, struct.pack("<Q", 2**60) + b"{}")),
    Case("T12", "length beyond the file", "refuse", puts(WEIGHTS, struct.pack("<Q", 10_000) + b"{}")),
    Case("T12", "no bytes", "refuse", puts(WEIGHTS, b"")),
    Case("T12", "truncated", "refuse", _header(lambda header, data: (header, data[:-4]))),
    Case("T12", "goes on after the last tensor", "refuse", _header(lambda header, data: (header, data + b"more"))),
    Case("T12", "overlap", "refuse", _header(_moved)),
    Case("T12", "hole", "refuse", _header(lambda header, data: ({n: e for n, e in header.items() if n != _first(header)}, data))),
    Case("T12", "unknown type", "refuse", _entry(dtype="F31")),
    Case("T12", "negative shape", "refuse", _entry(shape=[-8])),
    Case("T12", "shape that overflows", "refuse", _entry(shape=[2**62, 2**62, 0])),
    Case("T12", "shape that is not that of the data", "refuse", _entry(shape=[9])),
    Case("T12", "offsets that go back", "refuse", _entry(data_offsets=[64, 32])),
    Case("T12", "offsets that are no whole numbers", "refuse", _entry(data_offsets=[0.0, 32.0])),
    Case("T12", "further keys", "refuse", _entry(code="import os")),
    Case("T12", "a tensor twice", "refuse", _header(_twice)),
    Case("T12", "deep nesting", "refuse", _header(lambda _, data: (b'{"a":' * 50_000, data))),
    Case("T12", "not UTF-8", "refuse", _header(lambda _, data: (b'{"\xff": 1}', data))),
    Case("T12", "metadata that is no text", "refuse", _header(lambda header, data: (header | {"__metadata__": {"a": 1}}, data))),
    Case("T12", "a zip archive as well", "refuse", _polyglot),
    Case("T12", "a zip archive behind it", "refuse", _appended_zip),
)  # fmt: skip


def _index(shard: Any, *, total: int | None = None, drop: int = 0, elsewhere: bool = False) -> Build:
    """Takes the weights as the one shard of an index that names another one."""

    def build(folder: Path, _marker: Path) -> None:
        name = "model-00001-of-00001.safetensors"
        tensors = load((folder / WEIGHTS).read_bytes())
        (folder / WEIGHTS).rename(folder / name)
        where: dict[str, Any] = dict.fromkeys(list(tensors)[drop:], name)
        if shard is not None:
            where[next(iter(where))] = shard
        if elsewhere:
            where["no.such.tensor"] = name
        metadata = {} if total is None else {"total_size": total}
        index = {"metadata": metadata, "weight_map": where}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))

    return build


INDEXES: tuple[Case, ...] = (
    Case("T14", "above the folder", "refuse", _index("../x.safetensors")),
    Case("T14", "an absolute path", "refuse", _index("/etc/passwd.safetensors")),
    Case("T14", "an address", "refuse", _index("https://example.org/y.safetensors")),
    Case("T14", "a path of Windows", "refuse", _index("C:\\x.safetensors")),
    Case("T14", "a missing shard", "refuse", _index("model-00002-of-00002.safetensors")),
    Case("T14", "a pickled shard", "refuse", _index("pytorch_model.bin")),
    Case("T14", "a shard that is no text", "refuse", _index(3)),
    Case("T14", "a tensor that no shard has", "refuse", _index(None, elsewhere=True)),
    Case("T14", "a tensor that the index leaves out", "refuse", _index(None, drop=1)),
    Case("T14", "a false total", "flag", _index(None, total=1)),
    Case("T14", "no map", "refuse", puts("model.safetensors.index.json", b'{"metadata": {}}')),
    Case("T14", "a module outside of the folder", "refuse", puts("modules.json", json.dumps(
        [{"idx": 0, "name": "0", "path": "../../x", "type": "sentence_transformers.models.Pooling"}]).encode())),
)  # fmt: skip

IN_WEIGHTS = (*PICKLES, *FOREIGN, *WRONG_MODELS, *HEADERS, *INDEXES)
