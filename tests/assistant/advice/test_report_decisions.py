"""The decision record has its parts and the team's decision, and a report tells how each stage was closed."""

from __future__ import annotations

import json
import re

import pytest

from assistant.advice.report import build_decision_record
from assistant.advice.reporting.content import anchors, texts
from assistant.advice.reporting.material import material_of
from tests.assistant.advice.plan_under_test import MODEL
from tests.assistant.advice.report_reading import cited_ids, decision, passage


@pytest.mark.parametrize(
    ("told", "status", "says"),
    [
        ((), "proposed", "Proposed on 2026-11-02"),
        ((decision(),), "accepted", "Accepted on 2026-11-03 by Mori"),
        ((decision("repeat"),), "repeated", "To be repeated, as Mori decided"),
        ((decision("stop", reason="too dear"),), "rejected", "Rejected on 2026-11-03 by Mori"),
    ],
)
def test_the_decision_record_has_its_five_parts_and_the_teams_decision(write, told, status, says):
    text = write(".md", chosen="adr", told=told)
    assert re.findall(r"^#+ (.*)$", text, re.MULTILINE) == [
        "Adopt `org/model`", "Status", "Context", "Decision", "Consequences",
        "Alternatives considered, and what would change the decision", "Evidence",
    ]  # fmt: skip
    assert says in text
    assert ("| K1 |" in text) == bool(told)
    document = json.loads(write(".json", told=told))
    assert document["status"] == status


def test_the_decision_record_alone_explains_every_id_and_names_the_policys_place(planned):
    plan, evidence = planned(passages=[passage("No model without a licence text may be used.")], decisions=[decision()])
    document = build_decision_record(material_of(plan, evidence, "en", decisions=[decision()]))
    assert cited_ids(document) <= anchors(document)
    assert any(text.endswith("(Policy, p. 3) [E4]") for text in texts(document))


def test_open_gates_at_a_closing_are_named_with_the_reason(write):
    text = write(".md", told=[decision(unmet=("quality", "latency"), reason="The board wants it.")])
    assert "quality on our own examples" in text
    assert "The board wants it." in text
    assert "Closed with go by Mori on 2026-11-03" in text


def test_the_decision_record_of_a_plan_names_models_it_was_compared_with_and_no_unknown_one(
    planned, records, keep, store
):
    from assistant.advice.comparison import compare_models

    plan, _ = planned()
    keep(records.forecast(model="org/other"))
    compared = compare_models([MODEL, "org/other", "org/never-fetched"], evidence=store.find(user="u"))
    keep(compared, "compare_models")
    text = "\n".join(texts(build_decision_record(material_of(plan, store.find(user="u"), "en"))))
    assert "`org/other`" in text
    assert "org/never-fetched" not in text


@pytest.mark.parametrize(
    ("targets", "language", "price"),
    [
        ({"price_per_hour": 72.0, "currency": "JPY"}, "ja", "72 円"),
        ({"price_per_hour": 1.0}, "en", "USD 1"),
        ({"budget_per_month": 1_500_000, "currency": "JPY"}, "ja", "1,500,000 円"),
    ],
)
def test_the_decision_record_tells_amounts_with_their_currency(planned, targets, language, price):
    plan, evidence = planned(targets=targets)
    assert price in list(texts(build_decision_record(material_of(plan, evidence, language))))
