"""Damaged safetensors files: a sound one with bytes, lengths, entries, numbers or texts changed, the same for the same seed."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Iterator
from typing import Any

_DTYPES = (
    "F32",
    "F16",
    "BF16",
    "I64",
    "U8",
    "BOOL",
    "F64",
    "F4",
    "F6_E2M3",
    "F8_E4M3",
    "F8_E8M0",
    "C64",
    "F31",
    "f32",
    "",
    "I32",
)
_NUMBERS = (
    0,
    1,
    2,
    3,
    4,
    8,
    16,
    63,
    2**31,
    2**32,
    2**62,
    2**63 - 1,
    2**63,
    2**64 - 1,
    2**64,
    -1,
    -8,
    1.0,
    0.5,
    True,
    None,
    "8",
    10**50,
    [1],
)
_TEXTS = ("-0", "1e1", "8.0", "08", "+8", "0x8", "NaN", "Infinity", "1_0", "٣", "8 ", "\t8", "8e0", "-1", "1E400")
"""Ways to write a number, where readers of JSON differ."""
_STRINGS = (
    r"\ud800",
    r"\udc00\ud800",
    r"\u0000",
    r"\/",
    r"\x",
    "\x01",
    "\x7f",
    "é",
    "\ufeff",
    r"\ud83d\ude00",
    "\udcff",
    "a" * 300,
    "",
)
"""Contents of texts, where readers of JSON differ; the last but one bytes are not UTF-8."""


def sound_files() -> list[bytes]:
    """Sound files of several forms, from which the damaged ones are made."""
    layouts: tuple[dict[str, tuple[str, list[int]]], ...] = (
        {"a": ("F32", [2, 3])},
        {"a": ("F32", [2]), "b": ("F16", [4]), "c": ("U8", [])},
        {"empty": ("F32", [0]), "a": ("BF16", [1, 1, 1]), "b": ("I64", [2])},
        {f"layer.{each}.weight": ("F32", [2, 2]) for each in range(6)},
        {"a": ("F4", [2, 2]), "b": ("F6_E2M3", [4]), "c": ("BOOL", [3])},
        {},
    )
    found = [_file(*_laid_out(layout)) for layout in layouts]
    header, data = _laid_out(layouts[1])
    return [
        *found,
        _file({"__metadata__": {"format": "pt", "note": "x"}} | header, data),
        _file({"__metadata__": {}}, b""),
    ]


def _laid_out(layout: dict[str, tuple[str, list[int]]]) -> tuple[dict[str, Any], bytes]:
    bits = {"F32": 32, "F16": 16, "BF16": 16, "U8": 8, "BOOL": 8, "I64": 64, "F4": 4, "F6_E2M3": 6}
    header: dict[str, Any] = {}
    end = 0
    for name, (dtype, shape) in layout.items():
        count = bits[dtype]
        for size in shape:
            count *= size
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + count // 8]}
        end += count // 8
    return header, bytes(range(256))[:end]


def _file(header: dict[str, Any] | str, data: bytes) -> bytes:
    text = header if isinstance(header, str) else json.dumps(header)
    raw = b"".join(each.encode("utf-8", "surrogatepass" if each < "\udc80" else "surrogateescape") for each in text)
    return struct.pack("<Q", len(raw)) + raw + data


def damaged(count: int, seed: int) -> Iterator[bytes]:
    """Damaged files, the same ones for the same seed.

    Args:
        count: How many.
        seed: Of the random numbers.
    """
    chance = random.Random(seed)
    files = sound_files()
    ways: tuple[Callable[[bytes, random.Random], bytes], ...] = (
        _bytes, _length, _entries, _entries, _text, _text, _tail, _harmless, _harmless,
    )  # fmt: skip
    for _ in range(count):
        found = chance.choice(files)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            found = chance.choice(ways)(found, chance)
        yield found


def _split(file: bytes) -> tuple[str, bytes]:
    length = int.from_bytes(file[:8], "little")
    return file[8 : 8 + length].decode("utf-8", "surrogateescape"), file[8 + length :]


def _bytes(file: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, taken out or put in."""
    raw = bytearray(file)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(raw) + 1)
        kind = chance.randrange(3)
        if kind == 0:
            raw[place : place + 1] = bytes([chance.choice(b'{}[]",:0123456789.eE-+ \n\t\\\x00\xff')])
        elif kind == 1:
            del raw[place : place + chance.randint(1, 8)]
        else:
            raw[place:place] = bytes([chance.choice(b'{}[]",:019 \n')])
    return bytes(raw)


