"""Sentences of the product in both languages, by key; the words stand in `phrases.toml`, of parts in files of their own."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

from assistant.languages import Language
from tools.file_facts import fact_of

_FILES = ("phrases.toml", "plan_phrases.toml", "report_phrases.toml", "document_phrases.toml")


def say(key: str, language: Language, **values: Any) -> str:
    """The sentence of that key with its values filled in.

    Args:
        key: Dotted key, such as `memory.fits`.
        language: `en` or `ja`.
        values: What the sentence's braces stand for.

    Raises:
        KeyError: There is no such sentence.
    """
    return _sentences()[key][language].format(**values)


def has(key: str) -> bool:
    """Whether there is a sentence of that key."""
    return key in _sentences()


@cache
def _sentences() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name in _FILES:
        file = Path(__file__).with_name(name)
        found |= fact_of("phrases", file, partial(_read, file))
    return found


def _read(file: Path) -> dict[str, dict[str, str]]:
    import tomllib  # noqa: PLC0415 (only when the file was changed)

    document = tomllib.loads(file.read_text(encoding="utf-8"))
    found: dict[str, dict[str, str]] = {}
    _collect(document, "", found)
    return found


def _collect(node: dict[str, Any], prefix: str, found: dict[str, dict[str, str]]) -> None:
    if "en" in node:
        found[prefix] = node
    for name, child in node.items():
        if isinstance(child, dict):
            _collect(child, f"{prefix}.{name}" if prefix else name, found)
