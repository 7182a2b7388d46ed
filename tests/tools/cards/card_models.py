"""Small models with real headers, configs and tokenizers, which the cards beside this file describe."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

_BYTES = {"F32": 4, "F16": 2, "BF16": 2}
_KANA = [chr(each) for each in range(0x3041, 0x3097)] + [chr(each) for each in range(0x30A1, 0x30FB)]
_KANJI = [chr(each) for each in range(0x4E00, 0x4E00 + 3_000)]
_HANGUL = [chr(each) for each in range(0xAC00, 0xAC00 + 1_500)]
_CYRILLIC = [a + b for a in "абвгдежзиклмнопрстуфхцчшщэюя" for b in "абвгдежзиклмнопрстуфхцчшщэюя"] * 2


def build_model(kind: str, folder: Path) -> Path:
    """Write the files of one kind of model.

    Args:
        kind: A name of `KINDS`.
        folder: An empty folder, or one that is not there.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    KINDS[kind](folder)
    return folder


def write_json(folder: Path, name: str, content: dict[str, Any]) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _weights(folder: Path, dtype: str, shapes: dict[str, tuple[int, ...]], name: str = "model.safetensors") -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for tensor, shape in shapes.items():
        start, end = end, end + math.prod(shape) * _BYTES[dtype]
        header[tensor] = {"dtype": dtype, "shape": shape, "data_offsets": (start, end)}
    text = json.dumps(header).encode()
    (folder / name).write_bytes(struct.pack("<Q", len(text)) + text + bytes(end))


def _bert_shapes(config: dict[str, Any], prefix: str = "") -> dict[str, tuple[int, ...]]:
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        f"{prefix}embeddings.word_embeddings.weight": (config["vocab_size"], hidden),
        f"{prefix}embeddings.position_embeddings.weight": (config["max_position_embeddings"], hidden),
        f"{prefix}embeddings.token_type_embeddings.weight": (2, hidden),
    }
    for layer in range(config["num_hidden_layers"]):
        block = f"{prefix}encoder.layer.{layer}"
        shapes |= {f"{block}.attention.self.{part}.weight": (hidden, hidden) for part in ("query", "key", "value")}
        shapes[f"{block}.attention.output.dense.weight"] = (hidden, hidden)
        shapes[f"{block}.intermediate.dense.weight"] = (inner, hidden)
        shapes[f"{block}.output.dense.weight"] = (hidden, inner)
    return shapes


def _llama_shapes(config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (config["vocab_size"], hidden),
        "model.norm.weight": (hidden,),
    }
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = (config["vocab_size"], hidden)
    for layer in range(config["num_hidden_layers"]):
        block = f"model.layers.{layer}"
        shapes |= {f"{block}.self_attn.{part}_proj.weight": (hidden, hidden) for part in "qkvo"}
        shapes |= {f"{block}.mlp.{part}_proj.weight": (inner, hidden) for part in ("gate", "up")}
        shapes[f"{block}.mlp.down_proj.weight"] = (hidden, inner)
    return shapes


def _latin(count: int) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [a + b + c for a in letters for b in letters for c in letters][:count]


def write_word_piece(folder: Path, pieces: list[str], *, lowercase: bool, length: int) -> int:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *pieces]
    tokenizer = {
        "version": "1.0", "added_tokens": [], "normalizer": {"type": "BertNormalizer", "lowercase": lowercase},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {word: n for n, word in enumerate(words)}},
    }  # fmt: skip
    write_json(folder, "tokenizer.json", tokenizer)
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": lowercase, "model_max_length": length}
    write_json(folder, "tokenizer_config.json", settings)
    return len(words)


def _byte_pairs(folder: Path, size: int, length: int) -> None:
    tokenizer = {
        "version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": {word: n for n, word in enumerate(_latin(size))}, "merges": []},
    }  # fmt: skip
    write_json(folder, "tokenizer.json", tokenizer)
    write_json(folder, "tokenizer_config.json", {"tokenizer_class": "Qwen2Tokenizer", "model_max_length": length})


def _unigram(folder: Path, pieces: list[str], length: int) -> int:
    words = ["<s>", "<pad>", "</s>", "<unk>", *dict.fromkeys(pieces)]
    tokenizer = {
        "version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Metaspace"},
        "model": {"type": "Unigram", "unk_id": 3, "vocab": [[word, -1.0] for word in words]},
    }  # fmt: skip
    write_json(folder, "tokenizer.json", tokenizer)
    write_json(folder, "tokenizer_config.json", {"tokenizer_class": "XLMRobertaTokenizer", "model_max_length": length})
    return len(words)


def _embedder(folder: Path) -> None:
    size = write_word_piece(folder, _latin(5_995), lowercase=True, length=512)
    config = {
        "architectures": ["BertModel"], "model_type": "bert", "hidden_size": 64, "intermediate_size": 256,
        "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": size, "max_position_embeddings": 512,
        "type_vocab_size": 2, "_name_or_path": "quiet-lab/small-bert-uncased",
    }  # fmt: skip
    write_json(folder, "config.json", config)
    write_json(folder, "sentence_bert_config.json", {"max_seq_length": 256, "do_lower_case": False})
    write_json(folder, "1_Pooling/config.json", {"word_embedding_dimension": 64, "pooling_mode_mean_tokens": True})
    _weights(folder, "F32", _bert_shapes(config))


