"""Recognises pickles by their content, without ever unpickling."""

from __future__ import annotations

import re
from collections.abc import Iterator

_MAX_OPCODES = 2_000
_FIRST_BYTES = frozenset(b"()].012abcdeghijlopqrstu}BCFGIJKLMNPQRSTUVX") | frozenset(range(0x80, 0x99))
"""Marks of all instructions; what begins otherwise needs no further look."""
_MODULE = re.compile(r"[A-Za-z_][\w.]* [A-Za-z_][\w.]*\Z")
_CALLING = {"GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "REDUCE", "NEWOBJ", "NEWOBJ_EX", "BUILD", "EXT1", "EXT2", "EXT4"}
_BUILDING = {"EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "DICT", "LIST", "TUPLE", "MARK", "PUT", "BINPUT", "MEMOIZE"}


def is_pickle(head: bytes) -> bool:
    """Whether a file that starts like this is a pickle of any protocol.

    Args:
        head: The first bytes of the file, a few thousand.

    Returns:
        True when the bytes read as pickle instructions; a cut at the end does not matter.
    """
    if not head or head[0] not in _FIRST_BYTES:
        return False
    if len(head) >= 3 and head[0] == 0x80 and 2 <= head[1] <= 5:
        return _starts_binary(head)
    return _is_text_pickle(head)


def imported_names(head: bytes) -> tuple[str, ...]:
    """Functions and classes that unpickling would import, as far as the given bytes show them."""
    names: dict[str, None] = {}
    strings: list[str] = []
    for opcode, argument in _opcodes(head):
        if opcode in {"GLOBAL", "INST"} and isinstance(argument, str):
            names.setdefault(argument.replace(" ", "."))
        elif opcode == "STACK_GLOBAL" and len(strings) >= 2:
            names.setdefault(".".join(strings[-2:]))
        elif isinstance(argument, str):
            strings.append(argument)
    return tuple(names)[:20]


def _starts_binary(head: bytes) -> bool:
    """Protocol 2 and later say so in their first two bytes; two more instructions must follow, or the end of the bytes."""
    return sum(1 for _ in zip(range(3), _opcodes(head), strict=False)) >= 2 or len(head) < 8


def _is_text_pickle(head: bytes) -> bool:
    """Protocols 0 and 1 have no mark: every byte must read as an instruction, and something must be built or called."""
    names: set[str] = set()
    for opcode, argument in _opcodes(head):
        if opcode in {"GLOBAL", "INST"}:
            if not isinstance(argument, str) or _MODULE.match(argument) is None:
                return False
            names.add(opcode)
            continue
        names.add(opcode)
        if opcode == "STOP":
            return bool(names & (_CALLING | _BUILDING))
    return bool(names & {"GLOBAL", "INST"}) and bool(names & (_CALLING - {"GLOBAL", "INST"} | _BUILDING))


def _opcodes(head: bytes) -> Iterator[tuple[str, object]]:
    """Instructions up to the first that does not read; pickletools only reads them."""
    import pickletools  # noqa: PLC0415 (few files begin like a pickle)

    try:
        for count, (opcode, argument, _position) in enumerate(pickletools.genops(head)):
            yield opcode.name, argument
            if count >= _MAX_OPCODES:
                return
    except (ValueError, UnicodeError, OverflowError, MemoryError):  # pickletools raises them for what it cannot read
        return
