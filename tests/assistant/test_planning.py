"""Plans of the bundled model from the real tools: every gate bound, a planted policy, versions, closing, decisions."""

from __future__ import annotations

import json
import sqlite3

import pytest
from typer.testing import CliRunner

from assistant import Assistant, Settings
from assistant.advice.plan_records import AdoptionPlan
from assistant.cli import app
from assistant.evidence import Turn
from assistant.held_answer import hold_to_turn
from assistant.llm.turn_schema import read_turn
from assistant.planning import find_version, read_plan, resolve_call
from assistant.rendering.results import TurnResult, render_result
from assistant.services import Services
from assistant.stage_closing import close_stage
from assistant.toolbox import CallScope, Toolbox
from tests.fakes import call
from tools.errors import GatesOpen, InvalidArgument, MissingEvidence
from tools.progress import CancelToken

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
LOAD = {"requests_per_day": 20_000.0, "price_per_hour": 0.5, "currency": "USD"}
POLICY = "# AI policy\n\n## Licences\n\nNo model without a licence text.\n"
POLICY_JA = "# AI利用規程\n\n## ライセンス\n\nライセンス本文のないモデルは使わない。\n"


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A data folder in which the bundled model was planned once, with all that the plan rests on."""
    home = tmp_path_factory.mktemp("planned")
    services = Services(Settings(home=home, offline=True))
    box, scope = Toolbox(services), CallScope(user="local", conversation="c", cancel=CancelToken())
    # Short inputs, so that the measurement does not last; the plan takes what is stored.
    sizes = {"batch_sizes": [1, 8], "sequence_lengths": [16]}
    box.run("profile_model", {"model": MINILM, **sizes}, scope, lambda event: None)
    arguments = {"model": MINILM, "use_case": "FAQ search", "targets": LOAD}
    evidence = box.run("plan_adoption", arguments, scope, lambda event: None)
    services.close()
    assert evidence is not None
    return home


@pytest.fixture
def home(measured, tmp_path, monkeypatch, guidance_index):
    """A copy of that folder for one test."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "index").symlink_to(guidance_index)
    with sqlite3.connect(measured / "tameshi.sqlite3") as kept, sqlite3.connect(folder / "tameshi.sqlite3") as copy:
        kept.backup(copy)
    monkeypatch.setenv("TAMESHI_HOME", str(folder))
    monkeypatch.setenv("TAMESHI_OFFLINE", "1")
    monkeypatch.setenv("COLUMNS", "200")
    return folder


@pytest.fixture
def services(home):
    opened = Services(Settings(home=home, offline=True))
    yield opened
    opened.close()


@pytest.fixture
def plan(services):
    """The function that makes the next version of a plan from the stored evidence."""

    def make(use_case="", user="local", **targets) -> AdoptionPlan:
        arguments = {"model": MINILM, "use_case": use_case, "targets": targets}
        call = resolve_call(services, arguments, user)
        from assistant.planning import store_plan

        return AdoptionPlan.model_validate(store_plan(services, call, "c").record)

    return make


@pytest.fixture
def tameshi(home):
    return lambda *words: CliRunner().invoke(app, list(words))


def first(services) -> AdoptionPlan:
    found = read_plan(services, find_version(services, {"model": MINILM}, "local", 1))
    assert found is not None
    return found


# --- a full plan from the real tools ----------------------------------------------------------------------------------


def test_every_gate_of_a_full_plan_is_bound_to_evidence_or_named_as_missing(services):
    made = first(services)
    gates = [gate for stage in made.stages for gate in stage.gates]
    assert len(gates) > 20
    for gate in gates:
        if gate.state == "missing":
            assert gate.evidence == ""
            assert gate.answered_by
        else:
            stored = services.store.get(gate.evidence, user="local")
            assert stored is not None
            assert gate.value
    for name in ("files_safe", "advisories", "licence_known", "version_pinned", "memory", "latency", "cost"):
        assert next(g for g in gates if g.code == name).state == "passed", name
    assert {g.code: g.answered_by for g in gates}["behaviour"] == "observe_behavior"


