"""What a sentence says for a plan beside load, price, memory and time: budget, class of data, deadline."""

from __future__ import annotations

import datetime as dt
import re
from calendar import monthrange
from collections.abc import Sequence
from typing import Any

from assistant.advice.policy_limits import data_classes
from assistant.llm.quantities import Quantity
from assistant.llm.reading_costs import is_budget

_YEARLY = re.compile(r"year|annual|年(?:間|額|に|あたり|(?=\d))|/\s*年", re.IGNORECASE)
_MONTHLY = re.compile(r"month|/\s*mo\b|月(?!\d*日)", re.IGNORECASE)
_NOT_THESE = re.compile(
    r"\b(?:no|not|without|never|neither|except|excluding|free\s+of)\b[^.;,]{0,20}$|\b(?:isn't|aren't|don't|doesn't)\b[^.;,]{0,24}$",
    re.IGNORECASE,
)
_NOT_THESE_BEHIND = re.compile(
    r"^[^。、,.]{0,6}(?:含ま(?:ない|ず)|含めない|扱わない|使わない|なし|以外|ではない|でない|入れない)"
)
_DATE = re.compile(
    r"(?<![\d.])(?P<year>20\d\d)(?:-|/|年\s?)(?P<month>1[0-2]|0?[1-9])(?:(?:-|/|月\s?)(?P<day>3[01]|[12]\d|0?[1-9])日?|月?\s?(?P<end>末))?(?![\d.])"
)
_SPAN = re.compile(
    r"\b(?:in|within|at\s+most|no\s+more\s+than|have|got|only)\s+(?:about\s+|around\s+|the\s+next\s+)?(?P<count>\d{1,2}|a|one|two|three|four|six|eight|ten|twelve)\s+"
    r"(?P<unit>weeks?|months?)\b(?!\s+(?:of\s+data|old|ago))"
    r"|(?<!\d)(?P<ja_count>\d{1,2})\s?(?P<ja_unit>週間|か月|ヶ月|カ月|ヵ月)(?=以内|後|で(?:本番|導入|始|使|稼働|間に合)|まで|しかない|のうち)",
    re.IGNORECASE,
)
_BY = re.compile(
    r"\b(?:by|before|until|no\s+later\s+than|deadline|due|go\s+live|in\s+use|ready)\b|まで|期限|締め?切り|稼働|開始|間に合",
    re.IGNORECASE,
)
_WORDS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "six": 6, "eight": 8, "ten": 10, "twelve": 12}
_WEEKS_PER_MONTH = 4.345


def plan_targets(text: str, quantities: Sequence[Quantity]) -> dict[str, Any]:
    """Targets of a plan that the sentence states, by their names.

    Args:
        text: The normalised sentence.
        quantities: Its quantities, as a plan reads them.
    """
    found: dict[str, Any] = {}
    budget = next((q for q in quantities if q.kind == "money" and is_budget(text, q)), None)
    if budget is not None and isinstance(budget.values[0], int | float):
        around = text[max(0, budget.start - 24) : budget.end + 14]
        yearly = _YEARLY.search(around) is not None and _MONTHLY.search(around) is None
        amount = budget.values[0] / 12 if yearly else budget.values[0]
        found["budget_per_month"] = round(amount, 2)
        if budget.currency:
            found["currency"] = budget.currency
    if (data := _data_class(text)) is not None:
        found["data_class"] = data
    if (deadline := _deadline(text)) is not None:
        found["deadline"] = deadline
    return found


def _data_class(text: str) -> str | None:
    """The strictest class of data that the sentence says it will see."""
    from assistant.advice.policy_force import compiled  # noqa: PLC0415 (the table is read when a plan is asked for)

    said = [
        name
        for name in data_classes(text)
        if any(
            not _NOT_THESE.search(text[: m.start()]) and not _NOT_THESE_BEHIND.search(text[m.end() :])
            for m in compiled("classes", name).finditer(text)
        )
    ]
    return said[-1] if said else None


def _deadline(text: str) -> str | float | None:
    """An ISO date, or a number of weeks."""
    if _BY.search(text):
        for m in _DATE.finditer(text):
            year, month = int(m["year"]), int(m["month"])
            last = monthrange(year, month)[1]
            day = int(m["day"]) if m["day"] else last
            if day <= last:
                return dt.date(year, month, day).isoformat()
    span = _SPAN.search(text)
    if span is None:
        return None
    said = (span["count"] or span["ja_count"]).lower()
    count = _WORDS.get(said) or int(said)
    monthly = (span["unit"] or span["ja_unit"]).lower().startswith(("month", "か", "ヶ", "カ", "ヵ"))
    return round(count * _WEEKS_PER_MONTH) if monthly else count
