"""Every sentence exists in both languages with the same places to fill, is used, and is there when asked for."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from pathlib import Path

import pytest

import assistant
from assistant.phrases import _sentences, has, say

FOLDER = Path(assistant.__file__).parent
KEYS = sorted(_sentences())


def literals():
    """String constants of the package, and patterns of its f-strings, docstrings left out."""
    constants, patterns = set(), set()
    for path in FOLDER.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        parts = {id(v) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for v in node.values}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
                constants.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                pieces = [re.escape(v.value) if isinstance(v, ast.Constant) else r"[\w.-]+" for v in node.values]
                if isinstance(node.values[0], ast.Constant) and "." in node.values[0].value:
                    patterns.add("".join(pieces))
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_joined":
                # A list of keys of one group.
                group = node.args[0]
                patterns |= {rf"{group.value}\.\w+"} if isinstance(group, ast.Constant) else set()
    return constants, patterns


def said():
    """Keys that are the first argument of a `say(...)`."""
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"say", "has"}
            if named and node.args:
                yield from keys_of(node.args[0], path)


def keys_of(node, path):
    if isinstance(node, ast.IfExp):
        yield from keys_of(node.body, path)
        yield from keys_of(node.orelse, path)
    elif isinstance(node, ast.Constant):
        yield node.value, path.name
    elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        yield "".join(re.escape(v.value) if isinstance(v, ast.Constant) else r"[\w.-]+" for v in node.values), path.name


@pytest.mark.parametrize("key", KEYS)
def test_both_languages_have_the_same_places(key):
    sentence = _sentences()[key]
    texts = {language: sentence[language] for language in ("en", "ja")}
    places = {
        language: {name for _, name, _, _ in string.Formatter().parse(text) if name} for language, text in texts.items()
    }
    assert places["en"] == places["ja"]
    assert all(text.strip() for text in texts.values())


def test_every_key_that_is_said_exists():
    found = list(said())
    assert len(found) > 50
    missing = [(key, file) for key, file in found if not any(re.fullmatch(key, known) for known in KEYS)]
    assert missing == []


def test_no_sentence_is_unused():
    constants, patterns = literals()
    whole = re.compile("|".join(sorted(patterns)))
    assert [key for key in KEYS if key not in constants and not whole.fullmatch(key)] == []


def test_every_tool_has_a_name_a_request_and_both_exist_for_no_other_tool():
    from assistant.tool_catalogue import RECORDS

    assert {key.removeprefix("tool.") for key in KEYS if key.startswith("tool.")} == set(RECORDS)
    assert set(RECORDS) <= {key.removeprefix("reading.") for key in KEYS if key.startswith("reading.")}


def test_no_english_sentence_leaves_the_plural_to_its_reader():
    plans = tomllib.loads((FOLDER / "plan_phrases.toml").read_text(encoding="utf-8"))
    assert [
        key for key in KEYS if key.split(".")[0] in plans and re.search(r"\w\(e?s\)", _sentences()[key]["en"])
    ] == []


def test_values_are_filled_in_and_a_missing_one_is_an_error():
    assert say("common.next_step", "en", text="wait") == "**Next step:** wait"
    with pytest.raises(KeyError, match="text"):
        say("common.next_step", "en")
    with pytest.raises(KeyError, match="no.such"):
        say("no.such", "en")
    assert has("common.next_step")
    assert not has("common")


def test_japanese_sentences_are_japanese_and_english_ones_are_not():
    japanese = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
    document = tomllib.loads((FOLDER / "phrases.toml").read_text(encoding="utf-8"))
    assert document
    assert [key for key in KEYS if japanese.search(_sentences()[key]["en"])] == []
    worded = [
        key for key in KEYS if len(re.findall(r"[A-Za-z]{3,}", re.sub(r"\{[^}]*\}", "", _sentences()[key]["en"]))) > 2
    ]
    assert [key for key in worded if not japanese.search(_sentences()[key]["ja"])] == []
