"""Decides what a model is for, and the class it is loaded as, from transformers' own tables and its configuration."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import transformers
from transformers.models.auto import modeling_auto
from worker_embedding import Embedding, is_cross_encoder, read_embedding
from worker_errors import JobError

_TABLES = (
    ("automatic-speech-recognition", "MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES"),
    ("automatic-speech-recognition", "MODEL_FOR_CTC_MAPPING_NAMES"),
    ("image-text-to-text", "MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES"),
    ("text-generation", "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES"),
    ("text2text-generation", "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES"),
    ("text-classification", "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES"),
    ("token-classification", "MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES"),
    ("question-answering", "MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES"),
    ("fill-mask", "MODEL_FOR_MASKED_LM_MAPPING_NAMES"),
    ("image-classification", "MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES"),
    ("object-detection", "MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES"),
    ("zero-shot-image-classification", "MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING_NAMES"),
    ("audio-classification", "MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES"),
    ("feature-extraction", "MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES"),
    ("feature-extraction", "MODEL_MAPPING_NAMES"),
)
"""Tasks by table of transformers; a class in several takes the first, for the later ones are wider."""
_GENERATING = ("text-generation", "text2text-generation", "image-text-to-text", "image-to-text")
_PAIRS = ("text-ranking", "question-answering")
_AUDIO = ("input_features", "input_values")


@lru_cache(maxsize=1)
def _tasks() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for task, table in _TABLES:
        for names in getattr(modeling_auto, table, {}).values():
            for name in (names,) if isinstance(names, str) else names:
                found[name] = (*found.get(name, ()), task)
    return found


def decide(config: Any, root: str) -> tuple[Any, str, Embedding | None]:
    """What a model is for.

    Args:
        config: Its configuration.
        root: Folder of its files.

    Returns:
        The class to load, the task, and how its hidden states become one embedding when its files say so.
    """
    names = getattr(config, "architectures", None) or []
    name = str(names[0]) if names else ""
    found = getattr(transformers, name, None) if re.fullmatch(r"[A-Za-z0-9_]{1,100}", name) else None
    if name and not (isinstance(found, type) and issubclass(found, transformers.PreTrainedModel)):
        raise JobError("unsupported", f"the architecture `{name[:100]}` is not in this version of transformers")
    embedding = read_embedding(root)
    tasks = _tasks().get(name, ())
    if found is None or embedding is not None and "feature-extraction" not in tasks:
        return _base_class(config), "feature-extraction", embedding
    task = _narrowed(tasks, found, config, root)
    return found, task or f"bare forward pass of {name}", embedding if task == "feature-extraction" else None


def _base_class(config: Any) -> Any:
    """The class without a head."""
    found = transformers.MODEL_MAPPING.get(type(config), None)
    if found is None:
        raise JobError(
            "unsupported", "its configuration names no architecture, and its kind has no model without a head"
        )
    return found[0] if isinstance(found, tuple) else found


def _narrowed(tasks: tuple[str, ...], found: Any, config: Any, root: str) -> str | None:
    """The task where a table is wider than one."""
    task = tasks[0] if tasks else None
    if task == "automatic-speech-recognition" and found.main_input_name not in _AUDIO:
        return None  # a language model that hears: its prompts need a processor of its own kind
    if task == "image-text-to-text" and not takes_image_tokens(config):
        if "text-generation" in tasks and getattr(config, "vision_config", None) is None:
            return "text-generation"
        return "image-to-text"
    if task == "text-classification" and (getattr(config, "num_labels", 0) == 1 or is_cross_encoder(config, root)):
        return "text-ranking"
    if task == "text2text-generation" and not getattr(config, "is_encoder_decoder", False):
        return None
    return task


def takes_image_tokens(config: Any) -> bool:
    """Does its prompt hold tokens in whose place parts of an image are put?"""
    return image_token(config) is not None


def image_token(config: Any) -> int | None:
    """The id of the token that stands for a part of an image."""
    values = (getattr(config, name, None) for name in ("image_token_id", "image_token_index"))
    return next((value for value in values if isinstance(value, int)), None)


def generates(task: str, config: Any) -> bool:
    """Does its answer come token by token?"""
    speech = task == "automatic-speech-recognition" and bool(getattr(config, "is_encoder_decoder", False))
    return speech or task in _GENERATING


def takes_pairs(task: str) -> bool:
    """Is one input a pair of texts?"""
    return task in _PAIRS


def unit_of_task(task: str, config: Any, main_input: str) -> str:
    """What a throughput counts."""
    if generates(task, config):
        return "tokens"
    if takes_pairs(task):
        return "pairs"
    if main_input in _AUDIO:
        return "seconds of audio"
    if main_input == "pixel_values" or task == "zero-shot-image-classification":
        return "images"
    return "texts" if main_input == "input_ids" else "inputs"