def _decoder(folder: Path) -> None:
    _byte_pairs(folder, 8_000, 32_768)
    config = {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": 128, "intermediate_size": 384,
        "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 4, "head_dim": 32, "vocab_size": 8_000,
        "max_position_embeddings": 32_768, "tie_word_embeddings": True, "torch_dtype": "bfloat16",
    }  # fmt: skip
    write_json(folder, "config.json", config)
    _weights(folder, "BF16", _llama_shapes(config))


def _classifier(folder: Path) -> None:
    size = write_word_piece(folder, _latin(3_995), lowercase=False, length=512)
    labels = {"0": "negative", "1": "neutral", "2": "positive"}
    config = {
        "architectures": ["BertForSequenceClassification"], "model_type": "bert", "hidden_size": 48,
        "intermediate_size": 192, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": size,
        "max_position_embeddings": 512, "type_vocab_size": 2, "id2label": labels,
        "label2id": {name: int(number) for number, name in labels.items()},
        "_name_or_path": "quiet-lab/review-bert-cased",
    }  # fmt: skip
    write_json(folder, "config.json", config)
    _weights(folder, "F16", _bert_shapes(config, "bert.") | {"classifier.weight": (3, 48), "classifier.bias": (3,)})


def _tagger(folder: Path) -> None:
    size = write_word_piece(folder, _KANA + _KANJI + _latin(800), lowercase=False, length=512)
    names = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    config = {
        "architectures": ["BertForTokenClassification"], "model_type": "bert", "hidden_size": 64,
        "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4, "vocab_size": size,
        "max_position_embeddings": 512, "type_vocab_size": 2, "id2label": {str(n): name for n, name in enumerate(names)},
        "_name_or_path": "tohoku-lab/bert-base-japanese",
    }  # fmt: skip
    write_json(folder, "config.json", config)
    _weights(folder, "F32", _bert_shapes(config, "bert.") | {"classifier.weight": (5, 64), "classifier.bias": (5,)})


def _multilingual(folder: Path) -> None:
    pieces = _latin(5_000) + _KANA + _KANJI + _HANGUL + _CYRILLIC + [f"{each}а" for each in _CYRILLIC]
    size = _unigram(folder, pieces, 512)
    config = {
        "architectures": ["XLMRobertaModel"], "model_type": "xlm-roberta", "hidden_size": 96, "intermediate_size": 192,
        "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": size, "max_position_embeddings": 514,
        "type_vocab_size": 2,
    }  # fmt: skip
    write_json(folder, "config.json", config)
    write_json(folder, "sentence_bert_config.json", {"max_seq_length": 512, "do_lower_case": False})
    write_json(folder, "1_Pooling/config.json", {"word_embedding_dimension": 96, "pooling_mode_cls_token": True})
    _weights(folder, "F16", _bert_shapes(config))


def _adapter(folder: Path) -> None:
    adapter = {
        "base_model_name_or_path": "quiet-lab/chat-4b", "peft_type": "LORA", "r": 8, "lora_alpha": 16,
        "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM",
    }  # fmt: skip
    write_json(folder, "adapter_config.json", adapter)
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(6):
        for part in "qv":
            block = f"base_model.model.model.layers.{layer}.self_attn.{part}_proj"
            shapes |= {f"{block}.lora_A.weight": (8, 512), f"{block}.lora_B.weight": (512, 8)}
    _weights(folder, "F32", shapes, "adapter_model.safetensors")


def _vision(folder: Path) -> None:
    names = ["cat", "dog", "horse", "sheep", "cow", "pig", "goat", "hen", "duck", "goose"]
    config = {
        "architectures": ["ViTForImageClassification"], "model_type": "vit", "hidden_size": 64, "intermediate_size": 256,
        "num_hidden_layers": 3, "num_attention_heads": 4, "image_size": 224, "patch_size": 16, "num_channels": 3,
        "id2label": {str(n): name for n, name in enumerate(names)},
    }  # fmt: skip
    write_json(folder, "config.json", config)
    shapes: dict[str, tuple[int, ...]] = {
        "vit.embeddings.cls_token": (1, 1, 64), "vit.embeddings.position_embeddings": (1, 197, 64),
        "vit.embeddings.patch_embeddings.projection.weight": (64, 3, 16, 16),
        "classifier.weight": (10, 64), "classifier.bias": (10,),
    }  # fmt: skip
    blocks = {"hidden_size": 64, "intermediate_size": 256, "num_hidden_layers": 3, "vocab_size": 0,
              "max_position_embeddings": 0}  # fmt: skip
    layers = {name: shape for name, shape in _bert_shapes(blocks, "vit.").items() if "encoder" in name}
    _weights(folder, "BF16", shapes | layers)


def _japanese_decoder(folder: Path) -> None:
    size = _unigram(folder, _KANA + _KANJI + _latin(2_000), 4_096)
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 128, "intermediate_size": 256,
        "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 4, "vocab_size": size,
        "max_position_embeddings": 4_096, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
    }  # fmt: skip
    write_json(folder, "config.json", config)
    _weights(folder, "BF16", _llama_shapes(config))


KINDS: dict[str, Callable[[Path], None]] = {
    "embedder": _embedder, "decoder": _decoder, "classifier": _classifier, "tagger": _tagger,
    "multilingual": _multilingual, "adapter": _adapter, "vision": _vision, "japanese_decoder": _japanese_decoder,
}  # fmt: skip
"""What each kind is built by."""
