"""Gates: a value from evidence against a threshold, passed, failed or not measured yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from assistant.evidence import Evidence, latest

State = Literal["passed", "failed", "missing"]


class Gate(BaseModel):
    """A condition for leaving a stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    """What is asked, as a key of the product's sentences (`gate.<code>`)."""
    state: State
    """Whether it holds; `missing` when nothing was measured."""
    value: str
    """The value found, or empty."""
    threshold: str
    """What the value must be."""
    threshold_source: Literal["user", "measured", "guidance", "team"]
    """Who set the threshold: the user's words, a measured baseline, guidance, or the team still has to."""
    evidence: str
    """Evidence id that the value comes from, or empty."""


def desk_check_gates(evidence: Sequence[Evidence], targets: dict[str, Any]) -> tuple[Gate, ...]:
    """Gates of the desk check: files, licence, version, documentation, memory."""
    return (
        _from_record(
            evidence, "inspect_files", "files_safe", lambda r: (r["verdict"] != "refuse", r["verdict"]), "not refused"
        ),
        _from_record(evidence, "check_documentation", "licence_known", _licence, "known, with use allowed"),
        _from_record(
            evidence, "fetch_model", "version_pinned", lambda r: (True, r["commit"][:19]), "one exact commit or hash"
        ),
        _from_record(
            evidence,
            "check_documentation",
            "limitations_documented",
            _limitations,
            "limitations section filled",
        ),
        _memory(evidence, targets),
    )


def trial_gates(evidence: Sequence[Evidence], targets: dict[str, Any]) -> tuple[Gate, ...]:
    """Gates of the proof of concept: quality on the team's own examples, latency, cost."""
    return (
        Gate(
            code="quality",
            state="missing",
            value="",
            threshold="set on your own examples before the trial",
            threshold_source="team",
            evidence="",
        ),
        _latency(evidence, targets),
        _cost(evidence, targets),
    )


def _from_record(
    evidence: Sequence[Evidence],
    tool: str,
    code: str,
    judge: Any,
    threshold: str,
) -> Gate:
    found = latest(evidence, tool)
    if found is None:
        return Gate(code=code, state="missing", value="", threshold=threshold, threshold_source="guidance", evidence="")
    holds, value = judge(found.record)
    return Gate(
        code=code,
        state="passed" if holds else "failed",
        value=value,
        threshold=threshold,
        threshold_source="guidance",
        evidence=found.id,
    )


def _licence(record: dict[str, Any]) -> tuple[bool, str]:
    licence = record["licence"]
    stated = [each["answer"] for each in licence.get("uses", ()) if each["stated"]]
    # A tag that nobody here knows names a text that somebody has to read first.
    allowed = all(answer == "yes" for answer in stated) if stated else licence["permissive"] is True
    sound = licence["agreement"] != "differs" and not licence.get("text_modified", False)
    holds = allowed and sound and licence.get("on_allow_list") is not False
    return holds, licence["spdx"] or licence["tag"] or "none"


def _limitations(record: dict[str, Any]) -> tuple[bool, str]:
    wanted = [s for s in record["sections"] if "limitation" in s["name"].lower()]
    filled = any(s["state"] == "filled" for s in wanted)
    return filled, "filled" if filled else (wanted[0]["state"] if wanted else "missing")


def _memory(evidence: Sequence[Evidence], targets: dict[str, Any]) -> Gate:
    limit_gib = targets.get("device_memory_gib")
    profile, forecast = latest(evidence, "profile_model"), latest(evidence, "estimate_memory")
    source = profile or forecast
    peak = source.record["peak_memory_mib" if profile else "total_mib"] if source else None
    if source is None or peak is None:
        state, value = "missing", ""
    else:
        state = "passed" if limit_gib is None or peak <= limit_gib * 1024 else "failed"
        value = f"{peak:,.0f} MiB"
    return Gate(
        code="memory",
        state=state,
        value=value,
        threshold=f"{limit_gib:g} GiB" if limit_gib else "known",
        threshold_source="user" if limit_gib else "guidance",
        evidence=source.id if source else "",
    )


def _latency(evidence: Sequence[Evidence], targets: dict[str, Any]) -> Gate:
    profile = latest(evidence, "profile_model")
    runs = [r for r in (profile.record["runs"] if profile else ()) if r.get("latency_p95_ms") is not None]
    if profile is None or not runs:
        return Gate(code="latency", state="missing", value="", threshold="p95", threshold_source="team", evidence="")
    single = min(runs, key=lambda r: r["batch_size"])
    p95 = float(single["latency_p95_ms"])
    target = targets.get("latency_p95_ms")
    # Without a target of the user's, twice what was measured here is a line that a regression would cross.
    limit = float(target) if target else 2 * p95
    return Gate(
        code="latency",
        state="passed" if p95 <= limit else "failed",
        value=f"{p95:.1f} ms",
        threshold=f"{limit:.0f} ms",
        threshold_source="user" if target else "measured",
        evidence=profile.id,
    )


def _cost(evidence: Sequence[Evidence], targets: dict[str, Any]) -> Gate:
    cost = next((e for e in evidence if e.tool == "estimate_cost" and _is_about(e.record, targets)), None)
    options = [o for o in (cost.record["options"] if cost else ()) if o["cost_per_month"] is not None]
    if cost is None or not options:
        return Gate(code="cost", state="missing", value="", threshold="budget", threshold_source="team", evidence="")
    middle = options[len(options) // 2]
    return Gate(
        code="cost",
        state="passed",
        value=f"{cost.record['currency']} {max(middle['cost_per_month'], _for_response_time(cost.record)):,.2f}",
        threshold="within the budget that the owner sets",
        threshold_source="team",
        evidence=cost.id,
    )


def _for_response_time(cost: dict[str, Any]) -> float:
    """Cost a month of the devices that keep the response time; 0 without such a target."""
    queueing = cost.get("queueing") or {}
    rows = {row["devices"]: row["cost_per_month"] for row in queueing.get("at", ())}
    return rows.get(queueing.get("devices_for_target")) or 0.0


def _is_about(cost: dict[str, Any], targets: dict[str, Any]) -> bool:
    """Whether a cost was worked out for the load and the price that the user gave, as far as they did."""
    return all(
        cost[key] == targets[key] for key in ("requests_per_day", "price_per_hour", "currency") if key in targets
    )
