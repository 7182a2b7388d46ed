"""What the entries of a model's configuration files mean for its behaviour."""

from __future__ import annotations

from tools.comparing.change import Risk
from tools.comparing.entries import Known


def _table(risk: Risk, meaning: str, *keys: str) -> dict[str, Known]:
    return {key: Known(meaning, risk) for key in keys}


_SIZES = _table(
    "high", "a size of the network",
    "hidden_size", "d_model", "n_embd", "dim", "intermediate_size", "d_ff", "n_inner", "ffn_dim", "num_hidden_layers", "n_layer",
    "n_layers", "num_layers", "encoder_layers", "decoder_layers", "num_attention_heads", "n_head", "n_heads", "num_heads",
    "num_key_value_heads", "head_dim", "embedding_size", "projection_dim", "num_experts", "num_local_experts",
    "num_experts_per_tok", "moe_intermediate_size", "patch_size", "num_channels", "type_vocab_size",
)  # fmt: skip

CONFIG_KEYS: dict[str, Known] = {
    **_table("high", "the class that is loaded", "architectures"),
    **_table("high", "the kind of network", "model_type"),
    **_table("high", "code of its own", "auto_map", "custom_pipelines"),
    **_SIZES,
    **_table("high", "the number of pieces in the vocabulary", "vocab_size"),
    **_table("high", "the longest input", "max_position_embeddings", "n_positions", "max_seq_len", "n_ctx", "seq_length"),
    **_table("high", "how positions are told apart", "rope_theta", "rope_scaling", "rope_parameters", "position_embedding_type",
             "partial_rotary_factor", "relative_attention_num_buckets", "alibi"),
    **_table("high", "how far attention reaches", "sliding_window", "attention_window", "use_sliding_window", "max_window_layers",
             "layer_types", "attention_chunk_size"),
    **_table("high", "the activation function", "hidden_act", "activation_function", "hidden_activation", "activation",
             "feed_forward_proj"),
    **_table("high", "a factor of the computation", "layer_norm_eps", "layer_norm_epsilon", "rms_norm_eps", "norm_eps",
             "attn_logit_softcapping", "final_logit_softcapping", "query_pre_attn_scalar", "logit_scale", "embedding_multiplier",
             "residual_multiplier", "attention_multiplier", "scale_attn_weights"),
    **_table("high", "how the weights are compressed", "quantization_config", "compression_config"),
    **_table("high", "a label of the answer", "id2label", "label2id", "num_labels", "problem_type"),
    **_table("high", "the number of a special piece", "pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id",
             "sep_token_id", "mask_token_id", "unk_token_id", "decoder_start_token_id", "image_token_id", "forced_bos_token_id",
             "forced_eos_token_id"),
    **_table("high", "whether input and output embeddings are one", "tie_word_embeddings"),
    **_table("high", "what the network is used as", "is_decoder", "is_encoder_decoder", "add_cross_attention"),
    **_table("medium", "the type that numbers are loaded in", "torch_dtype", "dtype"),
    **_table("low", "a setting for training", "attention_dropout", "hidden_dropout_prob", "attention_probs_dropout_prob",
             "classifier_dropout", "dropout", "attn_pdrop", "embd_pdrop", "resid_pdrop", "summary_first_dropout",
             "initializer_range", "gradient_checkpointing", "output_router_logits", "router_aux_loss_coef"),
    **_table("low", "a note of who wrote the file", "transformers_version", "_name_or_path", "_commit_hash", "use_cache",
             "unsloth_version", "unsloth_fixed", "__version__"),
    **_table("medium", "a setting for text generation", "task_specific_params", "max_length", "num_beams", "temperature", "top_p",
             "top_k", "repetition_penalty", "no_repeat_ngram_size"),
}  # fmt: skip
"""Entries of `config.json`."""