def _length(file: bytes, chance: random.Random) -> bytes:
    length = int.from_bytes(file[:8].ljust(8, b"\0"), "little")
    new = chance.choice(
        (
            length + 1,
            length - 1,
            0,
            1,
            2,
            8,
            2**63,
            2**64 - 1,
            100_000_000,
            100_000_001,
            length ^ (1 << chance.randrange(64)),
        )
    )
    return struct.pack("<Q", new % 2**64) + file[8:]


def _entries(file: bytes, chance: random.Random) -> bytes:
    """The header as an object, with an entry changed."""
    text, data = _split(file)
    try:
        header = json.loads(text)
    except ValueError:
        return _bytes(file, chance)
    if not isinstance(header, dict) or not header:
        return _file(json.dumps({"a": header}), data)
    name = chance.choice(list(header))
    entry = header[name]
    change = chance.randrange(6)
    if change == 0:
        del header[name]
    elif change == 1:
        header[chance.choice(("__metadata__", "new", "a", ""))] = chance.choice(
            (entry, {}, None, [], {"a": 1}, {"a": "b"}, {"dtype": "U8", "shape": [], "data_offsets": [0, 1]})
        )
    elif isinstance(entry, dict):
        key = chance.choice(("dtype", "shape", "data_offsets", "further"))
        header[name] = entry | {key: _value(key, entry.get(key), chance)}
        if change == 2:
            header[name].pop(chance.choice(("dtype", "shape", "data_offsets")), None)
    return _file(json.dumps(header, ensure_ascii=chance.random() < 0.5), data)


def _harmless(file: bytes, chance: random.Random) -> bytes:
    """The same header in another order, with other spaces, other names or further metadata."""
    text, data = _split(file)
    try:
        header = json.loads(text)
    except ValueError:
        return file
    if not isinstance(header, dict):
        return file
    names = list(header)
    chance.shuffle(names)
    shuffled = {name: header[name] for name in names}
    if chance.random() < 0.5:
        shuffled["__metadata__"] = {chance.choice(("format", "é", "")): chance.choice(("pt", "", "日本語", "{}"))}
    renamed = {
        name if name == "__metadata__" else name + chance.choice(("", "", "é", " ", ".x")): e
        for name, e in shuffled.items()
    }
    written = json.dumps(renamed, indent=chance.choice((None, 0, 2)), ensure_ascii=chance.random() < 0.5)
    return _file(written + " " * chance.choice((0, 0, 1, 7)), data)


def _value(key: str, old: Any, chance: random.Random) -> Any:
    if key == "dtype":
        return chance.choice(_DTYPES)
    values = list(old) if isinstance(old, list) else [0]
    for _ in range(chance.randint(1, 2)):
        values.insert(chance.randrange(len(values) + 1), chance.choice(_NUMBERS))
        if chance.random() < 0.8:
            values.pop(chance.randrange(len(values)))
    return chance.choice((values, values, values, old, None, "x", {}))


def _text(file: bytes, chance: random.Random) -> bytes:
    """The header as a text, with something written in another way."""
    text, data = _split(file)
    kind = chance.randrange(5)
    if kind == 0:
        digits = [place for place, letter in enumerate(text) if letter.isascii() and letter.isdigit()]
        if digits:
            place = chance.choice(digits)
            text = text[:place] + chance.choice(_TEXTS) + text[place + 1 :]
    elif kind == 1:
        quotes = [place for place, letter in enumerate(text) if letter == '"']
        if quotes:
            place = chance.choice(quotes) + 1
            text = text[:place] + chance.choice(_STRINGS) + text[place:]
    elif kind == 2:
        text = chance.choice(
            (
                text + " " * 8,
                " " + text,
                text + "\0",
                text + "\n\t",
                text + text,
                "\ufeff" + text,
                text + "x",
                text + ",",
            )
        )
    elif kind == 3 and text.count("}") > 1:
        start = text.find('"')
        end = text.find("}", start) + 1
        text = text[:start] + text[start:end] + "," + text[start:]
    else:
        place = chance.randrange(len(text) + 1)
        text = (
            text[:place]
            + chance.choice((" ", "\n", "\r", "\t", "\u00a0", "\x0b", "/**/", "[" * 200, '{"a":' * 3))
            + text[place:]
        )
    return _file(text, data)


def _tail(file: bytes, chance: random.Random) -> bytes:
    """Data taken away or put behind."""
    return chance.choice((file[: -chance.randint(1, 4)], file + bytes(chance.randint(1, 9)), file[: len(file) // 2]))
