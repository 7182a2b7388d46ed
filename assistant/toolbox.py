"""The tools as the agent knows them: run once, stored as evidence, reported as events.

LangChain meets the tools only here. A tool's record becomes evidence; the LLM reads a short text of it. What a tool
needs first (a cost needs a profile, a plan needs the checks) is run before it, unless the evidence is there already.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel, ConfigDict

from assistant.advice.comparison import ModelComparison, compare_models
from assistant.advice.cost import CostEstimate, estimate_cost
from assistant.advice.plan import AdoptionPlan, plan_adoption
from assistant.evidence import Evidence, latest, of_present_commit
from assistant.services import Services
from assistant.turn_events import ToolFailed, ToolFinished, ToolProgress, ToolStarted, TurnEvent
from knowledge.errors import KnowledgeError
from knowledge.search import GuidanceResult, search_guidance
from tools.behavior import BehaviorObservation, observe_behavior
from tools.documentation import DocumentationCheck, check_documentation
from tools.errors import InvalidArgument, ToolError, UnsafeModel
from tools.fetching import fetch_model
from tools.file_safety import FileInspection, inspect_files
from tools.memory import MemoryForecast, estimate_memory
from tools.profiling import Profile, profile_model
from tools.progress import CancelToken
from tools.snapshot import Snapshot
from tools.version import VersionCheck, check_version

RECORDS: dict[str, type[BaseModel]] = {
    "search_guidance": GuidanceResult,
    "fetch_model": Snapshot,
    "inspect_files": FileInspection,
    "estimate_memory": MemoryForecast,
    "profile_model": Profile,
    "check_version": VersionCheck,
    "check_documentation": DocumentationCheck,
    "observe_behavior": BehaviorObservation,
    "estimate_cost": CostEstimate,
    "compare_models": ModelComparison,
    "plan_adoption": AdoptionPlan,
}
"""The record that each tool returns."""

_LOOKUPS: dict[str, Callable[..., BaseModel]] = {
    "fetch_model": fetch_model,
    "inspect_files": inspect_files,
    "estimate_memory": estimate_memory,
    "check_version": check_version,
    "check_documentation": check_documentation,
}
_RUNS: dict[str, Callable[..., BaseModel]] = {"profile_model": profile_model, "observe_behavior": observe_behavior}
_REPORTING = frozenset({"fetch_model", "profile_model", "observe_behavior"})

_FIRST: dict[str, tuple[str, ...]] = {
    "estimate_cost": ("profile_model",),
    "compare_models": ("estimate_memory", "check_documentation"),
    "plan_adoption": (
        "inspect_files",
        "fetch_model",
        "estimate_memory",
        "check_version",
        "check_documentation",
        "profile_model",
    ),
}
"""What a tool rests on; run first for its models where no evidence of the same commit exists."""

DESCRIPTIONS: dict[str, str] = {
    "search_guidance": "Find guidance on how to reuse pre-trained models: risks, proof of concept, versions, licences, "
    "operation, wording for a meeting. Use for general questions that are not about one model's facts.",
    "fetch_model": "Get a model's files (safetensors only) at one pinned commit, with sizes and hashes.",
    "inspect_files": "Decide from the files alone whether a model is safe to load: accept, flag or refuse. Milliseconds.",
    "estimate_memory": "Forecast the peak memory in MiB from files alone, and whether it fits a device. Milliseconds.",
    "profile_model": "Really run the model on this machine and measure latency, throughput and peak memory. Dear: seconds "
    "to minutes; only when a measurement was asked for.",
    "check_version": "Which commit a reference resolves to, whether a newer one exists, what changed, library fit, lineage.",
    "check_documentation": "Read the model card and licence: what is missing, which claims the files confirm or contradict.",
    "observe_behavior": "Run small trials: same answer twice, sensitivity to case, spacing, batch position and number "
    "format. Dear: seconds to minutes.",
    "estimate_cost": "Cost per request, day and month from measured throughput; needs requests per day and a price per hour.",
    "compare_models": "Put two or more models side by side from their evidence.",
    "plan_adoption": "Make a staged adoption plan (desk check, proof of concept, pilot, production) with gates bound to "
    "measured evidence and a verdict. Dear: runs the missing checks and a profile first.",
}
"""What an LLM reads of each tool."""


class CallScope(BaseModel):
    """For whom a tool runs."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    user: str
    conversation: str
    cancel: CancelToken


Emit = Callable[[TurnEvent], None]


