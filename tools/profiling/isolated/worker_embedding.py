"""Pooling and normalisation as the files of sentence-transformers state them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from worker_errors import JobError

_LEGACY = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""Switches of older files, in the order in which several are joined."""
_PART = re.compile(r"[A-Za-z0-9_-]{1,60}(/[A-Za-z0-9_-]{1,60})?")


@dataclass(frozen=True)
class Embedding:
    """How hidden states become one vector for each text."""

    modes: tuple[str, ...]
    normalized: bool
    left_out: tuple[str, ...]

    def of(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The vectors.

        Args:
            hidden: Hidden states, batch x tokens x width.
            mask: 1 where there is text, batch x tokens.

        Returns:
            One row for each text.
        """
        weights = mask[..., None].to(hidden.dtype)
        pooled = torch.cat([_POOLING[mode](hidden, weights) for mode in self.modes], dim=-1)
        return torch.nn.functional.normalize(pooled, dim=-1) if self.normalized else pooled

    def note(self) -> str:
        """How it is done, in words."""
        modes = "/".join(self.modes)
        text = f"pooled by {modes}, normalised" if self.normalized else f"pooled by {modes}"
        return f"{text}, without its {'/'.join(self.left_out)}" if self.left_out else text


def _mean(hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)


def _square_root(hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9).sqrt()


def _rising(hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    places = torch.arange(1, hidden.shape[1] + 1, device=hidden.device, dtype=hidden.dtype)
    return _mean(hidden, weights * places[None, :, None])


def _first(hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    place = weights[..., 0].argmax(1)
    return hidden[torch.arange(len(hidden), device=hidden.device), place]


def _last(hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    places = torch.arange(hidden.shape[1], device=hidden.device)
    place = (weights[..., 0] * places).argmax(1)
    return hidden[torch.arange(len(hidden), device=hidden.device), place]


def _largest(hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return hidden.masked_fill(weights == 0, -torch.inf).amax(1)


_POOLING: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "cls": _first,
    "max": _largest,
    "mean": _mean,
    "mean_sqrt_len_tokens": _square_root,
    "weightedmean": _rising,
    "lasttoken": _last,
}


def read_embedding(root: str) -> Embedding | None:
    """What `modules.json` says about the way from hidden states to an embedding; None without one that pools."""
    modules = _json(Path(root) / "modules.json")
    parts = [part for part in modules if isinstance(part, dict)] if isinstance(modules, list) else []
    kinds = {str(part.get("type", "")).rsplit(".", 1)[-1]: str(part.get("path", "")) for part in parts}
    folder = kinds.get("Pooling")
    if "Transformer" not in kinds or folder is None or not _PART.fullmatch(folder):
        return None
    pooling = _json(Path(root) / folder / "config.json")
    if not isinstance(pooling, dict):
        return None
    modes = pooling.get("pooling_mode") or [mode for key, mode in _LEGACY.items() if pooling.get(key) is True]
    modes = tuple([modes] if isinstance(modes, str) else modes) or ("mean",)
    unknown = [str(mode)[:40] for mode in modes if mode not in _POOLING]
    if unknown:
        raise JobError("unsupported", f"its way of pooling, `{unknown[0]}`, is not known")
    others = [kind for kind in kinds if kind not in ("Transformer", "Pooling", "Normalize")]
    others = [kind.lower() if re.fullmatch(r"[A-Za-z]{1,30}", kind) else "rest" for kind in others]
    return Embedding(modes, "Normalize" in kinds, tuple(others))


def is_cross_encoder(config: Any, root: str) -> bool:
    """Do its files say that it scores pairs of texts?"""
    kept = _json(Path(root) / "config_sentence_transformers.json")
    stated = isinstance(kept, dict) and kept.get("model_type") == "CrossEncoder"
    return stated or isinstance(getattr(config, "sentence_transformers", None), dict)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
