"""A question about one stage of a plan, answered from the stored plan: how long, what it costs, what must hold, when it stops.

Such a question is read by code, before any LLM: a plan made anew or a general rule would not be what the team was told.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from assistant.advice.decision_records import StageName
from assistant.advice.plan_records import AdoptionPlan, Stage
from assistant.advice.policy_text import normalised
from assistant.decided import StoredAnswer, citations_of, meant_models
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
    ("proof_of_concept", r"proof[\s-]of[\s-]concept|\bpoc\b", "概念実証|PoC"),
    ("pilot", r"\bpilot\b", "試験導入|パイロット"),
    ("production", r"\bproduction\b", "本番|実運用"),
)
_ORDINALS = (
    ("1", "one|first", "一"),
    ("2", "two|second", "二"),
    ("3", "three|third", "三"),
    ("4", "four|fourth|last|final", "四|最後の|最終"),
)
_NEXT = re.compile(r"\bnext\s+(?:stage|step|phase)\b|次の(?:段階|ステージ|フェーズ)", re.IGNORECASE)
_ANY = re.compile(
    r"\b(?:an?|any|every|most)\s+(?:desk|proof|poc|pilot|production|stage)|一般に|一般的|普通は", re.IGNORECASE
)
"""Asks about stages in general."""
_OTHER = re.compile(
    r"\b(?:memory|latency|licen[cs]e|versions?|gpu|compare|measure|profile|download|fetch)\b|メモリ|応答|ライセンス|版|比較|計測|測定|取得",
    re.IGNORECASE,
)
"""Asks for what a tool finds."""
_ASPECTS = {
    "time": r"\bhow\s+(?:long|many\s+(?:weeks|days|months))\b|\bduration\b|\btime\s*box\b"
    r"|\bwhen\s+(?:does|do|will|must|can|is|should)\b[^.?!]{0,40}\b(?:end|over|start|begin|finish(?:ed)?|done)\b"
    r"|期間|何(?:週間|か月|ヶ月|カ月|日)|どのくらい(?:続|の長さ|の期間)|どれくらい(?:続|の長さ|の期間)|いつまで|いつ(?:終|始|から)",
    "budget": r"\b(?:costs?|budget|expensive|pay|how\s+much)\b|費用|予算|いくら|コスト|金額",
    "exit": r"\b(?:conditions?|criteri(?:on|a)|gates?|pass(?:es|ed)?|leave|complete[sd]?|go\s+on|move\s+on|must\s+hold)\b"
    r"|条件|基準|合格|満た|抜ける|ゲート|次に進|次へ進",
    "stop": r"\b(?:stop|abort|call\s+(?:it\s+)?off|give\s+up)\b|中止|止める|やめる|打ち切",
    "roles": r"\bwho\b|誰|だれ|責任者|承認者|担当",
    "rollback": r"\b(?:roll(?:ed)?[\s-]?back|go(?:ing)?\s+back|undo|way\s+back)\b|戻す|戻し|切り戻",
    "watch": r"\b(?:monitor(?:ed|ing)?|watch(?:ed)?|keep\s+an\s+eye)\b|監視|見張|モニタ",
    "purpose": r"\bwhat\s+(?:is|are|happens?|do\s+we|does|belongs)\b|\bpurpose\b|\b(?:more|details?)\s+(?:about|of|on)\b|\b(?:explain|describe)\b"
    r"|何をする|何をやる|何をし|目的|内容|詳し|説明|どんな|どういう",
}  # fmt: skip
_HEART = ("purpose", "time", "budget", "exit", "stop")
_CITED = re.compile(r"\[([A-Z]{1,2}[0-9a-f.]+)\]")


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
    if not (turn.named or turn.last_tool == "plan_adoption"):
        return None
    aspects = asked_aspects(turn)
    models = meant_models(turn) or tuple(services.store.models(user=user, conversation=conversation))[:1]
    if not aspects or not models:
        return None
    newest = next(iter(services.plans.versions(user, models[0])), None)
    plan = read_plan(services, newest) if newest else None
    name = asked_stage(turn.question, plan) if plan else None
    if newest is None or plan is None or name is None:
        return None
    text = _told(plan, plan.stage(name), newest.evidence, aspects, language)
    return StoredAnswer(text, citations_of(services, [newest.evidence, *_CITED.findall(text)], user, language))


def asked_aspects(turn: TurnContext) -> tuple[str, ...]:
    """What a question wants to know of a stage; empty when it wants something else, or tells the plan something new.

    Args:
        turn: The question.
    """
    text = normalised(turn.question)
    if _ANY.search(text) or _OTHER.search(text) or turn.arguments("plan_adoption"):
        return ()
    return tuple(aspect for aspect, words in _ASPECTS.items() if re.search(words, text, re.IGNORECASE))


def asked_stage(question: str, plan: AdoptionPlan) -> StageName | None:
    """The stage that a question names, by name, by number or as the next one; None without any.

    Args:
        question: The user's words.
        plan: The plan, whose stages are counted from 1.
    """
    text = normalised(question)
    if _NEXT.search(text):
        return plan.next_stage
    for (digit, english, japanese), (name, named, named_in_japanese) in zip(_ORDINALS, _STAGES, strict=True):
        counted = (
            rf"\b(?:stage|phase|step)\s*(?:{digit}|{english})\b|\b(?:{digit}(?:st|nd|rd|th)|{english})\s+(?:stage|phase)\b"
            rf"|(?:段階|ステージ|フェーズ)\s*(?:{digit}|{japanese})|第?\s*(?:{digit}|{japanese})\s*(?:の)?(?:段階|ステージ|フェーズ|番目の段階)"
        )
        if re.search(f"{counted}|{named}|{named_in_japanese}", text, re.IGNORECASE):
            return name
    return None


def _told(plan: AdoptionPlan, stage: Stage, plan_id: str, aspects: tuple[str, ...], language: Language) -> str:
    head = say(
        "stage.asked.head", language, stage=stage_name(stage.name, language), model=plan.model, version=plan.version,
        status=say(f"stage.status.{stage.status}", language), id=plan_id,
    )  # fmt: skip
    # "What does it cost" has the words of a general question as well.
    wanted = _HEART if aspects == ("purpose",) else [aspect for aspect in aspects if aspect != "purpose"]
    parts = [_ABOUT[aspect](stage, language) for aspect in wanted]
    lists = [f"- {part}" for part in parts if not part.endswith("|")]
    tables = [part for part in parts if part.endswith("|")]
    return "\n\n".join(["\n".join([head, "", *lists]), *tables])


def _exit(stage: Stage, language: Language) -> str:
    gates = [gate_text(gate, language) for gate in stage.gates_of("exit")]
    return _line("exit", "".join(f"\n  - {gate}" for gate in gates) or say("plan.no_exit", language), language)


def _watched(stage: Stage, language: Language) -> str:
    return monitoring_text(stage, language) or _line("watch", say("stage.asked.nothing_watched", language), language)


def _line(aspect: str, text: str, language: Language) -> str:
    return say("stage.asked.line", language, name=say(f"stage.asked.{aspect}", language), text=text)


_ABOUT: dict[str, Callable[[Stage, Language], str]] = {
    "purpose": lambda stage, language: _line("purpose", purpose_text(stage, language), language),
    "time": lambda stage, language: _line("time", time_text(stage, language), language),
    "budget": lambda stage, language: _line("budget", budget_text(stage.budget, language), language),
    "exit": _exit,
    "stop": lambda stage, language: _line(
        "stop",
        say("common.list_joint", language).join(stop_text(rule, language) for rule in stage.stop_rules),
        language,
    ),
    "roles": lambda stage, language: _line("roles", roles_text(stage.roles, language), language),
    "rollback": lambda stage, language: _line("rollback", joined("rollback", stage.rollback, language), language),
    "watch": _watched,
}
