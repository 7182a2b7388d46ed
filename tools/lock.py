"""The lock: the file `models.lock`, which says what was adopted, at which content, on which evidence.

The file is TOML of a documented schema (`docs/lock.md`). It is written as a whole, in one order, so that a version
control system shows what changed line by line.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tools.locking.document import parse_record, write_record
from tools.locking.records import SCHEMA_VERSION, Lock, LockedModel
from tools.model_reference import ModelReference

__all__ = [
    "Lock", "LockedModel", "change_lock", "read_lock", "reference_for", "reference_from", "with_model", "write_lock",
]  # fmt: skip


def read_lock(path: Path) -> Lock:
    """Read a lock file.

    Args:
        path: The file.

    Returns:
        The lock.

    Raises:
        InvalidLock: It is not there, or not what the schema asks for.
    """
    return parse_record(path, Lock, SCHEMA_VERSION)


def write_lock(lock: Lock, path: Path) -> None:
    """Write a lock file: whole or not at all.

    Args:
        lock: What it holds.
        path: The file.

    Raises:
        SourceUnavailable: It cannot be written.
    """
    write_record(path, lambda: lock)


def change_lock(path: Path, change: Callable[[Lock], Lock]) -> Lock:
    """Read a lock file, change it and write it; of two programs that do this at once neither loses its change.

    Args:
        path: The file; a new one when it is not there.
        change: Makes the new lock from the present one.

    Returns:
        The new lock.

    Raises:
        InvalidLock: The file is not what the schema asks for; it stays as it is.
        SourceUnavailable: It cannot be written.
    """
    return write_record(path, lambda: change(read_lock(path) if path.exists() else Lock()))


def with_model(lock: Lock, model: LockedModel) -> Lock:
    """The lock with an entry added, or put in place of the one of the same name."""
    others = [each for each in lock.models if each.name != model.name]
    return Lock(model=tuple(sorted((*others, model), key=lambda each: (each.name.casefold(), each.name))))


def reference_for(lock_path: Path, reference: ModelReference) -> str:
    """A reference as the lock holds it: a folder below the lock's own from there, another one as absolute."""
    if reference.path is None:
        return reference.canonical
    folder, home = reference.path.expanduser().resolve(), lock_path.resolve().parent
    return f"./{folder.relative_to(home).as_posix()}" if folder.is_relative_to(home) else str(folder)


def reference_from(lock_path: Path, model: LockedModel) -> str:
    """What names the model from the present folder, whatever folder the lock lies in."""
    path = model.parsed.path
    return model.reference if path is None else str(lock_path.resolve().parent / path)
