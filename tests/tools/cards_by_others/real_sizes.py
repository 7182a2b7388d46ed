"""Models in sizes that are met on hubs; room is kept for their weights, but only the headers are written."""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.tools.cards.card_models import write_json, write_word_piece

Shapes = dict[str, tuple[int, ...]]
_BYTES = {"F32": 4, "F16": 2, "BF16": 2}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_JAPANESE = [chr(each) for each in (*range(0x3041, 0x3097), *range(0x30A1, 0x30FB), *range(0x4E00, 0x4E00 + 6_000))]


def _weights(folder: Path, dtype: str, shapes: Shapes) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for tensor, shape in shapes.items():
        start, end = end, end + math.prod(shape) * _BYTES[dtype]
        header[tensor] = {"dtype": dtype, "shape": shape, "data_offsets": (start, end)}
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.flush()
        # A file with holes is refused before its header is read.
        os.posix_fallocate(file.fileno(), 0, 8 + len(text) + end)


def _latin(count: int) -> list[str]:
    words = [a + b + c for a in _LETTERS for b in _LETTERS for c in _LETTERS]
    return (words + [word + "e" for word in words] + [word + "s" for word in words])[:count]


def _linear(name: str, out: int, into: int) -> Shapes:
    return {f"{name}.weight": (out, into), f"{name}.bias": (out,)}


def _norm(name: str, size: int) -> Shapes:
    return {f"{name}.weight": (size,), f"{name}.bias": (size,)}


def _bert(prefix: str, config: dict[str, Any]) -> Shapes:
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    shapes: Shapes = {
        f"{prefix}embeddings.word_embeddings.weight": (config["vocab_size"], hidden),
        f"{prefix}embeddings.position_embeddings.weight": (config["max_position_embeddings"], hidden),
        f"{prefix}embeddings.token_type_embeddings.weight": (2, hidden),
    } | _norm(f"{prefix}embeddings.LayerNorm", hidden)
    for layer in range(config["num_hidden_layers"]):
        block = f"{prefix}encoder.layer.{layer}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            shapes |= _linear(f"{block}.attention.{part}", hidden, hidden)
        shapes |= _norm(f"{block}.attention.output.LayerNorm", hidden)
        shapes |= _linear(f"{block}.intermediate.dense", inner, hidden) | _linear(
            f"{block}.output.dense", hidden, inner
        )
        shapes |= _norm(f"{block}.output.LayerNorm", hidden)
    return shapes


def _byte_pairs(folder: Path, size: int, length: int, tokenizer_class: str) -> None:
    tokenizer = {
        "version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False},
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": {word: n for n, word in enumerate(_latin(size))}, "merges": []},
    }  # fmt: skip
    write_json(folder, "tokenizer.json", tokenizer)
    write_json(folder, "tokenizer_config.json", {"tokenizer_class": tokenizer_class, "model_max_length": length})


def _minilm(folder: Path) -> None:
    write_word_piece(folder, _latin(30_517), lowercase=True, length=512)
    config = {
        "architectures": ["BertModel"], "model_type": "bert", "hidden_size": 384, "intermediate_size": 1_536,
        "num_hidden_layers": 6, "num_attention_heads": 12, "vocab_size": 30_522, "max_position_embeddings": 512,
        "type_vocab_size": 2, "_name_or_path": "nreimers/MiniLM-L6-H384-uncased",
    }  # fmt: skip
    write_json(folder, "config.json", config)
    write_json(folder, "sentence_bert_config.json", {"max_seq_length": 256, "do_lower_case": False})
    write_json(folder, "1_Pooling/config.json", {"word_embedding_dimension": 384, "pooling_mode_mean_tokens": True})
    _weights(folder, "F32", _bert("", config) | _linear("pooler.dense", 384, 384))


def _distil_sentiment(folder: Path) -> None:
    write_word_piece(folder, _latin(30_517), lowercase=True, length=512)
    config = {
        "architectures": ["DistilBertForSequenceClassification"], "model_type": "distilbert", "dim": 768,
        "hidden_dim": 3_072, "n_layers": 6, "n_heads": 12, "vocab_size": 30_522, "max_position_embeddings": 512,
        "id2label": {"0": "NEGATIVE", "1": "POSITIVE"}, "label2id": {"NEGATIVE": 0, "POSITIVE": 1},
        "_name_or_path": "distilbert/distilbert-base-uncased",
    }  # fmt: skip
    write_json(folder, "config.json", config)
    shapes: Shapes = {
        "distilbert.embeddings.word_embeddings.weight": (30_522, 768),
        "distilbert.embeddings.position_embeddings.weight": (512, 768),
    } | _norm("distilbert.embeddings.LayerNorm", 768)
    for layer in range(6):
        block = f"distilbert.transformer.layer.{layer}"
        for part in ("q_lin", "k_lin", "v_lin", "out_lin"):
            shapes |= _linear(f"{block}.attention.{part}", 768, 768)
        shapes |= _norm(f"{block}.sa_layer_norm", 768) | _norm(f"{block}.output_layer_norm", 768)
        shapes |= _linear(f"{block}.ffn.lin1", 3_072, 768) | _linear(f"{block}.ffn.lin2", 768, 3_072)
    shapes |= _linear("pre_classifier", 768, 768) | _linear("classifier", 2, 768)
    _weights(folder, "F32", shapes)


