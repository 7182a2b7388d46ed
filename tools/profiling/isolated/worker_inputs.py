"""Puts the inputs of one call together: words of a model's own tokenizer, noise as images or sound, or random ids."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import torch
from worker_errors import JobError
from worker_loading import Loaded
from worker_tasks import image_token, takes_pairs
from worker_texts import SEED

_SPECIAL_IDS = 5
_FIRST_TEXT = 16
_LABELS = 8
_LABEL_TOKENS = 8
_APART = 997
_OFFSET_TYPES = ("roberta", "xlm-roberta", "camembert", "mpnet", "longformer", "data2vec-text")
"""Families that count positions from the padding id on."""
_RELATIVE_TYPES = ("t5", "mt5", "umt5", "longt5", "switch_transformers")
"""Families whose stated number of positions is no limit."""


@dataclass(frozen=True)
class Inputs:
    """Arguments of the model for one call, and what they are."""

    values: dict[str, torch.Tensor]
    note: str
    tokens: int
    seconds: float = 0.0


def _text_config(config: Any) -> Any:
    get = getattr(config, "get_text_config", None)
    return get() if get else config


def positions(config: Any) -> int | None:
    """How many positions the model has; None when its configuration does not say or it has no such limit."""
    text = _text_config(config)
    names = ("max_position_embeddings", "n_positions", "max_target_positions")
    value = next((found for name in names if (found := getattr(text, name, None))), None)
    kind = getattr(text, "model_type", "")
    if not isinstance(value, int) or value <= 0 or kind in _RELATIVE_TYPES:
        return None
    offset = getattr(text, "pad_token_id", None) if kind in _OFFSET_TYPES else None
    return value - offset - 1 if isinstance(offset, int) else value


def make_inputs(loaded: Loaded, batch_size: int, sequence_length: int) -> dict[str, torch.Tensor]:
    """Arguments for one call; see `prepare`."""
    return prepare(loaded, batch_size, sequence_length).values


def prepare(loaded: Loaded, batch_size: int, sequence_length: int) -> Inputs:
    """Inputs for one call.

    Args:
        loaded: The model.
        batch_size: Inputs processed together.
        sequence_length: Tokens of each text; of no meaning for images and sound alone.

    Returns:
        The arguments and how they were made.
    """
    name = loaded.model.main_input_name
    if loaded.task == "zero-shot-image-classification":
        made = _labelled(loaded, batch_size)
    elif loaded.task == "image-text-to-text":
        made = _prompts(loaded, batch_size, sequence_length)
    elif name == "input_ids" and loaded.task != "image-to-text":
        made = _texts(loaded, batch_size, sequence_length)
    elif loaded.materials.get("media"):
        media = loaded.materials["media"]
        values = _repeated(media["row"], batch_size)
        if name == "input_ids":  # a decoder alone, which needs a token to begin with
            values["input_ids"] = torch.full((batch_size, 1), _first_id(loaded))
            values["attention_mask"] = torch.ones_like(values["input_ids"])
        made = Inputs(values, media["note"], 0, media.get("seconds", 0.0))
    else:
        raise JobError("unsupported", f"inputs of the kind `{name}` are not made up without data")
    note = made.note if made.tokens else f"{made.note}, whatever the length in tokens"
    return Inputs(_fitting(loaded, made.values), note, made.tokens, made.seconds)


def _fitting(loaded: Loaded, values: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Only what the model takes, where and in the number format in which it takes it."""
    taken = inspect.signature(loaded.model.forward).parameters
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values())
    return {
        key: _placed(loaded, value)
        for key, value in values.items()
        if key in taken or anything and key == "attention_mask"
    }


def _repeated(row: dict[str, torch.Tensor], batch_size: int) -> dict[str, torch.Tensor]:
    return {key: torch.cat([value] * batch_size) for key, value in row.items()}


def _vocabulary(loaded: Loaded) -> int:
    size = getattr(_text_config(loaded.model.config), "vocab_size", None)
    if not isinstance(size, int) or size <= 0:
        raise JobError("unsupported", "its configuration states no vocabulary size")
    return size


def _first_id(loaded: Loaded) -> int:
    text = _text_config(loaded.model.config)
    found = (getattr(text, name, None) for name in ("bos_token_id", "cls_token_id", "eos_token_id"))
    return next((value for value in found if isinstance(value, int)), 0)


def _texts(loaded: Loaded, batch_size: int, length: int) -> Inputs:
    config, text = loaded.model.config, loaded.materials.get("text", {})
    limit = positions(config)
    if limit is not None and length > limit:
        raise JobError("unsupported", f"{length} tokens are more than its {limit} positions")
    if "content" in text:
        values, note = _worded(loaded, text, batch_size, length), "words of its own tokenizer"
    else:
        values, note = {"input_ids": _random_ids(loaded, batch_size, length)}, _random_note(text)
    values["attention_mask"] = torch.ones_like(values["input_ids"])
    if getattr(config, "is_encoder_decoder", False) and not loaded.generates and _is_bare(loaded):
        values["decoder_input_ids"] = values["input_ids"][:, :1]
    return Inputs(values, note if loaded.embedding is None else f"{note}; {loaded.embedding.note()}", length)


def _is_bare(loaded: Loaded) -> bool:
    """Without a head of its own, an encoder-decoder model wants to be told where its decoder starts."""
    return loaded.task == "feature-extraction" or " " in loaded.task