def test_its_figures_are_those_of_the_records(services):
    made = first(services)
    gates = {gate.code: gate for stage in made.stages for gate in stage.gates}
    profile = services.store.get(gates["latency"].evidence, user="local").record
    single = min(profile["runs"], key=lambda run: run["batch_size"])
    assert gates["latency"].number == single["latency_p95_ms"]
    assert gates["memory"].number == profile["peak_memory_mib"]
    cost = services.store.get(gates["cost"].evidence, user="local").record
    assert gates["cost"].number == max(option["cost_per_month_range"]["high"] for option in cost["options"])
    budget = made.stage("production").budget
    assert budget.low <= budget.high == round(gates["cost"].number, 2)


def test_it_pins_what_was_fetched_and_says_how_to_make_it_again(services):
    made = first(services)
    pins = {(pin.kind, pin.name): pin.value for pin in made.pins}
    weights = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert pins["weights", "model.safetensors"] == weights
    assert {"torch", "transformers"} <= {name for kind, name in pins if kind == "library"}
    assert made.commands[-1].command.startswith(f"tameshi plan-adoption {MINILM} --use-case 'FAQ search'")
    assert {c.evidence for c in made.commands} - {""} == set(made.evidence)


@pytest.mark.parametrize(
    ("language", "verdict", "table"),
    [
        ("en", "**Verdict: go to the proof of concept", "| stage | purpose and limit |"),
        ("ja", "**判断:条件付き", "| 段階 | 目的と制限 |"),
    ],
)
def test_it_reads_in_both_languages(services, language, verdict, table):
    text = render_result(TurnResult("E8", "plan_adoption", {}, first(services)), language)
    assert text.startswith(verdict)
    assert table in text
    assert "(R-DOC) [E" in text


# --- a planted document -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "quote"),
    [(POLICY, "No model without a licence text."), (POLICY_JA, "ライセンス本文のないモデルは使わない。")],
)
def test_a_planted_policy_changes_the_verdict_and_is_quoted(services, plan, text, quote):
    before = plan("FAQ search", **LOAD)
    assert before.verdict == "go_with_conditions"
    added = services.team_documents.add(text.encode(), "policy.md", user="local")
    after = plan("FAQ search", **LOAD)
    assert (after.verdict, after.version) == ("not_yet", 3)
    (finding,) = after.policy
    assert (finding.state, finding.statement.quote, finding.statement.document) == (
        "violated",
        quote,
        added.document.id,
    )
    assert "Licences" in finding.statement.place or "ライセンス" in finding.statement.place
    assert [(c.what, c.after, c.causes) for c in after.changes][:1] == [("verdict", "not_yet", ("R-POL",))]
    assert (finding.statement.passage,) in {c.causes for c in after.changes if c.why == "policy" and c.what == "gate"}
    services.team_documents.remove(added.document.id, user="local")
    assert plan("FAQ search", **LOAD).verdict == "go_with_conditions"


def test_another_user_s_own_document_is_no_policy_and_a_shared_one_is(services, plan):
    services.team_documents.add(POLICY.encode(), "policy.md", user="mia")
    assert plan("FAQ search").policy == ()
    services.team_documents.add(POLICY.encode(), "policy.md", user="mia", shared=True)
    assert plan("FAQ search").verdict == "not_yet"


# --- versions ---------------------------------------------------------------------------------------------------------


def test_the_same_model_and_use_give_the_next_version_which_says_what_changed(plan):
    second = plan(f"Plan {MINILM} for FAQ search with 20000 requests a day", **LOAD, latency_p95_ms=0.001)
    assert (second.version, second.verdict) == (2, "not_yet")
    changes = {(c.what, c.name): (c.before, c.after, c.why) for c in second.changes}
    assert changes["verdict", ""] == ("go_with_conditions", "not_yet", "rules")
    assert changes["target", "latency_p95_ms"] == ("", "0.001", "target")
    assert changes["rule", "R-LAT"] == ("supports", "blocks", "target")
    assert plan("FAQ search", **LOAD, latency_p95_ms=0.001).changes == ()


