"""What a planted case is, and the payloads; each payload would do no more than create a marker file."""

from __future__ import annotations

import io
import json
import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

Build = Callable[[Path, Path], None]
"""Plants the case into a folder that holds a sound model; the second path is the marker that a payload would create."""


class Case(NamedTuple):
    """A folder with something wrong in it."""

    row: str
    """The threat, `T01` to `T17`."""
    name: str
    verdict: str
    """What must come out of it: `refuse` or `flag`."""
    build: Build
    rule: str = ""
    """The rule that must say so, where it is not the row's own."""

    @property
    def reason(self) -> str:
        """The rule that must be among the findings of that verdict."""
        return self.rule or self.row


class Payload:
    """Creates the marker when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self._marker = str(marker)

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        """What unpickling would call."""
        return os.system, (f"touch '{self._marker}'",)


def pickled(marker: Path, protocol: int = 4) -> bytes:
    """A pickle with the payload."""
    return pickle.dumps({"weight": Payload(marker)}, protocol)


def python_code(marker: Path) -> str:
    """A line of Python with the payload."""
    return f"open({str(marker)!r}, 'w')\n"


def template_code(marker: Path) -> str:
    """A template that would run the payload outside of a sandbox."""
    return "{{ cycler.__init__.__globals__.os.system('touch MARKER') }}".replace("MARKER", str(marker))


def as_zip(members: dict[str, bytes]) -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def as_tar(members: dict[str, bytes]) -> bytes:
    """A tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def puts(name: str, content: bytes | Callable[[Path], bytes]) -> Build:
    """Writes one file; its content may depend on the marker."""

    def build(folder: Path, marker: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(marker) if callable(content) else content)

    return build


def puts_json(name: str, content: Any) -> Build:
    """Writes one JSON file."""
    return puts(name, json.dumps(content).encode())


def changes_config(**changes: Any) -> Build:
    """Changes the config; `...` removes a key."""

    def build(folder: Path, _marker: Path) -> None:
        path = folder / "config.json"
        content = json.loads(path.read_text()) | changes
        path.write_text(json.dumps({key: value for key, value in content.items() if value is not ...}))

    return build
