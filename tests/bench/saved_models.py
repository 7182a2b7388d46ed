"""Writes `saved_models.jsonl`: configs and headers of small models as the library itself saves them.

Run it with `python -m tests.bench.saved_models` when the library has new architectures.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.tools.attacks.sound import SAVED
from tools.weight_files import read_header

DECODER = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
    "vocab_size": 60, "max_position_embeddings": 40, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
ENCODER = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4, "vocab_size": 60, "embedding_size": 32,
    "max_position_embeddings": 40, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
EXPERTS = {
    "num_experts": 4,
    "num_local_experts": 4,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
}
SEQUENCES = {
    "d_model": 32, "encoder_layers": 2, "decoder_layers": 3, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48, "decoder_ffn_dim": 64, "vocab_size": 60, "max_position_embeddings": 40, "pad_token_id": 0,
    "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2, "forced_eos_token_id": 2, "max_source_positions": 40,
    "max_target_positions": 40,
}  # fmt: skip
T5 = {
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 48,
    "num_layers": 2,
    "num_decoder_layers": 3,
    "num_heads": 4,
    "vocab_size": 60,
    "decoder_start_token_id": 0,
}
GPT = {
    "n_embd": 32,
    "n_head": 4,
    "n_layer": 2,
    "n_positions": 40,
    "vocab_size": 60,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
IMAGES = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "image_size": 32,
    "patch_size": 16,
}
SPEECH = ENCODER | {"conv_dim": [16, 16], "conv_kernel": [4, 4], "conv_stride": [2, 2], "num_conv_pos_embeddings": 4,
                    "num_conv_pos_embedding_groups": 2, "num_feat_extract_layers": 2}  # fmt: skip

MODELS: tuple[tuple[str, dict[str, Any]], ...] = (
    *((f"{family}ForCausalLM", DECODER) for family in (
        "Llama", "Mistral", "Qwen2", "Qwen3", "Gemma", "Gemma2", "Gemma3", "Phi", "Phi3", "Olmo", "Olmo2", "Olmo3", "SmolLM3", "StableLm", "Starcoder2",
        "Cohere", "Cohere2", "Granite", "Helium", "Ernie4_5", "Glm", "Glm4", "Exaone4", "Seed0ss", "GPTNeoX", "Arcee", "HunYuanDenseV1", "Apertus",
        "Persimmon", "Nemotron", "Ministral", "Lfm2", "Mamba", "Mamba2", "Falcon", "XGLM", "BioGpt")),
    *((f"{family}ForCausalLM", DECODER | EXPERTS) for family in (
        "Mixtral", "Qwen2Moe", "Qwen3Moe", "Olmoe", "PhiMoE", "GptOss", "GraniteMoe", "Ernie4_5_Moe", "Glm4Moe", "DeepseekV3", "DeepseekV2",
        "Qwen3Next", "Jamba", "MiniMax", "Dots1", "FlexOlmo")),
    ("LlamaForCausalLM", DECODER | {"tie_word_embeddings": True}),
    ("Qwen3ForCausalLM", DECODER | {"tie_word_embeddings": True}),
    ("Qwen3Model", DECODER),
    ("LlamaForSequenceClassification", DECODER | {"num_labels": 3}),
    ("GPT2LMHeadModel", GPT), ("GPT2ForSequenceClassification", GPT), ("GPTJForCausalLM", GPT | {"rotary_dim": 4}),
    ("GPTBigCodeForCausalLM", GPT), ("CodeGenForCausalLM", GPT | {"rotary_dim": 4}),
    ("GPTNeoForCausalLM", {"hidden_size": 32, "num_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]], "vocab_size": 60,
                           "max_position_embeddings": 40, "bos_token_id": 1, "eos_token_id": 2}),
    ("OPTForCausalLM", ENCODER | {"ffn_dim": 48, "word_embed_proj_dim": 32}),
    ("OPTForCausalLM", ENCODER | {"ffn_dim": 48, "word_embed_proj_dim": 16}),
    ("BloomForCausalLM", {"hidden_size": 32, "n_layer": 2, "n_head": 4, "vocab_size": 60}),
    *((f"{family}Model", ENCODER) for family in (
        "Bert", "Roberta", "XLMRoberta", "Camembert", "Electra", "MPNet", "DebertaV2", "Deberta", "ModernBert", "NomicBert", "Ernie", "Albert",
        "RoFormer", "MobileBert", "Esm", "ConvBert", "MegatronBert", "Nystromformer", "LayoutLM", "BigBird", "Longformer", "JinaEmbeddingsV3",
        "EuroBert")),
    *((f"{family}ForMaskedLM", ENCODER) for family in ("Bert", "Roberta", "XLMRoberta", "ModernBert", "DebertaV2")),
    *((f"{family}ForSequenceClassification", ENCODER | {"num_labels": 5}) for family in ("Bert", "Roberta", "XLMRoberta", "ModernBert", "DebertaV2")),
    ("BertForTokenClassification", ENCODER | {"num_labels": 9}),
    ("BertForQuestionAnswering", ENCODER),
    ("DistilBertModel", {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "vocab_size": 60, "max_position_embeddings": 40}),
    ("DistilBertForSequenceClassification", {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "vocab_size": 60, "max_position_embeddings": 40}),
    *((name, T5) for name in ("T5ForConditionalGeneration", "T5EncoderModel", "MT5ForConditionalGeneration", "UMT5ForConditionalGeneration")),
    *((f"{family}ForConditionalGeneration", SEQUENCES) for family in ("Bart", "MBart", "Whisper", "M2M100", "Pegasus", "Blenderbot")),
    ("MarianMTModel", SEQUENCES | {"decoder_vocab_size": 60}),
    ("WhisperForAudioClassification", SEQUENCES),
    *((f"{family}ForImageClassification", IMAGES) for family in ("ViT", "DeiT", "Beit", "Dinov2", "DINOv3ViT")),
    ("Wav2Vec2ForCTC", SPEECH), ("HubertForCTC", SPEECH), ("WavLMModel", SPEECH),
    ("SiglipTextModel", ENCODER | {"projection_size": 32}), ("CLIPTextModel", ENCODER | {"projection_dim": 16}),
    ("SiglipVisionModel", IMAGES), ("CLIPVisionModel", IMAGES | {"projection_dim": 16}),
)  # fmt: skip


def main() -> None:
    """Save every model, and keep its config and header."""
    import transformers

    transformers.logging.set_verbosity_error()
    lines: list[str] = []
    for name, sizes in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                lines.append(_saved(name, sizes, Path(folder)))
            except Exception as error:  # noqa: BLE001 (an architecture that cannot be this small is left out, and named)
                print(f"{name}: {type(error).__name__} {str(error)[:100]}", file=sys.stderr)
    SAVED.write_text("".join(f"{line}\n" for line in dict.fromkeys(lines)), encoding="ascii")
    print(f"{len(lines)} models, {SAVED.stat().st_size} bytes", file=sys.stderr)


def _saved(name: str, sizes: dict[str, Any], folder: Path) -> str:
    import transformers

    kind = getattr(transformers, name)
    known = kind.config_class().to_dict().keys() | kind.config_class.attribute_map.keys() | {"num_labels"}
    model = kind(kind.config_class(**{key: value for key, value in sizes.items() if key in known}))
    model.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    tensors = {
        each: [info.dtype, list(info.shape)] for each, info in read_header(folder / "model.safetensors").tensors.items()
    }
    return json.dumps({"type": config["model_type"], "config": config, "tensors": tensors}, separators=(",", ":"))


if __name__ == "__main__":
    main()