def test_another_use_begins_with_version_one(plan):
    assert plan("translation of manuals").version == 1
    assert plan("FAQ search").version == 2


def test_a_call_without_a_use_continues_the_newest_plan_with_its_targets(plan):
    again = plan(latency_p95_ms=60_000.0)
    assert (again.version, again.use_case) == (2, "FAQ search")
    assert again.targets == LOAD | {"latency_p95_ms": 60_000.0}


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


# --- closing ----------------------------------------------------------------------------------------------------------


def close(services, stage="desk_check", decision="go", **given):
    return close_stage(services, {"model": MINILM}, stage, decision, **{"by": "Sato", **given})


def test_gates_that_do_not_hold_are_named_and_need_a_reason(services):
    with pytest.raises(GatesOpen, match="`limitations_documented`"):
        close(services)
    assert services.plans.decisions("local") == []
    made = close(services, reason="we test them ourselves", note="worth a trial")
    assert (made.id, made.by, made.decision, made.plan_version) == ("K1", "Sato", "go", 1)
    assert [gate.code for gate in made.unmet] == ["limitations_documented"]
    held = {gate.code: gate.evidence for gate in made.gates if gate.state == "passed"}
    assert services.store.get(held["memory"], user="local").tool == "profile_model"


def test_what_the_team_found_itself_holds_as_stated_but_does_not_undo_a_failed_gate(services):
    close(services, reason="tested by us")
    with pytest.raises(GatesOpen, match="`behaviour`"):
        close(services, "proof_of_concept", stated={"quality": "46 of 50"})
    stated = {"quality": "46 of 50", "behaviour": "looked steady"}
    made = close(services, "proof_of_concept", stated=stated)
    assert {g.code: (g.state, g.value) for g in made.gates}["quality"] == ("stated", "46 of 50")
    with pytest.raises(GatesOpen, match="limitations_documented"):
        close(services, stated={"limitations_documented": "surely"})


def test_a_stage_cannot_be_left_quietly_before_the_one_before_it(services):
    with pytest.raises(GatesOpen, match="`desk_check_closed`"):
        close(services, "proof_of_concept", stated={"quality": "1", "behaviour": "1"})


@pytest.mark.parametrize(
    ("given", "message"),
    [({"stage": "launch"}, "no stage"), ({"decision": "maybe"}, "no decision"), ({"by": " "}, "name of somebody"), ({"stated": {"mood": "good"}}, "no gate")],
)  # fmt: skip
def test_what_is_no_stage_decision_or_gate_is_refused(services, given, message):
    with pytest.raises(InvalidArgument, match=message):
        close(services, **given)


def test_a_model_without_a_plan_has_nothing_to_close(services):
    with pytest.raises(MissingEvidence, match="no plan"):
        close_stage(services, {"model": "org/none"}, "desk_check", "go", by="Sato")


def test_a_closed_stage_moves_the_plan_on_and_an_open_gate_stays_visible(services, plan):
    close(services, reason="we test them ourselves")
    moved = plan()
    assert [(s.name, s.status) for s in moved.stages[:3]] == [
        ("desk_check", "done"),
        ("proof_of_concept", "next"),
        ("pilot", "later"),
    ]
    assert moved.stage("desk_check").closing.unmet == ("limitations_documented",)
    assert {(r.rule, r.effect) for r in moved.rules} >= {("R-DEC", "supports"), ("R-GATE", "condition")}
    close(services, "proof_of_concept", stated={"quality": "46 of 50", "behaviour": "steady"})
    third = plan()
    assert third.next_stage == "pilot"
    assert ("stage", "proof_of_concept", "K2") in {(c.what, c.name, *c.causes) for c in third.changes}
    assert next(g for g in third.stage("pilot").gates if g.code == "poc_closed").evidence == "K2"


