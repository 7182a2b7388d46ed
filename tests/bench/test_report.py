"""The pure parts of the bench: quantiles, goals, the table and where it is put."""

from __future__ import annotations

import json

import pytest

from tests.bench.__main__ import in_words, write
from tests.bench.report import block_of, replace_block, shown, table
from tests.bench.results import Document, Load, Part, Result, quantile, quantiles, share_interval

LATENCY = Result(
    name="search.latency_p95", title="Search", value=31.5, unit="ms", goal=40, n=140,
    spread={"min": 20.0, "p50": 25.0, "p95": 31.5, "max": 50.25}, conditions="warm",
)  # fmt: skip
SHARE = Result(
    name="routing.plain", title="Right tools", value=0.91, unit="share", goal=0.95, bound="at least", n=100,
    spread={"low": 0.84, "high": 0.95}, conditions="all",
)  # fmt: skip
EXPLAINS = Result(name="start.bare", title="Bare", value=2.7, unit="s", n=7, conditions="warm")


def part(name="search", *results, uncommitted=0):
    quiet = Load(load_average=(0.1, 0.2, 0.3), busy_share=0.02)
    return Part(
        name=name, date="2026-11-25T05:00:00+00:00", commit="abc123", uncommitted_files=uncommitted, wall_s=1.0,
        load_before=quiet, load_after=quiet, results=results,
    )  # fmt: skip


def document(*parts):
    machine = {
        "cpu": "Some CPU", "cores": 2, "memory_gib": 23.4, "accelerator": "none", "system": "Some Linux",
        "python": "3.11.2", "packages": {"torch": "2.13.0"}, "torch_threads": 2,
    }  # fmt: skip
    return Document(machine=machine, parts=parts).model_dump(mode="json")


def test_a_quantile_lies_between_two_samples_in_proportion():
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([0.0, 10.0], 0.95) == pytest.approx(9.5)
    assert quantiles([7.0]) == {"min": 7.0, "p50": 7.0, "p95": 7.0, "max": 7.0}


def test_the_interval_of_a_share_stays_within_zero_and_one():
    assert share_interval(0.0, 50)["low"] == 0.0
    assert share_interval(1.0, 50)["high"] == 1.0
    assert share_interval(0.5, 100) == {"low": 0.4038, "high": 0.5962}


def test_a_goal_is_held_on_its_own_side():
    assert LATENCY.held is True
    assert LATENCY.model_copy(update={"value": 40.1}).held is False
    assert SHARE.held is False
    assert SHARE.model_copy(update={"value": 0.95}).held is True
    assert EXPLAINS.held is None


def test_an_error_in_percent_has_quantiles_and_no_interval():
    error = LATENCY.model_copy(
        update={"unit": "share", "value": 0.012, "goal": 0.03, "spread": quantiles([0.01, 0.02])}
    )
    assert "1.0 to 2.0 %, median 1.5 %" in table(document(part("memory", error)))


def test_the_table_shows_every_value_with_a_goal():
    text = table(document(part("search", LATENCY, EXPLAINS), part("routing", SHARE, uncommitted=1)))
    assert text.splitlines()[:4] == [
        "| Question | Measured | Goal | Held | Spread | n |",
        "|---|---|---|---|---|---|",
        "| Search | 31.5 ms | ≤ 40 ms | yes | 20 to 50.2 ms, median 25 ms | 140 |",
        "| Right tools | 91.0 % | ≥ 95.0 % | **no** | 95 % interval 84.0 to 95.0 % | 100 |",
    ]
    assert "Some CPU, 2 cores, 23 GiB" in text
    assert "2026-11-25 at commit `abc123`, `abc123` with uncommitted changes" in text
    assert "at most 2 % of the cores" in text


def test_values_are_shown_with_their_unit():
    assert [shown(0.2514, "s"), shown(1.284, "ratio"), shown(0.0042, "share")] == ["0.251 s", "1.28 ×", "0.4 %"]


def test_only_the_block_of_the_readme_is_replaced():
    text = replace_block("# A\n<!-- bench -->\nold\n<!-- /bench -->\nend\n", "new")
    assert text == "# A\n<!-- bench -->\nnew\n<!-- /bench -->\nend\n"
    assert replace_block(text, "new") == text
    assert block_of(text) == "new"


@pytest.mark.parametrize(
    "text",
    [
        "no marks",
        "<!-- bench --> open",
        "<!-- /bench --> <!-- bench -->",
        "<!-- bench --> <!-- bench --> <!-- /bench -->",
        "<!-- bench --> <!-- /bench --> <!-- /bench -->",
    ],
)
def test_a_readme_without_one_block_is_refused(text):
    with pytest.raises(ValueError, match="once each"):
        replace_block(text, "new")


def test_a_partial_run_keeps_the_other_parts_of_this_machine(tmp_path, monkeypatch):
    machine = document()["machine"]
    monkeypatch.setattr("tests.bench.__main__.read_machine", lambda: machine)
    readme, json_file = tmp_path / "README.md", tmp_path / "docs" / "bench.json"
    readme.write_text("<!-- bench -->\n<!-- /bench -->\n", encoding="utf-8")
    write([part("search", LATENCY), part("routing", SHARE)], json_file, readme)
    write([part("routing", SHARE.model_copy(update={"value": 0.97}))], json_file, readme)
    written = json.loads(json_file.read_text(encoding="utf-8"))
    assert [(p["name"], p["results"][0]["value"]) for p in written["parts"]] == [("search", 31.5), ("routing", 0.97)]
    assert block_of(readme.read_text(encoding="utf-8")) == table(written)

    monkeypatch.setattr("tests.bench.__main__.read_machine", lambda: {**machine, "cores": 64})
    write([part("routing", SHARE)], json_file, readme)
    assert [p["name"] for p in json.loads(json_file.read_text(encoding="utf-8"))["parts"]] == ["routing"]


def test_a_missed_goal_is_said_in_words():
    assert in_words(SHARE).endswith("MISSED, at least 95.0 %")
    assert in_words(LATENCY).endswith("held, at most 40 ms")


def test_a_count_of_all_there_are_has_no_spread():
    count = Result(name="safety.executed", title="Ran", value=0, unit="cases", goal=0, n=192, conditions="all")
    assert "| Ran | 0 cases | ≤ 0 cases | yes |  | 192 |" in table(document(part("safety", count)))
