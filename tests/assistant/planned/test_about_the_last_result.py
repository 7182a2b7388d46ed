"""Why, in short and what next after a cost, a plan or sentences for a meeting, from the stored record alone."""

from __future__ import annotations

import pytest

from assistant.rendering.plan_parts import reasons_text
from tests.assistant.planned.stored import MINILM, newest

COST = f"What does {MINILM} cost at 20000 requests a day and 0.5 dollars an hour?"


def cost_of(services):
    return services.store.find(user="local", model=MINILM, tool="estimate_cost", limit=1)[0]


@pytest.mark.parametrize(
    ("why", "head"), [("Why is that?", "How it is worked out"), ("それはなぜ？", "計算の内訳")]
)  # fmt: skip
def test_why_a_cost_is_answered_by_its_formula(ask, services, why, head):
    ask(COST)
    answer, stored = ask(why), cost_of(services)
    option = stored.record["options"][0]
    assert head in answer.answer
    assert f"0.5 × 24 × 30.4 × {option['devices']} = " in answer.answer
    assert f"{option['cost_per_month']:,.2f}" in answer.answer
    assert f"{stored.record['busy_percent']:.3g} %" in answer.answer
    assert {stored.id, stored.record["profile_evidence"]} <= {citation.id for citation in answer.citations}


def test_the_chain_of_follow_ups_goes_on_after_a_cost(ask, services):
    ask(COST)
    stored = cost_of(services).id
    asked = [ask(question).answer for question in ("それはなぜ？", "要するに？", "次は何をすればいいですか？")]
    assert all(f"[{stored}]" in answer for answer in asked)
    assert "次の一歩" in asked[-1]
    assert cost_of(services).id == stored, "nothing is worked out anew"


def test_a_target_for_the_response_time_has_its_own_product(ask, services):
    ask(f"What does {MINILM} cost at 20000 requests a day and 0.5 dollars an hour with p95 under 900 ms?")
    queueing = cost_of(services).record["queueing"]
    answer = ask("why?").answer
    assert f"within 900 ms: 0.5 × 24 × 30.4 × {queueing['devices_for_target']} = " in answer


@pytest.mark.parametrize(
    ("language", "why", "next_step"),
    [("en", "Why is that?", "What should we do next?"), ("ja", "それはなぜ？", "次は何をすればいいですか？")],
)
def test_a_plan_tells_its_reasons_and_its_next_step(ask, services, shown, language, why, next_step):
    version = newest(services).version
    plan = newest(services)
    reasons = ask(why)
    assert reasons_text(plan, language) in reasons.answer
    steps = ask(next_step).answer
    assert {"en": "Next step", "ja": "次の一歩"}[language] in steps
    assert newest(services).version == version
    assert {rule.evidence for rule in plan.rules if f"[{rule.evidence}]" in reasons.answer and rule.evidence} <= {
        citation.id for citation in reasons.citations
    }


def test_sentences_for_a_meeting_rest_on_the_plan_and_have_a_short_form(ask, services):
    ask("明日の会議で使える言い方を教えてください")
    assert "まず小さく試します。" in ask("要するに？").answer
    ask("明日の会議で使える言い方を教えてください")
    assert reasons_text(newest(services), "ja") in ask("それはなぜ？").answer


def test_nobody_is_told_the_result_of_another(home, ask):
    from assistant import Assistant, Settings

    ask(COST)
    with Assistant(Settings(home=home, offline=True), llm=None) as assistant:
        answer = list(assistant.stream("Why is that?", conversation="c", user="mia"))[-1]
    assert "How it is worked out" not in answer.answer


def test_a_bare_number_after_a_result_is_no_place_in_a_list(ask):
    ask(COST)
    assert not ask("2").answer.startswith("Which list")
    assert ask("and the second one?").answer.startswith("Which list")
