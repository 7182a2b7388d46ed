"""Plots of a profile: what is drawn from which figures, that names stay names, and that the same record gives the same bytes."""

from __future__ import annotations

import itertools
import warnings
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.evidence import Evidence
from assistant.languages import LANGUAGES
from assistant.rendering.plot_roofline import roofline_points
from assistant.rendering.plot_style import kept_apart
from assistant.rendering.plots import (
    PANELS,
    device_mib_of,
    panels_of,
    profile_figure,
    profile_png,
    profile_svg,
    write_plot,
)
from tools.errors import InvalidArgument
from tools.profiling.records import DeviceLimits, MemoryByKind, Profile, ProfileRun, Variant

EVIL = '<script>alert(1)</script> --> ]]> &amp; "x" $\\frac{$'
LIMITS = DeviceLimits(
    copy_gb_per_s=30.0, matvec_gb_per_s={"float32": 20.0}, matmul_gflop_per_s={"float32": 200.0}, probe_s=0.5
)


def profile(*runs, **replaced):
    """A record without the newer fields, unless they are given."""
    fields = {
        "model": "org/model", "commit": "c", "task": "feature-extraction", "device_name": "CPU", "device_kind": "cpu",
        "dtype": "float32", "threads": 2, "import_s": 1.0, "load_s": 1.0, "first_call_ms": 1.0, "memory": (),
        "peak_memory_mib": 400.0, "noise": "quiet", "noise_reason": "", "conditions": "", "not_checked": (),
        "isolation": (), "wall_s": 3.0,
    }  # fmt: skip
    return Profile(**fields | {"runs": runs or (run(),)} | replaced)


def run(batch=1, length=128, **figures):
    given = figures or {"latency_p50_ms": 40.0, "latency_p95_ms": 45.0, "throughput_per_s": 25.0}
    return ProfileRun(batch_size=batch, sequence_length=length, dtype="float32", **given)


def full(model="org/model", setting="dtype=bfloat16", error="Not run: it is not installed."):
    """A record with every figure that a plot shows."""
    shares = {"gflop": 4.0, "mfu_percent": 50.0, "mbu_percent": 5.0, "throughput_per_s": 25.0}
    interval = {"latency_p50_ms": 40.0, "latency_p50_low_ms": 39.0, "latency_p50_high_ms": 42.0, "latency_p95_ms": 45.0}
    sizes = {"batch_size": 8, "sequence_length": 128}
    return profile(
        run(1, **shares, **interval),
        run(8, **shares, **{name: 8 * value for name, value in interval.items()}),
        run(512, error="Out of memory: there was not enough."),
        model=model,
        limits=LIMITS,
        memory=(
            MemoryByKind(kind="runtime", mib=250.0),
            MemoryByKind(kind="weights", mib=90.0),
            MemoryByKind(kind="load_peak", mib=80.0),
            MemoryByKind(kind="activations", mib=60.0),
        ),
        forecast_total_mib=420.0,
        variants=(
            Variant(setting=setting, **sizes, speedup=1.9, speedup_low=1.8, speedup_high=2.0, lowest_cosine=0.999),
            Variant(setting="attention=eager", **sizes, speedup=0.9, lowest_cosine=1.0, flips_percent=0.0),
            Variant(setting="compile=default", **sizes, error=error),
        ),
    )


def generation(batch=2, length=100, **figures):
    wanted = {"time_to_first_token_ms": 500.0, "inter_token_latency_ms": 50.0, "tokens_per_s": 40.0,
              "latency_p50_ms": 1200.0, "gflop": 60.0, "mfu_percent": 60.0, "mbu_percent": 80.0}  # fmt: skip
    return run(batch, length, **wanted | figures)


# --- what is drawn ----------------------------------------------------------------------------------------------------


def test_older_records_are_drawn_as_far_as_they_go():
    assert panels_of(profile()) == ("speed", "memory")
    assert panels_of(full()) == PANELS
    assert panels_of(profile(run(error="Out of memory: none."))) == ("memory",)
    assert panels_of(profile(run(), limits=LIMITS)) == ("speed", "memory"), "a roof without a point is no roofline"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "record",
    [
        profile(),
        profile(run(error="Out of memory: none.")),
        profile(run(1, 64), run(1, 128), run(1, 256)),
        profile(run(1, 64), run(8, 64), run(1, 128), run(8, 128, latency_p50_ms=9000.0)),
        profile(generation(), generation(8, inter_token_latency_p95_ms=60.0), limits=LIMITS),
        full(),
    ],
    ids=["old", "nothing ran", "lengths", "both", "generation", "full"],
)
def test_every_record_is_drawn_without_a_missing_letter(record, language):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert profile_png(record, language, device_mib=500.0).startswith(b"\x89PNG")


def test_one_panel_can_be_chosen():
    figure = profile_figure(full(), "en", ["roofline"])
    assert [area.get_suptitle() for area in figure.subfigs] == ["Roofline"]
    assert len(profile_figure(full(), "en").subfigs) == 4
    assert profile_figure(profile(), "en", ["roofline"]).subfigs[0].axes == []


def lines_of(record, panel, **options):
    (area,) = profile_figure(record, "en", [panel], **options).subfigs
    return [tuple(map(float, line.get_xdata())) for line in area.axes[0].get_lines()]


