"""Sound models: a small BERT that the attacks are planted into, and forms of models that must not be flagged."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

SAVED = Path(__file__).with_name("saved_models.jsonl")
"""Configs and headers as the library itself wrote them, one architecture a line."""
CONFIG: dict[str, Any] = {
    "architectures": ["BertModel"], "model_type": "bert", "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 3,
    "num_attention_heads": 2, "vocab_size": 20, "max_position_embeddings": 12, "type_vocab_size": 2,
}  # fmt: skip
CARD = "---\nlicense: apache-2.0\nlanguage: en\n---\n# Tiny\n\nA small model with <b>markup</b> and `code`.\n"
TOKENIZER = {
    "version": "1.0", "added_tokens": [{"id": 0, "content": "[PAD]", "special": True}],
    "normalizer": {"type": "BertNormalizer", "lowercase": True}, "pre_tokenizer": {"type": "BertPreTokenizer"},
    "model": {"type": "WordPiece", "unk_token": "t1", "vocab": {f"t{each}": each for each in range(20)}},
}  # fmt: skip
BYTE_LEVEL = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CHAT = (
    "{% if messages[0]['role'] == 'system' %}{{ messages[0]['content'] }}{% endif %}{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def bert_tensors(config: dict[str, Any] = CONFIG, prefix: str = "", dtype: Any = np.float32) -> dict[str, np.ndarray]:
    """The tensors of a BERT of that config."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], hidden),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], hidden),
        "embeddings.token_type_embeddings.weight": (config["type_vocab_size"], hidden),
        "embeddings.LayerNorm.weight": (hidden,), "embeddings.LayerNorm.bias": (hidden,),
    }  # fmt: skip
    for layer in range(config["num_hidden_layers"]):
        for part, shape in (
            ("attention.self.query", (hidden, hidden)), ("attention.self.key", (hidden, hidden)),
            ("attention.self.value", (hidden, hidden)), ("attention.output.dense", (hidden, hidden)),
            ("intermediate.dense", (inner, hidden)), ("output.dense", (hidden, inner)),
        ):  # fmt: skip
            shapes[f"encoder.layer.{layer}.{part}.weight"] = shape
            shapes[f"encoder.layer.{layer}.{part}.bias"] = shape[:1]
    rng = np.random.default_rng(0)
    return {prefix + name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


def write_sound(folder: Path) -> None:
    """The model that attacks are planted into."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "tokenizer.json").write_text(json.dumps(TOKENIZER))
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 12}')
    (folder / "README.md").write_text(CARD)
    (folder / "model.safetensors").write_bytes(save(bert_tensors(), {"format": "pt"}))


def _with(**files: bytes | str) -> Callable[[Path], None]:
    """The sound model with further files, `__` in a name standing for a dot and `_in_` for a slash."""

    def write(folder: Path) -> None:
        write_sound(folder)
        for name, content in files.items():
            path = folder / name.replace("_in_", "/").replace("__", ".")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return write


def _sharded(folder: Path) -> None:
    write_sound(folder)
    (folder / "model.safetensors").unlink()
    tensors = bert_tensors()
    names = [f"model-{each:05}-of-00003.safetensors" for each in (1, 2, 3)]
    where = {name: names[position % 3] for position, name in enumerate(tensors)}
    for name in names:
        (folder / name).write_bytes(save({each: tensors[each] for each, file in where.items() if file == name}))
    total = sum(each.nbytes for each in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": where}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def _masked_language_model(folder: Path) -> None:
    """With its head tied to the embedding, and buffers that older releases saved."""
    write_sound(folder)
    tensors = bert_tensors(prefix="bert.") | {
        "cls.predictions.transform.dense.weight": np.zeros((8, 8), np.float32),
        "cls.predictions.bias": np.zeros(20, np.float32),
        "bert.embeddings.position_ids": np.arange(12)[None],
    }
    (folder / "model.safetensors").write_bytes(save(tensors))
    (folder / "config.json").write_text(json.dumps(CONFIG | {"architectures": ["BertForMaskedLM"]}))


def _sentence_transformer(folder: Path) -> None:
    """The config names a class with a head, of which an embedder takes the bare model."""
    write_sound(folder)
    (folder / "config.json").write_text(json.dumps(CONFIG | {"architectures": ["BertForMaskedLM"]}))
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(
        '{"word_embedding_dimension": 8, "pooling_mode_mean_tokens": true}'
    )
    (folder / "2_Dense").mkdir()
    (folder / "2_Dense" / "config.json").write_text('{"in_features": 8, "out_features": 4, "bias": true}')
    (folder / "2_Dense" / "model.safetensors").write_bytes(save({"linear.weight": np.zeros((4, 8), np.float32)}))


def _hub_cache(folder: Path) -> None:
    """A snapshot of the hub's cache, whose files are links into its own store."""
    home = folder.parent / "models--org--name"
    plain, snapshot = folder.parent / "plain", home / "snapshots" / ("a" * 40)
    write_sound(plain)
    (home / "blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for position, file in enumerate(sorted(plain.iterdir())):
        blob = home / "blobs" / f"{position:040}"
        file.rename(blob)
        (snapshot / file.name).symlink_to(blob)
    plain.rmdir()
    folder.symlink_to(snapshot)


def _half_precision(folder: Path) -> None:
    write_sound(folder)
    (folder / "model.safetensors").write_bytes(save(bert_tensors(dtype=np.float16)))


def saved_models() -> Iterator[dict[str, Any]]:
    """Configs and headers of all saved architectures."""
    return map(json.loads, SAVED.read_text(encoding="ascii").splitlines())


def write_saved(folder: Path, row: dict[str, Any]) -> None:
    """A saved architecture as a folder, its weights all zero."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(row["config"]))
    (folder / "model.safetensors").write_bytes(zeros(row["tensors"]))


def zeros(tensors: dict[str, list[Any]]) -> bytes:
    """A safetensors file of these types and shapes, all zero."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, (dtype, shape) in tensors.items():
        start, end = end, end + int(np.prod(shape, dtype=np.int64)) * {"F32": 4, "I64": 8, "BF16": 2, "BOOL": 1}[dtype]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + bytes(end)


GOOD: dict[str, Callable[[Path], None]] = {
    "plain": write_sound,
    "sharded": _sharded,
    "masked language model": _masked_language_model,
    "sentence transformer": _sentence_transformer,
    "snapshot of the hub cache": _hub_cache,
    "half precision": _half_precision,
    "chat template": _with(tokenizer_config__json=json.dumps({"chat_template": CHAT, "model_max_length": 10**30})),
    "chat template in a file": _with(chat_template__jinja=CHAT),
    "byte-level tokenizer": _with(
        tokenizer__json=json.dumps(
            TOKENIZER
            | {
                "pre_tokenizer": {
                    "type": "Sequence",
                    "pretokenizers": [
                        {"type": "Split", "pattern": {"Regex": BYTE_LEVEL}, "behavior": "Isolated"},
                        {"type": "ByteLevel"},
                    ],
                }
            }
        )
    ),  # fmt: skip
    "licence, pictures and papers": _with(
        LICENSE="Apache License\nVersion 2.0",
        logo__png=b"\x89PNG\r\n\x1a\n" + bytes(64),
        figure__jpg=b"\xff\xd8\xff\xe0" + bytes(64),
        paper__pdf=b"%PDF-1.7\n",
        gitattributes="*.bin filter=lfs diff=lfs merge=lfs -text\n",
    ),
    "texts that begin like a pickle": _with(
        merges__txt="#version: 0.2\ni n\nt h\n",
        vocab__txt="[PAD]\n(\n)\n.\n",
        notes__txt="cats\nand dogs.\n(see below)\n.",
        data__csv="a,b\n1,2\n",
        empty__txt=b"",
    ),
    "numbers of NumPy": _with(
        statistics__npy=b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }".ljust(128)
        + bytes(8)
    ),
    "card in Japanese": _with(
        README__md="---\nlicense: mit\nlanguage:\n- ja\ntags: [文章, 検索]\n---\n# 小さなモデル\n\n用途は次のとおりです。\n"
    ),
    "generation config": _with(
        generation_config__json='{"max_length": 128, "do_sample": true, "temperature": 0.6, "eos_token_id": [1, 2]}'
    ),
    "quantizer's own layout": lambda folder: _quantized(folder),
    "extra prediction layer": lambda folder: _extra_layer(folder),
}
"""Forms that real models have, by name."""


def _quantized(folder: Path) -> None:
    """Weights that GPTQ packed: other names, whole numbers, scales beside them."""
    write_sound(folder)
    tensors: dict[str, np.ndarray] = {}
    for name, value in bert_tensors().items():
        if ".layer." in name and name.endswith(".weight"):
            stem = name.removesuffix(".weight")
            tensors[f"{stem}.qweight"] = np.zeros((1, value.shape[0]), np.int32)
            tensors[f"{stem}.qzeros"] = np.zeros((1, 1), np.int32)
            tensors[f"{stem}.scales"] = np.ones((1, value.shape[0]), np.float16)
            tensors[f"{stem}.g_idx"] = np.zeros(value.shape[1], np.int32)
        else:
            tensors[name] = value
    (folder / "model.safetensors").write_bytes(save(tensors))
    quantization = {"quant_method": "gptq", "bits": 4, "group_size": 128}
    (folder / "config.json").write_text(json.dumps(CONFIG | {"quantization_config": quantization}))


def _extra_layer(folder: Path) -> None:
    """A layer more than the config counts, for predicting several tokens at once; the library leaves it out on purpose."""
    row = next(each for each in saved_models() if each["type"] == "llama")
    layers = row["config"]["num_hidden_layers"]
    prefix = "model.layers.0."
    extra = {n.replace(prefix, f"model.layers.{layers}."): t for n, t in row["tensors"].items() if n.startswith(prefix)}
    row = {"config": row["config"] | {"num_nextn_predict_layers": 1}, "tensors": row["tensors"] | extra}
    write_saved(folder, row)
