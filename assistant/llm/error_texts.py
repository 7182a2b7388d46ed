"""Error messages that were pasted into a question: their numbers are those of a crash, not what the user asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.llm.quantities import Spans

_OWN_WORDS = re.compile(
    r"(?<=[.!)\]])\s+(?=(?:I|We|My|Our|Can|Could|Does|Do|Is|Are|How|What|Which|Why|Should|Would|Will)(?:\b|'))"
    r"|[\u3040-\u30ff\u4e00-\u9fff]"
)
"""Where, on a line, the user goes on in words of their own behind an English message."""
_MESSAGE = re.compile(
    # The colon makes it a message: "we get an out-of-memory error with batch 32" is what the user says.
    r"(?:[\w.]*(?:Error|Exception|Warning)|\berror(?: message)?|\bexception)(?: \[[^\]\n]*\])?:\s"
    r"|\b(?:CUDA|HIP|MPS backend) out of memory[.:]?\s+\(?(?=Tried|MPS)|\bTried to allocate\b",
)
_JAPANESE_MESSAGE = re.compile(r"(?:エラー(?:文|メッセージ|内容)?|例外)\s*(?:は|:)\s*(?=[^\s「『])[^\n。]*")
_QUOTED = re.compile(
    r"(?:エラー|例外|\berror|\bexception)[^「『\"“\n]{0,24}[「『\"“](?P<a>[^」』\"”]+)"
    r"|[「『\"“](?P<b>[^「」『』\"“”]+)[」』\"”]\s*(?:という|との|って|といった)?[^。\n]{0,6}?(?:エラー|例外|error\b|exception\b)",
    re.IGNORECASE,
)
_TRACEBACK = re.compile(
    r"Traceback \(most recent call last\)(?:[^\n]*\n(?=[ \t]|\S*(?:Error|Exception)\b|\n))*[^\n]*", re.IGNORECASE
)


def without_errors(text: str) -> str:
    """The text with pasted error messages blanked.

    Args:
        text: The normalised question.
    """
    return blanked(text, error_spans(text))


def blanked(text: str, spans: Spans) -> str:
    """The text with some pieces blanked, so that every other word keeps its place.

    Args:
        text: The normalised question.
        spans: Offsets of the first character and after the last.
    """
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def error_spans(text: str) -> list[tuple[int, int]]:
    """Where pasted error messages stand, as offsets of the first character and after the last.

    Args:
        text: The normalised question.
    """
    found = [m.span() for p in (_TRACEBACK, _JAPANESE_MESSAGE) for m in p.finditer(text)]
    found += [m.span(m.lastgroup or 0) for m in _QUOTED.finditer(text)]
    return [*found, *_messages(text)]


def _messages(text: str) -> Iterator[tuple[int, int]]:
    for m in _MESSAGE.finditer(text):
        line_end = text.find("\n", m.end())
        end = len(text) if line_end < 0 else line_end
        own = _OWN_WORDS.search(text, m.end(), end)
        yield m.start(), own.start() if own else end
