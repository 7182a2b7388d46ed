"""Small trials of how steady a model's answers are when something changes that should not matter."""

from __future__ import annotations

import re
from collections.abc import Callable

import torch
from worker_errors import JobError
from worker_inputs import make_inputs, positions
from worker_loading import Loaded
from worker_texts import tokenizer_of

Report = Callable[[float, str], None]
Answers = torch.Tensor
"""One row for each text: its embedding, or the logits of its prediction."""

_RANDOM_TEXTS = 4
_RANDOM_LENGTH = 16
_MAX_TOKENS = 256
_EXACT = 1e-6
_SAME_COSINE = 0.9999
_LEAST_COSINE = {"batch_position": 0.999, "dtype": 0.99, "letter_case": 0.95, "whitespace": 0.99}


class Answering:
    """Turns texts into answers with one loaded model."""

    def __init__(self, job: dict, loaded: Loaded) -> None:
        self.loaded = loaded
        self.texts: list[str] = job["examples"]
        self.tokenizer, self.reason = tokenizer_of(job["root"])
        self.embeds = loaded.task == "feature-extraction" or loaded.task.startswith("bare")

    def rows(self, texts: list[str] | None = None) -> list[dict[str, torch.Tensor]]:
        """Inputs for each text; random ids where there is no tokenizer."""
        if self.tokenizer is None:
            whole = make_inputs(self.loaded, _RANDOM_TEXTS, _RANDOM_LENGTH)
            return [{key: value[place : place + 1] for key, value in whole.items()} for place in range(_RANDOM_TEXTS)]
        limit = min(_MAX_TOKENS, positions(self.loaded.model.config) or _MAX_TOKENS)
        rows = [
            self.tokenizer(text, return_tensors="pt", truncation=True, max_length=limit)
            for text in (self.texts if texts is None else texts)
        ]
        vocabulary = self.loaded.model.get_input_embeddings().weight.shape[0]
        if any(int(row["input_ids"].max()) >= vocabulary for row in rows):
            raise JobError("unsupported", f"its tokenizer gives ids past its table of {vocabulary} (rule T17)")
        return [{key: row[key].to(self.loaded.device) for key in ("input_ids", "attention_mask")} for row in rows]

    def alone(self, rows: list[dict[str, torch.Tensor]]) -> Answers:
        """Answers with one call for each text."""
        return torch.cat([self._answer(row) for row in rows])

    def together(self, rows: list[dict[str, torch.Tensor]]) -> Answers:
        """Answers with all texts padded to the longest and in one call."""
        length = max(row["input_ids"].shape[1] for row in rows)
        pad = getattr(self.tokenizer, "pad_token_id", None) or 0
        ids = torch.cat([_padded(row["input_ids"], length, pad) for row in rows])
        mask = torch.cat([_padded(row["attention_mask"], length, 0) for row in rows])
        return self._answer({"input_ids": ids, "attention_mask": mask})

    def _answer(self, inputs: dict[str, torch.Tensor]) -> Answers:
        output = self.loaded.model(**inputs)
        mask = inputs["attention_mask"]
        if self.embeds and getattr(output, "last_hidden_state", None) is not None:
            hidden = output.last_hidden_state.float()
            if self.loaded.embedding is not None:
                return self.loaded.embedding.of(hidden, mask)
            return (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        logits = getattr(output, "logits", None)
        if logits is None:
            raise JobError("unsupported", f"answers of `{type(self.loaded.model).__name__}` cannot be compared")
        if logits.ndim == 3:
            logits = logits[torch.arange(len(mask)), mask.sum(1) - 1]
        return logits.float()


def _padded(row: torch.Tensor, length: int, value: int) -> torch.Tensor:
    return torch.nn.functional.pad(row, (0, length - row.shape[1]), value=value)


def run_trials(job: dict, loaded: Loaded, report: Report) -> dict:
    """Make every trial that the model permits.

    Args:
        job: `root` and `examples`.
        loaded: The model.
        report: Told before each trial.

    Returns:
        The trials as JSON values.
    """
    if loaded.model.main_input_name != "input_ids" or getattr(loaded.model.config, "is_encoder_decoder", False):
        raise JobError("unsupported", "trials need a model that reads text and answers in one pass")
    answering = Answering(job, loaded)
    rows = answering.rows()
    report(0.4, "Answering each text alone")
    base = answering.alone(rows)
    if not torch.isfinite(base).all():
        raise JobError("unsupported", "its answers are not finite numbers")
    trials = [_determinism(answering, rows, base)]
    report(0.5, "Answering all texts together")
    together = answering.together(rows)
    trials.append(_compared(answering, "batch_position", base, together, "alone against together with padding"))
    trials += _forms(answering, base, report)
    report(0.8, "Answering in another number format")
    other = torch.bfloat16 if loaded.dtype == "float32" else torch.float32
    loaded.model.to(other)
    text = f"{loaded.dtype} against {str(other).removeprefix('torch.')}"
    trials.append(_compared(answering, "dtype", base, answering.alone(rows), text))
    return {
        "trials": trials,
        "not_made": _not_made(answering),
        "texts_used": answering.tokenizer is not None,
        "task": loaded.task,
    }


def _not_made(answering: Answering) -> list[str]:
    if answering.tokenizer is None:
        return [f"letter case, spacing and the examples: {answering.reason}"]
    return [] if _has_case(answering) else ["letter case: the examples have no capital letters to change to"]


def _has_case(answering: Answering) -> bool:
    return any(text != text.upper() for text in answering.texts)


def _forms(answering: Answering, base: Answers, report: Report) -> list[dict]:
    if answering.tokenizer is None:
        return []
    report(0.65, "Changing case and spacing")
    spaced = answering.alone(answering.rows([re.sub(r" ", "  ", text) + " " for text in answering.texts]))
    trials = [_compared(answering, "whitespace", base, spaced, "as written against doubled spaces and one at the end")]
    if _has_case(answering):
        upper = answering.alone(answering.rows([text.upper() for text in answering.texts]))
        trials.append(_compared(answering, "letter_case", base, upper, "as written against capital letters"))
    return trials


def _determinism(answering: Answering, rows: list[dict[str, torch.Tensor]], base: Answers) -> dict:
    again = answering.alone(rows)
    largest = (again - base).abs().max().item()
    same = (again == base).all(1).float().mean().item()
    return {
        "name": "determinism",
        "stable": largest <= _EXACT,
        "agreement": round(same, 6),
        "detail": f"the same {len(base)} inputs twice: largest difference {largest:.2g}, tolerance {_EXACT:g}",
    }


def _compared(answering: Answering, name: str, base: Answers, other: Answers, what: str) -> dict:
    cosines = torch.nn.functional.cosine_similarity(base, other, dim=1)
    lowest = cosines.min().item()
    place = int(cosines.argmin())
    worst = f" at “{answering.texts[place][:60]}”" if answering.tokenizer and lowest < _SAME_COSINE else ""
    if answering.embeds:
        least = _LEAST_COSINE[name]
        text = f"{what}: lowest cosine similarity {lowest:.4f}{worst}, tolerance {least:g}"
        return {
            "name": name,
            "stable": lowest >= least,
            "agreement": round(max(0.0, min(1.0, lowest)), 6),
            "detail": text,
        }
    equal = base.argmax(1) == other.argmax(1)
    share = equal.float().mean().item()
    text = f"{what}: {int(equal.sum())} of {len(equal)} predictions equal, lowest cosine similarity {lowest:.4f}{worst}"
    return {"name": name, "stable": bool(equal.all()), "agreement": round(share, 6), "detail": text}
