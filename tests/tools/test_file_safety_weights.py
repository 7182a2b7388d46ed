"""Weights: pickles (T01), other formats (T02) and damaged or doubled safetensors (T12) are told by their content."""

from __future__ import annotations

import io
import json
import pickle
import pickletools
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from tests.tools.attacks.case import as_tar, as_zip
from tests.tools.file_verdicts import PICKLED, Harmless, flagged, inspect, refused
from tools.file_safety import inspect_files, pickles
from tools.file_safety.gguf import read_gguf
from tools.file_safety.pickles import is_pickle


def as_npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


PICKLES = {
    **{f"protocol {each}": pickle.dumps(Harmless(), each) for each in range(6)},
    "state dict, protocol 0": pickle.dumps({"a": [1.0, 2.0]}, 0),
    "torch zip": as_zip({"archive/data.pkl": PICKLED, "archive/version": b"3"}),
    "tar": as_tar({"storages": b"", "pickle": PICKLED}),
    "numpy objects": as_npy(np.array([Harmless()], dtype=object)),
    "npz with objects": as_zip({"a.npy": as_npy(np.array([{}], dtype=object))}),
    "joblib, zlib": zlib.compress(PICKLED),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(40),
}


@pytest.mark.parametrize("name", ["pytorch_model.bin", "weights.dat", "notes.txt", "extra.safetensors"])
@pytest.mark.parametrize("content", PICKLES.values(), ids=PICKLES.keys())
def test_T01_a_pickle_is_refused_by_its_content_whatever_its_name(tiny_folder, offline, content, name):
    (tiny_folder / name).write_bytes(content)
    inspection = refused(tiny_folder, offline, "T01")
    assert any(finding.file == name for finding in inspection.findings)


def test_T01_a_pickle_is_never_unpickled(tiny_folder, offline, capsys):
    (tiny_folder / "pytorch_model.bin").write_bytes(pickle.dumps(Harmless()))
    refused(tiny_folder, offline, "T01")
    assert capsys.readouterr().out == ""


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner)),
       st.integers(0, 5))  # fmt: skip
def test_T01_containers_of_any_protocol_are_recognised(value, protocol):
    if isinstance(value, list | dict):
        assert is_pickle(pickle.dumps(value, protocol)[:8192])


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_T01_no_json_text_is_taken_for_a_pickle(text):
    assert not is_pickle(json.dumps({"a": text}).encode())
    assert not is_pickle(b"# " + text.encode("utf-8", "replace"))


def test_T01_every_instruction_can_begin_a_pickle():
    first = {ord(each.code) for each in pickletools.opcodes}
    assert first == pickles._FIRST_BYTES


def test_T01_weights_whose_length_reads_as_an_instruction_are_no_pickle(tiny_folder, offline):
    weights = tiny_folder / "model.safetensors"
    old = weights.read_bytes()
    length = int.from_bytes(old[:8], "little")
    content = json.loads(old[8 : 8 + length])
    end = len(old) - 8 - length
    head = {"dtype": "F32", "shape": [4], "data_offsets": [end, end + 16]}
    header = {"__metadata__": {"format": "pt"}, "lm_head.weight": head} | content
    # Read as instructions it is a text of 46 bytes, then those of `ead.`: append, append, dictionary, end.
    raw = b"U.".ljust(8, b"\0") + json.dumps(header).encode().ljust(0x2E55) + old[8 + length :] + bytes(16)
    weights.write_bytes(raw)
    assert is_pickle(raw[:8192])
    assert inspect(tiny_folder, offline).verdict == "accept"


def test_T01_a_module_that_is_only_a_pickle_is_said_to_be_missing(hub, hub_sources, make_files):
    hub.commit("org/dense", make_files() | {"2_Dense/pytorch_model.bin": PICKLED})
    (finding,) = [each for each in inspect_files("org/dense", sources=hub_sources).findings if each.rule == "T01"]
    assert "2_Dense" in finding.next_step


FOREIGN = {
    "model.gguf": b"GGUF\x03\x00\x00\x00" + bytes(16),
    "model.onnx": b"\x08\x08\x12\x07pytorch",
    "model.h5": b"\x89HDF\r\n\x1a\n" + bytes(64),
    "tf_model.msgpack": b"\x81\xa1a\x01",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_T02_another_format_is_flagged(tiny_folder, offline, name):
    (tiny_folder / name).write_bytes(FOREIGN[name])
    flagged(tiny_folder, offline, "T02")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.keras", as_zip({"config.json": b'{"class_name": "Lambda"}', "model.weights.h5": b""})),
        ("model.h5", b"\x89HDF\r\n\x1a\n" + b'{"class_name": "Lambda"}'),
        ("model.nemo", as_tar({"model_config.yaml": b"", "model_weights.ckpt": PICKLED})),
        ("model.gguf", b"GGUF\x03\x00\x00\x00" + struct.pack("<QQ", 2**60, 1)),
        ("model.gguf", b"GGUF\x03\x00\x00\x00" + bytes(16) + b"{{ x.__class__.__mro__ }}"),
        ("model.onnx", b"\x08\x08\x12\x07pytorch\x0a\x08location\x12\x10../../etc/passwd"),
    ],
)
def test_T02_code_and_traps_in_another_format_are_refused(tiny_folder, offline, name, content):
    (tiny_folder / name).write_bytes(content)
    refused(tiny_folder, offline, "T02")


def test_T02_gguf_metadata_is_read_to_its_end_behind_long_lists():
    def text(value):
        return struct.pack("<Q", len(value)) + value

    words = struct.pack("<IIQ", 9, 8, 50_000) + text(b"word") * 50_000
    template = struct.pack("<I", 8) + text(b"{{ x|attr('y') }}")
    pairs = text(b"tokenizer.ggml.tokens") + words + text(b"tokenizer.chat_template") + template
    raw = b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + pairs
    metadata = read_gguf(lambda start, length: raw[start : start + length], len(raw))
    assert metadata == (("{{ x|attr('y') }}",), None)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_T02_any_gguf_ends_in_a_verdict(content):
    raw = b"GGUF\x03\x00\x00\x00" + content
    assert read_gguf(lambda start, length: raw[start : start + length], len(raw)).trouble != ""


def test_T12_a_damaged_header_is_refused(tiny_folder, offline):
    weights = tiny_folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    refused(tiny_folder, offline, "T12")


def test_T12_a_safetensors_file_that_is_a_zip_as_well_is_refused(tiny_folder, offline):
    inner = np.frombuffer(as_zip({"data.pkl": PICKLED}), np.uint8)
    (tiny_folder / "other.safetensors").write_bytes(save({"z": inner}))
    refused(tiny_folder, offline, "T12")
