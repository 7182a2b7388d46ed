"""What tool calls are possible in this turn: models and numbers come from the user's own words, never from an LLM.

`TurnContext` is read off the conversation by code. `TurnContext.arguments(tool)` are the values that the tool can be
called with; `TurnContext.complete(tool, proposed)` is the call that is made, whatever an LLM proposed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from assistant.advice.use_key import states_use, states_use_for_card
from assistant.languages import Language, language_of
from assistant.llm.argument_reading import asks_again, read_closer
from assistant.llm.error_texts import without_errors
from assistant.llm.quantities import Quantity, find_quantities, normalise, overlaps
from assistant.llm.reading_comparisons import asks_about_service, asks_contents, asks_difference, judged_beside
from assistant.llm.reading_costs import is_budget
from assistant.llm.reading_plans import plan_targets
from assistant.llm.reading_variants import read_variants
from assistant.llm.reading_variations import VARIABLE_TOOLS, LastCall, going_on, only_varies
from tools.licences.uses import stated_uses
from tools.model_reference import find_references

MODEL_TOOLS = (
    "fetch_model",
    "inspect_files",
    "estimate_memory",
    "profile_model",
    "check_version",
    "check_documentation",
    "observe_behavior",
    "estimate_cost",
    "plan_adoption",
)
"""Tools that are about one model."""

TOOL_NAMES = ("search_guidance", *MODEL_TOOLS, "compare_models")
"""All tools that an LLM can choose."""

DEAR_TOOLS = frozenset({"profile_model", "observe_behavior", "plan_adoption"})
"""Tools that can last longer than seconds; never started on a guess."""

_ARGUMENT_OF_KIND: dict[str, dict[str, str]] = {
    "profile_model": {
        "batch": "batch_sizes",
        "length": "sequence_lengths",
        "new_tokens": "new_tokens",
        "dtype": "dtype",
        "device": "device",
    },
    "estimate_memory": {
        "batch": "batch_size",
        "length": "sequence_length",
        "new_tokens": "new_tokens",
        "dtype": "dtype",
        "memory_gib": "device_memory_gib",
    },
    "estimate_cost": {
        "requests_per_day": "requests_per_day",
        "price_per_hour": "price_per_hour",
        "latency_ms": "latency_p95_target_ms",
        "peak_factor": "peak_factor",
        "price_per_million_tokens": "alternative_price_per_million_tokens",
        "price_per_thousand_requests": "alternative_price_per_thousand_requests",
    },
    "fetch_model": {"revision": "revision"},
    "check_version": {"revision": "revision"},
    "plan_adoption": {
        "requests_per_day": "requests_per_day",
        "price_per_hour": "price_per_hour",
        "memory_gib": "device_memory_gib",
        "latency_ms": "latency_p95_ms",
    },
}
_KINDS_OF_COST = ("money", "currency", *_ARGUMENT_OF_KIND["estimate_cost"])
_LISTS = frozenset({"batch_sizes", "sequence_lengths"})
_WHOLE = frozenset({"batch_size", "sequence_length", "new_tokens"})


class TurnContext(BaseModel):
    """The question with the models and quantities found in the user's own turns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    """The question as asked."""
    language: Language = "en"
    """Language of the answer."""
    named: tuple[str, ...] = ()
    """Model references in the question, in order."""
    remembered: tuple[str, ...] = ()
    """Model references of earlier turns and stored evidence, the latest first."""
    quantities: tuple[Quantity, ...] = ()
    """Quantities in the question, in order."""
    last_tool: str = ""
    """Tool that the turn before used, or empty."""
    told: dict[str, Any] = {}
    """Load, price and currency with which the conversation last worked out the cost of the first model."""
    last_call: LastCall = LastCall()
    """The call of the turn before, where the question may be about the same with something else."""

    @property
    def models(self) -> tuple[str, ...]:
        """References that a call may use: those of the question, else those of the conversation."""
        return self.named or self.remembered[:4]

    @property
    def asks_contents(self) -> bool:
        """Whether the question sets the contents of two references against each other."""
        return asks_contents(self.question, self.named)

    @property
    def beside_service(self) -> bool:
        """Whether the question sets something beside a hosted service, so that there is nothing here to compare."""
        return asks_about_service(self.question, self.named)

    @property
    def masked(self) -> str:
        """The question with models and quantities replaced by their kinds, as the pilot reads it."""
        return mask(self.question, self.named, self.quantities)

    @property
    def varied(self) -> str:
        """The tool of the turn before, where the question asks the same of it with something else; or empty."""
        tool = self.last_call.tool
        of_another = {q.kind for q in self.quantities} & set(_KINDS_OF_COST) and tool != "estimate_cost"
        if tool not in VARIABLE_TOOLS or of_another or not only_varies(self.masked):
            return ""
        return tool if self.named or self.arguments(tool) else ""

    def needs_model(self, tool: str) -> bool:
        """Whether the tool needs a model (or two) that the conversation does not have."""
        if tool == "compare_models":
            return self.beside_service or len(dict.fromkeys([*self.named, *self.remembered])) < 2
        return tool in MODEL_TOOLS and not self.models

    def arguments(self, tool: str) -> dict[str, Any]:
        """The tool's arguments that follow from the question, without the model."""
        values: dict[str, Any] = {}
        quantities = read_closer(tool, self.question, self.quantities, reference_spans(self.question, self.named))
        for quantity in quantities:
            name = _ARGUMENT_OF_KIND.get(tool, {}).get(quantity.kind)
            if name is None or name in values:
                continue
            values[name] = _value(name, quantity)
            if name == "price_per_hour" and quantity.currency:
                values["currency"] = quantity.currency
        if tool in {"estimate_memory", "profile_model"}:
            self._read_bare_numbers(values, tool, quantities)
        if tool in {"estimate_cost", "plan_adoption"}:
            self._read_money(values, tool, quantities)
        if tool == "profile_model":
            values |= self._how_to_measure()
            if "dtype" in values.get("vary", ()):
                values.pop("dtype", None)  # formats that are compared are not the one to measure in
        if tool == "compare_models":
            remembered = () if self.beside_service else self.remembered
            values["models"] = list(dict.fromkeys([*self.named, *remembered]))[: max(2, len(self.named))]
        if tool == "plan_adoption":
            values |= plan_targets(without_errors(self.question), quantities)
            values = {"targets": values} if values else {}
        return values | self._stated_use(tool)

    def _stated_use(self, tool: str) -> dict[str, str]:
        """What a question says that the model is for; one that only goes on about a model's plan says nothing of it."""
        stated = (tool == "plan_adoption" and (self.named or states_use(self.question))) or (
            tool == "check_documentation" and (stated_uses(self.question) or states_use_for_card(self.question))
        )
        return {"use_case": self.question} if stated else {}

    def _how_to_measure(self) -> dict[str, Any]:
        """What else to try, and whether to measure what was measured before."""
        said = without_errors(self.question)
        vary, again = read_variants(said), asks_again(said)
        return {**({"vary": vary} if vary else {}), **({"force": True} if again else {})}

    def _read_bare_numbers(self, values: dict[str, Any], tool: str, quantities: Sequence[Quantity]) -> None:
        """In a question about memory or speed, a count of things is the batch, a large bare number the length."""
        batch, length = _ARGUMENT_OF_KIND[tool]["batch"], _ARGUMENT_OF_KIND[tool]["length"]
        for quantity in quantities:
            if not all(isinstance(v, int) and v > 0 for v in quantity.values):
                continue
            if quantity.kind == "count":
                values.setdefault(batch, _value(batch, quantity))
            elif quantity.kind == "other" and min(quantity.values) >= LEAST_LENGTH:  # type: ignore[type-var]
                values.setdefault(length, _value(length, quantity))
            elif quantity.kind == "other" and (tool == "profile_model" or self.last_tool == tool):
                values.setdefault(batch, _value(batch, quantity))

    def _read_money(self, values: dict[str, Any], tool: str, quantities: Sequence[Quantity]) -> None:
        """In a question about cost, an amount without "an hour" is the price, a bare count the load."""
        for quantity in quantities:
            first = quantity.values[0]
            if quantity.kind == "money" and "price_per_hour" not in values and not is_budget(self.question, quantity):
                values["price_per_hour"] = first
            if (quantity.kind in {"money", "currency"} or quantity.kind.startswith("price_per_")) and quantity.currency:
                values.setdefault("currency", quantity.currency)
            if (
                quantity.kind in {"count", "other"}
                and tool == "estimate_cost"
                and isinstance(first, int)
                and first >= LEAST_LOAD
            ):
                values.setdefault("requests_per_day", first)

    def complete(self, tool: str, proposed: dict[str, Any]) -> dict[str, Any]:
        """The call that is made when an LLM proposes `proposed`: what it may not choose is replaced.

        A model that is not among the turn's models is replaced by the first of them; numbers come from the question or
        stay at the tool's defaults.
        """
        values = self.arguments(tool)
        if tool == self.varied:
            return self.last_call.varied({**({"model": self.named[0]} if self.named else {}), **values})
        if tool in MODEL_TOOLS and self.models:
            model = proposed.get("model")
            values = {"model": model if model in self.models else self.models[0], **values}
            if tool == "check_version" and len(self.named) == 2 and asks_difference(self.question):
                values["against"] = next(name for name in self.named if name != values["model"])
        if tool == "estimate_cost":
            values = going_on(self.told, values)
        if tool == "plan_adoption" and self.told:
            values["targets"] = going_on(self.told, values.get("targets", {}))
        if tool == "search_guidance":
            values = {"query": judged_beside(self.question, self.language) if self.beside_service else self.question}
        return values


