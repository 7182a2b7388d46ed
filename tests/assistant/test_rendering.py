"""Records as Markdown and plots: what a stranger wrote acts nowhere, and a refusal names the next step."""

from __future__ import annotations

import re
import shlex

import pytest
from markdown_it import MarkdownIt

from assistant.advice.comparison import compare_models
from assistant.advice.plan import plan_adoption
from assistant.advice.plan_records import StageBudget
from assistant.languages import LANGUAGES
from assistant.phrases import say
from assistant.rendering.measuring import render_memory
from assistant.rendering.profiles import render_profile
from assistant.rendering.results import TurnResult, render_result
from assistant.translation import translate
from knowledge.policy_search import GuidanceAnswer
from knowledge.search import Passage
from tools.file_safety import inspect_files
from tools.memory import estimate_memory
from tools.mirrors import bundled_folder
from tools.profiling.records import (
    DeviceLimits,
    LargestThatFits,
    MemoryByKind,
    MemoryStage,
    Profile,
    ProfileRun,
    Variant,
)

NAMES = ["./cheap *best* __model__", "./[click](http://198.51.100.7)", "./<img src=x>", "./a|b|c", "./`code`"]


def markdown(tool, record, language="en"):
    return render_result(TurnResult("E1", tool, {}, record), language)


def shown(text):
    """What a reader sees of Markdown, line by line: the text alone, whatever the marks do."""
    tokens = MarkdownIt("commonmark", {"html": False}).enable("table").parse(text)
    inline = [token.children for token in tokens if token.type == "inline"]
    return ["".join(child.content for child in children) for children in inline]


def pickled(tmp_path, count=1):
    """A folder whose weights are pickles only."""
    folder = tmp_path / "legacy"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    for i in range(count):
        (folder / f"pytorch_model-{i}.bin").write_bytes(b"\x80\x04cos\nsystem\n.")
    return str(folder)


# --- file safety ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_T01_a_refusal_names_the_next_step_once(tmp_path, language):
    record = inspect_files(pickled(tmp_path, count=3))
    assert record.verdict == "refuse"
    text = markdown("inspect_files", record, language)
    step = translate(record.findings[0].next_step, language)
    assert say("common.next_step", language, text=step) in text
    assert text.count(step) == 1
    for finding in record.findings:
        assert finding.file in text
        assert translate(finding.next_step, language) in text, "another finding keeps the step of its own"


# --- names in Markdown ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_T13_the_name_of_a_model_is_text_in_a_plan_and_a_comparison(name, language):
    plan = plan_adoption(name, "FAQ", {}, evidence=[])
    (sentence,) = (line for line in shown(markdown("plan_adoption", plan, language)) if name in line)
    assert sentence.startswith(shown(say("common.say_it", language, text=""))[0][:5])
    compared = compare_models([name, "org/other"], evidence=[])
    assert name in " ".join(shown(markdown("compare_models", compared, language)))
    assert sum(name in line for line in shown(markdown("compare_models", compared, language))) == 2


def test_T13_a_currency_is_text_in_a_plan():
    plan = plan_adoption("org/model", "FAQ", {}, evidence=[])
    budget = StageBudget(low=1.0, high=3.0, currency="*EUR* <b>", basis="full_load", evidence="E1")
    stages = tuple(stage.model_copy(update={"budget": budget}) for stage in plan.stages)
    text = " ".join(shown(markdown("plan_adoption", plan.model_copy(update={"stages": stages}))))
    assert text.count("*EUR* <b> 1.00–3.00") == 4


# --- guidance ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "quote", "told"),
    [
        ("en", "Use two stages. The first one fetches, the second one orders what it got. A third is too much.",
         "Use two stages. The first one fetches, the second one orders what it got."),
        ("en", "Adopt one commit, and call it by its hash in programs, tests and reports. Never call it by its name.",
         "Adopt one commit, and call it by its hash in programs, tests and reports."),
        ("ja", "検索を二段に分けます。一段目で広く集め、二段目で並べ替えます。三段目は要りません。",
         "検索を二段に分けます。一段目で広く集め、二段目で並べ替えます。"),
        ("ja", "採用する版をコミット番号で一つに決め、ハッシュ値とともに記録します。名前では呼びません。",
         "採用する版をコミット番号で一つに決め、ハッシュ値とともに記録します。"),
    ],
)  # fmt: skip
def test_a_point_says_something_by_itself(language, quote, told):
    def passage(entry, text):
        return Passage(
            entry=entry, title="A title", topics=(), quote=text, source="practice", references=(), score=0.1,
            language=language, section="what", sentence_to_say="", tools=(),
        )  # fmt: skip

    found = GuidanceAnswer(query="q", passages=(passage("G38", quote), passage("G39", quote)), note="")
    (point,) = (line for line in markdown("search_guidance", found, language).splitlines() if line.startswith("1. "))
    assert point == f"1. **A title** — {told} [G39]"