class Toolbox:
    """Runs tools by name.

    Args:
        services: What tools need.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self.one_at_a_time = threading.RLock()
        """Held while a tool runs: a measurement beside another tool's work would be a false measurement."""

    def run(self, name: str, arguments: dict[str, Any], scope: CallScope, emit: Emit) -> Evidence | None:
        """Run a tool and what it rests on; None when it failed in an expected way, which was emitted.

        Args:
            name: The tool.
            arguments: Its arguments.
            scope: User, conversation and cancel token.
            emit: Receives the turn events.
        """
        with self.one_at_a_time:
            emit(ToolStarted(name=name, arguments=arguments))
            try:
                scope.cancel.raise_if_cancelled()
                if not self._run_first(name, arguments, scope, emit):
                    return None
                record = self._call(name, arguments, scope, emit)
            except (ToolError, KnowledgeError) as error:
                refused = isinstance(error, UnsafeModel)
                emit(ToolFailed(name=name, message=error.message, next_step=error.next_step, refused=refused))
                return None
            evidence = self._services.store.add(
                record, user=scope.user, conversation=scope.conversation, tool=name, arguments=arguments
            )
            emit(ToolFinished(name=name, arguments=arguments, evidence_id=evidence.id, record=record))
            return evidence

    def _run_first(self, name: str, arguments: dict[str, Any], scope: CallScope, emit: Emit) -> bool:
        for model in arguments.get("models") or [arguments.get("model")]:
            for needed in _FIRST.get(name, ()):
                found = self.evidence(needed, str(model), scope.user) or self.run(needed, {"model": model}, scope, emit)
                if found is None and needed in {"fetch_model", "inspect_files"}:
                    # Without files there is nothing to rest on; the failure was told already.
                    return False
                if found and found.record.get("verdict") == "refuse":
                    # Refused files end the matter: nothing is fetched or measured, and the plan says so.
                    return True
        targets = arguments.get("targets") or {}
        if name == "plan_adoption" and targets.get("requests_per_day") and targets.get("price_per_hour") is not None:
            load = {k: targets[k] for k in ("requests_per_day", "price_per_hour", "currency") if k in targets}
            self.run("estimate_cost", {"model": arguments["model"], **load}, scope, emit)
        return True

    def evidence(self, tool: str, model: str, user: str) -> Evidence | None:
        """The newest evidence of `tool` about the model's present commit."""
        return latest(of_present_commit(self._services.store.find(user=user, model=model)), tool)

    def _call(self, name: str, arguments: dict[str, Any], scope: CallScope, emit: Emit) -> BaseModel:
        known = set(RECORDS)
        if name not in known:
            raise InvalidArgument(f"There is no tool named `{name}`.", f"The tools are {', '.join(sorted(known))}.")
        if name == "search_guidance":
            return search_guidance(**arguments, search=self._services.search)
        if name in {"estimate_cost", "compare_models", "plan_adoption"}:
            return self._advise(name, arguments, scope)

        def progress(fraction: float, message: str) -> None:
            emit(ToolProgress(name=name, fraction=min(1.0, max(0.0, fraction)), message=message))

        function = _LOOKUPS.get(name) or _RUNS[name]
        options: dict[str, Any] = {"sources": self._services.settings.sources}
        if name in _REPORTING:
            options |= {"progress": progress, "cancel": scope.cancel}
        return function(**arguments, **options)

    def _advise(self, name: str, arguments: dict[str, Any], scope: CallScope) -> BaseModel:
        models = arguments.get("models") or [arguments["model"]]
        evidence = [e for model in models for e in self._services.store.find(user=scope.user, model=model)]
        function = {"estimate_cost": estimate_cost, "compare_models": compare_models, "plan_adoption": plan_adoption}[
            name
        ]
        return function(**arguments, evidence=evidence)


def read_record(evidence: Evidence) -> BaseModel:
    """The typed record of stored evidence."""
    return RECORDS[evidence.tool].model_validate(evidence.record)


def langchain_tools(run: Callable[[str, dict[str, Any]], tuple[str, Evidence | None]]) -> list[BaseTool]:
    """The tools for LangChain: a short text for the LLM, the evidence as the artifact.

    Args:
        run: Runs a tool by name with completed arguments, within the graph's step.
    """

    def make(name: str) -> BaseTool:
        def call(model: str = "", models: list[str] | None = None, query: str = "") -> tuple[str, Evidence | None]:
            given = {"model": model, "models": models, "query": query}
            return run(name, {k: v for k, v in given.items() if v})

        return StructuredTool.from_function(
            call, name=name, description=DESCRIPTIONS[name], response_format="content_and_artifact"
        )

    return [make(name) for name in RECORDS]