def test_a_stop_ends_the_matter_until_it_is_decided_anew(services, plan):
    close(services, decision="stop", note="no owner")
    stopped = plan()
    assert (stopped.verdict, stopped.stages[0].status) == ("no", "stopped")
    assert stopped.stages[1].status == "later"
    close(services, decision="repeat", note="an owner was found")
    assert plan().verdict == "go_with_conditions"


def test_a_decision_about_another_version_of_the_model_does_not_count(services, plan):
    close(services, reason="fine")
    stored = services.plans.decisions("local")[0]
    key = resolve_call(services, {"model": MINILM}, "local").key
    services.plans.decide(key, stored.model_copy(update={"commit": "c" * 40, "decision": "stop"}))
    assert plan().verdict == "go_with_conditions"


def test_the_command_closes_and_refuses(tameshi):
    refused = tameshi("close-stage", MINILM, "desk_check", "--decision", "go", "--by", "Sato")
    assert refused.exit_code == 1
    assert "limitations_documented" in refused.stderr
    done = tameshi(
        "close-stage", MINILM, "desk_check", "--decision", "go", "--by", "Sato", "--reason", "own tests", "--json"
    )
    assert done.exit_code == 0
    assert json.loads(done.stdout)["id"] == "K1"
    assert tameshi("close-stage", MINILM, "launch", "--decision", "go", "--by", "Sato").exit_code == 3
    assert (
        tameshi("close-stage", MINILM, "desk_check", "--decision", "go", "--by", "x", "--found", "quality").exit_code
        == 2
    )


# --- what was decided -------------------------------------------------------------------------------------------------


def answer(home, question, user="local"):
    with Assistant(Settings(home=home, offline=True), llm=None) as assistant:
        return list(assistant.stream(question, user=user))[-1]


@pytest.mark.parametrize(
    ("question", "held", "because"),
    [
        (
            f"What did we decide about {MINILM} and why?",
            "Held: files safe to load: accepted [E",
            "because: we test them ourselves",
        ),
        (
            f"{MINILM} について何を決めましたか、なぜですか",
            "満たしていた条件:ファイルの安全性:問題なし [E",
            "理由:we test them ourselves",
        ),
    ],
)
def test_what_was_decided_is_answered_from_decisions(home, services, question, held, because):
    close(services, reason="we test them ourselves", note="worth *a* trial")
    finished = answer(home, question)
    for part in ("Sato", "[K1]", r"worth \*a\* trial", held, because):
        assert part in finished.answer
    cited = {citation.id for citation in finished.citations}
    assert {gate.evidence for gate in services.plans.decisions("local")[0].gates if gate.evidence} <= cited
    assert finished.unsupported_figures == ()


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (f"What have we decided about {MINILM}?", "Nothing has been decided"),
        (f"{MINILM} について決めたことを教えて", "まだ何も決めていません"),
    ],
)
def test_nothing_decided_is_said_and_the_plan_named(home, question, said):
    finished = answer(home, question)
    assert said in finished.answer
    assert "[E" in finished.answer


def test_nobody_hears_of_another_user_s_decisions(home, services):
    close(services, reason="fine")
    assert "Nothing has been decided" in answer(home, f"What did we decide about {MINILM}?", user="mia").answer
    everything = answer(home, "What did we decide?").answer
    assert MINILM in everything
    assert "[K1]" in everything


def test_the_command_tells_the_same(tameshi, services):
    close(services, reason="fine")
    assert "[K1]" in tameshi("decisions", MINILM).stdout
    assert json.loads(tameshi("decisions", MINILM, "--json").stdout)[0]["id"] == "K1"
    assert "Nothing has been decided" in tameshi("decisions", "org/other").stdout


