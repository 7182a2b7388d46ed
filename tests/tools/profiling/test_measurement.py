"""What a measurement holds beside its times: intervals, memory by kind, operations, limits, other settings, early ends."""

from __future__ import annotations

import importlib.util

import pytest

from tools.device_limits import DeviceLimits
from tools.errors import InvalidArgument
from tools.model_sources import ModelSources
from tools.profiling import profile, profile_model
from tools.profiling.isolation import WorkerLimits
from tools.profiling.next_try import next_try
from tools.profiling.records import ProfileRun, Variant
from tools.progress import CancelToken

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
OFFLINE = ModelSources(offline=True)


@pytest.fixture(scope="module")
def classifier(tiny_models):
    """A tiny classifier under every setting that can be varied in a moment."""
    return profile_model(
        str(tiny_models["classifier"]), device="cpu", batch_sizes=[1, 2], sequence_lengths=[8], repeats=7,
        vary=["dtype", "attention", "quantization", "sequence_length"],
    )  # fmt: skip


def test_the_median_stands_in_its_interval(classifier):
    for run in classifier.runs:
        assert run.repeats == 7
        assert run.latency_min_ms <= run.latency_p50_low_ms <= run.latency_p50_ms
        assert run.latency_p50_ms <= run.latency_p50_high_ms <= run.latency_max_ms
        assert run.latency_p99_ms is None  # seven calls do not tell


def test_operations_are_those_of_the_layers(classifier):
    hidden, inner, layers, tokens, labels = 32, 64, 2, 8, 2
    linear = 2 * tokens * layers * (4 * hidden * hidden + 2 * hidden * inner)
    attention = 4 * layers * tokens * tokens * hidden
    head = 2 * (hidden * hidden + hidden * labels)  # the pooler and the classifier read one token
    one, two = (run.gflop for run in classifier.runs)
    assert one == pytest.approx((linear + attention + head) / 1e9, rel=0.01)
    assert two == pytest.approx(2 * one, rel=0.001)


def test_shares_follow_from_the_limits(classifier):
    limits = classifier.limits
    assert set(limits.matmul_gflop_per_s) == {"float32", "bfloat16"}
    assert min(limits.copy_gb_per_s, limits.call_us, *limits.matvec_gb_per_s.values()) > 0
    run = classifier.runs[0]
    share = 100 * run.gflop / (run.latency_p50_ms / 1000) / limits.matmul_gflop_per_s["float32"]
    assert run.mfu_percent == pytest.approx(share, rel=0.01)
    assert run.bound == "overhead"  # a model this small computes next to nothing
    assert classifier.bound == "overhead"


def test_no_share_of_limits_that_a_run_went_far_beyond(worker):
    def runs(second):
        return [
            {"mfu_percent": 30.0, "mbu_percent": 12.0, "bound": "overhead", "gflop": 1.0},
            {"mfu_percent": second, "mbu_percent": 90.0, "bound": "compute", "gflop": 2.0},
            {"error": "Not run: too long."},
        ]

    plausible, disturbed = runs(104.0), runs(4227.0)
    assert not worker.drop_implausible_shares(plausible)
    assert plausible == runs(104.0)
    assert worker.drop_implausible_shares(disturbed)
    assert disturbed == [{"gflop": 1.0}, {"gflop": 2.0}, {"error": "Not run: too long."}]


def test_memory_is_told_by_kind_and_by_stage(classifier):
    assert [stage.stage for stage in classifier.memory_stages] == ["runtime", "load", "first_call", "runs"]
    for stage in classifier.memory_stages:
        assert stage.peak_mib >= 0.99 * (stage.anonymous_mib + stage.file_mib)
    for run in classifier.runs:
        assert run.peak_memory_mib == pytest.approx(run.peak_anonymous_mib + run.peak_file_mib, rel=0.001)


def test_a_faster_setting_stands_beside_its_agreement(classifier):
    variants = {each.setting: each for each in classifier.variants}
    assert {"dtype=bfloat16", "dtype=float16", "attention=eager", "quantization=int8"} <= set(variants)
    for name in ("dtype=bfloat16", "attention=eager"):
        each = variants[name]
        assert each.error is None
        assert each.speedup_low <= each.speedup <= each.speedup_high
        assert -1 <= each.lowest_cosine <= 1
        assert 0 <= each.flips_percent <= 100
    assert variants["attention=eager"].lowest_cosine == pytest.approx(1, abs=1e-4)
    half, whole = variants["dtype=bfloat16"].weights_mib, variants["attention=eager"].weights_mib
    assert half == pytest.approx(whole / 2, rel=0.01)