def test_the_lengths_are_the_axis_where_only_they_vary():
    record = profile(run(1, 64), run(1, 256))
    (area,) = profile_figure(record, "en", ["speed"]).subfigs
    assert [label.get_text() for label in area.axes[-1].get_xticklabels()] == ["64", "256"]
    assert area.axes[-1].get_xlabel() == "input length, tokens"


def test_the_memory_that_is_there_is_a_line_when_it_is_near():
    assert (500.0, 500.0) in lines_of(full(), "memory", device_mib=500.0)
    assert (80_000.0, 80_000.0) not in lines_of(full(), "memory", device_mib=80_000.0)
    (area,) = profile_figure(full(), "en", ["memory"], device_mib=80_000.0).subfigs
    assert "memory there: 78.1 GiB; the peak is 0 % of it" in [text.get_text() for text in area.axes[0].texts]


def test_on_a_gpu_the_bar_ends_at_what_the_allocator_reserved():
    held = {"runtime": 900.0, "weights": 1000.0, "activations": 300.0, "reserved": 1500.0}
    parts = tuple(MemoryByKind(kind=kind, mib=mib) for kind, mib in held.items())
    (area,) = profile_figure(profile(memory=parts, device_kind="cuda"), "en", ["memory"]).subfigs
    assert max(bar.get_x() + bar.get_width() for bar in area.axes[0].patches) == pytest.approx(1500)


def test_the_memory_that_is_there_is_what_the_newest_forecast_was_asked_about():
    def forecast(number, model, gib):
        return Evidence(id=f"E{number}", tool="estimate_memory", model=model, commit="c", arguments={}, machine="m",
                        record={"device_memory_gib": gib}, created_at="2026-01-01T00:00:00Z")  # fmt: skip

    evidence = [forecast(4, "org/other", 1), forecast(3, "org/model", None), forecast(2, "org/model", 2)]
    assert device_mib_of(evidence, "org/model") == 2048
    assert device_mib_of(evidence[:2], "org/model") is None


# --- the roofline -----------------------------------------------------------------------------------------------------


def test_a_point_is_the_share_of_the_roof_and_what_was_read_for_it():
    record = profile(run(1, latency_p50_ms=40.0, gflop=4.0, mfu_percent=50.0, mbu_percent=5.0), limits=LIMITS)
    (point,) = roofline_points(record)
    assert point.gflop_per_s == pytest.approx(100)
    assert point.intensity == pytest.approx(100 / 1.0), "5 % of 20 GB/s were read"


def test_prefill_and_decode_are_points_of_their_own():
    weights = MemoryByKind(kind="weights", mib=1e9 / 2**20)
    prefill, decode = roofline_points(profile(generation(), limits=LIMITS, memory=(weights,)))
    assert (prefill.phase, decode.phase) == ("prefill", "decode")
    assert prefill.gflop_per_s == pytest.approx(120)
    assert prefill.intensity == pytest.approx(60), "60 GFLOP for 1 GB of weights"
    assert decode.gflop_per_s == pytest.approx(60 / 100 / 0.05)
    assert decode.intensity == pytest.approx(12 / 16), "80 % of 20 GB/s were read"


def test_another_number_format_has_no_roof():
    assert roofline_points(full().model_copy(update={"dtype": "bfloat16"})) == []


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=12))
def test_labels_keep_apart(points):
    width, height = 0.2, 0.05
    labels = kept_apart(points, (width, height))
    assert len(labels) == len(points)
    for (left, low), (right, high) in itertools.combinations(labels, 2):
        assert abs(left - right) >= width or abs(low - high) >= height - 1e-9


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".png", ".svg", ".SVG"])
def test_the_ending_says_the_format(tmp_path, ending):
    path = tmp_path / f"plot{ending}"
    write_plot(profile(), path, "ja")
    assert path.read_bytes().startswith(b"\x89PNG" if ending == ".png" else b"<?xml")


@pytest.mark.parametrize("name", ["plot.pdf", "plot", "nowhere/plot.svg"])
def test_a_plot_that_cannot_be_written_is_an_expected_failure(tmp_path, name):
    with pytest.raises(InvalidArgument):
        write_plot(profile(), tmp_path / name, "en")


def test_the_same_record_gives_the_same_picture():
    first = profile_svg(full(), "en")
    assert profile_svg(full(), "en") == first
    assert "dc:date" not in first
    assert profile_png(full(), "en") == profile_png(full(), "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_T38_what_others_wrote_is_no_markup_in_a_picture(language):
    svg = profile_svg(full(model=EVIL, setting=EVIL, error=EVIL), language)
    found = {element.tag.partition("}")[2] for element in ElementTree.fromstring(svg).iter()}
    assert found <= {"svg", "defs", "style", "g", "path", "use", "clipPath", "rect"}
    assert "<script" not in svg
    assert svg.count("]]>") == 0


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["./cost $x_{$ model", r"./$\frac{$", "./two\nlines", "./" + "long/" * 60])
def test_T13_the_title_of_a_plot_is_the_name_and_no_formula(name, language):
    record = profile(model=name)
    assert profile_png(record, language).startswith(b"\x89PNG")
    title = profile_figure(record, language).get_suptitle()
    assert title.startswith(name[:5])
    assert "\n" not in title
    assert len(title) <= 60
