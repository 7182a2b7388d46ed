"""Tiny models of real architectures and what reads for them, built from transformers' configurations."""

from __future__ import annotations

SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
VOCABULARY = 400
POSITIONS = 128
IDS = {"pad_token_id": 0, "bos_token_id": 5, "eos_token_id": 6}
TEXT = {**SIZES, **IDS, "vocab_size": VOCABULARY, "max_position_embeddings": POSITIONS}
GROUPED = {**TEXT, "num_key_value_heads": 2}
BLOCKS = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
}
DECODER = {**IDS, "vocab_size": VOCABULARY, "decoder_start_token_id": 0}
VISION = {**SIZES, "image_size": 32, "patch_size": 8}
SENTENCES = (
    "people want to know how long the work will take and what it costs",
    "a good story has a beginning and an end that children remember at night",
    "every city near the sea looks different in the morning light",
    "he asked whether the answer was better than the question about water and land",
)
TEMPLATES = {
    "bert": ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1"),
    "llama": ("<s> $A", "<s> $A <s> $B"),
    "t5": ("$A </s>", "$A </s> $B </s>"),
    "clip": ("<s> $A </s>", "<s> $A </s> $B </s>"),
}


def tokenizer(kind: str):
    """A real tokenizer of a few hundred pieces, trained on four sentences, with the special tokens of a family."""
    import tokenizers
    import transformers

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<s>", "</s>", "<image>"]
    special += ["<fake_token_around_image>", "<end_of_utterance>", "<global-img>"]
    inner = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token="[UNK]"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=True)
    inner.decoder = tokenizers.decoders.ByteLevel()
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    inner.train_from_iterator(SENTENCES, trainer)
    single, pair = TEMPLATES[kind]
    used = [(token, inner.token_to_id(token)) for token in ("[CLS]", "[SEP]", "<s>", "</s>")]
    inner.post_processor = tokenizers.processors.TemplateProcessing(single=single, pair=pair, special_tokens=used)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]", bos_token="<s>", eos_token="</s>", model_max_length=POSITIONS,
        model_input_names=["input_ids", *(["token_type_ids"] if kind == "bert" else []), "attention_mask"],
    )  # fmt: skip


def model(kind: str, config: str, **settings):
    """Builds a model later, by the names of its class and its configuration's."""

    def build():
        import transformers

        return getattr(transformers, kind)(getattr(transformers, config)(**settings))

    return build


def words(kind: str):
    """Builds a tokenizer later."""
    return lambda: tokenizer(kind)


def reader(kind: str, **settings):
    """Builds a processor later."""

    def build():
        import transformers

        return getattr(transformers, kind)(**settings)

    return build


def detr():
    import transformers as t

    backbone = t.ResNetConfig(
        embedding_size=16, hidden_sizes=[16, 32], depths=[1, 1], layer_type="basic", out_features=["stage2"]
    )
    return t.DetrForObjectDetection(
        t.DetrConfig(use_timm_backbone=False, backbone=None, backbone_config=backbone, num_queries=10, **BLOCKS)
    )


def captions():
    import transformers as t

    decoder = t.BertConfig(**TEXT, is_decoder=True, add_cross_attention=True)
    config = t.VisionEncoderDecoderConfig.from_encoder_decoder_configs(t.ViTConfig(**VISION), decoder)
    config.decoder_start_token_id, config.pad_token_id = 5, 0
    return t.VisionEncoderDecoderModel(config)


def llava_processor():
    import transformers as t

    images = t.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return t.LlavaProcessor(
        images,
        tokenizer("llama"),
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )


def clip_processor():
    import transformers as t

    images = t.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return t.CLIPProcessor(images, tokenizer("clip"))


def smol_processor():
    import transformers as t

    images = t.Idefics3ImageProcessor(
        size={"longest_edge": 32}, max_image_size={"longest_edge": 32}, do_image_splitting=False
    )
    return t.Idefics3Processor(images, tokenizer("llama"), image_seq_len=4)


EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
LINEAR = {"linear_num_value_heads": 4, "linear_num_key_heads": 2, "linear_key_head_dim": 8, "linear_value_head_dim": 8}
MODERN = {"cls_token_id": 2, "sep_token_id": 3, "global_attn_every_n_layers": 2, "local_attention": 8}
LLAMA = {**GROUPED, "model_type": "llama"}
ROPE = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10_000.0}
QWEN_VISION = {"depth": 1, "embed_dim": 32, "hidden_size": 32, "num_heads": 4, "patch_size": 8, "mlp_ratio": 2}
SPEECH = {"num_mel_bins": 80, "max_source_positions": 1500, "max_target_positions": 64, "begin_suppress_tokens": None}
CONV = {"conv_dim": (16, 16), "conv_stride": (20, 16), "conv_kernel": (20, 16), "num_conv_pos_embeddings": 16}
LLAVA_MODEL = model(
    "LlavaForConditionalGeneration",
    "LlavaConfig",
    vision_config={**VISION, "model_type": "clip_vision_model"},
    text_config=LLAMA,
    image_token_index=7,
    vision_feature_layer=-1,
)
BUILD = {
    "llama": (model("LlamaForCausalLM", "LlamaConfig", **GROUPED, tie_word_embeddings=True), words("llama")),
    "qwen3": (model("Qwen3ForCausalLM", "Qwen3Config", **GROUPED, head_dim=8), words("llama")),
    "gemma2": (model("Gemma2ForCausalLM", "Gemma2Config", **GROUPED, head_dim=8, sliding_window=8), words("llama")),
    "mistral": (model("MistralForCausalLM", "MistralConfig", **GROUPED, sliding_window=8), words("llama")),
    "mamba": (
        model(
            "MambaForCausalLM", "MambaConfig", hidden_size=32, state_size=8, num_hidden_layers=2, vocab_size=VOCABULARY
        ),
        words("llama"),
    ),
    "qwen3_next": (
        model(
            "Qwen3NextForCausalLM",
            "Qwen3NextConfig",
            **{**GROUPED, "num_hidden_layers": 4},
            **LINEAR,
            **EXPERTS,
            head_dim=8,
            shared_expert_intermediate_size=32,
        ),
        words("llama"),
    ),
    "mixtral": (
        model("MixtralForCausalLM", "MixtralConfig", **GROUPED, num_local_experts=4, num_experts_per_tok=2),
        words("llama"),
    ),
    "bert": (model("BertModel", "BertConfig", **TEXT), words("bert")),
    "bert_classes": (model("BertForSequenceClassification", "BertConfig", **TEXT, num_labels=3), words("bert")),
    "bert_pairs": (model("BertForSequenceClassification", "BertConfig", **TEXT, num_labels=1), words("bert")),
    "bert_tokens": (model("BertForTokenClassification", "BertConfig", **TEXT, num_labels=5), words("bert")),
    "bert_mask": (model("BertForMaskedLM", "BertConfig", **TEXT), words("bert")),
    "bert_answers": (model("BertForQuestionAnswering", "BertConfig", **TEXT), words("bert")),
    "bert_bare": (model("BertForPreTraining", "BertConfig", **TEXT), words("bert")),
    "bert_small_table": (model("BertModel", "BertConfig", **{**TEXT, "vocab_size": 100}), words("bert")),
    "bert_choices": (model("BertForMultipleChoice", "BertConfig", **TEXT), words("bert")),
    "bert_random": (model("BertModel", "BertConfig", **TEXT),),
    "modernbert": (model("ModernBertForMaskedLM", "ModernBertConfig", **TEXT, **MODERN), words("bert")),
    "t5": (
        model(
            "T5ForConditionalGeneration", "T5Config", **DECODER, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4
        ),
        words("t5"),
    ),
    "bart": (
        model("BartForConditionalGeneration", "BartConfig", **BLOCKS, **DECODER, max_position_embeddings=POSITIONS),
        words("t5"),
    ),
    "bart_classes": (
        model("BartForSequenceClassification", "BartConfig", **BLOCKS, **DECODER, max_position_embeddings=POSITIONS),
    ),
    "whisper": (
        model(
            "WhisperForConditionalGeneration",
            "WhisperConfig",
            **BLOCKS,
            **{**DECODER, "decoder_start_token_id": 5},
            **SPEECH,
        ),
        reader("WhisperFeatureExtractor"),
    ),
    "wav2vec2": (
        model("Wav2Vec2ForCTC", "Wav2Vec2Config", **SIZES, **CONV, vocab_size=40, num_conv_pos_embedding_groups=4),
        reader("Wav2Vec2FeatureExtractor"),
    ),
    "wav2vec2_random": (
        model("Wav2Vec2ForCTC", "Wav2Vec2Config", **SIZES, **CONV, vocab_size=40, num_conv_pos_embedding_groups=4),
    ),
    "vit": (
        model("ViTForImageClassification", "ViTConfig", **VISION),
        reader("ViTImageProcessor", size={"height": 32, "width": 32}),
    ),
    "vit_random": (model("ViTForImageClassification", "ViTConfig", **VISION),),
    "clip": (
        model("CLIPModel", "CLIPConfig", text_config=TEXT, vision_config=VISION, projection_dim=16),
        clip_processor,
    ),
    "clip_random": (model("CLIPModel", "CLIPConfig", text_config=TEXT, vision_config=VISION, projection_dim=16),),
    "detr": (detr, reader("DetrImageProcessor", size={"height": 64, "width": 64})),
    "llava": (LLAVA_MODEL, llava_processor),
    "llava_random": (LLAVA_MODEL,),
    "smolvlm": (
        model(
            "SmolVLMForConditionalGeneration",
            "SmolVLMConfig",
            vision_config=VISION,
            text_config=LLAMA,
            image_token_id=7,
            scale_factor=2,
        ),
        smol_processor,
    ),
    "qwen2_vl": (
        model(
            "Qwen2VLForConditionalGeneration",
            "Qwen2VLConfig",
            text_config={**GROUPED, "rope_parameters": ROPE},
            vision_config=QWEN_VISION,
            image_token_id=7,
            vision_start_token_id=2,
            vision_end_token_id=3,
        ),
        reader("Qwen2VLImageProcessor", patch_size=8, min_pixels=32 * 32, max_pixels=64 * 64),
        words("llama"),
    ),
    "blip": (
        model(
            "BlipForConditionalGeneration",
            "BlipConfig",
            vision_config=VISION,
            text_config={**TEXT, "sep_token_id": 3, "encoder_hidden_size": 32, "is_decoder": True},
        ),
    ),
    "captions": (captions,),
    "git": (model("GitForCausalLM", "GitConfig", **TEXT, vision_config=VISION),),
    "series": (
        model(
            "PatchTSTForPrediction",
            "PatchTSTConfig",
            d_model=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            ffn_dim=16,
            context_length=16,
            patch_length=4,
            prediction_length=4,
        ),
    ),
}
