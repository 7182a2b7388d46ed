import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save

from tools.errors import ModelNotFound
from tools.version import check_version, kind_of, library_fit


def test_the_bundled_model_says_what_is_not_known(offline):
    check = check_version("all-MiniLM-L6-v2", sources=offline)
    assert check.commit.startswith("folder-")
    assert (check.newest_commit, check.behind, check.changes, check.pinned) == (None, None, (), False)
    assert len(check.unknown) == 2
    assert [(each.name, each.confirmed) for each in check.lineage] == [("nreimers/MiniLM-L6-H384-uncased", None)]
    assert [each.name for each in check.library.others] == ["sentence-transformers"]
    assert check.library.architecture_known is True


def test_changes_are_told_by_meaning_with_what_to_test_again(hub, hub_sources, make_files):
    old = hub.commit("org/tiny", make_files(LICENSE=b"x"))
    hub.commit("org/tiny", make_files(LICENSE=b"x", README__md=b"# y"))
    weights = make_files()["model.safetensors"]
    new = hub.commit(
        "org/tiny",
        make_files(model__safetensors=weights[:-1] + b"\x01", README__md=b"# y", chat_template__jinja=b"{{ x }}"),
    )
    check = check_version(f"org/tiny@{old}", sources=hub_sources)
    assert (check.commit, check.newest_commit, check.pinned, check.behind) == (old, new, True, 2)
    assert [(change.kind, change.file) for change in check.changes] == [
        ("weights", "model.safetensors"), ("chat_template", "chat_template.jinja"), ("licence", "LICENSE"), ("card", "README.md"),
    ]  # fmt: skip
    assert check.changes[0].retest
    assert check.changes[2].description == "It was removed."
    assert [each.name for each in check.lineage] == ["org/base"]
    newest = check_version("org/tiny", sources=hub_sources)
    assert (newest.commit, newest.pinned, newest.behind, newest.changes) == (new, False, 0, ())


def test_a_revision_that_is_not_there_is_said_so(hub, hub_sources, make_files):
    hub.commit("org/tiny", make_files())
    with pytest.raises(ModelNotFound, match="no revision"):
        check_version("org/tiny", "v9", sources=hub_sources)


def test_a_folder_is_pinned_by_its_content(tiny_folder, offline):
    check = check_version(str(tiny_folder), sources=offline)
    assert check.pinned
    assert check.source == "folder"
    assert check.unknown


def test_a_config_change_names_its_entries(hub, hub_sources, make_files):
    config = json.loads(make_files()["config.json"])
    old = hub.commit("org/tiny", make_files())
    hub.commit("org/tiny", make_files(config__json=json.dumps({**config, "layer_norm_eps": 1e-5}).encode()))
    (change,) = check_version(f"org/tiny@{old}", sources=hub_sources).changes
    assert change.kind == "config"
    assert "layer_norm_eps" in change.description


def test_tags_and_branches_that_point_at_the_commit_are_named(hub, hub_sources, make_files):
    old = hub.commit("org/tiny", make_files())
    new = hub.commit("org/tiny", make_files(README__md=b"# y"))
    hub.repositories["org/tiny"].tags |= {"v1": old, "v1.0": old, "v2": new}
    hub.repositories["org/tiny"].branches["stable"] = old
    check = check_version("org/tiny", "v1", sources=hub_sources)
    assert (check.commit, check.newest_commit, check.pinned, check.behind) == (old, new, False, 1)
    assert check.names == ("v1", "v1.0", "stable")
    assert check_version("org/tiny", sources=hub_sources).names == ("v2", "main")


def test_a_hub_that_does_not_tell_its_tags_is_said_so(hub, hub_sources, make_files):
    hub.commit("org/tiny", make_files())
    hub.fail("/refs", 500)
    check = check_version("org/tiny", sources=hub_sources)
    assert check.names == ()
    assert check.unknown == ("Which tags and branches point at this commit: the hub did not say.",)


def test_T21_a_hub_that_fails_after_its_first_answer_leaves_the_newest_unknown(hub, hub_sources, make_files):
    old = hub.commit("org/tiny", make_files())
    hub.commit("org/tiny", make_files(LICENSE=b"x"))
    hub.fail("/api/models/org/tiny", 404, skip=1)
    check = check_version("org/tiny", old, sources=hub_sources)
    assert (check.commit, check.newest_commit, check.behind, check.changes) == (old, None, None, ())
    assert check.unknown == ("Whether there is a newer version: `org/tiny` was not found on the hub.",)


def test_a_commit_beside_the_main_branch_has_no_distance(hub, hub_sources, make_files):
    beside = hub.commit("org/tiny", make_files(README__md=b"# beside"))
    hub.commit("org/tiny", make_files())
    hub.fail("/commits", 500)
    check = check_version("org/tiny", beside, sources=hub_sources)
    assert (check.behind, len(check.unknown)) == (None, 1)
    assert [change.file for change in check.changes] == ["README.md"]


@pytest.fixture
def twins(tmp_path, write, make_files):
    """The function that makes two folders of one base name, the second with other files."""

    def make(name="faq", other="faq", **changes):
        return tuple(
            str(write(tmp_path / side / folder, make_files(**files)))
            for side, folder, files in (("old", name, {}), ("new", other, changes))
        )

    return make


