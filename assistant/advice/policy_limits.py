"""Numbers, licence names, classes of data and roles in a sentence of a policy."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal, NamedTuple

from assistant.advice.policy_force import Clause, compiled
from assistant.llm.quantities import Quantity, find_quantities

DATA_CLASSES = ("public", "internal", "confidential", "personal", "sensitive_personal")
"""Classes of data, the most harmless first."""
LimitKind = Literal["memory", "latency", "budget", "quality"]
_MONTHS_PER_YEAR = 12

_UPPER = re.compile(
    r"at\s+most|no\s+(?:more|longer|higher)\s+than|\bbelow\b|\bunder\b|\bwithin\b|less\s+than|up\s+to|\bmax(?:imum|\.)?\b|\blimit(?:ed)?\b|"
    r"\bcapp?(?:ed)?\b|\bceiling\b|以下|以内|未満|上限|まで(?:に|と|。|$)|収め|抑え|超え?(?:ない|ては|てはならない|ません)|超過し(?:ない|ては)|"
    r"上回(?:らない|っては)",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"\bexceed(?:s|ing)?\b|\babove\b|\bover\b|more\s+than|longer\s+than|higher\s+than|\bto\s+pass\b", re.IGNORECASE
)
_LOWER = re.compile(
    r"at\s+least|minimum|no\s+less\s+than|or\s+(?:more|higher|better)|以上|最低|下回(?:らない|っては)", re.IGNORECASE
)
_ABOUT: dict[LimitKind, re.Pattern[str]] = {
    "memory": re.compile(r"memory|\bv?ram\b|メモリ", re.IGNORECASE),
    "latency": re.compile(r"latenc|respon[sd]|\bp95\b|\banswers?\b|応答|レイテンシ|遅延|返答", re.IGNORECASE),
    "budget": re.compile(
        r"\bcosts?\b|budget|spend|\bfees?\b|\bpay\b|費用|予算|コスト|料金|経費|(?<=[用守託営])費", re.IGNORECASE
    ),
    "quality": re.compile(
        r"accura|recall|precision|correct|quality|hit\s+rate|正答率|精度|再現率|正解率|的中率|品質", re.IGNORECASE
    ),
}
_MONTHLY = re.compile(r"month|/\s*mo\b|月", re.IGNORECASE)
_YEARLY = re.compile(r"year|annual|年", re.IGNORECASE)
_SHARE = re.compile(
    r"(?P<percent>\d{1,3}(?:\.\d+)?)\s*(?:%|percent|per\s+cent|パーセント)|(?P<share>0\.\d+)", re.IGNORECASE
)
_NAMES: tuple[tuple[str, str], ...] = (
    (r"\bapache(?:[\s-]+licen[cs]e)?,?[\s-]*(?:v|version)?\.?[\s-]*(?:2(?:\.0)?)?", "Apache-2.0"),
    (r"(?-i:\bMIT\b)", "MIT"),
    (r"\bbsd[\s-]*\(?3[\s-]?clause", "BSD-3-Clause"),
    (r"\bbsd[\s-]*\(?2[\s-]?clause", "BSD-2-Clause"),
    (r"\bbsd\b", "BSD"),
    (r"(?-i:\bISC\b)", "ISC"),
    (r"\bunlicense\b", "Unlicense"),
    (r"\bcc[\s-]?0\b(?:-1\.0)?", "CC0-1.0"),
    (r"\bcc[\s-]by(?:[\s-](?:nc|sa|nd))*(?:[\s-]\d\.\d)?", "CC-BY"),
    (r"(?-i:\bA(?:ffero )?GPL)[\s-]?v?\d?(?:\.0)?", "AGPL"),
    (r"(?-i:\bLGPL)[\s-]?v?\d?(?:\.\d)?", "LGPL"),
    (r"(?-i:\bGPL)[\s-]?v?\d?(?:\.0)?", "GPL"),
    (r"(?-i:\bMPL)[\s-]?v?\d?(?:\.0)?", "MPL"),
    (r"(?-i:\bEPL)[\s-]?v?\d?(?:\.0)?", "EPL"),
    (
        r"\bllama(?:[\s-]?\d(?:\.\d)?)?(?:\s+community)?(?=\s+licen[cs]e|\s*ライセンス|の?ライセンス)",
        "LicenseRef-Llama",
    ),
    (r"\bgemma(?=\s+(?:licen[cs]e|terms)|\s*の?ライセンス)", "LicenseRef-Gemma"),
    (r"\bopenrail(?:-m|\+\+)?", "OpenRAIL"),
)
_SUCH_AS = re.compile(r"(?:such\s+as|e\.g\.|like|for\s+example|including|例えば|例:|\(例)\s*[^.;。]*$", re.IGNORECASE)
_ROLE = re.compile(
    r"(?:approv\w+|sign(?:ed)?[\s-]?off|consent|authori[sz]\w+)\s+(?:in\s+writing\s+)?(?:by|of|from)\s+(?:an?\s+|the\s+|its\s+|our\s+)?"
    r"(?P<en>[A-Za-z][\w&/-]*(?:\s+(?!(?:before|after|prior|and|or|is|are|must|shall|in|at|for|on|to|when|if|unless)\b)[\w&/-]+){0,4})"
    r"|(?:the\s+|our\s+)(?P<subject>[A-Za-z][\w-]*(?:\s+[\w-]+){0,3}?)\s+(?:must|shall|has\s+to|needs\s+to)\s+(?:first\s+)?(?:approve|sign|authori[sz]e)"
    r"|(?P<ja>[一-龥ァ-ヶーA-Za-z]{2,16})(?:の|が|による|から)(?:事前の|書面による|最終)?(?:承認|決裁|了承|許可|同意)",
    re.IGNORECASE,
)


class Limit(NamedTuple):
    """A number that a sentence sets as a line."""

    kind: LimitKind
    number: float
    """In `unit`."""
    unit: str
    """`MiB`, `ms`, `share`, or an ISO currency code, or empty where the sentence names no currency."""


def limits_of(text: str, forces: set[str]) -> tuple[Limit, ...]:
    """The limits that a normalised sentence sets.

    Args:
        text: The sentence.
        forces: Kinds of its words of force.
    """
    found: list[Limit] = []
    over_forbidden = bool(_OVER.search(text)) and bool(forces & {"must_not", "should_not"})
    upper = over_forbidden or (
        bool(_UPPER.search(text)) and not (forces & {"must_not"} and not _OVER.search(text) and not _wide(text))
    )
    for quantity in find_quantities(text) if upper else ():
        limit = _upper_limit(quantity, text)
        if limit is not None and limit.kind not in {each.kind for each in found}:
            found.append(limit)
    share = _SHARE.search(text)
    if share and _ABOUT["quality"].search(text) and _LOWER.search(text):
        value = float(share["share"]) if share["share"] else float(share["percent"]) / 100
        if 0 < value <= 1:
            found.append(Limit("quality", value, "share"))
    return tuple(found)


def _wide(text: str) -> bool:
    """Whether the text is Japanese, where the negation stands within the word of the limit."""
    return bool(re.search(r"[ぁ-ん]", text))


def _upper_limit(quantity: Quantity, text: str) -> Limit | None:
    value = quantity.values[0]
    if not isinstance(value, int | float) or value <= 0:
        return None
    if quantity.kind == "memory_gib" and _ABOUT["memory"].search(text):
        return Limit("memory", float(value) * 1024, "MiB")
    if quantity.kind == "latency_ms" and _ABOUT["latency"].search(text):
        return Limit("latency", float(value), "ms")
    if quantity.kind in {"money", "requests_per_day"} and _ABOUT["budget"].search(text):
        monthly, yearly = _MONTHLY.search(text), _YEARLY.search(text)
        if (monthly or yearly) and quantity.kind == "money":
            return Limit("budget", float(value) / (1 if monthly else _MONTHS_PER_YEAR), quantity.currency)
    return None


@cache
def _names() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern, re.IGNORECASE), name) for pattern, name in _NAMES)


def licence_names(text: str) -> tuple[tuple[str, int, int], ...]:
    """Licences that a normalised text names, as the beginning of an SPDX identifier, with their places."""
    found: list[tuple[str, int, int]] = []
    for pattern, name in _names():
        for m in pattern.finditer(text):
            if any(s < m.end() and m.start() < e for _, s, e in found) or _SUCH_AS.search(text[: m.start()]):
                continue
            exact = re.sub(r"[\s-]+", "-", m[0]).upper() if name == "CC-BY" else name
            found.append((exact, m.start(), m.end()))
    return tuple(sorted(found, key=lambda each: each[1]))


def allows_licence(spdx: str, names: tuple[str, ...]) -> bool:
    """Whether a licence is one of those named; `BSD` stands for every BSD licence, `CC-BY` only for itself."""
    own = spdx.casefold()
    for name in names:
        wanted = name.casefold()
        versioned = own.removeprefix(f"{wanted}-")
        if own == wanted or (wanted == "openrail" and "openrail" in own):
            return True
        if versioned != own and (wanted != "cc-by" and not wanted.startswith("cc-by-") or versioned[:1].isdigit()):
            return True
    return False


def data_classes(text: str) -> tuple[str, ...]:
    """Classes of data that a normalised text speaks of, the most harmless first."""
    return tuple(name for name in DATA_CLASSES if compiled("classes", name).search(text))


def approver(text: str) -> str:
    """The role that has to approve, as the sentence names it; empty when it names none."""
    found = _ROLE.search(text)
    if found is None:
        return ""
    return next((found[name] for name in ("en", "subject", "ja") if found[name]), "").strip()


def forces_of(clause: Clause) -> set[str]:
    """Kinds of the words of force of a clause."""
    return {marker.kind for marker in clause.markers}
