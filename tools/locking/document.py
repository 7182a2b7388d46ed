"""Locks and policies as files: TOML read strictly, TOML written whole, in one order and readable line by line."""

from __future__ import annotations

import contextlib
import difflib
import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from tools.errors import InvalidLock, SourceUnavailable
from tools.file_safety.findings import printable
from tools.locking.records import Lock
from tools.strict_toml import MAX_TOML_BYTES, BadToml, parse_toml

Record = TypeVar("Record", bound=BaseModel)

_SCHEMA = "The schema is in docs/lock.md; put back the last version of the file that was good, or write it anew."
_COMMENT = (
    " Adopted models, written by `tameshi lock` and verified by `tameshi check`; edits are lost. Schema: docs/lock.md"
)


def parse_record(path: Path, kind: type[Record], newest: int) -> Record:
    """Read a TOML file as a record.

    Args:
        path: The file.
        kind: The record.
        newest: The newest schema version that is known.

    Raises:
        InvalidLock: It is not there, or not what the schema asks for.
    """
    name = printable(path.name, 80)
    try:
        if not path.is_file():
            raise InvalidLock(
                f"The file `{printable(str(path), 200)}` is not there.", "Check the path.", code="no_file"
            )
        with path.open("rb") as stream:
            content = parse_toml(stream.read(MAX_TOML_BYTES + 1))
    except BadToml as error:
        raise InvalidLock(f"The file `{name}` {error}.", _SCHEMA) from error
    except OSError as error:
        raise InvalidLock(
            f"`{name}` could not be read ({error.strerror or error}).", "Check its permissions."
        ) from error
    version = content.get("schema_version")
    if type(version) is int and version > newest:
        message = f"`{name}` has schema version {version}, which is newer than the {newest} known here."
        raise InvalidLock(message, "Install the version of this program that wrote it.", code="newer_schema")
    try:
        # As JSON, so that lists become tuples and times are read, while a text is still no number.
        return kind.model_validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        raise _not_the_schema(name, kind, error) from error
    except ValueError as error:  # a lone surrogate, an integer of too many digits
        raise InvalidLock(f"`{name}` holds a value that no lock has.", _SCHEMA) from error


def _not_the_schema(name: str, kind: type[BaseModel], error: ValidationError) -> InvalidLock:
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    # A misspelt name is told before what is lacking because of it.
    first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
    place = [str(part) for part in first["loc"] if not str(part).startswith(("function-", "constrained-"))]
    where = printable(".".join(place) or "model", 120).replace("`", "ˋ")
    if first["type"] == "extra_forbidden":
        known = sorted(_names_of(kind))
        nearest = difflib.get_close_matches(place[-1], known, n=1, cutoff=0.5)
        step = (
            f"Did you mean `{nearest[0]}`?"
            if nearest
            else f"Known are {', '.join(f'`{each}`' for each in known[:12])}."
        )
        return InvalidLock(f"`{name}` has the unknown entry `{where}`.", step, code="unknown_entry")
    if first["type"] == "missing":
        return InvalidLock(f"`{name}` lacks the entry `{where}`.", _SCHEMA, code="missing_entry")
    if "twice" in first["msg"]:
        return InvalidLock(f"`{name}` names a model or a file twice (at `{where}`).", _SCHEMA, code="named_twice")
    return InvalidLock(f"The entry `{where}` of `{name}` does not have a value that the schema allows.", _SCHEMA)


def _names_of(kind: type[BaseModel]) -> set[str]:
    """Names of all entries of a record and of the records in it."""
    schema = kind.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return {name for part in parts for name in part.get("properties", {})}


def write_record(path: Path, make: Callable[[], Lock]) -> Lock:
    """Write a lock whole or not at all, while no other program does.

    Args:
        path: The file; a link is followed.
        make: Makes what is written, when it is this program's turn.

    Returns:
        What was written.

    Raises:
        SourceUnavailable: It cannot be written.
    """
    target = path.resolve()
    try:
        with _turn(target.parent):
            lock = make()
            replace_file(target, as_toml(lock))
    except OSError as error:
        raise not_written(path, error) from error
    return lock


def replace_file(path: Path, text: str) -> None:
    """Put a text in a file's place, whole and on the disk; the next writer writes over what a kill left."""
    unfinished = path.with_name(f".{path.name}.tmp")
    with unfinished.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(path)


def not_written(path: Path, error: OSError) -> SourceUnavailable:
    """The failure of a write."""
    message = f"`{printable(str(path), 200)}` could not be written ({error.strerror or error})."
    return SourceUnavailable(message, "Name a file in a folder that can be written to.", code="not_written")


@contextlib.contextmanager
def _turn(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def as_toml(lock: Lock) -> str:
    """The lock as the text of its file."""
    import tomlkit  # noqa: PLC0415 (only when a lock is written)

    document = tomlkit.document()
    document.add(tomlkit.comment(_COMMENT.strip()))
    _fill(document, {"schema_version": lock.schema_version} | lock.model_dump(by_alias=True, exclude_defaults=True))
    return re.sub(r"(?<!\n)\n\[", "\n\n[", tomlkit.dumps(document))


def _fill(table: Any, content: dict[str, Any]) -> None:
    """Values first, then tables, as TOML asks."""
    import tomlkit  # noqa: PLC0415 (as above)

    tables = {key: value for key, value in content.items() if _is_table(value) or _are_tables(key, value)}
    for key, value in content.items():
        if key not in tables:
            table.add(key, _item(value))
    for key, value in tables.items():
        parts = value if isinstance(value, tuple) else (value,)
        filled = [tomlkit.table() for _ in parts]
        for part, each in zip(filled, parts, strict=True):
            _fill(part, each)
        table.add(key, tomlkit.aot() if isinstance(value, tuple) else filled[0])
        if isinstance(value, tuple):
            for part in filled:
                table[key].append(part)


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _are_tables(key: str, value: object) -> bool:
    return key in {"model", "evidence", "gates"} and isinstance(value, tuple)


def _item(value: Any) -> Any:
    """A value; rows of a list stand one in a line."""
    import tomlkit  # noqa: PLC0415 (as above)

    if not isinstance(value, tuple):
        return tomlkit.item(value)
    array = tomlkit.array()
    for each in value:
        if isinstance(each, dict):
            row = tomlkit.inline_table()
            row.update(each)
            array.append(row)
        else:
            array.append(each)
    return array.multiline(any(isinstance(each, dict) for each in value) or len(value) > 3)
