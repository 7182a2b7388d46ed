"""What is run for each kind of model: the right task, inputs of its own making, and answers that are right."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

from tools.fetching import fetch_model
from tools.file_safety import inspect_files
from tools.model_sources import ModelSources
from tools.profiling import profile_model

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
CLS, SEP, MASK = 2, 3, 4
WORDS = "words of its own tokenizer"
TASKS = {
    "llama": ("text-generation", "tokens", WORDS),
    "qwen3": ("text-generation", "tokens", WORDS),
    "gemma2": ("text-generation", "tokens", WORDS),
    "mistral": ("text-generation", "tokens", WORDS),
    "mamba": ("text-generation", "tokens", WORDS),
    "qwen3_next": ("text-generation", "tokens", WORDS),
    "mixtral": ("text-generation", "tokens", WORDS),
    "t5": ("text2text-generation", "tokens", WORDS),
    "bart": ("text2text-generation", "tokens", WORDS),
    "whisper": ("automatic-speech-recognition", "tokens", "30 s of noise through its own feature extractor"),
    "llava": ("image-text-to-text", "tokens", f"noise images of 32x32 from its own processor (17 tokens each) and {WORDS}"),
    "smolvlm": ("image-text-to-text", "tokens", f"noise images of 32x32 from its own processor (8 tokens each) and {WORDS}"),
    "qwen2_vl": ("image-text-to-text", "tokens", "put into a prompt without its processor"),
    "blip": ("image-to-text", "tokens", "noise images of 32x32"),
    "git": ("image-to-text", "tokens", "noise images of 32x32"),
    "captions": ("image-to-text", "tokens", "noise images of 32x32"),
    "bert": ("feature-extraction", "texts", WORDS),
    "bert_random": ("feature-extraction", "texts", "random token ids (the files hold no tokenizer)"),
    "bert_classes": ("text-classification", "texts", WORDS),
    "bart_classes": ("text-classification", "texts", "random token ids (the files hold no tokenizer)"),
    "bert_tokens": ("token-classification", "texts", WORDS),
    "bert_mask": ("fill-mask", "texts", WORDS),
    "modernbert": ("fill-mask", "texts", WORDS),
    "bert_answers": ("question-answering", "pairs", WORDS),
    "bert_pairs": ("text-ranking", "pairs", WORDS),
    "bert_bare": ("bare forward pass of BertForPreTraining", "texts", WORDS),
    "vit": ("image-classification", "images", "noise images of 32x32 from its own processor"),
    "vit_random": ("image-classification", "images", "noise images of 32x32"),
    "detr": ("object-detection", "images", "noise images of 64x64 from its own processor"),
    "clip": ("zero-shot-image-classification", "images", "noise images of 32x32 from its own processor, against 8 labels in words"),
    "clip_random": ("zero-shot-image-classification", "images", "against 8 labels of random token ids (the files hold no tokenizer)"),
    "wav2vec2": ("automatic-speech-recognition", "seconds of audio", "10 s of noise through its own feature extractor"),
    "wav2vec2_random": ("automatic-speech-recognition", "seconds of audio", "10 s of noise at 16 kHz"),
}  # fmt: skip
GENERATING = [name for name, (_, unit, _) in TASKS.items() if unit == "tokens"]
OTHERS = [name for name in TASKS if name not in GENERATING]
BATCH, LENGTH, NEW = 2, 24, 12


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.no_grad():
        yield


@pytest.fixture(scope="session")
def loaded_models(worker, task_models):
    """A loaded model by name; each is loaded once."""
    kept = {}

    def get(name):
        if name not in kept:
            kept[name] = worker.load(task_models(name))
        return kept[name]

    return get


@pytest.mark.parametrize("name", GENERATING)
def test_decoding_gives_the_tokens_of_generate(worker, loaded_models, name):
    loaded = loaded_models(name)
    workload = worker.Workload(loaded, BATCH, LENGTH, NEW)
    task, unit, note = TASKS[name]
    assert (loaded.task, worker.unit_of(loaded)) == (task, unit)
    assert note in workload.inputs_note
    workload.run()  # what the first call leaves behind in the model must not change the second
    call, tokens = workload.run()
    never_ending = {"eos_token_id": None, "forced_eos_token_id": None} if name != "blip" else {}
    expected = loaded.model.generate(
        **workload.inputs, do_sample=False, max_new_tokens=NEW, min_new_tokens=NEW, **never_ending
    )
    assert torch.equal(tokens, expected[:, -NEW:])
    assert 0 < call.first_s < call.total_s
    assert len(call.steps_s) == NEW - 1
    assert 0 < sum(call.steps_s) <= call.total_s - call.first_s
    assert workload.units == BATCH * NEW
    weights, cache = workload.bytes_read()
    assert cache == pytest.approx(call.cache_mib * 2**20)
    assert 0 < weights <= sum(parameter.nbytes for parameter in loaded.model.parameters())


@pytest.mark.parametrize("name", OTHERS)
def test_other_tasks_are_one_pass(worker, loaded_models, name):
    loaded = loaded_models(name)
    workload = worker.Workload(loaded, BATCH, LENGTH, NEW)
    task, unit, note = TASKS[name]
    assert (loaded.task, worker.unit_of(loaded)) == (task, unit)
    assert note in workload.inputs_note
    call, answer = workload.run()
    assert call.total_s > 0
    assert call.first_s is None
    assert workload.new_tokens == 0
    assert workload.units == BATCH * (10 if unit == "seconds of audio" else 1)
    output = next(value for value in answer.values() if isinstance(value, torch.Tensor))
    assert output.shape[0] == BATCH
    assert torch.isfinite(output).all()
    assert type(workload.prefill()) is type(answer)


@pytest.mark.parametrize("length", [1, 2, 5, 24, 128])
def test_texts_have_exactly_the_length_and_special_tokens(worker, loaded_models, length):
    inputs = worker.Workload(loaded_models("bert_pairs"), 3, length, 0).inputs
    assert {tuple(value.shape) for value in inputs.values()} == {(3, length)}
    assert bool(inputs["attention_mask"].all())
    ids, types = inputs["input_ids"], inputs["token_type_ids"]
    assert (ids[:, 0] == CLS).all()
    if length > 4:
        assert (ids == SEP).sum(1).tolist() == [2, 2, 2]
        first = int((ids[0] == SEP).nonzero()[0])
        assert types[0].tolist() == [0] * (first + 1) + [1] * (length - first - 1)
        assert len({tuple(row.tolist()) for row in ids}) == 3


def test_a_masked_text_has_one_mask(worker, loaded_models):
    ids = worker.Workload(loaded_models("bert_mask"), BATCH, LENGTH, 0).inputs["input_ids"]
    assert (ids == MASK).sum(1).tolist() == [1, 1]
    assert (ids[:, 0] == CLS).all()
    assert (ids[:, -1] == SEP).all()


def test_words_decode_to_words(worker, loaded_models, task_models):
    import transformers

    reader = transformers.AutoTokenizer.from_pretrained(task_models("llama"))
    ids = worker.Workload(loaded_models("llama"), 1, 60, 4).inputs["input_ids"][0]
    text = reader.decode(ids, skip_special_tokens=True).split()
    assert ids[0] == reader.bos_token_id
    assert len(set(text)) > 5
    assert all(word.isalpha() for word in text)


def test_T17_ids_past_the_table_are_refused(worker, loaded_models):
    with pytest.raises(worker.JobError, match="T17"):
        worker.Workload(loaded_models("bert_small_table"), 1, LENGTH, 0)


def test_lengths_past_the_positions_are_refused(worker, loaded_models):
    with pytest.raises(worker.JobError, match=r"120 \+ 12 tokens are more than its 128 positions"):
        worker.Workload(loaded_models("llama"), 1, 120, 12)
    with pytest.raises(worker.JobError, match="129 tokens are more than its 128 positions"):
        worker.Workload(loaded_models("bert"), 1, 129, 0)
    assert worker.Workload(loaded_models("t5"), 1, 600, 4).inputs["input_ids"].shape == (1, 600)
    assert worker.Workload(loaded_models("bart"), 1, 128, 12).inputs["input_ids"].shape == (1, 128)
    assert worker.Workload(loaded_models("vit"), 1, 10**6, 0).inputs["pixel_values"].shape == (1, 3, 32, 32)


def test_inputs_that_cannot_be_made_are_said_in_a_sentence(worker, loaded_models):
    with pytest.raises(worker.JobError, match="inputs of the kind `past_values` are not made up"):
        worker.Workload(loaded_models("series"), 1, LENGTH, 0)


def test_a_head_that_wants_other_inputs_is_said_in_a_sentence(worker, loaded_models):
    workload = worker.Workload(loaded_models("bert_choices"), BATCH, LENGTH, 0)
    with pytest.raises(
        worker.JobError, match="`BertForMultipleChoice` does not take inputs made for bare forward pass"
    ):
        workload.call()


def test_whisper_starts_with_language_and_task_where_it_knows_them(worker, task_models, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(task_models("whisper"), folder)
    kept = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
    kept.pop("_from_model_config", None)
    kept |= {"lang_to_id": {"<|de|>": 31, "<|en|>": 30}, "task_to_id": {"transcribe": 40}, "no_timestamps_token_id": 50}
    (folder / "generation_config.json").write_text(json.dumps(kept), encoding="utf-8")
    loaded = worker.load(folder)
    seen = []
    loaded.model.model.decoder.register_forward_pre_hook(
        lambda _, args, given: seen.append(given["input_ids"]), with_kwargs=True
    )
    worker.Workload(loaded, 1, LENGTH, 2).call()
    assert [ids.shape for ids in seen] == [(1, 4), (1, 1)]
    assert seen[0].tolist() == [[5, 30, 40, 50]]
    with pytest.raises(worker.JobError, match=r"4 \+ 61 tokens are more than its 64 positions"):
        worker.Workload(loaded, 1, LENGTH, 61)


def test_image_tokens_without_a_processor_are_as_many_as_the_model_makes(worker, loaded_models):
    workload = worker.Workload(loaded_models("llava_random"), BATCH, LENGTH, 4)
    assert (workload.inputs["input_ids"] == 7).sum(1).tolist() == [16, 16]
    assert workload.inputs["input_ids"].shape == (BATCH, 16 + LENGTH)
    assert "(16 tokens each) and random token ids" in workload.inputs_note
    workload.run()


def with_modules(source, target, pooling, kinds=("Transformer", "Pooling", "Normalize")):
    """A copy of a model with the files of sentence-transformers."""
    shutil.copytree(source, target)
    (target / "1_Pooling").mkdir()
    (target / "1_Pooling" / "config.json").write_text(json.dumps(pooling), encoding="utf-8")
    paths = {"Transformer": "", "Pooling": "1_Pooling"}
    modules = [
        {
            "idx": i,
            "name": str(i),
            "path": paths.get(kind, f"{i}_{kind}"),
            "type": f"sentence_transformers.models.{kind}",
        }
        for i, kind in enumerate(kinds)
    ]
    (target / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    return target


FORMULAS = {
    "cls": lambda hidden: hidden[:, 0],
    "mean": lambda hidden: hidden.mean(1),
    "max": lambda hidden: hidden.max(1).values,
    "mean_sqrt_len_tokens": lambda hidden: hidden.sum(1) / hidden.shape[1] ** 0.5,
    "weightedmean": lambda hidden: sum((i + 1) * hidden[:, i] for i in range(LENGTH)) / (LENGTH * (LENGTH + 1) / 2),
    "lasttoken": lambda hidden: hidden[:, -1],
}


@pytest.mark.parametrize("mode", FORMULAS)
def test_pooling_equals_its_formula(worker, task_models, tmp_path, mode):
    loaded = worker.load(with_modules(task_models("bert"), tmp_path / "model", {"pooling_mode": mode}))
    workload = worker.Workload(loaded, BATCH, LENGTH, 0)
    assert workload.inputs_note == f"{WORDS}; pooled by {mode}, normalised"
    hidden = loaded.model(**workload.inputs).last_hidden_state
    expected = torch.nn.functional.normalize(FORMULAS[mode](hidden), dim=-1)
    torch.testing.assert_close(workload.run()[1], expected)


def test_older_pooling_files_join_several_and_leave_out_is_said(worker, task_models, tmp_path):
    pooling = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}
    kinds = ("Transformer", "Pooling", "Dense")
    loaded = worker.load(with_modules(task_models("bert"), tmp_path / "model", pooling, kinds))
    workload = worker.Workload(loaded, BATCH, LENGTH, 0)
    assert workload.run()[1].shape == (BATCH, 64)
    assert workload.inputs_note.endswith("pooled by cls/mean, without its dense")


def test_a_language_model_with_pooling_files_is_an_embedder(worker, task_models, tmp_path):
    loaded = worker.load(with_modules(task_models("bert_mask"), tmp_path / "model", {"pooling_mode": "mean"}))
    assert (type(loaded.model).__name__, loaded.task) == ("BertModel", "feature-extraction")


@pytest.mark.parametrize("path", ["../secret", "/etc", "1_Pooling/../.."])
def test_modules_that_point_out_of_the_folder_are_not_followed(worker, task_models, tmp_path, path):
    folder = with_modules(task_models("bert"), tmp_path / "model", {"pooling_mode": "mean"})
    text = (folder / "modules.json").read_text(encoding="utf-8")
    (folder / "modules.json").write_text(text.replace('"path": "1_Pooling"', f'"path": "{path}"'), encoding="utf-8")
    assert worker.load(folder).embedding is None


def test_minilm_embeds_by_its_files(worker):
    loaded = worker.load(fetch_model(MINILM, sources=ModelSources(offline=True)).root)
    workload = worker.Workload(loaded, BATCH, LENGTH, 0)
    assert workload.inputs_note == f"{WORDS}; pooled by mean, normalised"
    vectors = workload.run()[1]
    assert vectors.shape == (BATCH, 384)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(BATCH))


def test_a_cross_encoder_by_its_configuration_takes_pairs(worker, task_models, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(task_models("bert_classes"), folder)
    (folder / "config_sentence_transformers.json").write_text('{"model_type": "CrossEncoder"}', encoding="utf-8")
    loaded = worker.load(folder)
    assert (loaded.task, worker.unit_of(loaded)) == ("text-ranking", "pairs")


def test_weights_read_count_a_tied_head_once_and_no_table(worker, loaded_models):
    tied, untied, expert = (loaded_models(name) for name in ("llama", "mistral", "bert"))

    def bytes_of(module):
        return sum(parameter.nbytes for parameter in module.parameters())

    assert worker.Workload(tied, 1, 8, 4).bytes_read()[0] == bytes_of(tied.model)
    table = untied.model.get_input_embeddings()
    assert worker.Workload(untied, 1, 8, 4).bytes_read()[0] == bytes_of(untied.model) - bytes_of(table)
    embeddings = expert.model.embeddings
    tables = (embeddings.word_embeddings, embeddings.position_embeddings, embeddings.token_type_embeddings)
    assert worker.Workload(expert, 1, 8, 0).bytes_read()[0] == bytes_of(expert.model) - sum(map(bytes_of, tables))


def test_a_decoding_step_reads_the_decoder_alone(worker, loaded_models):
    loaded = loaded_models("t5")
    weights = worker.Workload(loaded, 1, 8, 4).bytes_read()[0]
    encoder = sum(parameter.nbytes for parameter in loaded.model.encoder.block.parameters())
    assert weights < sum(parameter.nbytes for parameter in loaded.model.parameters()) - encoder


def test_a_broken_tokenizer_leaves_random_ids(worker, task_models, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(task_models("bert"), folder)
    (folder / "tokenizer.json").write_text("{", encoding="utf-8")
    workload = worker.Workload(worker.load(folder), 1, LENGTH, 0)
    assert workload.inputs_note.startswith("random token ids (its tokenizer cannot be used")


@pytest.mark.parametrize("name", ["t5", "whisper", "clip", "bert_pairs"])
def test_the_whole_profile_of_other_kinds(task_models, name):
    task, unit, _ = TASKS[name]
    record = profile_model(
        str(task_models(name)), device="cpu", batch_sizes=[2], sequence_lengths=[16], new_tokens=4 * (unit == "tokens")
    )
    (run,) = record.runs
    assert (record.task, run.unit, run.error) == (task, unit, None)
    assert run.throughput_per_s > 0
    if unit == "tokens":
        assert run.time_to_first_token_ms < run.latency_max_ms
        assert run.throughput_per_s == pytest.approx(1000 * 2 * 4 / run.latency_p50_ms, rel=0.01)
        assert run.inter_token_latency_ms > 0


@pytest.mark.parametrize("name", TASKS)
def test_no_sound_model_is_refused_before_it_runs(task_models, name):
    inspection = inspect_files(str(task_models(name)))
    assert inspection.verdict != "refuse", inspection.findings
