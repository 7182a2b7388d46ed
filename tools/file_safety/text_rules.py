"""Rules on texts a loader interprets: chat templates (T03), tokenizers (T17) and the card's front matter (T07)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tools.errors import SourceUnavailable
from tools.file_safety.findings import Finding, finding
from tools.file_safety.inspected import Inspected

_MAX_TEMPLATE = 200_000
_ESCAPES = re.compile(
    r"__\w+__|\|\s*attr\b|\battr\s*\(|\bmro\b|\blipsum\b|\bcycler\b|\bjoiner\b|\bself\s*\.|\bgetattr\b|\bpopen\b|\bos\.|\.func_|"
    r"\\x5f|_TemplateReference|\{%-?\s*(?:import|include|from|extends)\b"
)
_ENDLESS = re.compile(r"range\s*\([^)]*(?:\d{5,}|\*\*)|\*\s*(?:10\s*\*\*|\d{6,})|\{%-?\s*for\b[^%]*\brecursive\b")
_CODE = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
_STRING = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
_SENTENCE = re.compile(r"[A-Za-z]{2,}(?:[ ,][A-Za-z']{1,}){5,}|[\u3041-\u30ff\u4e00-\u9fff]{12,}")
_NESTED_REPETITION = re.compile(
    r"\((?:\?:)?[^()]*[+*]\)[+*]|\((?:\?:)?[^()]*[+*]\)\{\d+,\d*\}|\((?:\?:)?(\w+)\|\1\w*\)[+*]"
)
_MAX_REPLACEMENT = 256
_MAX_STEPS = 64
_HIGHEST_ID = 10_000_000


def check_texts(model: Inspected) -> Iterator[Finding]:
    """Apply the rules on chat templates and tokenizers."""
    for name, template in _templates(model):
        yield from check_template(name, template)
    yield from _check_tokenizer(model)


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
    if endless is not None:
        yield finding("T03", name, f"The chat template may run very long: `{endless.group()[:60]}`.", careful, "flag")
    added = _fixed_text(template)
    if added:
        found = f"The chat template adds text of its own to every conversation: \u201c{added[:200]}\u201d."
        yield finding(
            "T03", name, found, "Check that this text suits your use, or set a system text of your own.", "flag"
        )


def _fixed_text(template: str) -> str:
    """The first sentence in the template's literal text or in its string constants."""
    literals = [_CODE.sub(" ", template)]
    for block in re.findall(r"\{%.*?%\}|\{\{.*?\}\}", template, re.DOTALL):
        if "raise_exception" not in block:
            literals += [first or second for first, second in _STRING.findall(block)]
    for literal in literals:
        match = _SENTENCE.search(literal)
        if match is not None:
            return " ".join(literal[match.start() : match.start() + 300].replace("\\n", " ").split())
    return ""


def _check_tokenizer(model: Inspected) -> Iterator[Finding]:
    name = "tokenizer.json"
    content = model.object(name)
    if not content:
        return
    careful = "It is loaded only in the isolated worker, within ten seconds; use another copy if that fails."
    steps = 0
    for step in _steps(
        content.get("normalizer"), content.get("pre_tokenizer"), content.get("decoder"), content.get("post_processor")
    ):
        steps += 1
        pattern = step.get("pattern")
        expression = pattern.get("Regex") if isinstance(pattern, dict) else None
        if isinstance(expression, str) and (len(expression) > 5_000 or _NESTED_REPETITION.search(expression)):
            found = f"A pattern of the tokenizer can take endless time: `{expression[:80]}`."
            yield finding("T17", name, found, careful, "flag")
        grown = step.get("content", step.get("prepend"))
        if isinstance(grown, str) and len(grown) > _MAX_REPLACEMENT:
            yield finding(
                "T17", name, f"A step of the tokenizer makes each match {len(grown)} characters long.", careful
            )
    if steps > _MAX_STEPS:
        yield finding("T17", name, f"The tokenizer has {steps} steps, more than {_MAX_STEPS}.", careful)
    yield from _check_ids(name, content)


def _steps(*roots: Any) -> Iterator[dict[str, Any]]:
    waiting = [each for each in roots if isinstance(each, dict)]
    while waiting:
        step = waiting.pop()
        yield step
        for key in ("normalizers", "pretokenizers", "decoders", "processors"):
            inner = step.get(key)
            if isinstance(inner, list):
                waiting.extend(each for each in inner if isinstance(each, dict))


def _check_ids(name: str, content: dict[str, Any]) -> Iterator[Finding]:
    inner, added = content.get("model"), content.get("added_tokens")
    vocabulary = inner.get("vocab") if isinstance(inner, dict) else None
    ids = list(vocabulary.values()) if isinstance(vocabulary, dict) else []
    for entry in added if isinstance(added, list) else []:
        if isinstance(entry, dict):
            ids.append(entry.get("id"))
            text = entry.get("content")
            if isinstance(text, str) and len(text) > 1_000:
                yield finding(
                    "T17", name, f"An added token has {len(text)} characters.", "Use another copy of the model.", "flag"
                )
    wrong = next((each for each in ids if type(each) is not int or not 0 <= each <= _HIGHEST_ID), None)
    if wrong is not None:
        yield finding("T17", name, f"A token has the id `{str(wrong)[:40]}`.", "Use another copy of the model.")


def check_card(model: Inspected) -> Iterator[Finding]:
    """Apply the rule on the card."""
    from tools.front_matter import BadFrontMatter, parse_front_matter, split_card  # noqa: PLC0415 (as dear as all rules)

    entry = model.plain.get("README.md")
    if entry is None:
        return
    try:
        text = model.view.read("README.md", 0, min(entry.size_bytes, 1_000_000)).decode("utf-8", "replace")
        parse_front_matter(split_card(text)[0])
    except BadFrontMatter as error:
        found = f"The card's front matter {error}; it was not read."
        yield finding(
            "T07", "README.md", found, "Read the card as plain text; its licence and data are not known.", "flag"
        )
    except SourceUnavailable:
        return
