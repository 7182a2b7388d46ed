"""The model card within a bill of materials: what a model is, and what was measured with the evidence that says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tools.locking.records import LockedModel

_CONDITIONS = ("batch_size", "sequence_length", "new_tokens")
_MEASURING = frozenset({"profile_model", "estimate_memory", "observe_behavior", "estimate_cost", "check_documentation"})
"""Tools whose figures say how a model does."""
_TASKS = {"ForCausalLM": "text-generation", "ForSequenceClassification": "text-classification",
          "ForTokenClassification": "token-classification", "ForMaskedLM": "fill-mask",
          "ForQuestionAnswering": "question-answering", "ForConditionalGeneration": "text-generation",
          "ForImageClassification": "image-classification"}  # fmt: skip
"""Tasks by the ending of the class that the config names, as the hub calls them."""


def model_card(model: LockedModel, identity: str) -> dict[str, Any]:
    """The card of one component.

    Args:
        model: The entry of the lock.
        identity: The component's own reference within the bill.

    Returns:
        The block `modelCard`.
    """
    print_of = model.fingerprint
    architecture = print_of.architectures[0] if print_of.architectures else None
    task = next((task for ending, task in _TASKS.items() if architecture and architecture.endswith(ending)), None)
    parameters = {"task": task, "architectureFamily": print_of.model_type, "modelArchitecture": architecture}
    metrics = list(_metrics(model))
    card: dict[str, Any] = {"bom-ref": f"{identity}#card"}
    if present := {name: value for name, value in parameters.items() if value}:
        card["modelParameters"] = present
    if metrics:
        card["quantitativeAnalysis"] = {"performanceMetrics": metrics}
    return card


def _metrics(model: LockedModel) -> Iterator[dict[str, str]]:
    for evidence in (each for each in model.evidence if each.tool in _MEASURING):
        for row in evidence.found:
            words = [f"{name}={value}" for name, value in row.items() if isinstance(value, str | bool)]
            sizes = [f"{name}={row[name]}" for name in _CONDITIONS if name in row]
            slice_ = ", ".join([evidence.id, evidence.tool, *words, *sizes])
            for name, value in row.items():
                if not isinstance(value, str | bool) and name not in {*_CONDITIONS, "parameters"}:
                    yield {"type": name, "value": f"{value}", "slice": slice_}
