"""The example utterances of `examples/`: what people say, with the tools that answer it.

A line is one utterance. `{model}` stands for a model reference, `{batch_sizes=1, 8 and 32}` marks words that carry an
argument, `(after TOOL)` a follow-up to a turn that used TOOL, `[tool_a + tool_b]` a request for two tools.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from assistant.languages import Language
from assistant.llm.turn_schema import TOOL_NAMES

ANSWERED = ("ask_user", "talk", "off_topic")
"""Routes that are answered without a tool."""
ROUTES = (*TOOL_NAMES, *ANSWERED)
"""What a turn can be: one of the tools, a question back, small talk, or none of our business."""

_TOOLS = re.compile(r"\[(?P<tools>[\w +]+)\]\s*")
_AFTER = re.compile(r"\(after (?P<after>\w+)\)\s*")
_SLOT = re.compile(r"\{(?P<name>\w+)(?:=(?P<words>[^{}]*))?\}")
FOLDER = Path(__file__).parent / "examples"


class ExampleUtterance(BaseModel):
    """One example utterance with its routes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    routes: tuple[str, ...]
    """Tools (or `ask_user`, `talk`, `off_topic`) in the order of use."""
    text: str
    """The utterance with `{model}` slots; argument marks are resolved to their words."""
    language: Language
    """The language that the file is named for."""
    after: str = ""
    """Tool of the turn before, for a follow-up."""
    marked: tuple[tuple[str, str], ...] = ()
    """Argument names with the words that carry them."""

    def with_models(self, *references: str) -> str:
        """The utterance as a user would type it, with these references in the slots, in order."""
        text = self.text
        for slot, reference in zip(self._slot_names, references, strict=False):
            text = text.replace(slot, reference)
        return text

    @property
    def _slot_names(self) -> list[str]:
        return sorted(set(re.findall(r"\{model\d?\}", self.text)))

    @property
    def slots(self) -> int:
        """Number of different models named."""
        return len(self._slot_names)


def read_examples(folder: Path = FOLDER, only: str = "*.txt") -> tuple[ExampleUtterance, ...]:
    """Example utterances of a folder of `<route>.<language>.txt` files, sorted by file and line.

    Args:
        folder: The folder.
        only: Pattern of the file names.

    Raises:
        ValueError: A line or a file name is not of the form; the place is named.
    """
    return tuple(example for path in sorted(folder.glob(only)) for example in _read_file(path))


def _read_file(path: Path) -> Iterator[ExampleUtterance]:
    route, named, _ = path.name.split(".")
    language = TypeAdapter[Language](Language).validate_python(named)
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            try:
                yield _read_line(line.strip(), route, language)
            except ValueError as error:
                raise ValueError(f"{path.name}, line {number}: {error}") from error


def _read_line(line: str, route: str, language: Language) -> ExampleUtterance:
    tools, after = _TOOLS.search(line), _AFTER.search(line)
    text = _AFTER.sub("", _TOOLS.sub("", line, count=1), count=1).strip()
    if not text:
        raise ValueError("no utterance")
    routes = tuple(t.strip() for t in tools["tools"].split("+")) if tools else (route,)
    unknown = set(routes) - set(ROUTES)
    if unknown:
        raise ValueError(f"unknown route {sorted(unknown)}")
    marked = tuple((m["name"], m["words"]) for m in _SLOT.finditer(text) if m["words"] is not None)
    text = _SLOT.sub(lambda m: m[0] if m["words"] is None else m["words"], text)
    return ExampleUtterance(
        routes=routes, text=text, language=language, after=after["after"] if after else "", marked=marked
    )