def _gpt2(folder: Path) -> None:
    _byte_pairs(folder, 50_257, 1_024, "GPT2Tokenizer")
    config = {
        "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12,
        "n_positions": 1_024, "n_ctx": 1_024, "vocab_size": 50_257,
    }  # fmt: skip
    write_json(folder, "config.json", config)
    shapes: Shapes = {"wte.weight": (50_257, 768), "wpe.weight": (1_024, 768)} | _norm("ln_f", 768)
    for layer in range(12):
        block = f"h.{layer}"
        shapes |= _norm(f"{block}.ln_1", 768) | _norm(f"{block}.ln_2", 768)
        # GPT-2 stores the weights of its projections with the input first.
        for part, into, out in (
            ("attn.c_attn", 768, 2_304), ("attn.c_proj", 768, 768), ("mlp.c_fc", 768, 3_072), ("mlp.c_proj", 3_072, 768),
        ):  # fmt: skip
            shapes |= {f"{block}.{part}.weight": (into, out), f"{block}.{part}.bias": (out,)}
    _weights(folder, "F32", shapes)


def _llama_135m(folder: Path) -> None:
    _byte_pairs(folder, 49_152, 8_192, "PreTrainedTokenizerFast")
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 576, "intermediate_size": 1_536,
        "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49_152,
        "max_position_embeddings": 8_192, "tie_word_embeddings": True, "torch_dtype": "bfloat16",
    }  # fmt: skip
    write_json(folder, "config.json", config)
    shapes: Shapes = {"model.embed_tokens.weight": (49_152, 576), "model.norm.weight": (576,)}
    for layer in range(30):
        block = f"model.layers.{layer}"
        for part, out, into in (
            ("self_attn.q_proj", 576, 576), ("self_attn.k_proj", 192, 576), ("self_attn.v_proj", 192, 576),
            ("self_attn.o_proj", 576, 576), ("mlp.gate_proj", 1_536, 576), ("mlp.up_proj", 1_536, 576),
            ("mlp.down_proj", 576, 1_536),
        ):  # fmt: skip
            shapes[f"{block}.{part}.weight"] = (out, into)
        shapes |= {f"{block}.{part}_layernorm.weight": (576,) for part in ("input", "post_attention")}
    _weights(folder, "BF16", shapes)


def _ja_bert(folder: Path) -> None:
    write_word_piece(folder, (_JAPANESE + [f"##{each}" for each in _JAPANESE] + _latin(30_000))[:32_763],
                lowercase=False, length=512)  # fmt: skip
    config = {
        "architectures": ["BertForMaskedLM"], "model_type": "bert", "hidden_size": 768, "intermediate_size": 3_072,
        "num_hidden_layers": 12, "num_attention_heads": 12, "vocab_size": 32_768, "max_position_embeddings": 512,
        "type_vocab_size": 2,
    }  # fmt: skip
    write_json(folder, "config.json", config)
    head = _linear("cls.predictions.transform.dense", 768, 768) | _norm("cls.predictions.transform.LayerNorm", 768)
    _weights(folder, "F32", _bert("bert.", config) | head | {"cls.predictions.bias": (32_768,)})


def _ja_gpt(folder: Path) -> None:
    kana, kanji = _JAPANESE[:176], _JAPANESE[176:]
    pairs = [a + b for a in kana for b in kana][:16_000] + [a + b for a in kanji[:150] for b in kanji[:120]]
    words = ["<s>", "<pad>", "</s>", "<unk>", "▁", *_JAPANESE, *pairs, *_latin(10_000)][:44_416]
    tokenizer = {
        "version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Metaspace"},
        "model": {"type": "Unigram", "unk_id": 3, "vocab": [[word, -1.0] for word in words]},
    }  # fmt: skip
    write_json(folder, "tokenizer.json", tokenizer)
    write_json(folder, "tokenizer_config.json", {"tokenizer_class": "T5Tokenizer", "model_max_length": 2_048})
    config = {
        "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "hidden_size": 768,
        "intermediate_size": 3_072, "num_hidden_layers": 12, "num_attention_heads": 12, "vocab_size": 44_416,
        "max_position_embeddings": 2_048, "tie_word_embeddings": False, "torch_dtype": "float16",
    }  # fmt: skip
    write_json(folder, "config.json", config)
    shapes: Shapes = {"gpt_neox.embed_in.weight": (44_416, 768), "embed_out.weight": (44_416, 768)}
    shapes |= _norm("gpt_neox.final_layer_norm", 768)
    for layer in range(12):
        block = f"gpt_neox.layers.{layer}"
        shapes |= _norm(f"{block}.input_layernorm", 768) | _norm(f"{block}.post_attention_layernorm", 768)
        shapes |= _linear(f"{block}.attention.query_key_value", 2_304, 768) | _linear(
            f"{block}.attention.dense", 768, 768
        )
        shapes |= _linear(f"{block}.mlp.dense_h_to_4h", 3_072, 768) | _linear(f"{block}.mlp.dense_4h_to_h", 768, 3_072)
    _weights(folder, "F16", shapes)


KINDS: dict[str, Callable[[Path], None]] = {
    "minilm": _minilm, "distil_sentiment": _distil_sentiment, "gpt2": _gpt2, "llama_135m": _llama_135m,
    "ja_bert": _ja_bert, "ja_gpt": _ja_gpt,
}  # fmt: skip
"""What each kind is built by."""
LICENCES = {
    "minilm": "Apache-2.0", "distil_sentiment": "Apache-2.0", "gpt2": "MIT", "llama_135m": "Apache-2.0",
    "ja_bert": "CC-BY-SA-4.0", "ja_gpt": "MIT",
}  # fmt: skip
"""The licence text that lies beside each kind."""
