"""Small builds of the installed transformers' architectures, without memory for their weights, in several sizes."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from typing import Any, NamedTuple

_HEADS_FIRST = ("CAUSAL_LM", "MASKED_LM", "SEQ_TO_SEQ_CAUSAL_LM", "SEQUENCE_CLASSIFICATION", "TOKEN_CLASSIFICATION",
                "IMAGE_CLASSIFICATION", "SPEECH_SEQ_2_SEQ", "CTC", "AUDIO_CLASSIFICATION", "QUESTION_ANSWERING")  # fmt: skip
_SECONDS_FOR_ONE = 20
_MOST_SWITCHES = 150

Shapes = dict[str, tuple[int, ...]]

ROLES = {
    "width": ("hidden_size", "d_model", "n_embd", "dim", "embed_dim", "model_dim"),
    "heads": ("num_attention_heads", "n_head", "n_heads", "num_heads", "encoder_attention_heads", "decoder_attention_heads"),
    "key_heads": ("num_key_value_heads", "num_kv_heads", "n_head_kv"),
    "head_width": ("head_dim", "d_kv"),
    "inner": ("intermediate_size", "ffn_dim", "encoder_ffn_dim", "decoder_ffn_dim", "d_ff", "n_inner", "hidden_dim", "d_inner"),
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers", "decoder_layers", "num_decoder_layers"),
    "vocabulary": ("vocab_size",),
    "labels": ("num_labels",),
    "positions": ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length"),
}  # fmt: skip
ROLE_OF = {key: role for role, keys in ROLES.items() for key in keys}
BUILDS: tuple[dict[str, int], ...] = (
    {"width": 64, "heads": 4, "key_heads": 2, "head_width": 16, "inner": 112, "layers": 4, "vocabulary": 163, "positions": 98, "labels": 3},
    {"width": 96, "heads": 6, "key_heads": 3, "head_width": 16, "inner": 176, "layers": 6, "vocabulary": 211, "positions": 142, "labels": 5},
    {"width": 96, "heads": 4, "key_heads": 2, "head_width": 32, "inner": 144, "layers": 5, "vocabulary": 173, "positions": 130, "labels": 7},
    {"width": 128, "heads": 8, "key_heads": 8, "head_width": 24, "inner": 272, "layers": 3, "vocabulary": 241, "positions": 66, "labels": 6},
)  # fmt: skip
"""Sizes by role; where an architecture cannot have one of them, the build fails and does not count."""
_FURTHER = {"layers": 3, "inner": 32}
"""How much larger a decoder's size is than that of the encoder beside it, so that the two are told apart."""


class Build(NamedTuple):
    """One architecture in one size."""

    config: dict[str, Any]
    shapes: Shapes
    tied: frozenset[str]


def model_types() -> list[str]:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    return sorted(CONFIG_MAPPING_NAMES)


def config_class(kind: str) -> Any:
    from transformers import CONFIG_MAPPING

    return CONFIG_MAPPING[kind]


def classes_of(kind: str) -> list[str]:
    """The architecture's bare class, then its classes with a head."""
    from transformers.models.auto import modeling_auto as auto

    tables = [auto.MODEL_MAPPING_NAMES, *(getattr(auto, f"MODEL_FOR_{each}_MAPPING_NAMES") for each in _HEADS_FIRST)]
    found: list[str] = []
    for table in tables:
        names = table.get(kind, ())
        found += [names] if isinstance(names, str) else list(names)[:1]
    return list(dict.fromkeys(found))


def switches(defaults: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Changes to a config, one at a time: switches turned, unset sizes set, other numbers lowered."""
    roles = {defaults[key]: role for key, role in reversed(ROLE_OF.items()) if isinstance(defaults.get(key), int)}
    turned: list[dict[str, Any]] = []
    for key, value in defaults.items():
        if isinstance(value, bool):
            turned.append({key: not value})
        elif value is None and key in ROLE_OF:
            turned.append({key: BUILDS[2][ROLE_OF[key]]})
        elif isinstance(value, int) and key not in ROLE_OF and not key.endswith("_token_id"):
            turned += [{key: 0}, {key: 1}, {key: 2}, {key: None}]
            if value > 16 and value in roles:
                turned.append({key: BUILDS[0][roles[value]]})
        elif value == []:
            turned.append({key: [0]})
        elif key == "feed_forward_proj":
            turned += [{key: "relu"}, {key: "gated-gelu"}]
        elif key == "position_embedding_type":
            turned += [{key: "relative_key"}, {key: "rotary"}]
    yield from turned[:_MOST_SWITCHES]


def build_small(
    kind: str, class_name: str, defaults: dict[str, Any], sizes: dict[str, int], turned: dict[str, Any]
) -> Build | None:
    signal.signal(signal.SIGALRM, _too_long)
    # A few architectures cannot be without a size that their own config leaves open.
    for filled in (False, True):
        signal.alarm(_SECONDS_FOR_ONE)
        try:
            config = config_class(kind).from_dict(sized(defaults, sizes, filled=filled) | turned)
            return _built(class_name, config, BUILDS.index(sizes))
        except Exception:  # noqa: BLE001 (an architecture that cannot have these sizes is built in others)
            continue
        finally:
            signal.alarm(0)
    return None


def _built(class_name: str, config: Any, sizes: int) -> Build:
    import torch
    import transformers
    from transformers.core_model_loading import revert_weight_conversion

    with torch.device("meta"):
        model = getattr(transformers, class_name)(config)
    tied = model.all_tied_weights_keys
    state = {name: each for name, each in model.state_dict().items() if name not in tied}
    state = revert_weight_conversion(model, state)
    unsaved = [*(model._keys_to_ignore_on_save or ()), *(model._keys_to_ignore_on_load_missing or ())]
    shapes = {name: tuple(each.shape) for name, each in state.items() if not any(re.search(u, name) for u in unsaved)}
    return Build(_whole(config.to_dict()) | {"_sizes": sizes}, shapes, frozenset(tied) | frozenset(tied.values()))


def _whole(content: dict[str, Any]) -> dict[str, int]:
    """The whole numbers of a config; unset sizes of a head follow from the others, as in the library."""
    found = {key: value for key, value in content.items() if type(value) is int}
    found["num_labels"] = len(content.get("id2label") or ())
    if "num_key_value_heads" in content and "num_attention_heads" in found:
        found.setdefault("num_key_value_heads", found["num_attention_heads"])
    if "head_dim" in content and {"hidden_size", "num_attention_heads"} <= found.keys():
        found.setdefault("head_dim", found["hidden_size"] // found["num_attention_heads"])
    return found


def _too_long(*_: Any) -> None:
    raise TimeoutError


def sized(defaults: dict[str, Any], sizes: dict[str, int], *, filled: bool = False) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in defaults.items():
        role = ROLE_OF.get(key)
        if role is not None and (isinstance(value, int) or (filled and value is None)):
            content[key] = sizes[role] + _FURTHER.get(role, 0) * key.startswith(("decoder", "num_decoder"))
        elif key.endswith("_token_id") and isinstance(value, int):
            content[key] = min(value, 3)
        elif key in {"num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"} and isinstance(
            value, int
        ):
            content[key] = 4
        elif key == "id2label":
            content[key] = {each: f"LABEL_{each}" for each in range(sizes["labels"])}
        elif key in {
            "layer_types",
            "mlp_layer_types",
            "layers_block_type",
            "label2id",
            "stage_names",
            "out_features",
            "out_indices",
            "_out_features",
            "_out_indices",
        }:
            continue
        else:
            content[key] = value
    return content
