"""What a file is, by its content and not by its name."""

from __future__ import annotations

import io
import re
import zipfile

from document_blocks import Unreadable

MOST_UNPACKED_BYTES = 200 * 1024 * 1024
MOST_PARTS = 5_000
_PACKED = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SIGNATURES = (
    (b"{\\rtf", "rtf"), (b"\x89PNG", "picture"), (b"\xff\xd8\xff", "picture"), (b"GIF8", "picture"),
    (b"II*\x00", "picture"), (b"MM\x00*", "picture"), (b"RIFF", "media"), (b"\x7fELF", "program"), (b"MZ", "program"),
    (b"\x1f\x8b", "archive"), (b"BZh", "archive"), (b"\xfd7zXZ", "archive"), (b"7z\xbc\xaf", "archive"),
    (b"Rar!", "archive"), (b"%!PS", "postscript"), (b"SQLite format 3", "database"),
)  # fmt: skip
_STRAY = 4
"""So many zeros or other control characters do not make a text anything else; they are left out."""
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
"""Byte order marks."""
_PAGE = re.compile(rb"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)  # fmt: skip
_TAGS = re.compile(rb"<(?:p|div|h[1-6]|table|body|span|ul|ol)\b", re.IGNORECASE)
_KINDS = {"htm": "html", "markdown": "md", "text": "txt"}


def format_of(content: bytes, name: str) -> str:
    """`pdf`, `docx`, `html`, `md` or `txt`.

    Args:
        content: The whole file.
        name: Its name, which only tells Markdown and pieces of HTML from plain text.

    Raises:
        Unreadable: It is nothing of these.
    """
    if not content.strip(b"\x00 \t\r\n"):
        raise Unreadable("empty")
    if b"%PDF-" in content[:1024]:
        return "pdf"
    if content.startswith(_PACKED):
        return _packed(content)
    if content.startswith(_OLE):
        raise Unreadable("encrypted") if _ENCRYPTED in content else Unreadable("unsupported", "old_office")
    for signature, kind in _SIGNATURES:
        if content.startswith(signature):
            raise Unreadable("unsupported", kind)
    if not content.startswith(_MARKS) and _is_binary(content):
        raise Unreadable("unsupported", "binary")
    return _text_format(content, name)


def _packed(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise Unreadable("damaged") from error
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED_BYTES:
        raise Unreadable("bomb")
    names = {part.filename for part in parts}
    if any(part.flag_bits & 1 for part in parts):
        raise Unreadable("encrypted")
    if "word/document.xml" in names or "word/document2.xml" in names:
        return "docx"
    if any(name.startswith(("xl/", "ppt/")) for name in names) or "mimetype" in names:
        raise Unreadable("unsupported", "other_office")
    raise Unreadable("unsupported", "archive")


def _is_binary(content: bytes) -> bool:
    """Whether it holds what no text holds; UTF-16 without its mark has a zero in every second place, and is found out later."""
    sample = content[:65_536]
    zeros = sample.count(0)
    if zeros > max(_STRAY, len(sample) / 200):
        even, odd = sample[::2].count(0), sample[1::2].count(0)
        return not (is_wide(content) and min(even, odd) < zeros / 20)
    strange = sum(sample.count(byte) for byte in (*range(1, 9), *range(14, 27), 28, 29, 30, 31, 127))
    return strange > max(_STRAY, len(sample) / 100)


def is_wide(content: bytes) -> bool:
    """Whether a text without a mark has a zero in so many places that it can only be UTF-16."""
    sample = content[:65_536]
    return sample.count(0) > max(_STRAY, len(sample) / 20)


def _text_format(content: bytes, name: str) -> str:
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    kind = _KINDS.get(ending, ending)
    if _PAGE.match(content[:4096].lstrip(b"\xef\xbb\xbf")) or (kind == "html" and _TAGS.search(content[:65_536])):
        return "html"
    # A page in UTF-16 is recognised by its name alone.
    return kind if kind in {"md", "html"} else "txt"