# --- the conversation goes on -----------------------------------------------------------------------------------------


def newest(services) -> AdoptionPlan:
    found = read_plan(services, find_version(services, {"model": MINILM}, "local", None))
    assert found is not None
    return found


@pytest.fixture
def ask(home):
    """The function that asks in the conversation in which the model was planned, and returns the last event."""
    with Assistant(Settings(home=home, offline=True), llm=None) as assistant:
        yield lambda question: list(assistant.stream(question, conversation="c", user="local"))[-1]


def test_what_a_plan_asked_for_is_told_to_it_and_questions_about_it_plan_nothing(ask, services):
    ask(f"Plan the adoption of {MINILM} for FAQ search with 20000 requests a day at 0.5 dollars an hour")
    planned = newest(services).version
    assert "[G" in ask("Who approves it?").answer
    assert newest(services).version == planned
    told = ask("The budget is 900 dollars a month")
    assert (newest(services).version, newest(services).targets["budget_per_month"]) == (planned + 1, 900)
    assert newest(services).targets["requests_per_day"] == LOAD["requests_per_day"]
    assert f"version {planned + 1}" in told.answer
    ask("It will see confidential data")
    assert newest(services).targets["data_class"] == "confidential"


def test_amounts_in_a_currency_that_was_given_up_are_not_read_as_the_new_one(plan):
    assert plan(use_case="FAQ search", **LOAD, budget_per_month=300.0).targets["budget_per_month"] == 300.0
    changed = plan(currency="JPY", price_per_hour=60.0)
    assert "budget_per_month" not in changed.targets
    assert (changed.targets["price_per_hour"], changed.targets["requests_per_day"]) == (60.0, LOAD["requests_per_day"])


@pytest.mark.parametrize(
    ("question", "starts"),
    [
        ("Give me sentences for tomorrow's meeting", ("We try it small first", "We decide by measurement", "We set the operating")),
        ("明日の会議で使える言い方を教えてください", ("まず小さく試します", "実測で判断します", "運用ルールを先に定めます")),
    ],
)  # fmt: skip
def test_the_sentences_for_a_meeting_carry_the_figures_of_the_plan(ask, services, question, starts):
    answer = ask(question)
    said = [line.partition(". ")[2] for line in answer.answer.splitlines() if line[:1].isdigit()]
    assert all(sentence.startswith(start) for sentence, start in zip(said, starts, strict=True))
    profile = services.store.find(user="local", model=MINILM, tool="profile_model", limit=1)[0]
    assert f"{profile.record['peak_memory_mib']:,.0f} MiB" in said[1]
    assert profile.id in {citation.id for citation in answer.citations}
    assert answer.unsupported_figures == ()


def test_without_a_plan_they_carry_what_was_measured_and_without_either_the_guidance(home, services):
    with sqlite3.connect(home / "tameshi.sqlite3") as database:
        database.execute("DELETE FROM evidence WHERE tool = 'plan_adoption'")
    with Assistant(Settings(home=home, offline=True), llm=None) as assistant:
        measured = list(assistant.stream("What can I say in the meeting?", conversation="c"))[-1]
        general = list(assistant.stream("What can I say in the meeting?", conversation="d", user="mia"))[-1]
    assert "95 % of single calls" in measured.answer
    assert "We decide by measurement." in general.answer
    assert [citation.id for citation in general.citations] == ["G03"]


