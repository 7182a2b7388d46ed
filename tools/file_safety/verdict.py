"""Applies every rule to a view of a model's files and draws the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from tools.advisories import reachable_advisories
from tools.file_safety.config_rules import check_configs
from tools.file_safety.file_view import FileView
from tools.file_safety.findings import FileInspection, Finding, finding, verdict_of
from tools.file_safety.inspected import Inspected
from tools.file_safety.listing_rules import check_listing
from tools.file_safety.templates import check_templates
from tools.file_safety.text_rules import check_card, check_tokenizer
from tools.file_safety.values import MAX_SCANNED_BYTES
from tools.file_safety.weight_rules import check_weights

_MOST_FINDINGS = 60
_RANK = {"refuse": 0, "flag": 1, "note": 2}


def inspect_view(
    view: FileView,
    *,
    model: str,
    commit: str,
    unneeded_pickles: Literal["refuse", "flag"] = "refuse",
    thorough: bool = True,
) -> FileInspection:
    """Inspect a model's files through a view of them.

    Args:
        view: A folder's or the hub's files.
        model: Canonical reference, for the record.
        commit: Commit or content hash, for the record.
        unneeded_pickles: What a pickle beside safetensors weights means: `flag` where it is not fetched.
        thorough: Whether what can only flag and takes long is looked at too: the weights' values and the card. Without it
            the time does not grow with the model.

    Returns:
        The inspection; equal findings appear once, worst first.
    """
    inspected = Inspected(view)
    unique = dict.fromkeys(_all_findings(inspected, unneeded_pickles, thorough))
    findings = tuple(sorted(unique, key=lambda each: (_RANK[each.severity], each.rule, each.file)))
    return FileInspection(
        model=model,
        commit=commit,
        verdict=verdict_of(findings),
        findings=_capped(findings),
        advisories=reachable_advisories(inspected),
        files_checked=len(view.entries),
        total_bytes=sum(entry.size_bytes for entry in view.entries),
        not_checked=tuple(_not_checked(inspected, thorough)),
    )


def _all_findings(model: Inspected, unneeded_pickles: Literal["refuse", "flag"], thorough: bool) -> Iterator[Finding]:
    yield from check_listing(model, unneeded_pickles)
    yield from check_configs(model)
    yield from check_weights(model, values=thorough)
    yield from check_templates(model)
    yield from check_tokenizer(model)
    if thorough:
        yield from check_card(model)
    if not any(name.endswith(".safetensors") for name in model.plain):
        step = "Choose a model, or a revision of it, in the safetensors format."
        yield finding(
            "T02", ".", "There are no safetensors weights, so nothing can be loaded or measured here.", step, "flag"
        )


def _capped(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    if len(findings) <= _MOST_FINDINGS:
        return findings
    rest = len(findings) - _MOST_FINDINGS
    more = finding(
        "T13", ".", f"{rest} more findings of these kinds are not listed.", "Look at the listed ones first.", "note"
    )
    return (*findings[:_MOST_FINDINGS], more)


def _not_checked(model: Inspected, thorough: bool) -> Iterator[str]:
    yield "What the model does: a sound file can hold a model that was trained to mislead."
    yield "Who published it: no signature was verified."
    if model.view.remote:
        yield "Contents of files that are not needed, and weight values: they were not fetched."
    elif not thorough:
        yield "Weight values: not scanned for NaN."
    elif any(model.plain[name].size_bytes > MAX_SCANNED_BYTES for name in model.weight_files):
        yield f"Weight values in files above {MAX_SCANNED_BYTES // 1024**3} GiB: not scanned for NaN."
