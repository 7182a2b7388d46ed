"""Loads a model honestly: only safetensors, no code of its own, and nothing missing, left over or of another shape."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

import torch
import transformers
from worker_embedding import Embedding
from worker_errors import JobError
from worker_materials import gather_materials
from worker_memory import peak_mib, reset_peak, resident_mib, split_mib
from worker_tasks import decide, generates

_BUFFERS = re.compile(
    r"(^|\.)position_ids$|\.inv_freq$|\.attn\.(masked_)?bias$|\.num_batches_tracked$|(^|\.)masked_spec_embed$"
)
"""What is recomputed or serves training alone, whatever the files hold."""
_POOLER = re.compile(r"(^|\.)pooler\.")
"""Takes no part in the hidden states; a classifier rests on it."""
_LEFT_OVER = re.compile(r"(^|\.)pooler\.|^cls\.seq_relationship\.")
"""Heads of pre-training that a model's use leaves out."""
_HEADS = re.compile(r"^(cls|lm_head|head|decoder|vocab_[a-z]+)\.")
"""Heads that take no part where the files of sentence-transformers make an embedding of the hidden states."""


@dataclass
class Loaded:
    """A loaded model, what its inputs are made of, and what loading took."""

    model: Any
    task: str
    device: torch.device
    dtype: str
    load_s: float
    runtime_mib: float
    load_peak_mib: float | None
    weights_mib: float
    runtime_split: tuple[float, float] | None
    """Resident memory before loading in MiB: the process's own, and pages of files."""
    materials: dict[str, Any] = field(default_factory=dict)
    """What inputs are put together from."""
    embedding: Embedding | None = None
    """How hidden states become one vector; absent when the files do not say."""

    @property
    def generates(self) -> bool:
        """Does its answer come token by token?"""
        return generates(self.task, self.model.config)


def _device_of(job: dict) -> torch.device:
    device = torch.device(job["device"])
    if device.type == "cuda" and not (torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()):
        if not job.get("fall_back"):
            raise JobError("device", f"`{job['device']}` is not visible to this build of torch ({torch.__version__})")
        return torch.device("cpu")
    return device


def _dtype_of(job: dict) -> Any:
    return "auto" if job["dtype"] == "auto" else getattr(torch, job["dtype"])


def _read_config(root: str) -> Any:
    try:
        return transformers.AutoConfig.from_pretrained(root, trust_remote_code=False, local_files_only=True)
    except (ValueError, KeyError, OSError, ImportError, TypeError) as error:
        raise JobError("unsupported", f"its configuration is not usable: {error}") from error


def load(job: dict) -> Loaded:
    """Load the model named in the job.

    Args:
        job: `root`, `device`, `dtype`.

    Returns:
        The model, ready to run.
    """
    device = _device_of(job)
    config = _read_config(job["root"])
    model_class, task, embedding = decide(config, job["root"])
    materials = {}
    if job["kind"] != "trials":  # they read texts of their own
        materials = gather_materials(job["root"], config, task, model_class.main_input_name)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.zeros(1, device=device)  # creates the context, which is not the model's memory
        torch.cuda.reset_peak_memory_stats()
    runtime, runtime_split = resident_mib(), split_mib()
    reset_peak()
    start = time.perf_counter()
    try:
        model, info = model_class.from_pretrained(
            job["root"],
            config=config,
            dtype=_dtype_of(job),
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
    except RuntimeError as error:
        if "mismatch" in str(error):
            raise JobError("dishonest", f"weights of another shape than the configuration says: {error}") from error
        raise
    model = model.to(device).eval()
    if device.type == "cuda":
        torch.cuda.synchronize()
    load_s = time.perf_counter() - start
    _check_honest(model, info, task, embedding)
    tensors = {t.data_ptr(): t.nbytes for t in [*model.parameters(), *model.buffers()]}
    peak = torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else peak_mib()
    dtype = str(next(model.parameters()).dtype).removeprefix("torch.")
    weights = sum(tensors.values()) / 2**20
    return Loaded(model, task, device, dtype, load_s, runtime, peak, weights, runtime_split, materials, embedding)


def _check_honest(model: Any, info: dict, task: str, embedding: Embedding | None) -> None:
    """Raise when what runs would not be what the files hold (rule T10)."""
    tied = getattr(model, "all_tied_weights_keys", None) or getattr(model, "_tied_weights_keys", None) or ()
    unneeded = [_BUFFERS, _LEFT_OVER, *([] if embedding is None else [_HEADS])]
    unused = task in ("feature-extraction", "fill-mask", "token-classification", "question-answering")
    harmless = [k for k in info["missing_keys"] if k in set(tied) or _BUFFERS.search(k) or unused and _POOLER.search(k)]
    kinds = {
        "missing": sorted(set(info["missing_keys"]) - set(harmless)),
        "left over": [k for k in info["unexpected_keys"] if not any(pattern.search(k) for pattern in unneeded)],
        "of another shape": [str(k[0] if isinstance(k, tuple) else k) for k in info["mismatched_keys"]],
        "unreadable": [str(k) for k in info.get("error_msgs", ())],
    }
    faults = [f"{len(keys)} {kind} (such as `{sorted(keys)[0][:80]}`)" for kind, keys in kinds.items() if keys]
    if faults:
        raise JobError("dishonest", f"tensors of `{type(model).__name__}` do not match the files: {'; '.join(faults)}")
    if any(parameter.is_meta for parameter in model.parameters()):
        raise JobError("dishonest", "some tensors were never filled")
