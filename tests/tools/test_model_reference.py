import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.errors import InvalidReference
from tools.model_reference import find_references, parse_reference, with_revision

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.mark.parametrize(
    ("text", "identifier", "revision"),
    [
        (MINILM, MINILM, None),
        ("all-MiniLM-L6-v2", MINILM, None),
        ("org/name@main", "org/name", "main"),
        ("org/name@refs/pr/1", "org/name", "refs/pr/1"),
        (" BAAI/bge-m3\n", "BAAI/bge-m3", None),
        ("gpt2", "gpt2", None),
    ],
)
def test_ids_are_read(text, identifier, revision):
    reference = parse_reference(text)
    assert (reference.id, reference.path, reference.revision) == (identifier, None, revision)


@pytest.mark.parametrize("text", ["./models/x", "../x", "/srv/models/x", "~/x"])
def test_T18_a_folder_is_a_model_only_when_written_as_a_path(text):
    assert parse_reference(text).path == Path(text)
    assert parse_reference("models/x").path is None


@pytest.mark.parametrize(
    "text",
    ["", "a/b/c", "org/../x", "org/..", "..org/x", "a\nb/c", "org/na\u200bme", "org/\u202ename", "x" * 2000, "o/" + "x" * 96,
     "C:\\models", "https://example.com/a/b", "org/name@../../x", "org/name@", "org/name@a\nb", "org/na\x00me", "-x/y", "a/b.git",
     "sentence-transformers/\u0430ll-MiniLM-L6-v2", "\uff22AAI/bge-m3", "org name", "org/\ud800"],
)  # fmt: skip
def test_T18_what_is_not_an_id_is_refused_with_a_next_step(text):
    with pytest.raises(InvalidReference) as caught:
        parse_reference(text)
    assert caught.value.next_step
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("text", "meant"),
    [("sentence-transfomers/x", "sentence-transformers/x"), ("BAAl/bge-m3", "BAAI/bge-m3"), ("0penai/x", "openai/x"),
     ("rnicrosoft/x", "microsoft/x"), ("mircosoft/x", "microsoft/x"), ("meta_llama/x", "meta-llama/x")],
)  # fmt: skip
def test_T18_a_near_miss_of_a_known_owner_is_asked_back(text, meant):
    with pytest.raises(InvalidReference) as caught:
        parse_reference(text)
    assert caught.value.code == "near_miss_of_owner"
    assert meant in caught.value.next_step
    assert parse_reference(f"{text}@{'0' * 40}").pinned


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{MINILM}の版と", (MINILM,)),
        ("Compare bge-m3, all-MiniLM-L6-v2 and LaBSE", ("bge-m3", MINILM, "sentence-transformers/LaBSE")),
        ("LaBSEとbge-m3を比較", ("sentence-transformers/LaBSE", "bge-m3")),
        ("./models/legacyをプロファイルして", ("./models/legacy",)),
        ("`/srv/models/my model` please", ("/srv/models/my model",)),
        ("acme/classifierを取得して", ("acme/classifier",)),
        ("fetch acme/classifier now", ("acme/classifier",)),
        ("meta-llama/Llama-3.1-8B-Instruct@main?", ("meta-llama/Llama-3.1-8B-Instruct@main",)),
        ("https://huggingface.co/BAAI/bge-m3 を", ("BAAI/bge-m3",)),
        ("選んで:acme/classifier-a、BAAI/bge-m3", ("acme/classifier-a", "BAAI/bge-m3")),
        ("「all-MiniLM-L6-v2」と ~/models/x", (MINILM, "~/models/x")),
    ],
)
def test_models_are_found_in_a_sentence(text, expected):
    assert find_references(text, ["sentence-transformers/LaBSE"]) == expected


@pytest.mark.parametrize(
    "text",
    ["host:8080/index-page-1 and hf:acme/classifier-a",
     "he/she and/or 24/7 at 60 km/h on 2024/05/01 or 5/6, 120 tokens/s", "see https://example.com/org/model-name-1",
     "CPU/GPU; p50/p95; fp16/bf16; int8/int4; utf-8; top-5; all-in-one; I/O; CI/CD; w/o", "入力/出力、1日/3万件、24時間/365日",
     "1,000 requests/day; $3/hour; 5 items/page", "Google/Apple and https://huggingface.co/datasets/a/b", "LaBSE"],
)  # fmt: skip
def test_what_is_no_model_is_left_alone(text):
    assert find_references(text) == ()


def test_T18_suspicious_names_are_kept_as_written_so_that_the_tool_asks_back():
    assert find_references("profile sentence-transfomers/x-1") == ("sentence-transfomers/x-1",)
    assert find_references("use sentence-transformers/\u0430ll-x") == ("sentence-transformers/\u0430ll-x",)


def test_a_folder_has_no_revision():
    with pytest.raises(InvalidReference):
        with_revision(parse_reference("./x"), "main")


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_T18_any_text_is_parsed_or_refused(text):
    find_references(text)
    try:
        reference = parse_reference(text)
    except InvalidReference:
        return
    assert (reference.id is None) != (reference.path is None)
    if reference.id is not None:
        assert set(reference.id) <= set(string.ascii_letters + string.digits + "._-/")
        assert ".." not in reference.id
