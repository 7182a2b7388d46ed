"""Rules on the listing and on the content of each file: T01, T02, T05, T13, T15, T16."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Literal

from tools.file_safety.content import Content
from tools.file_safety.file_view import FileEntry
from tools.file_safety.findings import Finding, finding
from tools.file_safety.inspected import FOREIGN_SUFFIXES, Inspected
from tools.file_safety.templates import reaches_out

_CODE_SUFFIXES = (
    ".py",
    ".pyc",
    ".pyd",
    ".so",
    ".dll",
    ".dylib",
    ".exe",
    ".sh",
    ".bat",
    ".cmd",
    ".ps1",
    ".ipynb",
    ".pth",
)
_HIDDEN_DIRECTIONS = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_MARKUP = re.compile(r"[<>\"'`$|;&*?]|javascript:", re.IGNORECASE)
_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget)\b.{0,20}\b(?:previous|prior|above|all|instructions?)\b|system prompt|you (?:must|are now)\b|"
    r"approve (?:this|the)|指示.{0,6}(?:無視|従)|無視して",
    re.IGNORECASE,
)
_GIT_PROGRAM = re.compile(
    r"(?im)^\s*(fsmonitor|sshcommand|pager|editor|hookspath|gitproxy|askpass|helper|clean|smudge|process|textconv|command|"
    r"uploadpack|receivepack)\s*=\s*\S|^\s*\w+\s*=\s*\"?!"
)

_INTERNALS = re.compile(rb"__(?:class|globals|builtins|import|subclasses|mro|init)__")
_GIT_STEP = "Do not run git in this folder; delete its .git folder."
_MODULE_FOLDER = re.compile(r"\d+_\w+/[^/]+\Z")
_PICKLE_STEP = "Choose a version in the safetensors format, or convert it to safetensors in an isolated environment."
_DELETE_STEP = (
    "Delete this file from the folder (the safetensors weights beside it are enough), or convert it to safetensors."
)
_NOT_FETCHED_STEP = "Nothing to do here: it is not fetched. Keep `use_safetensors=True` in your own code."


def check_listing(model: Inspected, unneeded_pickles: Literal["refuse", "flag"]) -> Iterator[Finding]:
    """Apply the rules on names, kinds and contents to every file.

    Args:
        model: The model under inspection.
        unneeded_pickles: What a pickle beside sound safetensors weights means: `flag` where it is not fetched.

    Yields:
        Findings.
    """
    for entry in model.view.entries:
        yield from _check_name(entry.name)
        if entry.trouble is not None:
            yield finding(
                "T15",
                entry.name,
                f"This is {entry.trouble}.",
                "Replace it with the plain file it should be, or leave it out.",
            )
            continue
        content = model.content(entry.name)
        if content.kind == "unread":
            continue
        yield from _check_content(model, entry, content, unneeded_pickles)
        if entry.name.endswith(".git/config"):
            yield from _check_git_config(model, entry)
        elif "/.git/hooks/" in f"/{entry.name}":
            found = "The folder has a hook that git starts by itself."
            yield finding("T05", entry.name, found, _GIT_STEP, "flag")


def _check_name(name: str) -> Iterator[Finding]:
    step = "Rename or remove the file; nothing in a name is followed here."
    if not name.isprintable() or _HIDDEN_DIRECTIONS.search(name):
        yield finding("T13", name, "The file's name contains control or invisible characters.", step, "flag")
    elif _MARKUP.search(name) or _ORDER.search(name.replace("_", " ").replace("-", " ")) or len(name) > 512:
        yield finding("T13", name, "The file's name contains markup or reads like an instruction.", step, "flag")
    if name.startswith("/") or ".." in PurePosixPath(name).parts or "\\" in name:
        yield finding(
            "T13", name, "The file's name leads out of the model's folder.", "Use another copy of the model.", "refuse"
        )
    path = PurePosixPath(name)
    if path.parts[:1] == ("custom_generate",) and path.suffix == ".py":
        found = "The model brings code of its own for generating, which is never run here."
        yield finding("T04", name, found, "Generate with the library's own methods; remove the folder.", "flag")
    if path.suffix.lower() == ".py" or (path.suffix.lower() in _CODE_SUFFIXES and path.suffix.lower() != ".pth"):
        found = "The model's folder holds program code; it is never put on the path and never run."
        severity = "flag" if path.suffix.lower() != ".ipynb" else "note"
        yield finding(
            "T05",
            name,
            found,
            "Do not start Python inside this folder; remove the file if you do not need it.",
            severity,
        )


def _check_content(
    model: Inspected, entry: FileEntry, content: Content, unneeded_pickles: Literal["refuse", "flag"]
) -> Iterator[Finding]:
    name, has_weights = entry.name, bool(model.weight_files)
    if content.kind in {"pickle", "sealed"}:
        harmless = has_weights and unneeded_pickles == "flag"
        step = _step_for_pickle(model, name, harmless=harmless)
        found = f"It is {content.detail}; loading it can run any program."
        if content.kind == "sealed":
            found = f"It is {content.detail} and cannot be looked into; such files have carried hidden pickles."
        yield finding("T01", name, found, step, "flag" if harmless else "refuse")
    elif content.kind in {"nemo", "code"}:
        harmless = has_weights and unneeded_pickles == "flag"
        yield finding("T02", name, f"It is {content.detail}.", _PICKLE_STEP, "flag" if harmless else "refuse")
    elif content.kind in {"gguf", "onnx", "keras", "hdf5"}:
        yield from _check_foreign(model, entry, content)
    elif content.kind == "archive":
        yield finding(
            "T16",
            name,
            f"It is {content.detail}; archives are never unpacked here.",
            "Remove it or unpack it yourself.",
            "flag",
        )
    elif content.kind == "program":
        yield finding("T05", name, "It is a program; it is never run here.", "Remove it if you do not need it.", "flag")
    elif name.lower().endswith(FOREIGN_SUFFIXES):
        found = "It belongs to another format, which is neither read nor measured here."
        yield finding("T02", name, found, "Measure the safetensors weights, or that format in its own runtime.", "flag")


def _step_for_pickle(model: Inspected, name: str, *, harmless: bool) -> str:
    folder = name.rpartition("/")[0]
    if _MODULE_FOLDER.match(name) and f"{folder}/model.safetensors" not in model.plain:
        return f"The module in `{folder}` exists only as this pickle and is left out, so embeddings differ; convert it to safetensors."
    if harmless:
        return _NOT_FETCHED_STEP
    return _DELETE_STEP if model.weight_files else _PICKLE_STEP


def _check_foreign(model: Inspected, entry: FileEntry, content: Content) -> Iterator[Finding]:
    head = model.view.read(entry.name, 0, min(entry.size_bytes, 262_144 if model.view.remote else 4_194_304))
    trouble = None
    if content.kind == "hdf5" and b'"Lambda"' in head:
        trouble = "a Lambda layer, which is code"
    elif content.kind == "onnx" and re.search(rb"location.{1,4}(?:/|\.\.|~|[A-Za-z]:\\|https?:)", head, re.DOTALL):
        trouble = "an external data path that leads out of the folder"
    elif content.kind == "gguf":
        trouble = _gguf_trouble(model, entry, head)
    if trouble is not None:
        yield finding(
            "T02", entry.name, f"It is {content.detail} with {trouble}.", "Do not load it; choose another copy."
        )
        return
    found = f"It is {content.detail}, which is neither read nor measured here."
    yield finding(
        "T02", entry.name, found, "Measure the safetensors weights, or that format in its own runtime.", "flag"
    )


def _gguf_trouble(model: Inspected, entry: FileEntry, head: bytes) -> str | None:
    metadata = model.gguf(entry.name)
    # Texts that no entry owns are for readers that do not keep to the entries.
    if any(map(reaches_out, metadata.templates)) or _INTERNALS.search(head):
        return "a chat template that reaches for Python's internals"
    return metadata.trouble


def _check_git_config(model: Inspected, entry: FileEntry) -> Iterator[Finding]:
    text = model.view.read(entry.name, 0, 65_536).decode("utf-8", "replace")
    match = _GIT_PROGRAM.search(text)
    if match is not None:
        found = f"The folder's git configuration names a program to run: `{match.group().strip()[:80]}`."
        yield finding("T05", entry.name, found, _GIT_STEP, "flag")


def reads_like_an_instruction(text: str) -> bool:
    """Whether a text from a model's files addresses its reader or holds markup."""
    return _ORDER.search(text) is not None or re.search(r"<\s*/?\s*[a-zA-Z!]", text) is not None
