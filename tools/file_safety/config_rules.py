"""Rules on configs: foreign code (T04), adapters (T06), numbers (T08), form (T09), claims of size (T11)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from tools.file_safety.findings import Finding, finding
from tools.file_safety.inspected import MAX_CONFIG_BYTES, Inspected, text_config
from tools.installed_transformers import known_model_types
from tools.strict_json import BadJson

_OBJECTS = re.compile(
    r"(?:.*/)?(?:config|generation_config|tokenizer_config|special_tokens_map|added_tokens|adapter_config|preprocessor_config|"
    r"processor_config|video_preprocessor_config|chat_template|config_sentence_transformers|sentence_\w+_config|tokenizer|"
    r"[\w.-]+\.index)\.json\Z"
)
_FILES_LOADED_BY_NAME = re.compile(r"(?:.*/)?(?:vocab|merges|modules)\.json\Z")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(?:@[\w.-]+)?(?::[\w.-]+)?\Z")
_ATTENTION_KEYS = {
    "_attn_implementation",
    "attn_implementation",
    "_attn_implementation_internal",
    "_experts_implementation",
}
_ATTENTION_VALUES = re.compile(
    r"(?:paged\|)?(?:eager|sdpa|flash_attention_[234]|flex_attention|grouped_mm|batched_mm)\Z"
)
_TRUST_KEYS = {"trust_remote_code", "custom_generate", "custom_pipelines", "code_revision"}
_REMOTE_CODE_STEP = (
    "Choose a model whose architecture is built into the library, or have the code reviewed and vendored first."
)

_ADAPTED_LIBRARIES = {"transformers", "sentence_transformers", "diffusers", "peft", "timm"}
_CAPS = {
    "hidden_size": 262_144, "d_model": 262_144, "n_embd": 262_144, "dim": 262_144, "intermediate_size": 2_097_152, "d_ff": 2_097_152,
    "hidden_dim": 2_097_152, "n_inner": 2_097_152, "num_hidden_layers": 2_000, "num_layers": 2_000, "n_layer": 2_000,
    "n_layers": 2_000, "encoder_layers": 2_000, "decoder_layers": 2_000, "num_decoder_layers": 2_000, "num_attention_heads": 4_096,
    "n_head": 4_096, "n_heads": 4_096, "num_heads": 4_096, "num_key_value_heads": 4_096, "head_dim": 65_536, "vocab_size": 10_000_000,
    "type_vocab_size": 1_000_000, "num_experts": 65_536, "num_local_experts": 65_536, "n_routed_experts": 65_536,
    "num_experts_per_tok": 65_536, "embedding_size": 262_144, "word_embedding_dimension": 262_144, "in_features": 262_144,
    "out_features": 262_144, "num_labels": 10_000_000, "image_size": 65_536, "patch_size": 65_536, "num_channels": 4_096,
}  # fmt: skip
_MAY_BE_ZERO = {
    "type_vocab_size",
    "num_experts",
    "num_local_experts",
    "n_routed_experts",
    "num_experts_per_tok",
    "num_labels",
}
_LENGTHS = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "max_sequence_length", "model_max_length",
            "max_seq_length", "max_length", "max_new_tokens", "sliding_window", "seq_length")  # fmt: skip
_LONGEST = 16_777_216
_MOST_SCALING = 1_024
_MOST_PARAMETERS = 20e12


def check_configs(model: Inspected) -> Iterator[Finding]:
    """Apply the rules on configs to every JSON file a loader reads."""
    for name in model.plain:
        if not name.endswith(".json"):
            continue
        if model.view.remote and not (_OBJECTS.match(name) or _FILES_LOADED_BY_NAME.match(name)):
            continue
        must_be_object = _OBJECTS.match(name) is not None
        content = None
        try:
            content = model.json(name, MAX_CONFIG_BYTES if _is_config(name) else 64_000_000)
        except BadJson as error:
            severity = "refuse" if must_be_object or _FILES_LOADED_BY_NAME.match(name) else "note"
            yield finding("T09", name, f"The file {error}.", "Use another copy or version of the model.", severity)
            continue
        if must_be_object and not isinstance(content, dict):
            yield finding("T09", name, "The file is not a JSON object.", "Use another copy or version of the model.")
        elif name.endswith("modules.json"):
            yield from _check_modules(name, content)
        elif _is_config(name) and isinstance(content, dict):
            yield from _check_code(name, content, model)
            yield from _check_numbers(name, content)
    yield from _check_adapter(model)


def _is_config(name: str) -> bool:
    return _OBJECTS.match(name) is not None and not name.endswith((".index.json", "tokenizer.json"))


def _values(content: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every key of nested objects with its path and value; the depth was capped when the file was parsed."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield key, f"{path}{key}", value
            yield from _values(value, f"{path}{key}.")
    elif isinstance(content, list):
        for item in content[:10_000]:
            yield from _values(item, path)


def _texts(value: Any) -> Iterator[str]:
    """Every text in nested lists and objects."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value[:10_000]:
            yield from _texts(inner)