def test_two_folders_of_one_name_hold_other_contents(twins, offline):
    first, second = twins(config__json=b'{"model_type": "bert", "hidden_size": 16}')
    check = check_version(first, against=second, sources=offline)
    assert (check.compared_with.same_name, check.compared_with.likeness) == (True, "same_weights")
    first, second = twins(model__safetensors=save({"a": np.ones(3, "f4")}))
    check = check_version(first, against=second, sources=offline)
    other = check.compared_with
    assert (other.model, other.source, other.same_name, other.likeness) == (second, "folder", True, "other")
    assert other.note == "The name is the same, but the contents are not."
    assert check.commit != other.commit
    assert [change.kind for change in check.changes] == ["weights"]


def test_the_same_contents_are_known_under_another_name(twins, offline):
    check = check_version(*twins(other="renamed")[:1], against=twins(other="renamed")[1], sources=offline)
    assert (check.compared_with.same_name, check.compared_with.likeness) == (False, "identical")
    assert check.commit == check.compared_with.commit
    assert check.changes == ()


def test_a_file_that_nobody_needs_makes_no_other_model(twins, offline):
    first, second = twins(onnx__model=b"x")
    check = check_version(first, against=second, sources=offline)
    assert check.compared_with.likeness == "identical"
    assert [change.kind for change in check.changes] == ["other"]


def test_two_versions_on_the_hub_are_compared_instead_of_with_the_newest(hub, hub_sources, make_files):
    first = hub.commit("org/tiny", make_files())
    second = hub.commit("org/tiny", make_files(LICENSE=b"x"))
    hub.commit("org/tiny", make_files(LICENSE=b"x", README__md=b"# y"))
    check = check_version("org/tiny", first, f"org/tiny@{second}", sources=hub_sources)
    assert [change.file for change in check.changes] == ["LICENSE"]
    assert (check.compared_with.commit, check.compared_with.same_name) == (second, True)
    assert check.compared_with.likeness == "same_weights"


def test_a_folder_is_compared_with_the_hub(hub, hub_sources, make_files, twins):
    commit = hub.commit("org/faq", make_files())
    check = check_version(twins()[0], against="org/faq", sources=hub_sources)
    assert (check.compared_with.commit, check.compared_with.likeness, check.compared_with.same_name) == (
        commit,
        "identical",
        True,
    )
    hub.commit("org/other", make_files(README__md=b"# z"))
    check = check_version("org/other", against="org/faq", sources=hub_sources)
    assert (check.compared_with.same_name, check.compared_with.likeness) == (False, "same_weights")


@pytest.mark.parametrize("against", ["./nowhere", "org/nothing"])
def test_another_model_that_is_not_there_is_said_so(tiny_folder, offline, against):
    with pytest.raises(ModelNotFound):
        check_version(str(tiny_folder), against=against, sources=offline)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("model-00001-of-00002.safetensors", "weights"), ("tokenizer_config.json", "tokenizer"), ("chat_template.json", "chat_template"),
     ("config.json", "config"), ("README.md", "card"), ("LICENSE.txt", "licence"), ("image.png", "other"), ("1_Pooling/config.json", "config"),
     ("generation_config.json", "generation_defaults"), ("modeling_x.py", "code"), ("pytorch_model.bin.index.json", "weights")],
)  # fmt: skip
def test_files_have_a_meaning(name, kind):
    assert kind_of(name) == kind


def test_the_library_fit_is_honest():
    assert library_fit({}).architecture_known is None
    assert library_fit({"model_type": "unheard-of"}).architecture_known is False
    fit = library_fit({"model_type": "bert", "transformers_version": "99.0"})
    assert fit.architecture_known is True
    assert "newer" in fit.note


def test_code_of_its_own_is_told_apart_from_an_architecture_that_is_known():
    own = {"auto_map": {"AutoModel": "modeling_x.XModel"}}
    fit = library_fit({"model_type": "bert", **own})
    assert fit.own_code
    assert "loads it without that code" in fit.note
    assert "alone does not load it" in library_fit({"model_type": "x", **own}).note


def test_a_class_that_the_library_does_not_have_is_told():
    fit = library_fit({"model_type": "bert", "architectures": ["BertForEverything"]})
    assert fit.class_known is False
    assert "no class `BertForEverything`" in fit.note
    assert library_fit({"model_type": "bert", "architectures": ["BertModel"]}).class_known is True


@pytest.mark.parametrize(
    ("method", "library"), [("gptq", "gptqmodel"), ("bitsandbytes", "bitsandbytes"), ("new`method", "newˋmethod")]
)
def test_compressed_weights_need_a_library(method, library):
    (other,) = library_fit({"model_type": "llama", "quantization_config": {"quant_method": method}}).others
    assert (other.name, other.installed) == (library, None)


@pytest.mark.parametrize(
    "odd",
    [{"auto_map": 3}, {"architectures": [3]}, {"architectures": []}, {"model_type": []}, {"transformers_version": "²"}],
)
def test_T08_odd_configs_have_a_fit_too(odd):
    assert library_fit(odd).note


def test_nothing_heavy_is_imported():
    program = (
        "import sys\nfrom tools.version import check_version\nfrom tools.model_sources import ModelSources\n"
        "check_version('all-MiniLM-L6-v2', sources=ModelSources(offline=True))\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
