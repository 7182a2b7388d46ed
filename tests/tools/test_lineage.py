import json

import numpy as np
import pytest
from safetensors.numpy import save

from tools.mirrors import bundled_folder
from tools.model_sources import ModelSources
from tools.version import check_version

BASE = "org/base"


@pytest.fixture
def lineage_of(tmp_path, write, make_files):
    """The function that makes a model, and its base in a mirror, and tells the model's lineage."""
    write(tmp_path / "mirror" / "org" / "base", make_files(README__md=b"# base"))
    sources = ModelSources(offline=True, mirrors=(tmp_path / "mirror",), cache_dir=tmp_path / "cache")

    def find(**files):
        folder = write(tmp_path / "model", make_files(**files))
        return check_version(str(folder), sources=sources).lineage

    return find


def card(**entries):
    return (
        "---\n" + "\n".join(f"{key}: {json.dumps(value)}" for key, value in entries.items()) + "\n---\n# M\n"
    ).encode()


def moved(tensors):
    """What further training does: every number a little."""
    rng = np.random.default_rng(3)
    return {name: (each + rng.normal(scale=0.2, size=each.shape)).astype("f4") for name, each in tensors.items()}


def tensors_of(make_files):
    from safetensors.numpy import load

    return load(make_files()["model.safetensors"])


def test_the_same_weights_are_a_copy(lineage_of):
    (base,) = lineage_of(README__md=card(base_model=BASE))
    assert (base.name, base.relation, base.confirmed, base.known_from) == (BASE, "copy", True, ("README.md", "hashes"))


def test_numbers_that_are_close_bear_a_descent_out(lineage_of, make_files):
    (base,) = lineage_of(README__md=card(base_model=BASE), model__safetensors=save(moved(tensors_of(make_files))))
    assert (base.relation, base.confirmed, base.known_from) == ("finetune", True, ("README.md", "numbers"))


def test_the_same_shapes_with_numbers_of_their_own_contradict_the_card(lineage_of, make_files):
    rng = np.random.default_rng(5)
    apart = {name: rng.normal(size=each.shape).astype("f4") for name, each in tensors_of(make_files).items()}
    (base,) = lineage_of(README__md=card(base_model=BASE), model__safetensors=save(apart))
    assert (base.confirmed, base.known_from[-1]) == (False, "numbers")
    assert "nothing in common" in base.note


def test_a_head_and_another_beginning_of_names_do_not_hide_a_descent(lineage_of, make_files):
    wrapped = {f"bert.{name}": each for name, each in moved(tensors_of(make_files)).items()}
    (base,) = lineage_of(
        README__md=card(base_model=BASE),
        model__safetensors=save({**wrapped, "classifier.weight": np.ones((2, 8), "f4")}),
    )
    assert (base.confirmed, base.known_from[-1]) == (True, "numbers")


def test_rounded_weights_are_recognised_as_descended(lineage_of, make_files):
    halved = {name: each.astype("f2") for name, each in tensors_of(make_files).items()}
    (base,) = lineage_of(README__md=card(base_model=BASE), model__safetensors=save(halved))
    assert (base.relation, base.confirmed, base.known_from[-1]) == ("finetune", True, "numbers")


def test_T10_other_shapes_contradict_the_card(lineage_of, make_files):
    wider = {name: np.zeros([2 * size for size in each.shape], "f4") for name, each in tensors_of(make_files).items()}
    (base,) = lineage_of(README__md=card(base_model=BASE), model__safetensors=save(wider))
    assert (base.confirmed, base.known_from[-1]) == (False, "shapes")
    assert "not simply trained further" in base.note


def test_another_kind_of_network_contradicts_the_card(lineage_of):
    (base,) = lineage_of(
        README__md=card(base_model=BASE),
        model__safetensors=save({"x": np.ones(2, "f4")}),
        config__json=b'{"model_type": "llama", "hidden_size": 8}',
    )
    assert (base.confirmed, base.known_from[-1]) == (False, "config.json")


@pytest.mark.parametrize(("width", "confirmed"), [(8, True), (9, False)])
def test_an_adapter_must_fit_what_it_is_added_to(lineage_of, width, confirmed):
    place = "base_model.model.encoder.layer.0.attention.self.query"
    adapter = {f"{place}.lora_A.weight": np.ones((2, width), "f4"), f"{place}.lora_B.weight": np.ones((8, 2), "f4")}
    (base,) = lineage_of(
        README__md=None,
        model__safetensors=None,
        config__json=None,
        adapter_model__safetensors=save(adapter),
        adapter_config__json=json.dumps({"base_model_name_or_path": BASE}).encode(),
    )
    assert (base.relation, base.confirmed) == ("adapter", confirmed)
    assert base.known_from == ("adapter_config.json", "shapes")


