"""Rule T03: what a chat template reaches for, how long it can run and which text it adds; none is rendered here."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from tools.file_safety.findings import Finding, finding
from tools.file_safety.inspected import Inspected

_MAX_TEMPLATE = 200_000
_ESCAPES = re.compile(
    r"__\w+__|\|\s*attr\b|\battr\s*\(|\bmro\b|\blipsum\b|\bcycler\b|\bjoiner\b|\bself\s*\.|\bgetattr\b|\bpopen\b|\bos\.|\.func_|"
    r"\\x5f|_TemplateReference|\{%-?\s*(?:import|include|from|extends)\b"
)
# The lengths are bounded and nothing is given back, so that no text makes a pattern slow.
_ENDLESS = re.compile(
    r"range\s*+\([^)]{0,200}?(?:\d{5,}|\*\*)|\*\s*+(?:10\s*+\*\*|\d{6,})|\{%-?\s*+for\b[^%]{0,300}?\brecursive\b"
)
_RANGE = re.compile(r"\{%-?\s*+for\b[^%]{0,100}?\brange\s*+\(\s*+(\d{1,9})\s*+\)")
_MOST_STEPS = 1_000_000
_CLOSERS = {"{%": "%}", "{{": "}}", "{#": "#}"}
_OPENER = re.compile(r"\{[%{#]")
_STRING = re.compile(r"'(?:[^'\\]|\\.)*+'?|\"(?:[^\"\\]|\\.)*+\"?", re.DOTALL)
_SENTENCE = re.compile(r"(?<![A-Za-z'])[A-Za-z]{2,}+(?:[ ,][A-Za-z']++){5,}|[\u3041-\u30ff\u4e00-\u9fff]{12,}")


def check_templates(model: Inspected) -> Iterator[Finding]:
    """Apply the rule to every chat template of a model."""
    for name, template in _templates(model):
        yield from check_template(name, template)


def _templates(model: Inspected) -> Iterator[tuple[str, str]]:
    for name in ("tokenizer_config.json", "chat_template.json", "processor_config.json"):
        value = model.object(name).get("chat_template")
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, list):
            yield from ((name, str(each.get("template", ""))) for each in value if isinstance(each, dict))
        elif isinstance(value, dict):
            yield from ((name, str(each)) for each in value.values())
    for name, entry in model.plain.items():
        if name.endswith(".jinja"):
            yield name, model.view.read(name, 0, min(entry.size_bytes, _MAX_TEMPLATE + 1)).decode("utf-8", "replace")


def check_template(name: str, template: str) -> Iterator[Finding]:
    """Flag what a chat template reaches for and what fixed text it adds; the template is not rendered."""
    careful = "Read the template before use; it is rendered only in the isolated worker, with a time limit."
    if len(template) > _MAX_TEMPLATE:
        yield finding("T03", name, f"The chat template has {len(template)} characters.", careful, "flag")
        return
    escape = _ESCAPES.search(template)
    if escape is not None:
        found = f"The chat template reaches out of its sandbox: `{escape.group()[:40]}`."
        yield finding("T03", name, found, careful, "flag")
    endless = _ENDLESS.search(template)
    steps = math.prod(max(1, int(each)) for each in _RANGE.findall(template)[:20])
    if endless is not None:
        yield finding("T03", name, f"The chat template may run very long: `{endless.group()[:60]}`.", careful, "flag")
    elif steps > _MOST_STEPS:
        yield finding("T03", name, f"The loops of the chat template may amount to {steps:.1e} steps.", careful, "flag")
    added = _fixed_text(template)
    if added:
        found = f"The chat template adds text of its own to every conversation: \u201c{added[:200]}\u201d."
        yield finding(
            "T03", name, found, "Check that this text suits your use, or set a system text of your own.", "flag"
        )


def reaches_out(template: str) -> bool:
    """Whether a chat template tries to reach what its sandbox withholds."""
    return _ESCAPES.search(template) is not None


def _fixed_text(template: str) -> str:
    """The first sentence in the template's literal text or in its string constants."""
    for text, block in _pieces(template):
        constants = [] if "raise_exception" in block else [each[1:-1] for each in _STRING.findall(block)]
        for literal in (text, *constants):
            match = _SENTENCE.search(literal)
            if match is not None:
                return " ".join(literal[match.start() : match.start() + 300].replace("\\n", " ").split())
    return ""


def _pieces(template: str) -> Iterator[tuple[str, str]]:
    """Literal text and the block of code after it, in one pass; a comment is no block, and text after the last one has none."""
    position = 0
    while (opener := _OPENER.search(template, position)) is not None:
        end = template.find(_CLOSERS[opener.group()], opener.end())
        text = template[position : opener.start()]
        if end < 0:
            yield text, template[opener.start() :]
            return
        yield text, "" if opener.group() == "{#" else template[opener.end() : end]
        position = end + 2
    yield template[position:], ""
