"""A draft of the documentation that a model's own card lacks, for the team's use, from evidence alone.

Every line carries the id of the evidence it comes from. What no evidence says is marked as not known, in words that the
product's own finder of sections counts as unfilled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assistant.advice.draft_lines import DraftLines, as_code
from assistant.evidence import Evidence, latest
from assistant.languages import Language
from assistant.phrases import say
from assistant.translation import translate
from tools.cards.template import SECTION_WEIGHTS

UNKNOWN = {"en": "[More Information Needed]", "ja": "未確認"}
"""What stands where nothing is known."""
_MOST_LINES = 12


def draft_documentation(evidence: Sequence[Evidence], language: Language) -> str:
    """Write a model card from evidence about one model.

    Args:
        evidence: Stored records of one model; `check_documentation` among them, all others optional.
        language: Language of the draft.

    Returns:
        Markdown with the sections of the annotated template; a section of which nothing is known says so.

    Raises:
        ValueError: There is no record of `check_documentation`.
    """
    newest = latest(evidence, "check_documentation")
    if newest is None:
        raise ValueError("a draft rests on a record of check_documentation")
    found = {tool: each for tool in _TOOLS if (each := latest(_of_commit(evidence, newest.commit), tool)) is not None}
    sections = DraftLines(found, language).sections()
    parts = [_front_matter(newest.record, found), f"# {as_code(newest.model)}", say("draft.introduction", language)]
    for name in SECTION_WEIGHTS:
        lines = [line for line in sections.get(name, []) if line][:_MOST_LINES]
        parts += [f"## {translate(name, language)}", "\n".join(lines) if lines else UNKNOWN[language]]
    return "\n\n".join(parts) + "\n"


_TOOLS = (
    "check_documentation", "inspect_files", "check_version", "estimate_memory", "profile_model", "observe_behavior",
)  # fmt: skip


def _of_commit(evidence: Sequence[Evidence], commit: str) -> list[Evidence]:
    return [each for each in evidence if each.commit == commit]


def _front_matter(record: dict[str, Any], found: dict[str, Evidence]) -> str:
    """Licence and base model as far as they are known, so that the draft can be read by programs."""
    licence = record["licence"]["spdx"] or record["licence"]["tag"]
    facts = {each["topic"]: each["value"] for each in record["facts"]}
    lines = [f"license: {_yaml(licence)}"] if licence else []
    if "languages" in facts:
        lines.append(f"language: [{', '.join(_yaml(each) for each in str(facts['languages']).split(', '))}]")
    if "base_model" in facts:
        lines.append(f"base_model: {_yaml(facts['base_model'])}")
    lines.append(f"evidence: [{', '.join(each.id for each in found.values())}]")
    return "\n".join(["---", *lines, "---"])


def _yaml(value: Any) -> str:
    """A text as a YAML scalar that cannot be anything else."""
    plain = "".join(c for c in str(value) if c.isprintable()).replace("\\", "").replace('"', "'")
    return f'"{plain[:120]}"'
