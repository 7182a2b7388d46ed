"""Runs tools by name: once, stored as evidence, reported as events.

What a tool needs first (a cost needs a profile, a plan needs the checks) is run before it, unless the evidence is there
already.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict

from assistant.evidence import Evidence, latest, of_present_commit
from assistant.one_at_a_time import OneAtATime
from assistant.reuse import find_reusable
from assistant.services import Services
from assistant.tool_catalogue import CATALOGUE, RECORDS, function_of
from assistant.turn_events import ToolFailed, ToolFinished, ToolProgress, ToolStarted, TurnEvent
from knowledge.errors import KnowledgeError
from tools.errors import InvalidArgument, ToolError, UnsafeModel
from tools.progress import CancelToken

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
        self.one_at_a_time = OneAtATime()
        """Held while a tool runs: a measurement beside another tool's work would be a false measurement."""

    def run(self, name: str, arguments: dict[str, Any], scope: CallScope, emit: Emit) -> Evidence | None:
        """Run a tool and what it rests on; None when it failed in an expected way, which was emitted.

        Args:
            name: The tool.
            arguments: Its arguments.
            scope: User, conversation and cancel token.
            emit: Receives the turn events.
        """
        with self.one_at_a_time.alone(scope.cancel):
            emit(ToolStarted(name=name, arguments=arguments))
            try:
                scope.cancel.raise_if_cancelled()
                stored = self.reusable(name, arguments, scope.user)
                if stored is not None:
                    emit(_reused(stored))
                    return stored
                made = self._made(name, arguments, scope, emit)
            except (ToolError, KnowledgeError) as error:
                refused = isinstance(error, UnsafeModel)
                emit(ToolFailed(name=name, message=error.message, next_step=error.next_step, refused=refused))
                return None
            if made is None:
                return None
            evidence, record = made
            emit(ToolFinished(name=name, arguments=evidence.arguments, evidence_id=evidence.id, record=record))
            return evidence

    def _made(
        self, name: str, arguments: dict[str, Any], scope: CallScope, emit: Emit
    ) -> tuple[Evidence, BaseModel] | None:
        """The record of a call, stored; None when what it rests on could not be found out, which was emitted."""
        if name == "plan_adoption":
            return self._planned(arguments, scope, emit)
        if not self._run_first(name, arguments, scope, emit):
            return None
        record = self._call(name, arguments, scope, emit)
        evidence = self._services.store.add(
            record, user=scope.user, conversation=scope.conversation, tool=name, arguments=arguments
        )
        return evidence, record

    def _planned(self, arguments: dict[str, Any], scope: CallScope, emit: Emit) -> tuple[Evidence, BaseModel] | None:
        """The next version of a plan; a call that states no use continues the newest one."""
        from assistant.planning import resolve_call, store_plan  # noqa: PLC0415 (imports the plan, which no other tool needs)

        call = resolve_call(self._services, arguments, scope.user)
        if not self._run_first("plan_adoption", call.arguments, scope, emit):
            return None
        evidence = store_plan(self._services, call, scope.conversation)
        return evidence, read_record(evidence)

    def _run_first(self, name: str, arguments: dict[str, Any], scope: CallScope, emit: Emit) -> bool:
        for model in arguments.get("models") or [arguments.get("model")]:
            for needed in _FIRST.get(name, ()):
                call = {"model": model}
                found = self.evidence(needed, str(model), scope.user)
                if needed == "check_documentation" and arguments.get("use_case"):
                    # What a card must say, and what its licence allows, depends on the use.
                    call["use_case"] = arguments["use_case"]
                    found = found if found and found.record.get("use_case") == call["use_case"] else None
                found = found or self.run(needed, call, scope, emit)
                if found is None and needed in {"fetch_model", "inspect_files"}:
                    # Without files there is nothing to rest on; the failure was told already.
                    return False
                if found and found.record.get("verdict") == "refuse":
                    # Refused files end the matter: nothing is fetched or measured, and the plan says so.
                    return True
        targets = arguments.get("targets") or {}
        if name == "plan_adoption" and targets.get("requests_per_day") and targets.get("price_per_hour") is not None:
            load = {k: targets[k] for k in ("requests_per_day", "price_per_hour", "currency") if k in targets}
            if targets.get("latency_p95_ms"):
                load["latency_p95_target_ms"] = targets["latency_p95_ms"]
            self.run("estimate_cost", {"model": arguments["model"], **load}, scope, emit)
        return True

    def evidence(self, tool: str, model: str, user: str) -> Evidence | None:
        """The newest evidence of `tool` about the model's present commit."""
        return latest(of_present_commit(self._services.store.find(user=user, model=model)), tool)

    def reusable(self, name: str, arguments: dict[str, Any], user: str) -> Evidence | None:
        """Stored evidence that answers this call, unless `force` asks for a new measurement.

        Raises:
            ToolError: The model cannot be found.
        """
        if name not in CATALOGUE or not CATALOGUE[name].reusable or arguments.get("force"):
            return None
        found = self._services.store.find(user=user, tool=name)
        settings = self._services.settings
        return find_reusable(function_of(name), arguments, found, settings.sources, settings.executor)

    def _call(self, name: str, arguments: dict[str, Any], scope: CallScope, emit: Emit) -> BaseModel:
        if name not in CATALOGUE:
            raise InvalidArgument(f"There is no tool named `{name}`.", f"The tools are {', '.join(sorted(CATALOGUE))}.")
        given = {key: value for key, value in arguments.items() if key != "force"}
        return function_of(name)(**given, **self._options(name, arguments, scope, emit))

    def _options(self, name: str, arguments: dict[str, Any], scope: CallScope, emit: Emit) -> dict[str, Any]:
        """What a tool needs beside the arguments of its user."""
        if name == "search_guidance":
            documents = self._services.team_documents.of_user(scope.user)
            return {"search": self._services.search, "documents": documents}
        if CATALOGUE[name].needs_evidence:
            models = arguments.get("models") or [arguments["model"]]
            find = self._services.store.find
            return {"evidence": [e for model in models for e in find(user=scope.user, model=model)]}
        options: dict[str, Any] = {"sources": self._services.settings.sources}

        def progress(fraction: float, message: str) -> None:
            emit(ToolProgress(name=name, fraction=min(1.0, max(0.0, fraction)), message=message))

        if CATALOGUE[name].reports:
            options |= {"progress": progress, "cancel": scope.cancel}
        if name in {"estimate_memory", "profile_model"}:
            from assistant.measured_here import measured_here  # noqa: PLC0415 (imports the tool, which no other needs)

            options["measured"] = measured_here(self._services.store, scope.user)
        if name == "check_documentation":
            options["licence_allow_list"] = self._services.settings.licence_allow_list
        if CATALOGUE[name].runs_model:
            options["executor"] = self._services.executor
        return options


def _reused(evidence: Evidence) -> ToolFinished:
    age_s = (dt.datetime.now(dt.UTC) - evidence.created_at).total_seconds()
    return ToolFinished(
        name=evidence.tool,
        arguments=evidence.arguments,
        evidence_id=evidence.id,
        record=read_record(evidence),
        age_s=max(0.0, age_s),
    )


def read_record(evidence: Evidence) -> BaseModel:
    """The typed record of stored evidence."""
    return RECORDS[evidence.tool].model_validate(evidence.record)
