import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from assistant.translation import translate
from tools.comparing import compare_contents, kind_of
from tools.comparing.change import MOST_DETAILS
from tools.comparing.contents import MOST_CHANGES
from tools.comparing.entries import same_values
from tools.errors import Cancelled
from tools.file_safety.file_view import FolderView
from tools.hub import list_repository
from tools.hub_access.files import HubView
from tools.progress import CancelToken

NAMES = (
    "config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json", "modules.json", "1_Pooling/config.json",
    "vocab.txt", "vocab.json", "merges.txt", "chat_template.jinja", "chat_template.json", "README.md", "LICENSE", "modeling_x.py",
    "model.safetensors", "2_Dense/model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "notes.xyz", "spiece.model",
)  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["model", "vocab", "merges", "added_tokens", "content", "chat_template", "normalizer", "type", "a", "`"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
_CONTENT = (
    _JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=60)
    | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.just(b"---\nlicense: mit\n---\n# A\n## Uses\nx\n")
    | st.just(save({}))
)
_FILES = st.dictionaries(st.sampled_from(NAMES), _CONTENT, max_size=6)


def view_of(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    folder.mkdir(exist_ok=True)
    return FolderView(folder)


@settings(max_examples=150, deadline=None)
@given(_FILES, _FILES)
def test_any_two_folders_can_be_compared(old, new):
    with tempfile.TemporaryDirectory() as place:
        before, after, again = (
            view_of(Path(place) / name, files) for name, files in (("a", old), ("b", new), ("c", old))
        )
        changes = compare_contents(before, after)
        assert compare_contents(before, again) == ()
        assert bool(changes) == bool(compare_contents(after, before)) == (old != new)
    for change in changes:
        if change.risk == "low" and change.file.endswith(".json") and change.file in old and change.file in new:
            assert same_values(json.loads(old[change.file]), json.loads(new[change.file])), (
                "low risk only where nothing differs"
            )
        assert change.file in {*old, *new}
        assert change.kind == kind_of(change.file) or change.kind == "chat_template"
        assert len(change.details) <= MOST_DETAILS
        for text in (change.description, *change.details, *filter(None, [change.retest])):
            assert len(text) < 1_000
            assert translate(text, "ja") != text, "a reader of Japanese gets Japanese"


def test_what_was_added_and_removed_is_told_by_kind(differ):
    changes = differ(
        {"LICENSE": b"x", "notes__xyz": b"y"}, {"modeling_x__py": b"import os", "chat_template__jinja": b"{{ x }}"}
    )
    assert [(each.kind, each.file, each.description, each.risk) for each in changes] == [
        ("chat_template", "chat_template.jinja", "It was added.", "high"),
        ("code", "modeling_x.py", "It was added.", "high"),
        ("licence", "LICENSE", "It was removed.", "high"),
        ("other", "notes.xyz", "It was removed.", "low"),
    ]


def test_a_change_asks_for_a_test_unless_it_is_of_no_consequence(differ):
    (change,) = differ({}, {"config__json": {"hidden_size": 9}})
    assert change.retest == "Run your acceptance test and the profile again: loading and defaults can differ."
    (change,) = differ({"notes__xyz": b"1"}, {"notes__xyz": b"2"})
    assert change.retest == ""


def test_of_very_many_files_the_first_are_told_and_the_rest_counted(tmp_path):
    before = view_of(tmp_path / "a", {})
    after = view_of(tmp_path / "b", {f"{number}.xyz": b"" for number in range(MOST_CHANGES + 20)})
    changes = compare_contents(before, after)
    assert len(changes) == MOST_CHANGES
    assert changes[-1].details == ("20 further files differ as well.",)


def test_T15_links_out_of_the_folder_are_not_followed(tmp_path):
    secret = tmp_path / "secret.json"
    secret.write_text('{"hidden_size": 1}')
    before, after = view_of(tmp_path / "a", {"config.json": b"{}"}), tmp_path / "b"
    after.mkdir()
    (after / "config.json").symlink_to(secret)
    (change,) = compare_contents(before, FolderView(after))
    assert change.description == "It was removed."


def test_cancelling_stops_a_comparison(tmp_path):
    views = [view_of(tmp_path / name, {"model.safetensors": bytes(9) + name.encode()}) for name in "ab"]
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        compare_contents(*views, cancel=cancel)


def test_versions_on_the_hub_are_compared_without_their_weights(hub, hub_sources, make_files):
    config = json.loads(make_files()["config.json"])
    weights = make_files()["model.safetensors"]
    old = hub.commit("org/tiny", make_files())
    new = hub.commit(
        "org/tiny", make_files(config__json=json.dumps({**config, "hidden_act": "relu"}).encode(), model__safetensors=weights[:-1] + b"\x01")
    )  # fmt: skip
    views = [HubView(list_repository("org/tiny", commit, hub_sources), hub_sources) for commit in (old, new)]
    hub.requests.clear()
    changes = compare_contents(*views)
    assert [(each.kind, each.risk) for each in changes] == [("weights", "high"), ("config", "high")]
    assert changes[0].details[-1].startswith("Which numbers differ")
    asked = [path.rpartition("/")[2] for _, path, _ in hub.requests]
    assert sorted(set(asked)) == ["config.json", "model.safetensors"], "files that are the same are not asked for"


def test_a_folder_and_the_hub_are_compared_by_hash(hub, hub_sources, make_files, tmp_path):
    commit = hub.commit("org/tiny", make_files())
    remote = HubView(list_repository("org/tiny", commit, hub_sources), hub_sources)
    hub.requests.clear()
    assert compare_contents(view_of(tmp_path / "same", make_files()), remote) == ()
    assert hub.requests == []
    (change,) = compare_contents(view_of(tmp_path / "other", make_files(config__json=b'{"hidden_size": 8}')), remote)
    assert change.file == "config.json"


def test_T21_a_file_that_the_hub_does_not_give_is_compared_by_its_hash(hub, hub_sources, make_files):
    old, new = (
        hub.commit("org/tiny", make_files()),
        hub.commit("org/tiny", make_files(config__json=b'{"hidden_size": 1}')),
    )
    hub.fail("/resolve/", 403)
    views = [HubView(list_repository("org/tiny", commit, hub_sources), hub_sources) for commit in (old, new)]
    (change,) = compare_contents(*views)
    assert change.description.startswith("Its content changed")
    assert "gated" in change.details[0]
