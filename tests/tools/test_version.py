import json

import pytest

from tools.errors import ModelNotFound
from tools.version import check_version, kind_of, library_fit


def test_the_bundled_model_says_what_is_not_known(offline):
    check = check_version("all-MiniLM-L6-v2", sources=offline)
    assert check.commit.startswith("folder-")
    assert (check.newest_commit, check.behind, check.changes, check.pinned) == (None, None, (), False)
    assert len(check.unknown) == 2
    assert check.lineage == ("nreimers/MiniLM-L6-H384-uncased",)
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
    assert check.lineage == ("org/base",)
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


@pytest.mark.parametrize(
    ("name", "kind"),
    [("model-00001-of-00002.safetensors", "weights"), ("tokenizer_config.json", "tokenizer"), ("chat_template.json", "chat_template"),
     ("config.json", "config"), ("README.md", "card"), ("LICENSE.txt", "licence"), ("image.png", "other"), ("1_Pooling/config.json", "config")],
)  # fmt: skip
def test_files_have_a_meaning(name, kind):
    assert kind_of(name) == kind


def test_the_library_fit_is_honest():
    assert library_fit({}).architecture_known is None
    assert library_fit({"model_type": "unheard-of"}).architecture_known is False
    fit = library_fit({"model_type": "bert", "transformers_version": "99.0"})
    assert fit.architecture_known is True
    assert "newer" in fit.note
