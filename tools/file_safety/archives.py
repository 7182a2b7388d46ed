"""Looks into archives without unpacking them: which members are pickles, and what a Keras file would call."""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from tools.file_safety.pickles import is_pickle
from tools.strict_json import BadJson, parse_json

if TYPE_CHECKING:
    import tarfile

MOST_MEMBERS = 5_000
_LOOKED_INTO = 200
_LOOKED_INTO_REMOTELY = 8
_HEAD_BYTES = 8192
_PICKLE_MEMBER = re.compile(
    r"(?:^|/)(?:data\.pkl|.*\.(?:pkl|pickle|pt|pth|ckpt|bin|joblib)|pickle|storages|constants\.pkl)\Z", re.IGNORECASE
)
_NPY = b"\x93NUMPY"
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")
_SAFE_MODULES = ("keras", "builtins")
_BROKEN = (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError, zlib.error)

Recognised = tuple[str, str]
"""Kind and detail, as in `content.Content`."""


def look_into_zip(stream: BinaryIO, *, remote: bool = False) -> Recognised:
    """What a zip archive is, by its directory and the beginnings of its members.

    Args:
        stream: The archive.
        remote: Whether each member costs a request; then only the first few are looked into.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            members = archive.namelist()[:MOST_MEMBERS]
            named = next((member for member in members if _PICKLE_MEMBER.search(member)), None)
            if named is not None:
                return "pickle", f"a zip archive with the pickle {named}"
            if "config.json" in members and any(member.endswith(".h5") for member in members):
                return _keras(archive)
            for member in members[: _LOOKED_INTO_REMOTELY if remote else _LOOKED_INTO]:
                found = _of_member(archive, member)
                if found is not None:
                    return found
    except _BROKEN:
        return "sealed", "a zip archive that cannot be read"
    if members and all(member.endswith(".npy") for member in members):
        return "plain", ""
    return "archive", f"a zip archive of {len(members)} files"


def _of_member(archive: zipfile.ZipFile, member: str) -> Recognised | None:
    with archive.open(member) as stream:
        head = stream.read(_HEAD_BYTES)
    if member.endswith(".npy") and (is_pickle(head) or is_object_array(head)):
        return "pickle", f"a NumPy archive whose {member} holds Python objects, which is a pickle"
    if is_pickle(head):
        return "pickle", f"a zip archive with the pickle {member}"
    if head.startswith(_ARCHIVES):
        return "sealed", f"a zip archive with the archive {member}"
    return None


def is_object_array(head: bytes) -> bool:
    """Whether a NumPy file holds Python objects, which it keeps as a pickle."""
    return head.startswith(_NPY) and (b"|O" in head[:1024] or b"'O'" in head[:1024])


def _keras(archive: zipfile.ZipFile) -> Recognised:
    with archive.open("config.json") as stream:
        raw = stream.read(2_000_001)
    try:
        config = parse_json(raw[:2_000_000]) if len(raw) <= 2_000_000 else None
    except BadJson:
        config = None
    if config is None:
        return "code", "a Keras file whose config cannot be read"
    if b'"Lambda"' in raw or b'"__lambda__"' in raw:
        return "code", "a Keras file with a Lambda layer, which is code"
    module = next((each for each in _modules(config) if each.partition(".")[0] not in _SAFE_MODULES), None)
    if module is not None:
        return "code", f"a Keras file that calls code of the module {json.dumps(module)[1:61].rstrip(chr(34))}"
    return "keras", "a Keras file"


def _modules(config: Any) -> Iterator[str]:
    if isinstance(config, dict):
        if isinstance(config.get("module"), str):
            yield config["module"]
        for value in config.values():
            yield from _modules(value)
    elif isinstance(config, list):
        for item in config:
            yield from _modules(item)


def look_into_tar(stream: BinaryIO) -> Recognised:
    """What a tar archive is, by the names of its members and their beginnings."""
    import tarfile  # noqa: PLC0415 (as dear as all rules, and few models hold one)

    found: Recognised | None = None
    try:
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            for _, member in zip(range(_LOOKED_INTO), archive, strict=False):
                if is_of_nemo(member.name):
                    return "nemo", "a NeMo archive, which holds a pickle"
                found = found or _of_entry(archive, member)
    except (tarfile.TarError, OSError, ValueError, EOFError):
        return "sealed", "a tar archive that cannot be read"
    return found or ("archive", "a tar archive")


def _of_entry(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Recognised | None:
    if _PICKLE_MEMBER.search(member.name):
        return "pickle", f"a tar archive with the pickle {member.name}"
    stream = archive.extractfile(member) if member.isfile() else None
    if stream is not None and is_pickle(stream.read(_HEAD_BYTES)):
        return "pickle", f"a tar archive with the pickle {member.name}"
    return None


def look_into_tar_head(head: bytes) -> Recognised:
    """What a tar archive is, of which only the beginning was unpacked."""
    name = head[:100].split(b"\0")[0].decode("utf-8", "replace")
    if is_of_nemo(name):
        return "nemo", "a NeMo archive, which holds a pickle"
    if _PICKLE_MEMBER.search(name) or is_pickle(head[512:]):
        return "pickle", f"a tar archive with the pickle {name}"
    return "archive", "a tar archive"


def is_of_nemo(member: str) -> bool:
    """Whether a member's name is that of a NeMo archive's config."""
    return member.endswith("model_config.yaml")


def as_stream(raw: io.RawIOBase) -> BinaryIO:
    """A buffered stream over ranged reads, so that an archive's directory costs few of them."""
    return io.BufferedReader(raw, 65_536)  # type: ignore[return-value]  # io's classes and typing's are not one tree