@pytest.fixture
def shown(services):
    """The plan as the last thing that the conversation showed."""
    turn = Turn(question=f"Plan the adoption of {MINILM}", answer="The plan.", tools=("plan_adoption",))
    services.store.add_turn(turn, user="local", conversation="c")


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(
    ("question", "stage", "told", "untold"),
    [
        ("How long is stage 2?", "proof of concept", ("Time:** 2 wk",), ("Budget", "Stops when")),
        ("What does the pilot cost, and how long does it take?", "pilot", ("Time:** 4 wk", "Budget for devices:** "), ("Stops",)),
        ("When do we stop the pilot?", "pilot", ("Stops when:** an answer causes harm",), ("Budget",)),
        ("What must hold to leave the proof of concept?", "proof of concept", ("p95 latency", "quality on your own"), ("Budget",)),
        ("What happens in the next stage?", "proof of concept", ("Purpose and limit", "Time", "Stops when"), ()),
        ("What is monitored at stage 4?", "production", ("| watched |",), ("Budget",)),
        ("段階2の期間は?", "概念実証", ("期間**:2 週間",), ("予算",)),
        ("試験導入はいつ中止しますか", "試験導入", ("中止する場合**:",), ("機器の予算",)),
        ("本番の費用はいくらになりますか", "本番運用", ("機器の予算**:月 ",), ("期間",)),
        ("第2段階について詳しく", "概念実証", ("目的と制限", "期間", "次へ進む条件"), ()),
    ],
)  # fmt: skip
def test_a_question_about_a_stage_is_answered_from_the_plan_as_it_stands(ask, services, question, stage, told, untold):
    planned = newest(services).version
    answer = ask(question)
    head, *lines = answer.answer.splitlines()
    assert f"**{stage}" in head
    assert all(each in "\n".join(lines) for each in told)
    assert not [each for each in untold if each in "\n".join(lines)]
    assert answer.citations[0].id in head
    assert newest(services).version == planned


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(
    "question",
    [
        "How long should a pilot last?",
        "How much memory does production need?",
        "How do we monitor drift in production?",
        "What must hold before we go to production?",
        "How long does an epoch take?",
        "What if we skip the pilot, what does it cost?",
        "本番で使って問題ない内容ですか",
        "試験導入に入る条件は何ですか",
        "The pilot may cost 300 dollars a month",
        "Who approves it?",
    ],
)
def test_what_is_no_question_about_a_stage_is_not_answered_as_one(ask, question):
    assert "in the plan for" not in ask(question).answer


@pytest.mark.usefixtures("shown")
def test_nobody_is_told_of_another_user_s_stages(home, services):
    turn = Turn(question=f"Plan the adoption of {MINILM}", answer="The plan.", tools=("plan_adoption",))
    services.store.add_turn(turn, user="mia", conversation="c")
    with Assistant(Settings(home=home, offline=True), llm=None) as assistant:
        own = list(assistant.stream("How long is the pilot?", conversation="c", user="local"))[-1]
        said = list(assistant.stream("How long is the pilot?", conversation="c", user="mia"))[-1]
    assert "in the plan for" in own.answer
    assert "in the plan for" not in said.answer


@pytest.mark.parametrize(
    ("question", "last_tool", "proposed", "made"),
    [
        ("It will see confidential data", "plan_adoption", "check_documentation", "plan_adoption"),
        ("p95は200ms以内にしたい", "plan_adoption", "profile_model", "plan_adoption"),
        ("予算は月4万円です", "search_guidance", "estimate_cost", "plan_adoption"),
        ("Measure it again, p95 under 200 ms", "plan_adoption", "profile_model", "profile_model"),
        ("Check the licence for a product with customer data", "search_guidance", "check_documentation", "check_documentation"),
        ("What would 900 dollars a month pay for?", "plan_adoption", "estimate_cost", "estimate_cost"),
        ("Who approves it?", "plan_adoption", "plan_adoption", "search_guidance"),
        ("Make the plan for contract review", "plan_adoption", "plan_adoption", "plan_adoption"),
    ],
)  # fmt: skip
def test_a_message_after_a_plan_goes_where_it_belongs(question, last_tool, proposed, made):
    turn = read_turn(question, remembered=(MINILM,), known=(), last_tool=last_tool)
    assert [c["name"] for c in hold_to_turn(call((proposed, {"model": MINILM})), turn).tool_calls] == [made]