def _check_code(name: str, content: dict[str, Any], model: Inspected) -> Iterator[Finding]:
    for key, path, value in _values(content):
        if key == "auto_map" and value:
            yield _auto_map(name, value, model)
        elif key in _TRUST_KEYS and value:
            found = f"`{path}` asks for code from a repository to be run."
            yield finding("T04", name, found, _REMOTE_CODE_STEP, "refuse")
        elif key in _ATTENTION_KEYS:
            yield from _attention(name, path, value)
        elif key == "custom_pipeline" and isinstance(value, str) and _REPOSITORY.match(value):
            yield finding("T04", name, f"`{path}` names the repository `{value}`.", _REMOTE_CODE_STEP)


def _attention(name: str, path: str, value: object) -> Iterator[Finding]:
    foreign = next((each for each in _texts(value) if _ATTENTION_VALUES.match(each) is None), None)
    if foreign is not None:
        found = f"`{path}` is `{foreign}`, which the library may fetch from a repository and run."
        yield finding("T04", name, found, "Remove the entry; the library then chooses an implementation of its own.")


def _auto_map(name: str, value: object, model: Inspected) -> Finding:
    elsewhere = next((each for each in _texts(value) if "--" in each or "/" in each), None)
    if elsewhere is not None:
        found = f"`auto_map` runs code of another repository: `{elsewhere}`."
        return finding("T04", name, found, _REMOTE_CODE_STEP)
    model_type = model.object("config.json").get("model_type")
    if isinstance(model_type, str) and model_type in known_model_types():
        found = f"`auto_map` offers the repository's own code; the library's built-in `{model_type}` is used instead."
        step = "Compare results with the card's example once: the two codes can differ."
        return finding("T04", name, found, step, "flag")
    found = "`auto_map` needs the repository's own code, which is never run here."
    return finding("T04", name, found, _REMOTE_CODE_STEP)


def _check_modules(name: str, content: object) -> Iterator[Finding]:
    """A sentence-transformers list of modules: classes of that library only, folders inside the model only."""
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        yield finding("T09", name, "The list of modules is not a list of objects.", "Use another copy of the model.")
        return
    for entry in content:
        kind, path = entry.get("type"), entry.get("path", "")
        if not isinstance(kind, str) or not kind.startswith("sentence_transformers."):
            yield finding("T04", name, f"The module `{kind}` is code from outside the library.", _REMOTE_CODE_STEP)
        if (
            not isinstance(path, str)
            or path.startswith(("/", "~"))
            or ".." in path.split("/")
            or ":" in path
            or "\\" in path
        ):
            yield finding(
                "T14", name, f"The module folder `{path}` is not inside the model.", "Use another copy of the model."
            )


def _check_numbers(name: str, content: dict[str, Any]) -> Iterator[Finding]:
    for key, path, value in _values(content):
        if key in _CAPS:
            yield from _size_trouble(name, key, path, value)
        elif key in _LENGTHS:
            yield from _length_trouble(name, path, value)
        elif key == "factor" and "rope" in path:
            yield from _scaling_trouble(name, path, value)
        elif isinstance(value, float) and not math.isfinite(value):
            yield finding("T08", name, f"`{path}` is {value}.", "Ask the publisher whether that is meant.", "note")
    parameters = rough_parameters(text_config(content))
    if parameters is not None and parameters > _MOST_PARAMETERS:
        found = f"The sizes amount to about {parameters:.1e} parameters, more than any model has."
        yield finding("T08", name, found, "Use another copy of the model; this config is damaged or hostile.")


