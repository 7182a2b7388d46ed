"""Texts of common words as a model's own tokenizer cuts them, with its special tokens where they belong."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import torch
import transformers

SEED = 20_250_101
"""Seed of everything that is made up."""
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "vocab.txt",
    "vocab.json",
    "spiece.model",
    "sentencepiece.bpe.model",
    "spm.model",
)
"""Without one of these transformers would make up an empty tokenizer that maps all texts alike."""
_WORDS = """
the of and to in is that it was for on are as with they at be this from have or by one had not but what all
were when we there can an your which their said if do will each about how up out them then she many some so
these would other into has more her two like him see time could no make than first been its who now people my
made over did down only way find use may water long little very after words called just where most know get
through back much before go good new write our used me man too any day same right look think also around
another came come work three word must because does part even place well such here take why things help put
years different away again off went old number great tell men say small every found still between name should
home big give air line set own under read last never us left end along while might next sound below saw
something thought both few those always looked show large often together asked house world going want school
important until form food keep children feet land side without boy once animals life enough took four head
above kind began almost live page got earth need far hand high year mother light country father let night
picture being study second soon story since white ever paper hard near sentence better best across during
today however sure knew try told young sun thing whole hear example heard several change answer room sea
against top turned learn point city play toward five himself usually money seen car morning
"""
"""Common words, each a token or few in most vocabularies."""
_SAMPLES = ("water and light", "the school children read")
_LABEL = "a photo of a "
_STREAM_WORDS = 2048
_LABELS = 8
_FEWEST_KINDS = 8


def tokenizer_of(root: str) -> tuple[Any, str]:
    """The tokenizer, or None and the reason in words."""
    if not any((Path(root) / name).is_file() for name in TOKENIZER_FILES):
        return None, "the files hold no tokenizer"
    try:
        return transformers.AutoTokenizer.from_pretrained(root, trust_remote_code=False, local_files_only=True), ""
    except BaseException as error:  # noqa: BLE001 (tokenizers' panics are no Exception; random ids remain)
        return None, f"its tokenizer cannot be used ({type(error).__name__})"


def text_materials(root: str) -> dict[str, Any]:
    """What texts of any length are put together from.

    Args:
        root: Folder of the model's files.

    Returns:
        `content` (ids of words), `single` and `pair` (special tokens before, between and after texts), `types` (token
        type ids of those and of the texts of a pair, in turn), `mask`; or only `reason` when there is no such tokenizer.
    """
    tokenizer, reason = tokenizer_of(root)
    if tokenizer is None:
        return {"reason": reason}
    content = _plain(tokenizer, " ".join(random.Random(SEED).choices(_WORDS.split(), k=_STREAM_WORDS)))
    if len(set(content)) < _FEWEST_KINDS:
        return {"reason": "its tokenizer does not know common words"}
    parts = [_plain(tokenizer, text) for text in _SAMPLES]
    single, pair = tokenizer(_SAMPLES[0]), tokenizer(*_SAMPLES)
    around, places = _around(pair["input_ids"], parts)
    types = pair.get("token_type_ids")
    return {
        "content": torch.tensor(content),
        "single": _around(single["input_ids"], parts[:1])[0],
        "pair": around,
        "types": [int(types[place]) for place in places] if types and places else None,
        "mask": tokenizer.mask_token_id,
    }


def _plain(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _around(whole: list[int], parts: list[list[int]]) -> tuple[list[list[int]], list[int]]:
    """The ids before, between and after the parts, and a place of each stretch, of the parts too, in turn."""
    gaps, places, start = [], [], 0
    for part in parts:
        found = next((p for p in range(start, len(whole)) if whole[p : p + len(part)] == part), None)
        if found is None:
            return [[] for _ in range(len(parts) + 1)], []
        gaps.append(list(whole[start:found]))
        places += [max(start, found - 1), found]
        start = found + len(part)
    gaps.append(list(whole[start:]))
    return gaps, [*places, min(start, len(whole) - 1)]


def label_materials(root: str, *, full_length: int | None) -> dict[str, Any]:
    """Texts of the labels that an image is held against, as ids.

    Args:
        root: Folder of the model's files.
        full_length: Tokens that every text is padded to; None pads to the longest.

    Returns:
        `labels` (arguments of the model), or only `reason`.
    """
    tokenizer, reason = tokenizer_of(root)
    if tokenizer is None:
        return {"reason": reason}
    texts = [_LABEL + word for word in random.Random(SEED).sample(_WORDS.split(), _LABELS)]
    how: dict[str, Any] = {"padding": "max_length", "max_length": full_length} if full_length else {"padding": True}
    return {"labels": dict(tokenizer(texts, return_tensors="pt", truncation=full_length is not None, **how))}