GENERATION_KEYS: dict[str, Known] = {
    **_table("high", "which pieces end an answer", "eos_token_id", "stop_strings", "forced_eos_token_id"),
    **_table("high", "which pieces begin or fill a text", "bos_token_id", "pad_token_id", "decoder_start_token_id",
             "forced_bos_token_id", "suppress_tokens", "begin_suppress_tokens", "bad_words_ids"),
    **_table("high", "whether answers are drawn at random", "do_sample"),
    **_table("medium", "how freely words are chosen", "temperature", "top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff",
             "eta_cutoff"),
    **_table("medium", "how repetition is held back", "repetition_penalty", "no_repeat_ngram_size", "encoder_repetition_penalty",
             "diversity_penalty"),
    **_table("medium", "how long an answer may be", "max_length", "max_new_tokens", "min_length", "min_new_tokens", "length_penalty"),
    **_table("medium", "how many answers are tried", "num_beams", "num_beam_groups", "num_return_sequences", "early_stopping"),
    **_table("low", "a note of who wrote the file", "transformers_version", "_from_model_config"),
}  # fmt: skip
"""Entries of `generation_config.json`."""

TOKENIZER_CONFIG_KEYS: dict[str, Known] = {
    **_table("medium", "the longest input", "model_max_length", "max_length", "max_seq_length"),
    **_table("high", "whether capital letters are kept", "do_lower_case", "do_basic_tokenize", "strip_accents", "lowercase"),
    **_table("high", "whether Chinese characters are split", "tokenize_chinese_chars"),
    **_table("high", "a special piece", "bos_token", "eos_token", "pad_token", "unk_token", "cls_token", "sep_token", "mask_token",
             "additional_special_tokens", "extra_special_tokens", "image_token", "added_tokens_decoder", "word_delimiter_token"),
    **_table("high", "which special pieces are added", "add_bos_token", "add_eos_token", "add_prefix_space", "add_dummy_prefix_space",
             "legacy", "split_special_tokens"),
    **_table("medium", "on which side texts are cut or filled", "truncation_side", "padding_side", "truncation_strategy",
             "pad_to_multiple_of", "stride", "truncation", "padding"),
    **_table("medium", "the class that is loaded", "tokenizer_class"),
    **_table("high", "code of its own", "auto_map"),
    **_table("medium", "how special pieces are shown", "clean_up_tokenization_spaces", "spaces_between_special_tokens",
             "errors"),
    **_table("low", "a note of who wrote the file", "name_or_path", "special_tokens_map_file", "tokenizer_file", "processor_class",
             "backend", "is_local", "transformers_version"),
}  # fmt: skip
"""Entries of `tokenizer_config.json` and `special_tokens_map.json`."""

MODULE_KEYS: dict[str, Known] = {
    **_table("high", "how word vectors become one", "pooling_mode", "pooling_mode_cls_token", "pooling_mode_mean_tokens",
             "pooling_mode_max_tokens", "pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens",
             "pooling_mode_lasttoken", "include_prompt"),
    **_table("high", "the size of the embedding", "word_embedding_dimension", "in_features", "out_features", "truncate_dim"),
    **_table("high", "the activation function", "activation_function", "bias"),
    **_table("high", "a text put before every input", "prompts", "default_prompt_name"),
    **_table("high", "how similarity is measured", "similarity_fn_name"),
    **_table("high", "the longest input", "max_seq_length"),
    **_table("high", "whether capital letters are kept", "do_lower_case"),
    **_table("low", "a note of who wrote the file", "__version__", "model_type"),
}  # fmt: skip
"""Entries of the files that sentence-transformers reads beside the network's own."""

PREPROCESSOR_KEYS: dict[str, Known] = {
    **_table("high", "the size inputs are brought to", "size", "crop_size", "do_resize", "do_center_crop", "resample", "patch_size",
             "min_pixels", "max_pixels", "merge_size", "temporal_patch_size", "do_pad", "image_seq_length"),
    **_table("high", "how values are scaled", "do_rescale", "rescale_factor", "do_normalize", "image_mean", "image_std"),
    **_table("high", "how colours are read", "do_convert_rgb", "num_channels"),
    **_table("high", "how sound is read", "sampling_rate", "feature_size", "n_fft", "hop_length", "chunk_length", "num_mel_bins",
             "padding_value", "return_attention_mask", "n_samples", "nb_max_frames"),
    **_table("medium", "the class that is loaded", "image_processor_type", "feature_extractor_type", "processor_class"),
    **_table("high", "code of its own", "auto_map"),
}  # fmt: skip
"""Entries of files for images and sound."""
