"""The records of the file inspection."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.advisories import Advisory

Verdict = Literal["accept", "flag", "refuse"]
"""accept: usable · flag: usable, the reader is told why · refuse: nothing is loaded."""
Severity = Literal["note", "flag", "refuse"]
"""What one finding does to the verdict; a note does nothing."""

_SHOWN_CHARACTERS = 300

REASONS = {
    "T01": "Reading a pickle runs whatever program its author put into it.",
    "T02": "Files of other formats can carry code or point to files elsewhere.",
    "T03": "A chat template is a small program that decides what the model reads in every conversation.",
    "T04": "Code from a repository would run with your rights, and can change at any time.",
    "T05": "Programs beside a model can be started by accident, by Python or by git.",
    "T06": "What an adapter does depends on its base model, which was not looked at.",
    "T07": "A front matter that cannot be read safely can hide the licence or exhaust its reader.",
    "T08": "Such numbers would exhaust the memory before anything is computed, or cannot be meant.",
    "T09": "A file that readers take differently can show one model here and another one elsewhere.",
    "T10": "The library fills gaps with random numbers and says so in a log line only: the results look real and are not.",
    "T11": "What a file claims is not what the model can do; longer inputs fail or give poor results.",
    "T12": "A header that is not exactly right makes readers see different weights, or read beyond the file.",
    "T13": "Names and notes are shown to people and to language models, which they can mislead.",
    "T14": "An index that leads elsewhere makes other files be read than those that were checked.",
    "T15": "Links and special files can lead out of the folder, or never end.",
    "T16": "What is inside an archive is not checked, and unpacking it can overwrite other files.",
    "T17": "A tokenizer can be made to use up all memory or time on a short text.",
}
"""Why each rule matters."""


class Finding(BaseModel):
    """One thing the inspection found in one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    """Id of the rule, `T01` to `T17`."""
    file: str
    """Path inside the model's folder; control characters are escaped."""
    found: str
    """What was found, one sentence."""
    reason: str = ""
    """Why it matters, one sentence; the same for all findings of a rule."""
    next_step: str
    """What the reader can do about it, one sentence."""
    severity: Severity
    """refuse: nothing may be loaded · flag: usable, to be told · note: for information."""


class FileInspection(BaseModel):
    """The verdict on a model's files, made without loading or running any of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference of the model."""
    commit: str
    """Commit or content hash that was inspected."""
    verdict: Verdict
    """The worst of the findings."""
    findings: tuple[Finding, ...]
    """Findings, worst first."""
    advisories: tuple[Advisory, ...] = ()
    """Known vulnerabilities of loaders that these files reach; the verdict is on the files and does not count them."""
    files_checked: int
    """How many files were looked into."""
    total_bytes: int
    """Size of all listed files in bytes, whether or not they are needed."""
    not_checked: tuple[str, ...]
    """What this inspection cannot tell, one sentence each."""


def printable(text: str, limit: int = _SHOWN_CHARACTERS) -> str:
    """Text from a model's files made safe to show: control and direction characters escaped, length capped."""
    shown = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text[: limit + 1])
    return shown if len(text) <= limit else shown[:limit] + "…"


def finding(rule: str, file: str, found: str, next_step: str, severity: Severity = "refuse") -> Finding:
    """A finding whose texts are safe to show."""
    return Finding(
        rule=rule,
        file=printable(file),
        found=printable(found, 600),
        reason=REASONS[rule],
        next_step=next_step,
        severity=severity,
    )


def verdict_of(findings: tuple[Finding, ...]) -> Verdict:
    """The worst severity decides; notes do not count."""
    severities = {each.severity for each in findings}
    if "refuse" in severities:
        return "refuse"
    return "flag" if "flag" in severities else "accept"
