"""Why a document was refused, each reason as one sentence with a next step."""

from __future__ import annotations

from knowledge.errors import UnreadableDocument

_SAVE_AS = "Save it as PDF, DOCX, HTML, Markdown or plain text, and add that."
_KINDS = {
    "old_office": "a file of an older version of Office",
    "other_office": "a spreadsheet, a presentation or another kind of office file",
    "rtf": "a file of rich text",
    "picture": "a picture",
    "media": "a recording or a picture",
    "program": "a program",
    "archive": "an archive",
    "postscript": "a file of PostScript",
    "database": "a database",
    "binary": "a file of an unknown kind",
}
"""What a file is that is none of the kinds which are read."""


def unreadable(kind: str, name: str, detail: str = "") -> UnreadableDocument:
    """The failure for a reason that the reading process gave, or that was found before it.

    Args:
        kind: The reason.
        name: Name of the file.
        detail: What the file is, when it is of another kind; a number otherwise.
    """
    if kind == "unsupported":
        what = _KINDS.get(detail, _KINDS["binary"])
        return UnreadableDocument(f"`{name}` is {what}, and is not read.", _SAVE_AS)
    return _REASONS.get(kind, _damaged)(name, detail)


def _empty(name: str, _detail: str) -> UnreadableDocument:
    return UnreadableDocument(f"`{name}` is empty.", "Check that it was saved completely, and add it again.")


def _encrypted(name: str, _detail: str) -> UnreadableDocument:
    return UnreadableDocument(
        f"`{name}` is protected by a password.", "Save a copy that opens without a password, and add the copy."
    )


def _no_text(name: str, _detail: str) -> UnreadableDocument:
    return UnreadableDocument(
        f"`{name}` has no text that can be read; its pages are probably scanned pictures.",
        "Run text recognition (OCR) over it, and add the result.",
    )


def _nothing_seen(name: str, _detail: str) -> UnreadableDocument:
    return UnreadableDocument(
        f"`{name}` has no text that a reader would see.", "Check that it was saved completely, and add it again."
    )


def _damaged(name: str, _detail: str) -> UnreadableDocument:
    return UnreadableDocument(
        f"`{name}` is damaged: its content is not what a file of its kind must hold.",
        "Open it in the program that made it, save it again, and add the new file.",
    )


def _bomb(name: str, _detail: str) -> UnreadableDocument:
    return UnreadableDocument(
        f"`{name}` unpacks to far more than a document holds.",
        "Find out where it comes from before anybody opens it. A copy saved as plain text can be added.",
    )


def _too_long(name: str, _detail: str) -> UnreadableDocument:
    return UnreadableDocument(
        f"`{name}` has more text than one document may have.", "Split it, and add the parts that matter."
    )


def _too_many_pages(name: str, detail: str) -> UnreadableDocument:
    return UnreadableDocument(f"`{name}` has {detail} pages, too many.", "Split it, and add the parts that matter.")


def _too_large(name: str, detail: str) -> UnreadableDocument:
    return UnreadableDocument(
        f"`{name}` is larger than {detail} MiB.", "Split it, or save it without its pictures, and add that."
    )


def _limits(name: str, detail: str) -> UnreadableDocument:
    return UnreadableDocument(
        f"`{name}` could not be read within the limits of {detail}.",
        "Find out where it comes from before anybody opens it. A copy saved as plain text can be added.",
    )


_REASONS = {
    "empty": _empty,
    "encrypted": _encrypted,
    "no_text": _no_text,
    "nothing_seen": _nothing_seen,
    "damaged": _damaged,
    "bomb": _bomb,
    "too_long": _too_long,
    "too_many_pages": _too_many_pages,
    "too_large": _too_large,
    "limits": _limits,
}
