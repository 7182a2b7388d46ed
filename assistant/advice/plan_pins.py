"""What to write down exactly before a model is used, and the commands that make a plan's records again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from assistant.advice.plan_facts import PlanFacts
from assistant.advice.plan_records import Pin, Reproduction
from assistant.advice.policy_records import PolicyFinding
from assistant.evidence import Evidence

_LIBRARIES = ("torch", "transformers")


def pins_of(facts: PlanFacts, policy: Sequence[PolicyFinding]) -> tuple[Pin, ...]:
    """Commit, files with their hashes, licence, card, libraries, and the team's documents that were applied.

    Args:
        facts: What is known about the model.
        policy: What the team's documents ask for.
    """
    return tuple([*_files(facts), *_papers(facts), *_libraries(facts), *_documents(policy)])


def _files(facts: PlanFacts) -> Iterator[Pin]:
    found = facts.record_of("fetch_model")
    if found is None:
        yield Pin(kind="commit", name="", value=facts.commit, evidence="")
        return
    record, evidence = found
    yield Pin(kind="commit", name=record["source"], value=record["commit"], evidence=evidence)
    weights = set(facts.weight_files)
    for file in record["files"]:
        kind = "weights" if file["name"] in weights else "file"
        yield Pin(kind=kind, name=file["name"], value=file["sha256"], evidence=evidence)


def _papers(facts: PlanFacts) -> Iterator[Pin]:
    found = facts.record_of("check_documentation")
    if found is None:
        return
    record, evidence = found
    licence = record["licence"]
    yield Pin(kind="licence", name=licence["tag"] or "", value=licence["spdx"] or "", evidence=evidence)
    for kind, name in (("licence_text", licence["text_file"]), ("card", record["card_file"])):
        yield Pin(kind=kind, name=name or "", value=_hash_of(facts, name), evidence=evidence)  # type: ignore[arg-type]


def _hash_of(facts: PlanFacts, name: str | None) -> str:
    fetched = facts.record_of("fetch_model")
    files = fetched[0]["files"] if fetched else ()
    return next((f["sha256"] for f in files if f["name"] == name), "")


def _libraries(facts: PlanFacts) -> Iterator[Pin]:
    profile, version = facts.record_of("profile_model"), facts.record_of("check_version")
    said = profile[0].get("conditions", "") if profile else ""
    told: dict[str, tuple[str, str]] = {}
    for part in said.replace(";", ",").split(","):
        name, _, number = part.strip().partition(" ")
        if name in _LIBRARIES and number and profile:
            told[name] = (number, profile[1])
    library = version[0]["library"] if version else {}
    if version and library.get("installed"):
        told.setdefault("transformers", (library["installed"], version[1]))
    for other in library.get("others", ()):
        if other["installed"] and version:
            told.setdefault(other["name"], (other["installed"], version[1]))
    for name, (number, evidence) in told.items():
        yield Pin(kind="library", name=name, value=number, evidence=evidence)


def _documents(policy: Sequence[PolicyFinding]) -> Iterator[Pin]:
    for document, title in dict.fromkeys((f.statement.document, f.statement.title) for f in policy):
        yield Pin(kind="policy", name=title, value=document, evidence="")


def commands_of(
    model: str, use_case: str, targets: dict[str, Any], evidence: Sequence[Evidence], cited: Sequence[str]
) -> tuple[Reproduction, ...]:
    """The command of each record that the plan rests on, and of the plan itself last.

    Args:
        model: Canonical reference.
        use_case: What the model is for.
        targets: What the user told.
        evidence: The evidence.
        cited: Ids that the plan rests on.
    """
    found = [
        Reproduction(evidence=e.id, command=command_of(e.tool, e.arguments))
        for e in sorted(evidence, key=lambda e: int(e.id[1:]))
        if e.id in cited
    ]
    plan = command_of("plan_adoption", {"model": model, "use_case": use_case, **targets})
    return (*found, Reproduction(evidence="", command=plan))


def command_of(tool: str, arguments: dict[str, Any]) -> str:
    """A call of a tool as a shell command."""
    words = ["tameshi", tool.replace("_", "-")]
    models = arguments.get("models") or ([arguments["model"]] if arguments.get("model") else [])
    words += [shlex.quote(str(m)) for m in models]
    for name, value in arguments.items():
        if name in {"model", "models", "force"} or value in (None, "", [], ()):
            continue
        if isinstance(value, dict):
            continue
        shown = ",".join(str(v) for v in value) if isinstance(value, list | tuple) else str(value)
        words += [f"--{name.replace('_', '-')}", shlex.quote(shown)]
    return " ".join(words)