def _random_note(text: dict[str, Any]) -> str:
    return f"random token ids ({text['reason']})" if text.get("reason") else "random token ids"


def _worded(loaded: Loaded, text: dict[str, Any], batch_size: int, length: int) -> dict[str, torch.Tensor]:
    pairs = takes_pairs(loaded.task)
    around = text["pair"] if pairs else text["single"]
    budget = max(0, length - sum(map(len, around)))
    first = min(_FIRST_TEXT, budget // 4) if pairs else budget
    sizes = (first, budget - first) if pairs else (budget,)
    rows, types = [], []
    for row in range(batch_size):
        ids, kinds = _row(text, around, sizes, row)
        if loaded.task == "fill-mask" and text["mask"] is not None and budget:
            ids[len(around[0]) + budget // 2] = text["mask"]
        rows.append(ids[:length])
        types.append(kinds[:length])
    values = {"input_ids": torch.tensor(rows)}
    table = loaded.model.get_input_embeddings().weight.shape[0]
    if int(values["input_ids"].max()) >= table:
        raise JobError("unsupported", f"its tokenizer gives ids past its table of {table} (rule T17)")
    if text["types"]:
        values["token_type_ids"] = torch.tensor(types)
    return values


def _row(
    text: dict[str, Any], around: list[list[int]], sizes: tuple[int, ...], row: int
) -> tuple[list[int], list[int]]:
    """Ids of one row and their types: special tokens around one text or two."""
    content = text["content"]
    types = text["types"] if len(sizes) > 1 and text["types"] else [0] * (2 * len(sizes) + 1)
    stretches: list[list[int]] = []
    start = row * _APART
    for gap, size in zip(around, sizes, strict=False):
        places = (torch.arange(size) + start) % len(content)
        stretches += [gap, content[places].tolist()]
        start += size
    stretches.append(around[-1])
    kinds = [kind for kind, stretch in zip(types, stretches, strict=True) for _ in stretch]
    return [each for stretch in stretches for each in stretch], kinds


def _random_ids(loaded: Loaded, rows: int, length: int) -> torch.Tensor:
    """Seeded ids without those that mean something to the model; a last one that ends a text where the model looks for it."""
    config, vocabulary = loaded.model.config, _vocabulary(loaded)
    low = min(_SPECIAL_IDS, vocabulary - 1)
    ids = torch.randint(low, vocabulary, (rows, length), generator=torch.Generator().manual_seed(SEED))
    end = getattr(_text_config(config), "eos_token_id", None)
    for special in (image_token(config), end):
        if isinstance(special, int):
            ids[ids == special] = low
    ends = getattr(config, "is_encoder_decoder", False) or loaded.task == "zero-shot-image-classification"
    if ends and isinstance(end, int):
        ids[:, -1] = end
    return ids


def _labelled(loaded: Loaded, batch_size: int) -> Inputs:
    """Images, each held against the same few labels."""
    media, labels = loaded.materials["media"], loaded.materials.get("labels", {})
    values = _repeated(media["row"], batch_size)
    if "labels" in labels:
        values |= labels["labels"]
        return Inputs(values, f"{media['note']}, against {_LABELS} labels in words", 0)
    ids = _random_ids(loaded, _LABELS, _LABEL_TOKENS)
    values |= {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    return Inputs(values, f"{media['note']}, against {_LABELS} labels of random token ids ({labels['reason']})", 0)


def _prompts(loaded: Loaded, batch_size: int, length: int) -> Inputs:
    """An image and a text after it; the image's tokens come on top of the text's."""
    media, text = loaded.materials["media"], loaded.materials.get("text", {})
    row = dict(media["row"])
    if "input_ids" not in row:
        row |= _image_ids(loaded, row)
    shown = row["input_ids"].shape[1]
    if "content" in text:
        content = text["content"]
        words = content[torch.arange(length) % len(content)][None]
        note = "words of its own tokenizer"
    else:
        words, note = _random_ids(loaded, 1, length), _random_note(text)
    for key in [key for key, value in row.items() if tuple(value.shape) == (1, shown)]:
        more = words if key == "input_ids" else torch.full_like(words, 1 if key == "attention_mask" else 0)
        row[key] = torch.cat([row[key], more], dim=1)
    row.setdefault("attention_mask", torch.ones_like(row["input_ids"]))
    told = f"{media['note']} ({shown} tokens each) and {note}"
    return Inputs(_repeated(row, batch_size), told, shown + length)


def _image_ids(loaded: Loaded, row: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """As many image tokens as the model makes parts of one image."""
    look = loaded.model.get_image_features
    taken = inspect.signature(look).parameters
    shown = {key: _placed(loaded, value) for key, value in row.items() if key in taken}
    try:
        features = look(**shown)
        parts = getattr(features, "pooler_output", features)
        count = sum(part.numel() // part.shape[-1] for part in parts)
    except (AttributeError, TypeError, ValueError, RuntimeError, IndexError) as error:
        raise JobError("unsupported", "a prompt with an image cannot be made without its processor") from error
    ids = torch.full((1, count), image_token(loaded.model.config) or 0)
    return {"input_ids": ids, "mm_token_type_ids": torch.ones_like(ids)}


def _placed(loaded: Loaded, value: torch.Tensor) -> torch.Tensor:
    return value.to(loaded.device, loaded.model.dtype if value.is_floating_point() else None)
