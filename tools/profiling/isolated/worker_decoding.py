"""Greedy decoding step by step: what is computed once for the prompt, and what each further token takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from transformers.modeling_outputs import BaseModelOutput
from worker_errors import JobError
from worker_loading import Loaded

_CACHES = ("past_key_values", "cache_params", "state")
"""What transformers calls what is kept between steps: attention's keys and values, or purely recurrent states."""


class Decoding:
    """One way of decoding: the prompt once, then token by token."""

    def __init__(self, loaded: Loaded, inputs: dict[str, torch.Tensor], last_only: dict[str, int]) -> None:
        self.model, self.inputs, self.last_only = loaded.model, inputs, last_only
        self.cache: Any = None

    def prefill(self) -> Any:
        """Take in the prompt; returns what the model gave."""
        raise NotImplementedError

    def step(self, token: torch.Tensor) -> Any:
        """Take in one token of each row; returns what the model gave."""
        raise NotImplementedError

    def taken(self, output: Any) -> torch.Tensor:
        """The likeliest next token of each row; what is kept between steps is kept."""
        self.cache = _cache_of(output)
        return output.logits[:, -1:].argmax(-1)


class Causal(Decoding):
    """A decoder alone; images stand in its prompt."""

    def prefill(self) -> Any:
        """Take in the prompt, and the image if there is one."""
        self.mask = self.inputs["attention_mask"]
        self.places = "position_ids" in inspect.signature(self.model.forward).parameters
        return self.model(**self.inputs, use_cache=True, **self.last_only)

    def step(self, token: torch.Tensor) -> Any:
        """One token."""
        name, cache = self.cache
        deltas = getattr(getattr(self.model, "model", None), "rope_deltas", None)
        if deltas is not None or name != "past_key_values":
            # Models that place tokens in time, height and width count one for each 1 of a mask, and recurrent ones
            # stretch the token over it: without a mask both take one token, as transformers' own `generate` lets them.
            return self.model(input_ids=token, use_cache=True, **{name: cache})
        place = torch.full_like(token, self.mask.shape[1])
        self.mask = torch.cat([self.mask, torch.ones_like(token)], dim=1)
        told = {"position_ids": place} if self.places else {}
        return self.model(input_ids=token, attention_mask=self.mask, use_cache=True, **told, **{name: cache})


class EncoderDecoder(Decoding):
    """An encoder that runs once, and a decoder that looks at what it gave."""

    def prefill(self) -> Any:
        """The encoder, and the decoder on its starting tokens."""
        rows = next(iter(self.inputs.values()))
        start = torch.tensor([_start_ids(self.model)] * rows.shape[0], device=rows.device)
        self.kept: dict[str, Any] = {key: self.inputs[key] for key in ("attention_mask",) if key in self.inputs}
        encoder = self.model.get_encoder()
        if self.inputs.keys() <= inspect.signature(encoder.forward).parameters.keys():
            self.kept["encoder_outputs"] = encoder(**self.inputs, return_dict=True)
            return self.model(**self.kept, decoder_input_ids=start, use_cache=True)
        # An image goes in beside the text: only the whole model knows how.
        output = self.model(**self.inputs, decoder_input_ids=start, use_cache=True)
        self.kept["encoder_outputs"] = BaseModelOutput(last_hidden_state=output.encoder_last_hidden_state)
        return output

    def step(self, token: torch.Tensor) -> Any:
        """One token of the decoder."""
        name, cache = self.cache
        return self.model(**self.kept, decoder_input_ids=token, use_cache=True, **{name: cache})


class Captioning(Decoding):
    """A vision model beside a text decoder that looks at it (BLIP); its own forward keeps nothing between steps."""

    def prefill(self) -> Any:
        """The image, and the decoder on its starting token."""
        seen = self.model.vision_model(pixel_values=self.inputs["pixel_values"])[0]
        self.kept = {
            "encoder_hidden_states": seen,
            "encoder_attention_mask": torch.ones(seen.shape[:2], dtype=torch.long, device=seen.device),
        }
        start = self.model.config.text_config.bos_token_id
        tokens = torch.full((seen.shape[0], 1), start, device=seen.device)
        return self.model.text_decoder(input_ids=tokens, use_cache=True, **self.kept)

    def step(self, token: torch.Tensor) -> Any:
        """One token of the decoder."""
        name, cache = self.cache
        return self.model.text_decoder(input_ids=token, use_cache=True, **self.kept, **{name: cache})


def decoding_of(loaded: Loaded, inputs: dict[str, torch.Tensor], last_only: dict[str, int]) -> Decoding:
    """The way a model decodes, by its parts."""
    if getattr(loaded.model.config, "is_encoder_decoder", False):
        kind: Callable[..., Decoding] = EncoderDecoder
    else:
        kind = Captioning if hasattr(loaded.model, "text_decoder") else Causal
    return kind(loaded, inputs, last_only)


def start_count(loaded: Loaded) -> int:
    """Positions of the decoder that are taken before the first new token; 0 without an encoder."""
    encodes = loaded.generates and getattr(loaded.model.config, "is_encoder_decoder", False)
    return len(_start_ids(loaded.model)) if encodes else 0


def _start_ids(model: Any) -> list[int]:
    """What a decoder starts from; for Whisper also the language, the task and no timestamps."""
    kept, config = model.generation_config, model.config
    inner = getattr(config, "decoder", None)
    found = (getattr(each, name, None) for each in (kept, config, inner) for name in _STARTS)
    start = next((value for value in found if isinstance(value, int)), None)
    if start is None:
        raise JobError("unsupported", "its configuration does not say what its decoder starts from")
    languages, tasks = getattr(kept, "lang_to_id", None), getattr(kept, "task_to_id", None)
    if not languages or not tasks:
        return [start]
    language = languages.get("<|en|>", next(iter(languages.values())))
    plain = getattr(kept, "no_timestamps_token_id", None)
    return [start, language, tasks["transcribe"], *([plain] if isinstance(plain, int) else [])]


_STARTS = ("decoder_start_token_id", "bos_token_id")


def _cache_of(output: Any) -> tuple[str, Any]:
    """The name of the argument, and what a step hands to the next under it."""
    name = next((name for name in _CACHES if getattr(output, name, None) is not None), None)
    if name is None:
        raise JobError("unsupported", "its cache between steps is of no known kind")
    return name, getattr(output, name)


def cache_bytes(cache: Any) -> int | None:
    """Bytes that are kept between steps; None when its kind is not known."""
    halves = [getattr(cache, name, None) for name in ("self_attention_cache", "cross_attention_cache")]
    if any(half is not None for half in halves):
        return sum(cache_bytes(half) or 0 for half in halves if half is not None)
    if isinstance(cache, list | tuple):
        return sum(state.nbytes for state in cache if isinstance(state, torch.Tensor))
    layers = getattr(cache, "layers", None)
    if not layers:
        return None
    kept = [getattr(layer, name, None) for layer in layers for name in ("keys", "values")]
    states = [getattr(layer, name, None) or {} for layer in layers for name in ("conv_states", "recurrent_states")]
    kept += [state for each in states for state in each.values()]
    return sum(tensor.nbytes for tensor in kept if isinstance(tensor, torch.Tensor))
