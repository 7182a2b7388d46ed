"""The texts that tools and assistant can emit, read out of their source."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import knowledge.errors
import tools.errors

ROOT = Path(__file__).parents[2]

NEVER_SHOWN = {
    ("tools/behavior/observation.py", "EXAMPLES"): "inputs for the model",
    ("tools/profiling/isolated/worker_texts.py", "_WORDS"): "inputs for the model",
    ("tools/profiling/isolated/worker_texts.py", "_SAMPLES"): "inputs for the model",
    ("tools/profiling/isolated/worker_texts.py", "_LABEL"): "inputs for the model",
    ("tools/reference_search.py", "_WORDS_OF_PAIRS"): "words that name no model",
    ("knowledge/entry.py", "HEADINGS"): "headings of guidance files",
}
"""Literals by file and the name they are assigned to: matched, sent or read, but told to nobody."""
NO_SENTENCES = {
    "license: {0}", "language: {0}", "base_model: {0}",  # lines of a card
    "{0} {1}",
    "model name",  # a line of /proc/cpuinfo
    "Out of memory",  # looked for in another text
    "{0} + {1}",
}  # fmt: skip
_PATTERN = re.compile(r"\\[bsdwWAZ.+]|\(\?|\.\*|\.\+|\[\^|PRAGMA|^\^|\w\|\w")
TOLD = {
    "ToolFailed",
    "ToolProgress",
    "TurnFailed",
    "ApprovalNeeded",
    *(
        name
        for module in (tools.errors, knowledge.errors)
        for name, value in vars(module).items()
        if isinstance(value, type)
    ),
}
_FUNCTIONS_OF_ASSISTANT = ("reason_for_consent", "assumptions_of_cost")
_FIELDS = ("assumptions",)


class Literal(NamedTuple):
    file: str
    line: int
    template: str


def pieces_of(node: ast.AST) -> list[str | None]:
    """Fixed pieces of a text in order, None for each hole; holes side by side are one."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        found = [piece for value in node.values for piece in pieces_of(value)]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        found = [*pieces_of(node.left), *pieces_of(node.right)]
    else:
        return [None]
    return [piece for i, piece in enumerate(found) if piece is not None or not i or found[i - 1] is not None]


def template_of(node: ast.AST) -> str:
    """The text of a literal, its holes numbered from left to right."""
    text, holes = "", 0
    for piece in pieces_of(node):
        text += f"{{{holes}}}" if piece is None else piece
        holes += piece is None
    return text


def is_sentence(template: str) -> bool:
    """Two words, or a word beside a hole; patterns and code are none."""
    words = re.findall(r"[A-Za-z][A-Za-z']+|\{\d\}", template)
    return (
        " " in template.strip()
        and len(words) > 1
        and any(not w.startswith("{") for w in words)
        and not _PATTERN.search(template)
        and template not in NO_SENTENCES
    )


def texts_below(node: ast.AST) -> Iterator[ast.expr]:
    """Texts below a node: no docstrings, and pieces of a composed text only as part of it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.Constant | ast.JoinedStr | ast.BinOp) and any(pieces_of(child)):
            yield child
            yield from (text for hole in holes_below(child) for text in texts_below(ast.Expr(hole)))
        else:
            yield from texts_below(child)


def holes_below(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions in the holes of a text."""
    if isinstance(node, ast.JoinedStr):
        for value in node.values:
            yield from holes_below(value)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from (*holes_below(node.left), *holes_below(node.right))
    elif isinstance(node, ast.FormattedValue):
        yield node.value
    elif isinstance(node, ast.expr) and not isinstance(node, ast.Constant):
        yield node


def shown_nodes(tree: ast.Module, file: str) -> Iterator[ast.AST]:
    """What can be told: all of tools and knowledge; of assistant only errors, failures and the functions named above."""
    if not file.startswith("assistant/"):
        for statement in tree.body:
            targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
            names = {t.id for t in targets if isinstance(t, ast.Name)}
            if not any((file, name) in NEVER_SHOWN for name in names):
                yield statement
        return
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", "") in TOLD
            or isinstance(node, ast.keyword)
            and node.arg in _FIELDS
            or isinstance(node, ast.FunctionDef)
            and node.name in _FUNCTIONS_OF_ASSISTANT
        ):
            yield node


def emitted() -> list[Literal]:
    """Every sentence that a tool can emit."""
    found: dict[str, Literal] = {}
    for folder in ("tools", "knowledge", "assistant"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            file = path.relative_to(ROOT).as_posix()
            if file.startswith("knowledge/fitting/"):  # a developer's program, which no user starts
                continue
            for part in shown_nodes(ast.parse(path.read_text(encoding="utf-8")), file):
                for node in texts_below(ast.Module([part], []) if isinstance(part, ast.stmt) else part):
                    template = template_of(node)
                    if is_sentence(template):
                        found.setdefault(template, Literal(file, node.lineno, template))
    advisories = "tools/advisories.toml"
    for number, row in enumerate(tomllib.loads((ROOT / advisories).read_text("utf-8"))["advisory"]):
        found.setdefault(row["reason"], Literal(advisories, number, row["reason"]))
    return list(found.values())


def forms_of(template: str) -> tuple[str, ...]:
    """How the catalogue can hold a text; one that begins with a space goes on after another one."""
    shifted = re.sub(r"\{(\d)\}", lambda m: f"{{{int(m[1]) + 1}}}", template)
    return (template, template.strip(), f"{{0}}{shifted}")