# --- measurements -----------------------------------------------------------------------------------------------------

SIZES = {"batch_size": 8, "sequence_length": 128}
PROFILE = Profile(
    model="org/model", commit="c", task="feature-extraction", device_name="CPU", device_kind="cpu", dtype="float32",
    threads=2, import_s=2.0, load_s=0.5, first_call_ms=90.0, memory=(), peak_memory_mib=400.0, noise="quiet",
    noise_reason="", conditions="Some CPU, 2 threads", not_checked=(), isolation=(), wall_s=3.0,
    runs=(
        ProfileRun(batch_size=1, sequence_length=128, dtype="float32", latency_p50_ms=40.0, latency_p95_ms=45.0,
                   throughput_per_s=25.0, peak_memory_mib=380.0),
        ProfileRun(**SIZES, dtype="float32", latency_p50_ms=300.0, latency_p95_ms=320.0, throughput_per_s=26.7,
                   peak_memory_mib=400.0),
    ),
)  # fmt: skip
"""A record as they were before the newer fields."""


def profile(*runs, **replaced):
    return PROFILE.model_copy(update=replaced | ({"runs": runs} if runs else {}))


def rendered(record, language="en", audience="engineer", **arguments):
    return render_profile(TurnResult("E7", "profile_model", arguments, record), language, []).for_audience(audience)