def _size_trouble(name: str, key: str, path: str, value: object) -> Iterator[Finding]:
    step = "Use another copy of the model; this config is damaged or hostile."
    if value is None:
        return
    if isinstance(value, list):  # one size per stage, as vision models have
        if key == "out_features" and all(isinstance(item, str) for item in value):
            return  # a backbone's stages by name, where a layer would have its width
        for item in value[:1_000]:
            yield from _size_trouble(name, key, path, item)
    elif isinstance(value, bool) or not isinstance(value, int):
        yield finding("T08", name, f"`{path}` is `{str(value)[:40]}`, not a whole number.", step)
    elif value < 0 or (value == 0 and key not in _MAY_BE_ZERO) or value > _CAPS[key]:
        yield finding("T08", name, f"`{path}` is {value}, outside 1 to {_CAPS[key]}.", step)


def _length_trouble(name: str, path: str, value: object) -> Iterator[Finding]:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        yield finding("T08", name, f"`{path}` is `{str(value)[:40]}`, not a length.", "Use another copy of the model.")
    elif value < -1:
        yield finding("T08", name, f"`{path}` is {value}.", "Use another copy of the model.")
    elif value >= 1e18 and name.endswith("tokenizer_config.json"):
        return  # the library's own way to write "no limit"
    elif value > _LONGEST:
        found = f"`{path}` claims {value:.3g} tokens; lengths above {_LONGEST} are not believed here."
        yield finding(
            "T11", name, found, "Give the sequence length you need; it is measured, not taken from the claim.", "flag"
        )


def _scaling_trouble(name: str, path: str, value: object) -> Iterator[Finding]:
    if isinstance(value, int | float) and not 0 < value <= _MOST_SCALING:
        found = f"`{path}` is {value}; positions are not believed to be stretched so far."
        step = "Give the sequence length you need; it is measured, not taken from the claim."
        yield finding("T11", name, found, step, "flag")


def rough_parameters(config: dict[str, Any]) -> float | None:
    """Parameters a transformer of these sizes would have, to a factor of two; None when sizes are missing."""

    def size(*names: str) -> float | None:
        values = (config.get(name) for name in names)
        return next((float(min(each, 10**30)) for each in values if type(each) is int and each > 0), None)

    hidden, layers = (
        size("hidden_size", "d_model", "n_embd", "dim"),
        size("num_hidden_layers", "num_layers", "n_layer", "n_layers"),
    )
    if hidden is None or layers is None:
        return None
    inner = size("intermediate_size", "d_ff", "hidden_dim", "n_inner") or 4 * hidden
    experts = size("num_experts", "num_local_experts", "n_routed_experts") or 1.0
    vocabulary = size("vocab_size") or 0.0
    expert_inner = size("moe_intermediate_size") or inner
    feed_forward = 3 * hidden * (expert_inner * experts if experts > 1 else inner)
    return vocabulary * hidden + layers * (4 * hidden * hidden + feed_forward)


def _check_adapter(model: Inspected) -> Iterator[Finding]:
    name = "adapter_config.json"
    if name not in model.plain:
        return
    content = model.object(name)
    base = content.get("base_model_name_or_path")
    found = (
        f"This is an adapter for `{base}`, not a whole model."
        if base
        else "This is an adapter that does not name its base model."
    )
    step = "Decide on the base model, have it inspected as well, and name it yourself; it is not fetched unasked."
    yield finding("T06", name, found, step, "flag")
    mapping = content.get("auto_mapping")
    library = mapping.get("parent_library") if isinstance(mapping, dict) else None
    if library is not None and str(library).partition(".")[0] not in _ADAPTED_LIBRARIES:
        found = f"Loading the adapter imports the module `{library}`."
        yield finding("T04", name, found, _REMOTE_CODE_STEP)