def test_what_is_not_installed_is_said(classifier):
    if importlib.util.find_spec("torchao"):
        pytest.skip("torchao is installed")
    each = next(each for each in classifier.variants if each.setting == "quantization=int8")
    assert each.error == "Not tried: the package torchao is not installed."


def test_the_longest_sequence_is_found_by_bisection(classifier):
    (largest,) = classifier.largest
    assert (largest.what, largest.value) == ("sequence_length", 64)
    assert "64 positions" in largest.limited_by
    assert largest.tried[0] == 8


def test_the_largest_batch_that_fits_is_within_the_memory(tiny_models, monkeypatch):
    monkeypatch.setattr(profile, "WorkerLimits", lambda: WorkerLimits(memory_mib=900))
    record = profile_model(
        str(tiny_models["bert"]), device="cpu", batch_sizes=[512], sequence_lengths=[64], repeats=1, vary=["batch_size"]
    )
    (largest,) = record.largest
    assert 512 <= largest.value <= 4096
    assert largest.peak_memory_mib < 1200
    assert sorted(set(largest.tried)) == sorted(largest.tried)


def test_T24_a_run_that_needs_too_much_leaves_the_others(monkeypatch):
    monkeypatch.setattr(profile, "WorkerLimits", lambda: WorkerLimits(memory_mib=700))
    record = profile_model(
        MINILM, device="cpu", batch_sizes=[1, 4096], sequence_lengths=[128], repeats=1, sources=OFFLINE
    )
    small, large = record.runs
    assert small.error is None
    assert large.error.startswith("Out of memory")


def test_T24_cancelling_keeps_what_was_measured():
    token = CancelToken()

    def stop_at_the_second(_fraction: float, message: str) -> None:
        if "batch size 512" in message:
            token.cancel()

    record = profile_model(
        MINILM, device="cpu", batch_sizes=[1, 512], sequence_lengths=[512], repeats=2, sources=OFFLINE,
        progress=stop_at_the_second, cancel=token,
    )  # fmt: skip
    assert [run.batch_size for run in record.runs] == [1]
    assert record.ended_early
    assert record.peak_memory_mib > 0


def test_what_cannot_be_varied_is_refused():
    with pytest.raises(InvalidArgument, match="weather"):
        profile_model(MINILM, sources=OFFLINE, vary=["weather"])
    with pytest.raises(InvalidArgument, match="repeats"):
        profile_model(MINILM, sources=OFFLINE, repeats=0)


LIMITS = DeviceLimits(
    copy_gb_per_s=30, matvec_gb_per_s={"float32": 20}, matmul_gflop_per_s={"float32": 200, "bfloat16": 400}, probe_s=0.4
)


def a_run(**changes):
    fields = {
        "batch_size": 1,
        "sequence_length": 128,
        "dtype": "float32",
        "latency_p50_ms": 10.0,
        "throughput_per_s": 100,
    }
    return ProfileRun(**(fields | changes))


@pytest.mark.parametrize(
    ("bound", "dtype", "expected"),
    [
        ("compute", "float32", "Try bfloat16: a matrix product is 2.0 times as fast"),
        ("compute", "bfloat16", "Arithmetic is the limit"),
        ("bandwidth", "float32", "it halves them"),
        ("bandwidth", "bfloat16", "8-bit"),
        ("overhead", "float32", "Try batch sizes above 1"),
    ],
)
def test_the_next_thing_to_try_follows_from_the_bound(bound, dtype, expected):
    assert expected in next_try([a_run(bound=bound, dtype=dtype)], LIMITS, [], dtype)


def test_larger_batches_are_not_advised_where_they_no_longer_help():
    runs = [
        a_run(bound="overhead", batch_size=8, throughput_per_s=100),
        a_run(bound="overhead", batch_size=32, throughput_per_s=101, latency_p50_ms=300.0),
    ]
    assert "bfloat16" in next_try(runs, LIMITS, [], "float32")
    assert "compile" in next_try(runs, LIMITS, [], "bfloat16")


def test_a_measured_winner_is_the_advice_only_when_its_answers_agree():
    good = Variant(
        setting="dtype=bfloat16", batch_size=1, sequence_length=8, speedup=1.8, speedup_low=1.7, lowest_cosine=0.9995
    )
    bad = good.model_copy(update={"setting": "quantization=int8", "speedup": 3.0, "lowest_cosine": 0.8})
    assert "dtype=bfloat16: measured 1.80 times" in next_try([a_run(bound="compute")], LIMITS, [bad, good], "float32")
    assert "int8" not in next_try([a_run(bound="compute")], LIMITS, [bad], "float32")


def test_nothing_is_advised_without_limits():
    assert next_try([a_run()], None, [], "float32") is None
