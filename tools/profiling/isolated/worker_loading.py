"""Loads a model honestly: only safetensors, no code of its own, and nothing missing, left over or of another shape."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

import torch
import transformers
from worker_memory import peak_mib, reset_peak, resident_mib

_BUFFERS = re.compile(r"(^|\.)position_ids$|\.inv_freq$|\.attn\.(masked_)?bias$|\.num_batches_tracked$")
"""Buffers that are recomputed, whatever the files hold."""
_POOLER = re.compile(r"(^|\.)pooler\.")
"""Takes no part in the hidden states; a classifier rests on it."""
_LEFT_OVER = re.compile(r"(^|\.)pooler\.|^cls\.seq_relationship\.")
"""Heads of pre-training that a model's use leaves out."""
_TASKS = {
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForMaskedLM": "fill-mask",
    "ForImageClassification": "image-classification",
    "ForConditionalGeneration": "text2text-generation",
    "Model": "feature-extraction",
}


class JobError(Exception):
    """A failure that the parent tells as one of its typed errors."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass
class Loaded:
    """A loaded model and what loading took."""

    model: Any
    task: str
    device: torch.device
    dtype: str
    load_s: float
    runtime_mib: float
    load_peak_mib: float | None
    weights_mib: float


def _class_of(config: Any) -> tuple[Any, str]:
    names = getattr(config, "architectures", None) or []
    name = names[0] if names else ""
    found = getattr(transformers, name, None) if re.fullmatch(r"[A-Za-z0-9_]{1,100}", name) else None
    if name and not (isinstance(found, type) and issubclass(found, transformers.PreTrainedModel)):
        raise JobError("unsupported", f"the architecture `{name[:100]}` is not in this version of transformers")
    task = next((task for ending, task in _TASKS.items() if name.endswith(ending)), "unknown")
    if found is None:
        return transformers.AutoModel, "feature-extraction"
    return found, task


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
    model_class, task = _class_of(config)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.zeros(1, device=device)  # creates the context, which is not the model's memory
        torch.cuda.reset_peak_memory_stats()
    runtime = resident_mib()
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
    _check_honest(model, info, task)
    tensors = {t.data_ptr(): t.nbytes for t in [*model.parameters(), *model.buffers()]}
    peak = torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else peak_mib()
    dtype = str(next(model.parameters()).dtype).removeprefix("torch.")
    return Loaded(model, task, device, dtype, load_s, runtime, peak, sum(tensors.values()) / 2**20)


def _check_honest(model: Any, info: dict, task: str) -> None:
    """Raise when what runs would not be what the files hold (rule T10)."""
    tied = getattr(model, "all_tied_weights_keys", None) or getattr(model, "_tied_weights_keys", None) or ()
    unused = task in ("feature-extraction", "fill-mask", "token-classification", "question-answering")
    harmless = [k for k in info["missing_keys"] if k in set(tied) or _BUFFERS.search(k) or unused and _POOLER.search(k)]
    kinds = {
        "missing": sorted(set(info["missing_keys"]) - set(harmless)),
        "left over": [k for k in info["unexpected_keys"] if not (_BUFFERS.search(k) or _LEFT_OVER.search(k))],
        "of another shape": [str(k[0] if isinstance(k, tuple) else k) for k in info["mismatched_keys"]],
        "unreadable": [str(k) for k in info.get("error_msgs", ())],
    }
    faults = [f"{len(keys)} {kind} (such as `{sorted(keys)[0][:80]}`)" for kind, keys in kinds.items() if keys]
    if faults:
        raise JobError("dishonest", f"tensors of `{type(model).__name__}` do not match the files: {'; '.join(faults)}")
    if any(parameter.is_meta for parameter in model.parameters()):
        raise JobError("dishonest", "some tensors were never filled")
