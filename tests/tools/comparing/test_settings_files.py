import pytest

CONFIG = {"model_type": "bert", "hidden_size": 8, "hidden_act": "gelu", "id2label": {"0": "no", "1": "yes"}}


def test_entries_are_told_with_what_they_mean_and_the_weightiest_first(change_of):
    change = change_of("config.json", CONFIG, {**CONFIG, "hidden_dropout_prob": 0.1, "hidden_act": "relu"})
    assert (change.kind, change.risk) == ("config", "high")
    assert change.description == "Entries that differ: `hidden_act`, `hidden_dropout_prob`."
    assert change.details == (
        "`hidden_act`, the activation function: from `gelu` to `relu`.",
        "`hidden_dropout_prob`, a setting for training: added, `0.1`.",
    )


def test_entries_within_entries_are_found(change_of):
    change = change_of("config.json", CONFIG, {**CONFIG, "id2label": {"0": "yes", "1": "no"}})
    assert change.details[0] == "`id2label.0`, a label of the answer: from `no` to `yes`."
    assert change.risk == "high"


def test_the_size_inside_a_text_config_counts_as_much_as_outside(change_of):
    change = change_of("config.json", {"text_config": {"rope_theta": 1e4}}, {"text_config": {"rope_theta": 1e6}})
    assert change.risk == "high"
    assert "how positions are told apart" in change.details[0]


def test_another_order_of_entries_is_no_change_that_matters(change_of):
    change = change_of("config.json", CONFIG, dict(reversed(CONFIG.items())))
    assert (change.risk, change.retest, change.details) == ("low", "", ())


@pytest.mark.parametrize(("old", "new"), [(1, True), (0, None), (1, "1"), ([1], [True])])
def test_values_of_another_type_differ(change_of, old, new):
    assert change_of("config.json", {"x": old}, {"x": new}).description == "Entries that differ: `x`."


def test_entries_that_only_look_the_same_when_laid_flat_differ(change_of):
    change = change_of("config.json", {"a.b": 1}, {"a": {"b": 1}})
    assert (change.risk, change.description) == ("high", "Its entries stand within others in another way.")


def test_null_is_the_same_as_not_there(change_of):
    assert change_of("config.json", {"a": None}, {}).risk == "low"


def test_who_wrote_the_file_is_of_no_consequence(change_of):
    old, new = ({"transformers_version": version} for version in ("4.1.0", "5.2.0"))
    assert change_of("config.json", old, new).risk == "low"


def test_generation_defaults_are_a_kind_of_their_own(change_of):
    change = change_of("generation_config.json", {"temperature": 0.6}, {"temperature": 1.0, "do_sample": True})
    assert (change.kind, change.risk) == ("generation_defaults", "high")
    assert change.details[0] == "`do_sample`, whether answers are drawn at random: added, `true`."


def test_a_missing_normalisation_step_is_told_with_what_it_does(change_of):
    steps = [{"idx": 0, "path": "", "type": "st.Transformer"}, {"idx": 1, "path": "1_N", "type": "st.Normalize"}]
    change = change_of("modules.json", steps, steps[:1])
    assert change.risk == "high"
    assert change.details[0].startswith("Embeddings change their length")
    assert change.details[1] == "Step removed: `st.Normalize:1_N`."


@pytest.mark.parametrize(
    ("name", "old", "new", "meaning"),
    [
        ("1_Pooling/config.json", {"pooling_mode_cls_token": False}, {"pooling_mode_cls_token": True}, "how word vectors become one"),
        ("sentence_bert_config.json", {"max_seq_length": 256}, {"max_seq_length": 128}, "the longest input"),
        ("config_sentence_transformers.json", {"prompts": {}}, {"prompts": {"query": "q: "}}, "a text put before every input"),
        ("preprocessor_config.json", {"image_mean": [0.5]}, {"image_mean": [0.4]}, "how values are scaled"),
        ("tokenizer_config.json", {"do_lower_case": True}, {"do_lower_case": False}, "whether capital letters are kept"),
    ],
)  # fmt: skip
def test_each_file_has_its_own_entries(change_of, name, old, new, meaning):
    change = change_of(name, old, new)
    assert change.risk == "high"
    assert meaning in change.details[0]


def test_T09_a_config_that_is_no_json_is_compared_by_its_size(change_of):
    change = change_of("config.json", CONFIG, b'{"a": 1, "a": 2}')
    assert change.details == ("One of the two versions has the key `a` twice, so its entries were not compared.",)
    assert change.risk == "medium"


def test_T13_hostile_names_and_values_stay_short_printable_and_within_their_backticks(change_of):
    hostile = "`</code><script>\u202e" + "x" * 10_000
    change = change_of("config.json", {}, {hostile: {"deep": [[["y" * 10_000]] * 1_000]}, "hidden_act": hostile})
    assert all(len(text) < 500 for text in (change.description, *change.details))
    assert all(text.count("`") % 2 == 0 and text.isprintable() for text in (change.description, *change.details))
