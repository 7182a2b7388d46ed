"""Gathers what inputs are put together from, once before the weights are loaded and in a process of its own.

A tokenizer and a processor take memory of their own, and importing them too: measured as the model's, they would make
its figures wrong.
"""

from __future__ import annotations

from typing import Any

from worker_child import in_child
from worker_errors import JobError
from worker_media import audio_materials, image_materials, prompt_materials
from worker_texts import label_materials, text_materials

_TIMEOUT_S = 120.0
_AUDIO = ("input_features", "input_values")


def gather_materials(root: str, config: Any, task: str, main_input: str) -> dict[str, Any]:
    """What inputs for a model can be made of.

    Args:
        root: Folder of its files.
        config: Its configuration.
        task: What it is for.
        main_input: The name of its first argument.

    Returns:
        `text`, `labels`, `media`: materials by kind, each empty when it is of no use or cannot be had.
    """
    found = in_child(lambda: _gather(root, config, task, main_input), _TIMEOUT_S)
    if found is None:
        return {"text": {"reason": "its tokenizer or processor cannot be used (it crashed or took too long)"}}
    if "error" in found:
        raise JobError("unsupported", found["error"])
    return found


def _gather(root: str, config: Any, task: str, main_input: str) -> dict[str, Any]:
    try:
        if task == "zero-shot-image-classification":
            return {
                "media": image_materials(root, config),
                "labels": label_materials(root, full_length=_padded(config)),
            }
        if task == "image-text-to-text":
            return {"media": prompt_materials(root, config), "text": text_materials(root)}
        if main_input == "pixel_values" or task == "image-to-text":
            return {"media": image_materials(root, config)}
        if main_input in _AUDIO:
            return {"media": audio_materials(root, config, main_input)}
        return {"text": text_materials(root)} if main_input == "input_ids" else {}
    except JobError as error:
        return {"error": str(error)}


def _padded(config: Any) -> int | None:
    """SigLIP learnt on texts padded to its full length, others on texts as long as they are."""
    if not str(getattr(config, "model_type", "")).startswith("siglip"):
        return None
    return getattr(getattr(config, "text_config", None), "max_position_embeddings", None)
