"""Versions of a plan: what makes the next one, what changed, and whose they are."""

from __future__ import annotations

import json

import pytest

from assistant.advice.plan_records import AdoptionPlan
from assistant.planning import find_version, resolve_call
from tests.assistant.planned.stored import LOAD, MINILM
from tools.errors import MissingEvidence


def test_the_same_model_and_use_give_the_next_version_which_says_what_changed(plan):
    second = plan(f"Plan {MINILM} for FAQ search with 20000 requests a day", **LOAD, latency_p95_ms=0.001)
    assert (second.version, second.verdict) == (2, "not_yet")
    changes = {(c.what, c.name): (c.before, c.after, c.why) for c in second.changes}
    assert changes["verdict", ""] == ("go_with_conditions", "not_yet", "rules")
    assert changes["target", "latency_p95_ms"] == ("", "0.001", "target")
    assert changes["rule", "R-LAT"] == ("silent", "blocks", "target")
    assert plan("FAQ search", **LOAD, latency_p95_ms=0.001).changes == ()


def test_another_use_begins_with_version_one(plan):
    assert plan("translation of manuals").version == 1
    assert plan("FAQ search").version == 2


def test_a_call_without_a_use_continues_the_newest_plan_with_its_targets(plan):
    again = plan(latency_p95_ms=60_000.0)
    assert (again.version, again.use_case) == (2, "FAQ search")
    assert again.targets == LOAD | {"latency_p95_ms": 60_000.0}


def test_an_order_that_names_another_use_in_japanese_does_not_continue_the_newest_plan(plan):
    plan("FAQ search", currency="USD", deadline="2027-03-31")
    other = plan(f"{MINILM}を社内文書の分類に導入する計画を立ててください", price_per_hour=80, currency="JPY")
    assert other.version == 1
    assert "社内文書の分類" in other.use_case
    assert plan(f"社内文書の分類に {MINILM} を使う導入計画を作り直して", currency="JPY").version == 2


def test_users_do_not_see_each_other_s_plans(services, plan):
    mine = plan("FAQ search", user="mia")
    assert (mine.version, mine.evidence) == (1, ())
    with pytest.raises(MissingEvidence):
        find_version(services, {"model": MINILM}, "noah", None)


def test_a_plan_that_fails_leaves_no_number_behind(services):
    key = resolve_call(services, {"model": MINILM, "use_case": "FAQ search"}, "local").key

    def fails(version):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        services.plans.add(key, "FAQ search", fails)
    assert [p.version for p in services.plans.versions("local", MINILM)] == [1]
    assert services.plans.add(key, "FAQ search", lambda version: ("E1", "go")) == 2


def test_numbers_are_given_out_once_to_several_writers(services, home):
    from concurrent.futures import ThreadPoolExecutor

    key = resolve_call(services, {"model": MINILM, "use_case": "FAQ search"}, "local").key
    with ThreadPoolExecutor(4) as pool:
        given = list(pool.map(lambda _: services.plans.add(key, "FAQ", lambda version: ("E1", "go")), range(12)))
    assert sorted(given) == list(range(2, 14))


def test_versions_are_listed_and_shown_by_the_command_line(tameshi, plan):
    plan("FAQ search", latency_p95_ms=0.001)
    rows = json.loads(tameshi("plans", "--json").stdout)
    assert [(row["version"], row["verdict"]) for row in rows] == [(2, "not_yet"), (1, "go_with_conditions")]
    shown = tameshi("plan-adoption", MINILM, "--version", "1", "--json")
    assert shown.exit_code == 0
    assert AdoptionPlan.model_validate_json(shown.stdout).version == 1
    missing = tameshi("plan-adoption", MINILM, "--version", "7")
    assert missing.exit_code == 3
    assert "no version `7`" in missing.stderr