def test_quantized_weights_are_compared_by_the_config(lineage_of, make_files):
    config = {**json.loads(make_files()["config.json"]), "quantization_config": {"quant_method": "gptq"}}
    (base,) = lineage_of(
        README__md=card(base_model=BASE),
        config__json=json.dumps(config).encode(),
        model__safetensors=save({"x.qweight": np.ones(4, "i4")}),
    )
    assert (base.relation, base.confirmed, base.known_from[-1]) == ("quantized", True, "config.json")


def test_models_that_were_merged_are_named_by_card_and_recipe(lineage_of):
    recipe = b"models:\n  - model: org/base\n  - model: org/second\nmerge_method: linear\n"
    found = lineage_of(README__md=card(base_model=[BASE, "org/third"]), mergekit_config__yml=recipe)
    assert [(each.name, each.relation) for each in found] == [
        (BASE, "copy"),
        ("org/third", "merge"),
        ("org/second", "merge"),
    ]
    assert found[0].known_from == ("README.md", "mergekit_config.yml", "hashes")
    assert found[1].note == "Not compared: it is not on this machine."


def test_the_card_states_the_relation(lineage_of, make_files):
    (base,) = lineage_of(
        README__md=card(base_model=BASE, base_model_relation="merge"),
        model__safetensors=save(moved(tensors_of(make_files))),
    )
    assert base.relation == "merge"


def test_T07_T13_hostile_names_are_quoted_and_never_looked_for(lineage_of):
    found = lineage_of(README__md=card(base_model=["../../etc", "`<script>", "a" * 5_000, 3, "meta-IIama/x"]))
    assert all(each.confirmed is None and len(each.name) <= 121 and "`" not in each.name for each in found[:4])


def test_a_folder_asks_no_hub_for_its_base(hub, hub_sources, write, make_files, tmp_path):
    hub.commit(BASE, make_files())
    check = check_version(str(write(tmp_path / "model", make_files())), sources=hub_sources)
    assert [each.confirmed for each in check.lineage] == [None]
    assert not any("base" in path for _, path, _ in hub.requests)


def test_a_base_on_the_hub_is_compared_by_metadata(hub, hub_sources, make_files):
    hub.commit(BASE, make_files(model__safetensors=save(moved(tensors_of(make_files)))))
    hub.commit("org/tiny", make_files())
    check = check_version("org/tiny", sources=hub_sources)
    assert [(each.name, each.relation, each.confirmed) for each in check.lineage] == [(BASE, "finetune", True)]
    assert check.lineage[0].known_from == ("README.md", "shapes")
    ranges = [headers.get("range") for _, path, headers in hub.requests if path.endswith(".safetensors")]
    assert all(ranges), "weights are read by ranges only"


def test_weights_that_are_on_this_machine_under_another_name_are_found(write, tmp_path, offline):
    weights = (bundled_folder() / "model.safetensors").read_bytes()
    folder = write(tmp_path / "renamed", {"config.json": b"{}", "model.safetensors": weights})
    (copy,) = check_version(str(folder), sources=offline).lineage
    assert (copy.name, copy.relation, copy.known_from) == (
        "sentence-transformers/all-MiniLM-L6-v2",
        "copy",
        ("hashes",),
    )


def test_a_model_is_no_copy_of_itself(write, tmp_path, make_files):
    write(tmp_path / "mirror" / "org" / "tiny", make_files(README__md=b"# x"))
    sources = ModelSources(offline=True, mirrors=(tmp_path / "mirror",), cache_dir=tmp_path / "cache")
    assert check_version("org/tiny", sources=sources).lineage == ()


def test_other_weights_under_the_same_name_are_found(write, tmp_path, offline, make_files):
    folder = write(tmp_path / "all-MiniLM-L6-v2", make_files(README__md=None))
    check = check_version(str(folder), sources=offline)
    assert (check.same_name_here, check.lineage) == (("sentence-transformers/all-MiniLM-L6-v2",), ())


def test_a_mirror_that_holds_something_else_than_the_hub_is_found(hub, hub_sources, write, make_files, tmp_path):
    hub.commit("org/tiny", make_files())
    write(tmp_path / "mirror" / "org" / "tiny", make_files(model__safetensors=save({"x": np.ones(2, "f4")})))
    sources = hub_sources.model_copy(update={"mirrors": (tmp_path / "mirror",)})
    assert check_version("org/tiny", sources=sources).same_name_here == ("org/tiny",)
