"""A question about stages of a plan, answered from the stored plan: how long, what it costs, what must hold, when it stops.

Such a question is read by code, before any LLM: a plan made anew or a general rule would not be what the team was told.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from assistant.advice.decision_records import StageName
from assistant.advice.plan_records import AdoptionPlan, Stage
from assistant.advice.policy_text import normalised
from assistant.advice.use_key import states_use
from assistant.decided import StoredAnswer, citations_of, cited_in, model_spoken_of
from assistant.languages import Language
from assistant.llm.turn_schema import TurnContext
from assistant.phrases import say
from assistant.planning import read_plan
from assistant.rendering.plan_parts import (
    budget_text,
    gate_text,
    joined,
    monitoring_text,
    purpose_text,
    roles_text,
    stage_name,
    stop_text,
    time_text,
)
from assistant.services import Services

_STAGES: tuple[tuple[StageName, str, str], ...] = (
    ("desk_check", r"desk[\s-]check", "机上確認"),
    ("proof_of_concept", r"proof[\s-]of[\s-]concept|(?<![a-z])poc(?![a-z])", "概念実証"),
    ("pilot", r"\bpilot\b", "試験導入|パイロット"),
    ("production", r"\bproduction\b", "本番|実運用"),
)
_ORDINALS = (("1", "first", "一"), ("2", "second", "二"), ("3", "third", "三"), ("4", "fourth|last|final", "四"))
_NEXT = re.compile(r"\bnext\s+(?:stage|step|phase)\b|次の(?:段階|ステージ|フェーズ)", re.IGNORECASE)
_OTHER = re.compile(
    r"\b(?:an?|any|every|most)\s+(?:desk|proof|poc|pilot|production|stage)|一般に|一般的|普通は"
    r"|\b(?:memory|latency|licen[cs]e|gpu|compare|measure|profile|download|fetch|drift|risks?|limitations?|accuracy|throughput|card|"
    r"librar(?:y|ies)|commercial|boss|board|if|would)\b"
    r"|\b(?:update|revise|redo|re-?plan|make|new)\b[^.?!]*\bplan\b|^\s*plan\b|\b(?:has|have|was|were|is)?\s*(?:passed|completed)\b"
    r"|メモリ|応答|ライセンス|比較|計測|測定|取得|環境|データ|リスク|限界|精度|商用|上司|役員|ライブラリ|もし|たら"
    r"|計画[をの][^。]{0,6}(?:立て|作|更新|見直|し直)|合格し",
    re.IGNORECASE,
)
"""Asks about stages in general, for what a tool finds, what if, or for another plan."""
_ENTERS = re.compile(
    r"\b(?:enter(?:ing)?|start(?:ing)?|begin(?:ning)?|before|(?:go|going|move|moving|get)\s+(?:from\b[^.?!]{0,40}?\s)?(?:in)?to|reach)\b"
    r"|(?<!次)(?:に|へ)(?:進|入|移)|の前|を始め",
    re.IGNORECASE,
)
"""Asks for the way into a stage; 「次へ進む」 is the way out of one."""
_NEEDED = re.compile(
    r"\b(?:what|which)\b|\b(?:conditions?|criteri(?:on|a)|gates?|needed|required|ready)\b|条件|基準|必要|何を|なに|準備|ゲート",
    re.IGNORECASE,
)
_AT_WORK = re.compile(r"\b(?:in|into)\s+production\b|本番で", re.IGNORECASE)
"""Production as the place where something happens, rather than as a stage of the plan."""
_NUMBERS = frozenset({"time", "budget"})
_STAGE = r"(?:the\s+)?(?:next\s+)?(?:stage|phase|desk|proof|poc|pilot|production|first|second|third|fourth|last)"
_ASPECTS = {
    "time": r"\bhow\s+(?:long|much\s+time|many\s+(?:weeks|days|months))\b|\bdeadline\b|期限|\bduration\b|\btime\s*box\b"
    r"|\bwhen\s+(?:does|do|will|must|can|is|should)\b[^.?!]{0,40}\b(?:end|over|finish(?:ed)?|done)\b"
    r"|期間|何(?:週間|か月|ヶ月|カ月|日)|どのくらい(?:続|の長さ|の期間)|どれくらい(?:続|の長さ|の期間)|いつまで|いつ(?:終|始|から)",
    "budget": r"\b(?:costs?|budget|expensive|pay|how\s+much(?!\s+(?:time|data|traffic)))\b|費用|予算|いくら|コスト|金額",
    "exit": r"\b(?:conditions?|criteri(?:on|a)|gates?|pass(?:es)?|leave|complete|go\s+on|move\s+on|must\s+hold)\b"
    r"|条件|基準|合格|満た|抜ける|ゲート|次(?:に|へ)進",
    "stop": r"\b(?:stop(?:s|ped)?|abort|call\s+(?:it\s+)?off|give\s+up)\b|中止|止める|やめる|打ち切",
    "roles": r"\bwho\b|誰|だれ|責任者|承認者|担当",
    "rollback": r"\b(?:roll(?:ed)?[\s-]?back|go(?:ing)?\s+back|undo|way\s+back)\b|戻す|戻し|切り戻",
    "watch": r"\b(?:monitor(?:ed|ing)?|watch(?:ed)?|keep\s+an\s+eye)\b|監視|見張|モニタ",
    "purpose": rf"\bwhat\s+(?:is|happens\s+in|do\s+we\s+do\s+in|belongs\s+to)\s+{_STAGE}"
    rf"|\b(?:explain|describe|(?:more|tell\s+me|details?)\s+(?:about|of|on))\s+{_STAGE}"
    r"|(?:実証|PoC|導入|運用|段階|確認)\s*\d?(?:では|で|って)?(?:何|の目的|の内容|について)",
}  # fmt: skip
_HEART = ("purpose", "time", "budget", "exit", "stop")


def answer_stage(
    services: Services, turn: TurnContext, user: str, conversation: str, language: Language
) -> StoredAnswer | None:
    """What the plan says of the stage; None when the question is another one, or there is no plan.

    Args:
        services: Where plans are kept.
        turn: The question with its models.
        user: Whose plan; nobody else's is told.
        conversation: The conversation, whose latest model is meant where none is named.
        language: Language of the answer.
    """
    aspects = asked_aspects(turn)
    if not aspects or not _planned_here(services, user, conversation):
        return None
    model = model_spoken_of(services, turn, user, conversation)
    if not model:
        return None
    newest = next(iter(services.plans.versions(user, model)), None)
    plan = read_plan(services, newest) if newest else None
    names = asked_stages(turn.question, plan) if plan else ()
    if newest is None or plan is None or not names:
        return None
    # On the way from one stage into another, the other one is meant.
    stages = [plan.stage(name) for name in (names[-1:] if aspects == ("entry",) else names)]
    text = "\n\n".join(_told(plan, stage, newest.evidence, aspects, language) for stage in stages)
    cited = citations_of(services, [newest.evidence, *cited_in(text)], user, language)
    return StoredAnswer(text, cited, "plan_adoption")


def asked_aspects(turn: TurnContext) -> tuple[str, ...]:
    """What a question wants to know of a stage; empty when it wants something else, or tells the plan something new.

    Args:
        turn: The question.
    """
    text = normalised(turn.question)
    if _OTHER.search(text) or _tells_something(turn):
        return ()
    if _ENTERS.search(text):
        return ("entry",) if _NEEDED.search(text) else ()
    found = tuple(aspect for aspect, words in _ASPECTS.items() if re.search(words, text, re.IGNORECASE))
    return () if _AT_WORK.search(text) and not _NUMBERS.issuperset(found) else found


def _planned_here(services: Services, user: str, conversation: str) -> bool:
    """Whether this conversation has shown a plan."""
    return any("plan_adoption" in turn.tools for turn in services.store.turns(user=user, conversation=conversation))


def _tells_something(turn: TurnContext) -> bool:
    """Whether the message gives a plan a target; the name of a model alone gives it none."""
    given = turn.arguments("plan_adoption")
    return bool(given.get("targets") or (given and states_use(turn.question)))


def asked_stages(question: str, plan: AdoptionPlan) -> tuple[StageName, ...]:
    """The stages that a question names, by name, by number or as the next one, in the plan's order.

    Args:
        question: The user's words.
        plan: The plan, whose stages are counted from 1.
    """
    text, found = normalised(question), list[StageName]()
    for (digit, english, japanese), (name, named, named_in_japanese) in zip(_ORDINALS, _STAGES, strict=True):
        counted = (
            rf"\b(?:stage|phase)\s*{digit}(?!\d)|\b(?:{digit}(?:st|nd|rd|th)|{english})\s+(?:stage|phase)\b"
            rf"|(?:段階|ステージ|フェーズ)\s*{digit}(?!\d)|第\s*(?:{digit}|{japanese})\s*(?:段階|ステージ|フェーズ)"
            rf"|(?<!\d){digit}\s*(?:つ目の|番目の)?(?:段階|ステージ|フェーズ)"
        )
        if re.search(f"{counted}|{named}|{named_in_japanese}", text, re.IGNORECASE):
            found.append(name)
    return tuple(found) or ((plan.next_stage,) if _NEXT.search(text) else ())


def _told(plan: AdoptionPlan, stage: Stage, plan_id: str, aspects: tuple[str, ...], language: Language) -> str:
    head = say(
        "stage.asked.head", language, stage=stage_name(stage.name, language), model=plan.model, version=plan.version,
        status=say(f"stage.status.{stage.status}", language), id=plan_id,
    )  # fmt: skip
    # "What does it cost" has the words of a general question as well.
    wanted = _HEART if aspects == ("purpose",) else [aspect for aspect in aspects if aspect != "purpose"]
    parts = (
        _entry(plan, stage, language) if aspects == ("entry",) else [_ABOUT[each](stage, language) for each in wanted]
    )
    lists = [f"- {part}" for part in parts if not part.endswith("|")]
    tables = [part for part in parts if part.endswith("|")]
    return "\n\n".join(["\n".join([head, "", *lists]), *tables])


def _entry(plan: AdoptionPlan, stage: Stage, language: Language) -> list[str]:
    """What to settle before a stage, its own gates, and those of the stage that comes before."""
    rules = joined("operating", [rule.code for rule in stage.operating_rules], language)
    parts = [_line("settled", rules, language)] if rules else []
    parts.append(_gates("entry", stage, language))
    before = plan.stages[plan.stages.index(stage) - 1] if stage is not plan.stages[0] else None
    if before is not None and before.closing is None:
        name = say("stage.asked.exit_of", language, stage=stage_name(before.name, language))
        parts.append(say("stage.asked.line", language, name=name, text=_listed(before, "exit", language)))
    return parts


def _gates(when: Literal["entry", "exit"], stage: Stage, language: Language) -> str:
    return _line(when, _listed(stage, when, language), language)


def _listed(stage: Stage, when: Literal["entry", "exit"], language: Language) -> str:
    gates = [gate_text(gate, language) for gate in stage.gates_of(when)]
    return "".join(f"\n  - {gate}" for gate in gates) or say(f"plan.no_{when}", language)


def _watched(stage: Stage, language: Language) -> str:
    return monitoring_text(stage, language) or _line("watch", say("stage.asked.nothing_watched", language), language)


def _line(aspect: str, text: str, language: Language) -> str:
    return say("stage.asked.line", language, name=say(f"stage.asked.{aspect}", language), text=text)


_ABOUT: dict[str, Callable[[Stage, Language], str]] = {
    "purpose": lambda stage, language: _line("purpose", purpose_text(stage, language), language),
    "time": lambda stage, language: _line("time", time_text(stage, language), language),
    "budget": lambda stage, language: _line("budget", budget_text(stage.budget, language), language),
    "exit": lambda stage, language: _gates("exit", stage, language),
    "stop": lambda stage, language: _line(
        "stop",
        say("common.list_joint", language).join(stop_text(rule, language) for rule in stage.stop_rules),
        language,
    ),
    "roles": lambda stage, language: _line("roles", roles_text(stage.roles, language), language),
    "rollback": lambda stage, language: _line("rollback", joined("rollback", stage.rollback, language), language),
    "watch": _watched,
}