def rows(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


def test_an_older_record_has_the_columns_that_it_has_figures_for():
    header, _, first, _ = rows(rendered(PROFILE))
    assert header == ["batch", "length", "p50 ms", "p95 ms", "texts/s", "peak MiB"]
    assert first == ["1", "128", "40.0", "45.0", "25.0", "380.0"]


def test_a_median_stands_with_its_interval_and_a_run_with_what_bounds_it():
    more = {"latency_p50_low_ms": 39.0, "latency_p50_high_ms": 41.5, "latency_p99_ms": 46.0, "mfu_percent": 61.0,
            "mbu_percent": 5.0, "bound": "compute", "forecast_latency_ms": 42.0}  # fmt: skip
    first = PROFILE.runs[0].model_copy(update=more)
    failed = ProfileRun(batch_size=512, sequence_length=128, dtype="float32", error="Out of memory: none.")
    header, _, ran, other, last = rows(rendered(profile(first, PROFILE.runs[1], failed)))
    assert header == [
        "batch", "length", "p50 ms (95 % interval)", "p95 ms", "p99 ms", "texts/s", "peak MiB", "MBU / MFU %",
        "limited by", "call forecast ms",
    ]  # fmt: skip
    assert ran[2:] == ["40.0 (39.0–41.5)", "45.0", "46.0", "25.0", "380.0", "5 / 61", "compute", "42.0"]
    assert other[2:] == ["300.0", "320.0", "–", "26.7", "400.0", "– / –", "–", "–"]
    assert last[:3] == ["512", "128", "Out of memory: none"]
    assert {len(row) for row in (ran, other, last)} == {len(header)}


def test_generation_tells_the_first_token_and_those_between():
    run = ProfileRun(**SIZES, dtype="float32", unit="tokens", time_to_first_token_ms=500.0, inter_token_latency_ms=50.0,
                     inter_token_latency_p95_ms=61.0, tokens_per_s=160.0, peak_memory_mib=900.0)  # fmt: skip
    whole = run.model_copy(update={"latency_p50_ms": 1250.0, "forecast_latency_ms": 1200.0})
    assert rows(rendered(profile(whole)))[0][6:] == ["whole call ms", "peak MiB", "call forecast ms"]
    header, _, row = rows(rendered(profile(run)))
    assert header[2:] == ["first token ms", "between tokens ms", "p95 ms", "tokens/s", "peak MiB"]
    assert row[2:] == ["500.0", "50.0", "61.0", "160.0", "900.0"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("audience", ["auto", "manager", "engineer"])
def test_a_measurement_that_ended_early_says_so_first(language, audience):
    text = rendered(profile(ended_early="The time ran out."), language, audience)
    assert text.startswith(say("profile.ended_early", language, reason="The time ran out"))


@pytest.fixture(scope="module")
def forecast():
    return estimate_memory(str(bundled_folder()))


def answered(forecast, memory_mib, turn=(), language="en"):
    asked = estimate_memory(str(bundled_folder()), device_memory_gib=memory_mib / 1024)
    assert asked.total_mib == forecast.total_mib
    return render_memory(TurnResult("E8", "estimate_memory", {}, asked), language, turn).headline


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("share", "close"), [(0.8, False), (0.95, True), (1.03, True), (1.2, False)])
def test_an_answer_that_the_error_of_a_forecast_can_turn_over_says_so(forecast, share, close, language):
    text = answered(forecast, share * forecast.total_mib, language=language)
    assert (say("memory.too_close", language) in text) is close


@pytest.mark.parametrize(("memory_mib", "said"), [(390, "**No**"), (410, "**Only just**"), (500, "**Yes, with room**")])
def test_beside_a_measurement_the_measured_peak_says_whether_it_fits(forecast, memory_mib, said):
    measured = TurnResult("E7", "profile_model", {}, profile(forecast_total_mib=forecast.total_mib))
    assert said in answered(forecast, memory_mib, [measured])


def test_the_machines_limits_stand_in_words():
    limits = DeviceLimits(
        copy_gb_per_s=35.0, matvec_gb_per_s={"float32": 22.1}, matmul_gflop_per_s={"float32": 195.0}, probe_s=0.9
    )
    text = rendered(profile(limits=limits, bound="bandwidth"))
    assert "(float32): copy 35.0 GB/s, matrix-vector 22.1 GB/s, matrix product 195.0 GFLOP/s." in text
    assert "limited by **memory bandwidth**" in text
    assert "copy 35.0 GB/s." in rendered(profile(limits=limits, dtype="bfloat16")), "not measured in that format"


def test_every_speed_up_stands_beside_its_agreement():
    variants = (
        Variant(**SIZES, setting="dtype=bfloat16", latency_p50_ms=150.0, speedup=2.0, speedup_low=1.9, speedup_high=2.1,
                weights_mib=43.0, lowest_cosine=0.99996, flips_percent=0.5),
        Variant(**SIZES, setting="attention=eager", latency_p50_ms=301.0, speedup=0.99, speedup_low=0.95,
                speedup_high=1.03, lowest_cosine=1.0),
        Variant(**SIZES, setting="compile=`x`", error="Not tried: it has no `compiler`."),
    )  # fmt: skip
    found = [row for row in rows(rendered(profile(variants=variants))) if row[1] == "8 × 128"]
    assert found[0] == ["dtype=bfloat16", "8 × 128", "150.0", "×2.00 (1.90–2.10)", "43.0", "0.9999", "0.5 %"]
    assert found[1][3:] == ["×0.99 (0.95–1.03) no clear difference", "–", "1", "–"]
    assert found[2][-5:] == [r"Not tried: it has no \`compiler\`", "", "", "", ""]


def test_the_largest_that_ran_is_told_with_what_limits_it():
    found = LargestThatFits(what="batch_size", value=832, peak_memory_mib=8100.0, limited_by="memory", tried=(64, 832))
    assert "Largest batch that ran: **832** with a peak of 8,100 MiB; limit: memory." in rendered(
        profile(largest=(found,))
    )


def test_memory_by_kind_and_stage_is_for_engineers():
    stage = MemoryStage(stage="load", anonymous_mib=210.0, file_mib=100.0, peak_mib=384.0)
    record = profile(memory=(MemoryByKind(kind="weights", mib=86.6),), memory_stages=(stage,))
    assert "| loading | 210 | 100 | 384 |" in rendered(record)
    assert "weights 87 MiB" in rendered(record)
    assert "loading" not in rendered(record, audience="auto")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_manager_reads_three_points_with_figures(language):
    text = rendered(PROFILE, language, "manager")
    points = re.findall(r"^\d\. .*\[E7\]$", text, re.MULTILINE)
    assert len(points) == 3
    assert "40.0 ms" in points[0]
    assert "26.7" in points[0]
    assert "400 MiB" in points[1]
    assert rows(text) == []


def test_the_command_measures_the_same_again():
    record = profile(model="./my model", dtype="bfloat16")
    text = rendered(record, batch_sizes=[1, 8], dtype="auto", new_tokens=0, model="./my model")
    (command,) = re.findall(r"`(tameshi profile-model [^`]*)`", text)
    words = shlex.split(command)[2:]
    assert words == [
        "./my model", "--batch-sizes", "1,8", "--sequence-lengths", "128", "--device", "cpu", "--dtype", "bfloat16",
    ]  # fmt: skip


def test_the_command_has_options_that_there_are():
    import inspect

    import typer.main

    from assistant.cli import app
    from tools.profiling import profile_model

    asked = {name: 1 for name, p in inspect.signature(profile_model).parameters.items() if p.kind is not p.KEYWORD_ONLY}
    (command,) = re.findall(r"`(tameshi profile-model [^`]*)`", rendered(PROFILE, **asked))
    known = {option for p in typer.main.get_command(app).commands["profile-model"].params for option in p.opts}
    assert {word for word in shlex.split(command) if word.startswith("--")} <= known
