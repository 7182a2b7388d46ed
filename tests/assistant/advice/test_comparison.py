"""Models side by side: rows are what was found, gaps stay gaps, and only like is called better than like."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.advice.comparison import ComparedModel, compare_models
from tools.errors import InvalidArgument


@pytest.fixture
def profiled(evidence_of, records):
    """The function that stores a profile for each model: p50, throughput and peak."""

    def make(figures, unit="texts"):
        for model, (p50, throughput, peak) in figures.items():
            run = records.measured(1, p50, p50 * 2, throughput, peak_memory_mib=peak, unit=unit)
            evidence_of(records.profile(run, model=model))
        return evidence_of()

    return make


def test_a_row_says_all_that_is_known_with_its_evidence(evidence_of, records):
    evidence = evidence_of(*records.sound(), records.forecast(900.0, model="org/other", commit="c" * 40))
    comparison = compare_models(["org/model", "org/other"], evidence=evidence)
    assert comparison.models == (
        ComparedModel(
            model="org/model",
            commit="a" * 40,
            parameters=1_000,
            forecast_mib=500.0,
            peak_memory_mib=600.0,
            latency_p50_ms=10.0,
            throughput_per_s=200.0,
            unit="texts",
            licence="Apache-2.0",
            card_score=0.5,
            machine=evidence[0].machine,
            evidence=("E3", "E5", "E4"),
            device="CPU (cpu), 2 threads",
            noise="quiet",
        ),
        ComparedModel(
            model="org/other",
            commit="c" * 40,
            parameters=1_000,
            forecast_mib=900.0,
            peak_memory_mib=None,
            latency_p50_ms=None,
            throughput_per_s=None,
            unit=None,
            licence=None,
            card_score=None,
            machine=None,
            evidence=("E7",),
        ),
    )
    assert (comparison.not_measured, comparison.dominated, comparison.comparable) == (("org/other",), (), True)


@pytest.mark.parametrize(("length", "shown"), [(128, 700.0), (512, 500.0)])
def test_a_forecast_stands_beside_a_measurement_of_the_same_length(evidence_of, records, length, shown):
    longer = records.forecast(700.0).model_copy(update={"sequence_length": length})
    evidence = evidence_of(*records.sound(), longer)
    row = compare_models(["org/model", "org/other"], evidence=evidence).models[0]
    assert row.forecast_mib == shown


def test_a_model_of_which_nothing_is_known_has_an_empty_row(evidence_of, records):
    comparison = compare_models(["org/model", "org/unheard"], evidence=evidence_of(*records.sound()))
    unheard = comparison.models[1].model_dump(exclude={"model"})
    assert set(unheard.values()) == {"", None, ()}
    assert comparison.not_measured == ("org/unheard",)


def test_rows_stand_in_the_order_asked_each_model_once(evidence_of, records):
    evidence = evidence_of(*records.sound())
    asked = ["org/b", "org/model", "org/b", "org/a"]
    assert [m.model for m in compare_models(asked, evidence=evidence).models] == ["org/b", "org/model", "org/a"]


@pytest.mark.parametrize("models", [[], ["org/model"], ["org/model", "org/model"]])
def test_a_comparison_needs_two_models(models):
    with pytest.raises(InvalidArgument, match="two models"):
        compare_models(models, evidence=[])


def test_a_model_worse_in_every_figure_is_dominated(profiled):
    evidence = profiled({"org/a": (10, 100, 500), "org/b": (20, 50, 900), "org/c": (5, 40, 950)})
    assert compare_models(["org/a", "org/b", "org/c"], evidence=evidence).dominated == ("org/b",)


def test_equal_models_do_not_dominate_each_other(profiled):
    evidence = profiled({"org/a": (10, 100, 500), "org/b": (10, 100, 500)})
    assert compare_models(["org/a", "org/b"], evidence=evidence).dominated == ()


def test_a_model_that_was_not_measured_is_not_called_worse(profiled, evidence_of, records):
    profiled({"org/a": (10, 100, 500)})
    evidence = evidence_of(records.profile(records.failed(1), model="org/b"))
    comparison = compare_models(["org/a", "org/b"], evidence=evidence)
    assert (comparison.not_measured, comparison.dominated) == (("org/b",), ())


def test_figures_of_another_machine_are_shown_but_prove_nothing(profiled):
    evidence = profiled({"org/a": (10, 100, 500), "org/b": (20, 50, 900)})
    moved = [e.model_copy(update={"machine": "other"}) if e.model == "org/b" else e for e in evidence]
    comparison = compare_models(["org/a", "org/b"], evidence=moved)
    assert [m.latency_p50_ms for m in comparison.models] == [10, 20]
    assert (comparison.comparable, comparison.dominated) == (False, ())


def test_what_no_figure_tells_apart_is_named_with_the_reason(profiled):
    evidence = profiled({"org/a": (10, 100, 500), "org/b": (20, 50, 900)})
    assert compare_models(["org/a", "org/b"], evidence=evidence).undecided == ()
    moved = [e.model_copy(update={"machine": "other"}) if e.model == "org/b" else e for e in evidence]
    (pair,) = compare_models(["org/a", "org/b"], evidence=moved).undecided
    assert (pair.first, pair.second, pair.reason) == ("org/a", "org/b", "other_machine")


def between(low, p50, high):
    return {
        "p50": p50, "p95": high, "throughput": 1000 / p50, "latency_p50_low_ms": low, "latency_p50_high_ms": high,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("slower", "dominated", "figures"),
    [
        (between(10.2, 10.6, 11.0), (), ("latency", "throughput")),
        (between(10.5, 10.6, 11.0), ("org/b",), None),
    ],
)
def test_intervals_that_overlap_rank_nobody(evidence_of, records, slower, dominated, figures):
    evidence_of(records.profile(records.measured(1, **between(9.9, 10.0, 10.4)), model="org/a"))
    evidence = evidence_of(records.profile(records.measured(1, **slower), model="org/b"))
    comparison = compare_models(["org/a", "org/b"], evidence=evidence)
    assert comparison.dominated == dominated
    assert [(pair.reason, pair.figures) for pair in comparison.undecided] == ([("overlap", figures)] if figures else [])
    a = comparison.models[0]
    assert (a.latency_p50_range.low, a.latency_p50_range.high) == (9.9, 10.4)
    assert a.throughput_range.low == pytest.approx(1000 / 10.4)
    assert a.throughput_range.high == pytest.approx(1000 / 9.9)


def test_a_noisy_measurement_ranks_nobody(profiled):
    evidence = profiled({"org/a": (10, 100, 500), "org/b": (20, 50, 900)})
    noisy = [
        e.model_copy(update={"record": e.record | {"noise": "noisy"}}) if e.model == "org/a" else e for e in evidence
    ]
    comparison = compare_models(["org/a", "org/b"], evidence=noisy)
    assert comparison.dominated == ()
    assert [pair.reason for pair in comparison.undecided] == ["noisy"]


def test_another_device_of_the_same_machine_ranks_nobody(profiled):
    evidence = profiled({"org/a": (10, 100, 500), "org/b": (20, 50, 900)})
    accelerated = {"device_kind": "cuda", "device_name": "GPU"}
    moved = [e.model_copy(update={"record": e.record | accelerated}) if e.model == "org/a" else e for e in evidence]
    comparison = compare_models(["org/a", "org/b"], evidence=moved)
    assert (comparison.dominated, [pair.reason for pair in comparison.undecided]) == ((), ["other_device"])


def test_figures_are_those_of_the_runs_that_all_have(evidence_of, records):
    evidence_of(records.profile(records.measured(1, 10.0), records.measured(8, 40.0, 50.0, 200.0), model="org/a"))
    evidence = evidence_of(records.profile(records.measured(8, 20.0, 25.0, 400.0), model="org/b"))
    comparison = compare_models(["org/a", "org/b"], evidence=evidence)
    assert [(at.batch_size, at.sequence_length) for at in comparison.compared_at] == [(8, 128)]
    assert [m.latency_p50_ms for m in comparison.models] == [40.0, 20.0]
    assert comparison.dominated == ("org/a",)


def test_models_without_a_run_in_common_are_shown_but_not_ranked(evidence_of, records):
    evidence_of(records.profile(records.measured(1, 10.0, sequence_length=64), model="org/a"))
    evidence = evidence_of(records.profile(records.measured(1, 20.0, 25.0, 50.0), model="org/b"))
    comparison = compare_models(["org/a", "org/b"], evidence=evidence)
    assert [m.latency_p50_ms for m in comparison.models] == [10.0, 20.0]
    assert (comparison.dominated, comparison.compared_at) == ((), ())
    assert [pair.reason for pair in comparison.undecided] == ["other_runs"]


def test_tokens_are_not_compared_with_texts(profiled):
    profiled({"org/a": (10, 100, 500)}, unit="tokens")
    evidence = profiled({"org/b": (20, 50, 900)}, unit="texts")
    comparison = compare_models(["org/a", "org/b"], evidence=evidence)
    assert [m.unit for m in comparison.models] == ["tokens", "texts"]
    assert comparison.dominated == ()
    assert [pair.reason for pair in comparison.undecided] == ["other_unit"]


def test_what_was_found_in_another_version_is_left_out(evidence_of, records):
    old, new = "a" * 40, "b" * 40
    evidence = evidence_of(records.profile(commit=old), records.documentation(commit=old), records.forecast(commit=new))
    row = compare_models(["org/model", "org/other"], evidence=evidence).models[0]
    assert (row.commit, row.evidence) == (new, ("E3",))
    assert (row.latency_p50_ms, row.licence) == (None, None)


figure = st.floats(0.5, 1_000)


@given(st.lists(st.tuples(figure, figure, figure), min_size=2, max_size=5))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_some_model_is_never_dominated_and_a_dominated_one_has_a_better(tmp_path_factory, records, rows):
    from assistant.evidence import EvidenceStore

    store = EvidenceStore(f"sqlite:///{tmp_path_factory.mktemp('store') / 'e.sqlite3'}")
    figures = {f"org/m{i}": row for i, row in enumerate(rows)}
    for model, (p50, throughput, peak) in figures.items():
        run = records.measured(1, p50, p50, throughput, peak_memory_mib=peak)
        record = records.profile(run, model=model)
        store.add(record, user="u", conversation="c", tool="profile_model", arguments={})
    dominated = compare_models(list(figures), evidence=store.find(user="u")).dominated
    store.close()
    assert len(dominated) < len(figures)
    for model, (p50, throughput, peak) in figures.items():
        better = [
            other
            for other, (p, t, m) in figures.items()
            if (p <= p50 and t >= throughput and m <= peak) and (p, t, m) != (p50, throughput, peak)
        ]
        assert (model in dominated) == bool(better)
