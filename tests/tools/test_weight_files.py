import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from tests.bench.header_damage import damaged
from tests.bench.header_fuzz import compare
from tools.errors import UnsafeModel, UnsupportedModel
from tools.file_safety.file_view import FolderView
from tools.weight_files import HeaderError, header_from, read_header, snapshot_tensors


def pack(header, data=b"", length=None):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def ours(raw):
    return header_from(lambda offset, length: raw[offset : offset + length], len(raw), "x.safetensors")


def tensor(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


BAD = {
    "empty": b"",
    "seven bytes": b"\x02" * 7,
    "length bomb": pack({}, length=2**63),
    "length over the limit": pack({}, length=100_000_001),
    "length past the end": pack({}, length=3),
    "not an object": pack(b"[]"),
    "leading space": pack(b" {}"),
    "not JSON": pack(b"{]"),
    "not UTF-8": pack(b'{"\xff": 1}'),
    "deep": pack(b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}"),
    "the same tensor twice": pack(
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        b"0000",
    ),
    "overlap": pack({"a": tensor(), "b": tensor(offsets=(2, 6))}, b"0" * 6),
    "same bytes twice": pack({"a": tensor(), "b": tensor()}, b"0" * 4),
    "hole": pack({"a": tensor(), "b": tensor(offsets=(8, 12))}, b"0" * 12),
    "hole at the start": pack({"a": tensor(offsets=(4, 8))}, b"0" * 8),
    "cut short": pack({"a": tensor()}, b"0" * 3),
    "goes on": pack({"a": tensor()}, b"0" * 5),
    "unknown type": pack({"a": tensor(dtype="Q8")}, b"0000"),
    "type not a text": pack({"a": {"dtype": 1, "shape": [1], "data_offsets": [0, 4]}}, b"0000"),
    "shape does not fit": pack({"a": tensor(shape=(2,))}, b"0000"),
    "negative": pack({"a": tensor(shape=(-1, -1))}, b"0000"),
    "bool for a size": pack({"a": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}}, b"0000"),
    "float for a size": pack({"a": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}}, b"0000"),
    "overflow": pack({"a": tensor(shape=(2**62, 2**62, 0), offsets=(0, 0))}),
    "backwards": pack({"a": tensor(offsets=(4, 0))}, b"0000"),
    "extra key": pack({"a": {**tensor(), "x": 1}}, b"0000"),
    "metadata not texts": pack({"__metadata__": {"a": 1}}),
    "half a byte": pack({"a": tensor(dtype="F4", shape=(3,), offsets=(0, 1))}, b"0"),
}


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD.keys())
def test_T12_a_header_that_is_not_exactly_right_is_refused(raw):
    with pytest.raises(HeaderError) as caught:
        ours(raw)
    assert "T12" in caught.value.message
    assert caught.value.next_step


@st.composite
def arrays(draw):
    names = draw(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), unique=True, max_size=5))
    found = {}
    for name in names:
        dtype = draw(st.sampled_from([np.float32, np.float16, np.float64, np.int64, np.uint8, np.bool_]))
        found[name] = np.zeros(draw(st.lists(st.integers(0, 4), max_size=3)), dtype)
    found.pop("__metadata__", None)
    return found


@settings(max_examples=80, deadline=None)
@given(arrays())
def test_T12_what_the_reference_library_writes_is_read_the_same(content):
    header = ours(save(content))
    assert {name: info.shape for name, info in header.tensors.items()} == {
        name: each.shape for name, each in content.items()
    }
    assert header.total_parameters == sum(each.size for each in content.values())


numbers = st.one_of(st.integers(-2, 20), st.sampled_from([2**31, 2**63, 2**64, True, 1.0, None]))
entries = st.fixed_dictionaries(
    {"dtype": st.sampled_from(["F32", "U8", "BF16", "F4", "I64", "X", ""]), "shape": st.lists(numbers, max_size=3),
     "data_offsets": st.lists(numbers, min_size=1, max_size=3)},
    optional={"x": numbers},
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "__metadata__", ""]), entries, max_size=3), st.binary(max_size=24))
def test_T12_nothing_is_accepted_that_the_reference_library_refuses(header, data):
    agree_or_stricter(pack(header, data))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_T12_a_damaged_file_is_never_accepted_against_the_reference_library(data):
    raw = bytearray(save({"a": np.zeros((2, 3), np.float32), "b": np.zeros(3, np.uint8)}, {"format": "pt"}))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    agree_or_stricter(bytes(raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw))


def agree_or_stricter(raw):
    try:
        header = ours(raw)
    except HeaderError:
        return
    try:
        reference = dict(deserialize(raw))
    except SafetensorError as error:
        raise AssertionError(f"accepted what the reference refuses: {error}") from error
    assert {name: (info.dtype, list(info.shape)) for name, info in header.tensors.items()} == {
        name: (each["dtype"], list(each["shape"])) for name, each in reference.items()
    }


def write_sharded(root: Path, weight_map):
    for shard, name in (("s1.safetensors", "a"), ("s2.safetensors", "b")):
        (root / shard).write_bytes(save({name: np.zeros((2, 2), np.float16)}))
    (root / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def test_shards_are_merged(tmp_path):
    write_sharded(tmp_path, {"a": "s1.safetensors", "b": "s2.safetensors"})
    header = snapshot_tensors(FolderView(tmp_path))
    assert header.parameters_by_dtype == {"F16": 8}
    assert header.tensors["b"].file == "s2.safetensors"


@pytest.mark.parametrize(
    "shard",
    [
        "../s1.safetensors",
        "/etc/passwd",
        "http://x/y.safetensors",
        "missing.safetensors",
        "s1.bin",
        3,
        "a\\s1.safetensors",
        "",
    ],
)
def test_T14_an_index_never_leads_out_of_the_folder(tmp_path, shard):
    write_sharded(tmp_path, {"a": shard})
    with pytest.raises(UnsafeModel) as caught:
        snapshot_tensors(FolderView(tmp_path))
    assert "T14" in caught.value.message


def test_a_folder_without_weights_says_so(tmp_path):
    with pytest.raises(UnsupportedModel):
        snapshot_tensors(FolderView(tmp_path))


def test_a_file_is_read_from_disk(tmp_path):
    (tmp_path / "m.safetensors").write_bytes(save({"a": np.zeros((2, 2), np.float16)}))
    assert read_header(tmp_path / "m.safetensors").data_bytes == 8


def test_T12_damaged_files_are_judged_as_by_the_reference_reader():
    agreement = compare(damaged(3_000, seed=3))
    assert agreement.differences == []
    assert min(agreement.both_take, agreement.both_refuse) > 300
