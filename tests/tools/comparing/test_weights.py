import json

import numpy as np
import pytest
from safetensors.numpy import save

from tools.comparing import compare_contents
from tools.comparing.numbers import compare_numbers
from tools.comparing.pair import Pair
from tools.comparing.weight_changes import read_tensors
from tools.file_safety.file_view import FolderView

RNG = np.random.default_rng(7)
ONE = {"layer.0.weight": RNG.normal(size=(8, 4)).astype("f4"), "layer.1.weight": RNG.normal(size=(4, 4)).astype("f4")}


def as_bf16(tensors):
    """The bytes of a safetensors file with the numbers rounded to bfloat16, which numpy does not have."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        bits = tensor.astype("<f4").view("<u4")
        raw = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()
        header[name] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.fixture
def weights_change(differ):
    def compare(old, new, **files):
        (change,) = differ({"model__safetensors": old}, {"model__safetensors": new, **files})
        return change

    return compare


def test_how_much_the_numbers_differ_is_exact(weights_change):
    other = {**ONE, "layer.1.weight": ONE["layer.1.weight"].copy()}
    other["layer.1.weight"][0, 0] += 0.5
    change = weights_change(save(ONE), save(other))
    length = np.linalg.norm(ONE["layer.1.weight"].astype("f8"))
    assert (change.kind, change.file, change.risk) == ("weights", "model.safetensors", "high")
    assert change.details == (
        "1 of 2 compared tensors differ, in 6.25 % of their numbers.",
        f"Relative difference (L2) {0.5 / length:.2e}, largest difference of a number 0.5.",
        f"Most changed: `layer.1.weight`, relative difference {0.5 / length:.2e}.",
    )


def test_added_removed_and_reshaped_tensors_are_named(weights_change):
    new = {"layer.0.weight": ONE["layer.0.weight"].reshape(4, 8), "head.weight": ONE["layer.1.weight"]}
    change = weights_change(save(ONE), save(new))
    assert change.risk == "high"
    assert change.details == (
        "Tensors removed: `layer.1.weight`.",
        "Tensors added: `head.weight`.",
        "Tensor `layer.0.weight` has the shape `[4, 8]` instead of `[8, 4]`.",
    )


@pytest.mark.parametrize("rounded", [as_bf16(ONE), save({name: each.astype("f2") for name, each in ONE.items()})])
def test_numbers_rounded_to_a_shorter_type_are_known_as_such(weights_change, rounded):
    for change in (weights_change(save(ONE), rounded), weights_change(rounded, save(ONE))):
        assert (change.risk, change.description) == (
            "medium",
            "The weights are the same numbers, rounded to another type.",
        )


def test_a_change_as_small_as_rounding_is_not_taken_for_rounding(weights_change):
    """Whoever hides a change in the last digits of a shorter type has not rounded the numbers."""
    moved = {name: each * np.float32(1 + 2**-8) for name, each in ONE.items()}
    change = weights_change(save(ONE), as_bf16(moved))
    assert (change.risk, change.description) == ("high", "The weights changed: the same tensors hold other numbers.")


def test_another_type_with_other_numbers_is_more_than_rounding(weights_change):
    moved = {name: each * 1.02 for name, each in ONE.items()}
    assert weights_change(save(ONE), as_bf16(moved)).risk == "high"


def test_a_wider_type_with_the_same_numbers_is_of_no_consequence(weights_change):
    change = weights_change(save(ONE), save({name: each.astype("f8") for name, each in ONE.items()}))
    assert (change.risk, change.description) == ("low", "The weights are the same numbers in another type.")


def test_the_same_tensors_in_several_files_are_the_same(weights_change):
    names = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    parts = {name.replace(".", "__"): save({key: ONE[key]}) for name, key in zip(names, ONE, strict=True)}
    index = {"metadata": {}, "weight_map": dict(zip(ONE, names, strict=True))}
    change = weights_change(save(ONE), None, model__safetensors__index__json=index, **parts)
    assert (change.risk, change.retest) == ("low", "")
    assert change.description == "Only the layout of the files changed: every tensor is the same to the last bit."
    assert change.details == ("The weights are kept in 2 files instead of 1.",)


def test_other_metadata_alone_is_of_no_consequence(weights_change):
    assert weights_change(save(ONE), save(ONE, {"format": "pt"})).risk == "low"


def test_another_beginning_of_all_names_is_seen_through(weights_change):
    change = weights_change(save(ONE), save({f"model.{name}": each for name, each in ONE.items()}))
    assert change.risk == "medium"
    assert change.details[0] == 'The names begin with `model.` instead of `""`.'


def test_T10_numbers_that_are_none_are_counted(weights_change):
    broken = {**ONE, "layer.1.weight": np.full((4, 4), np.nan, "f4")}
    change = weights_change(save(ONE), save(broken))
    assert "16 numbers are infinite or not numbers in one of the two." in change.details


@pytest.mark.parametrize("bits", [0x7FC00001, 0x80000000])
def test_T10_numbers_that_are_equal_but_not_the_same_bits_differ(weights_change, bits):
    old = np.array([0x7FC00000 if bits == 0x7FC00001 else 0, 0], "u4").view("f4")
    change = weights_change(save({"a": old}), save({"a": np.array([bits, 0], "u4").view("f4")}))
    assert "1 of 1 compared tensors differ, in 50 % of their numbers." in change.details


def test_T12_an_unsound_header_is_told_and_nothing_is_mapped(weights_change):
    change = weights_change(save(ONE), b"\xff" * 64)
    assert change.description == "Its content changed; its tensors could not be compared."
    assert "rule T12" in change.details[0]


def test_weights_in_formats_that_are_never_opened_are_compared_by_hash(differ):
    (change,) = differ({"pytorch_model__bin": b"\x80\x02."}, {"pytorch_model__bin": b"\x80\x03."})
    assert (change.kind, change.description) == ("weights", "Its content changed at the same size of 3 bytes.")


def test_what_was_not_reached_in_time_is_not_said_to_be_the_same(tmp_path, write, make_files):
    folders = [
        write(tmp_path / name, make_files(model__safetensors=save({"a": np.full(8, float(value))})))
        for value, name in enumerate("xy")
    ]
    pair = Pair(*map(FolderView, folders))
    tensors = [read_tensors(each, ["model.safetensors"]) for each in (pair.before, pair.after)]
    found = compare_numbers(pair, {"a": (tensors[0]["a"], tensors[1]["a"])}, time_allowed_s=-1)
    assert (found.tensors, found.left_out, found.complete) == (0, 1, False)


def test_integers_and_booleans_are_compared_as_numbers(weights_change):
    old, new = {"n": np.arange(4), "m": np.array([True, False])}, {"n": np.arange(4) + 2, "m": np.array([True, True])}
    change = weights_change(save(old), save(new))
    assert "2 of 2 compared tensors differ, in 83.3 % of their numbers." in change.details


def test_large_tensors_are_compared_piece_by_piece(tmp_path, write, make_files):
    large = np.zeros(3_000_000, "f4")
    other = large.copy()
    other[[0, 1_500_000, -1]] = 1
    folders = [
        write(tmp_path / name, make_files(model__safetensors=save({"a": each})))
        for name, each in (("x", large), ("y", other))
    ]
    (change,) = compare_contents(*map(FolderView, folders))
    assert change.details[0] == "1 of 1 compared tensors differ, in 0.0001 % of their numbers."
    assert "largest difference of a number 1." in change.details[1]
