"""Branches, tags, versions and commits in a sentence about versions or fetching."""

from __future__ import annotations

import re

from assistant.llm.quantities import BARE, NO_BRANCH, Quantity, Spans, names_product, overlaps

_STAGES = r"main|master|dev|develop|nightly|stable|experimental|alpha|beta|rc|final|legacy|hotfix|staging|canary|preview|initial"
_GIT_REFERENCE = re.compile(r"(?<![\w/.@#-])refs/(?:heads|tags|pr)/[\w.-]*\w", re.ASCII)
# What stands alone as a revision in any sentence: rc1, beta2, paper-v1, latest-stable, 2022-archive, a short commit.
_CLEAR_REVISION = re.compile(
    r"(?<![\w/.@#-])(?P<r>(?:rc|beta|alpha|preview|release|build)[-_.]?\d[\w.]*|[a-z]+-v\d[\w.]*"
    r"|(?:latest|before|paper|legacy|frozen|archive|snapshot)-[a-z]+|[a-z]+-(?:release|stable|archive|snapshot|nightly|freeze)"
    r"|(?:19|20)\d\d-(?!era|style|like|present|old|based|now)[a-z]{3,}"
    r"|(?!\d+[bdef](?![0-9a-z])|\d+e\d)(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{4,6})(?![\w/-]|\.\w)",
    re.ASCII,
)
_STAGE = re.compile(
    # In Japanese text an English word is a name; in English it has to stand where a name stands.
    rf"(?<![\w/.@#-])(?P<ja>{_STAGES}|base)(?=\s*(?:の(?!ほか)|は|を|が|と|で|に|も|って|版|から|より|ブランチ|時点)(?!モデル))"
    rf"|(?:\b(?i:at|on|from|to|of|than|between|and|or|want(?:ed)?|need(?:ed)?|only|with|whether|as of|wrote|does|did)\s+|,\s+)"
    rf"(?P<en>{_STAGES})(?=\s*(?:[,.?!;]|$|\s-\s|(?:of|and|or|into|in the|will do|for|please|if|instead|contains?)\b))",
    re.ASCII,
)
_HASH_SIGN = re.compile(r"#(?P<h>[A-Za-z][\w.-]*\w)", re.ASCII)
_VERSION = re.compile(r"(?<![\w.$€£¥/@-])(?P<v>\d{1,4}(?:\.\d{1,3}){1,3})(?![\w%]|\.\d|-\d)", re.ASCII)
_BEFORE_VERSION = re.compile(
    r"(?:^|[^\x00-\x7f]\s*|[,.:;(?!]\s*|\b(?:told|from|to|at|of|is|was|version|and|or|than|on|between|still|as|need|want|get|use)\s+)$",
    re.IGNORECASE,
)
_AFTER_VERSION = re.compile(
    r"\s*(?:$|[,.;:?!)、。]|(?:to|and|or|of|with|is|was|for|in|on|from|instead|please|then)\b|で|は|を|に|が|と|から|の|です|へ|より)",
    re.IGNORECASE,
)
_LIBRARY = re.compile(
    r"(?<![\w-])(?:transformers|(?:py)?torch|tensorflow|python|cuda|onnx ?runtime|vllm|librar\w+|drivers?|licen[cs]es?|apache|gpl|cc[ -]by)"
    r"|ライブラリ|環境|互換|ドライバ|ライセンス",
    re.IGNORECASE,
)
"""Where these are spoken of, a version number is theirs."""
_BRANCH_WORD = re.compile(r"branch|variant|revision|\btags?\b|ブランチ|リビジョン|タグ|版", re.IGNORECASE)


def with_revisions(text: str, quantities: list[Quantity], names: Spans) -> list[Quantity]:
    """With the branch, tag, version or commit that is meant, and without everyday words beside "branch" or "tag"."""
    references = [m.span() for m in _GIT_REFERENCE.finditer(text)]
    words = [q for q in quantities if q.kind != "revision" or _is_whole(text, q)]
    found = [_revision(text, q.start, q.start + len(q.text.rstrip(".-"))) if q.kind == "revision" else q for q in words]
    found = [q for q in found if not overlaps(*q.span, references)] + [_revision(text, *s) for s in references]
    found.sort(key=lambda q: q.start)
    if any(q.kind == "revision" for q in found):
        return found
    if any("@" in text[s:e] for s, e in names):
        # The reference carries it; an argument beside it would fix a second model to the first one's revision.
        return found if len(names) > 1 else [*found, _revision(text, text.index("@", *names[0]) + 1, names[0][1])]
    hashed = _HASH_SIGN.match(text, names[0][1]) if len(names) == 1 else None
    span = hashed.span("h") if hashed else _span_of_revision(text, found, names)
    return [*found, _revision(text, *span)] if span else found


def _is_whole(text: str, quantity: Quantity) -> bool:
    """Whether a revision is neither the end of a word ("tag|ging") nor an everyday word."""
    inside = re.search(r"[A-Za-z0-9]\Z", text[max(0, quantity.start - 1) : quantity.start])
    return inside is None and quantity.text.lower() not in NO_BRANCH


def _span_of_revision(text: str, quantities: list[Quantity], names: Spans) -> tuple[int, int] | None:
    taken = [*names, *(q.span for q in quantities if q.kind not in BARE)]
    branch_word = _BRANCH_WORD.search(text) is not None
    named = [m.span(m.lastgroup or 0) for p in (_CLEAR_REVISION, _STAGE) for m in p.finditer(text)]
    named = [s for s in named if branch_word or not (text[slice(*s)] == "base" or names_product(text[slice(*s)]))]
    numbered = [
        m.span("v")
        for m in (_VERSION.finditer(text) if not _LIBRARY.search(text) else ())
        if _BEFORE_VERSION.search(text[: m.start()]) and _AFTER_VERSION.match(text[m.end() :])
    ]
    dtypes = [q.span for q in quantities if q.kind == "dtype" and branch_word]
    free = [s for s in [*named, *numbered] if not overlaps(*s, taken)]
    return next(iter([*free, *dtypes]), None)


def _revision(text: str, start: int, end: int) -> Quantity:
    return Quantity(kind="revision", values=(text[start:end],), text=text[start:end], start=start, end=end)