LEAST_LENGTH = 128
"""A bare number from here on is taken for tokens."""
LEAST_LOAD = 100
"""A bare number below this is not taken for requests per day."""


def reference_spans(text: str, named: Sequence[str]) -> list[tuple[int, int]]:
    """Where references stand in the sentence, as far as they are written out."""
    return [m.span() for name in named for m in re.finditer(re.escape(name), text)]


def read_turn(
    question: str, *, remembered: Sequence[str] = (), known: Sequence[str] = (), last_tool: str = ""
) -> TurnContext:
    """Find the models and quantities of a question.

    Args:
        question: The user's words.
        remembered: References of earlier turns and evidence, the latest first.
        known: Ids whose bare names count as references too.
        last_tool: Tool that the turn before used.
    """
    text = normalise(question)
    named = find_references(text, known=tuple(known))
    spans = reference_spans(text, named)
    quantities = tuple(q for q in find_quantities(text) if not overlaps(*q.span, spans))
    return TurnContext(
        question=text, language=language_of(text), named=tuple(named), remembered=tuple(remembered),
        quantities=quantities, last_tool=last_tool,
    )  # fmt: skip


_MASK_OF_KIND = {
    "batch": "<batch>",
    "length": "<length>",
    "new_tokens": "<tokens>",
    "memory_gib": "<memory>",
    "requests_per_day": "<load>",
    "price_per_hour": "<price>",
    "latency_ms": "<time>",
    "dtype": "<dtype>",
    "device": "<device>",
    "revision": "<revision>",
    "money": "<price>",
    "currency": "<currency>",
    "count": "<number>",
    "other": "<number>",
}
MASKS = ("<model>", *dict.fromkeys(_MASK_OF_KIND.values()))
"""Words that stand for what code found."""


def mask(text: str, named: Sequence[str], quantities: Sequence[Quantity]) -> str:
    """The sentence with quantities and model references replaced by `MASKS`."""
    for quantity in sorted(quantities, key=lambda q: -q.start):
        text = text[: quantity.start] + _MASK_OF_KIND[quantity.kind] + text[quantity.end :]
    for name in sorted(named, key=len, reverse=True):
        # A bare name stands for an id: what was written may be the id's last part only.
        for form in dict.fromkeys((name, name.rsplit("/", 1)[-1])):
            text = re.sub(re.escape(form), "<model>", text, flags=re.IGNORECASE)
    return text


def _value(name: str, quantity: Quantity) -> Any:
    if name in _LISTS:
        return sorted({int(v) for v in quantity.values})
    if name in _WHOLE:
        return int(max(quantity.values))
    return quantity.values[0]
