"""Well-known owners on the hub, and whether a name is a near miss of one of them."""

from __future__ import annotations

KNOWN_OWNERS = (
    "01-ai", "AI4Bharat", "Alibaba-NLP", "AnswerDotAI", "BAAI", "CohereForAI", "CohereLabs", "EleutherAI", "Falconsai",
    "FacebookAI", "Helsinki-NLP", "HuggingFaceH4", "HuggingFaceTB", "Intel", "LiquidAI", "MiniMaxAI", "NousResearch",
    "Qwen", "Salesforce", "SakanaAI", "Snowflake", "TinyLlama", "TheBloke", "XiaomiMiMo", "abeja", "ai21labs", "albert",
    "allenai", "amazon", "apple", "bigcode", "bigscience", "cardiffnlp", "cl-nagoya", "cl-tohoku", "cointegrated",
    "cross-encoder", "cyberagent", "dbmdz", "deepset", "deepseek-ai", "distilbert", "dslim", "elyza", "facebook",
    "google", "google-bert", "google-t5", "hotchpotch", "huggingface", "ibm-granite", "intfloat", "jinaai", "laion",
    "line-corporation", "llm-jp", "lmsys", "meta-llama", "microsoft", "mistralai", "mixedbread-ai", "moonshotai",
    "nlptown", "nomic-ai", "ntt", "nvidia", "openai", "openai-community", "openbmb", "oshizo", "pfnet", "pkshatech",
    "prajjwal1", "rinna", "sbintuitions", "sentence-transformers", "sonoisa", "stabilityai", "stanford-crfm", "studio-ousia",
    "thenlper", "tiiuae", "timm", "tohoku-nlp", "tokyotech-llm", "upstage", "vinai", "xlnet", "zai-org",
)  # fmt: skip
"""Owners whose models are often reused; used to notice near misses and to recognise an id in a sentence."""

_KNOWN_FOLDED = {each.casefold(): each for each in KNOWN_OWNERS}
_MIN_CHARACTERS_FOR_DISTANCE = 6


def known_owner(owner: str) -> str | None:
    """The well-known owner of this name, whatever its case; absent when there is none."""
    return _KNOWN_FOLDED.get(owner.casefold())


def resembled_owner(owner: str) -> str | None:
    """The well-known owner that a name imitates without being it; absent when there is none.

    Args:
        owner: First half of an id.

    Returns:
        The imitated name: same shape with exchanged look-alikes (0 for o, 1 or I for l, rn for m), or one letter added,
        left out, changed or swapped in a name of at least six letters.
    """
    folded = owner.casefold()
    if folded in _KNOWN_FOLDED:
        return None
    shape = _shape(owner)
    for known_folded, known in _KNOWN_FOLDED.items():
        if shape == _shape(known):
            return known
        if len(known_folded) >= _MIN_CHARACTERS_FOR_DISTANCE and _one_edit_apart(folded, known_folded):
            return known
    return None


def _shape(name: str) -> str:
    """The name with letters that look alike made equal and separators left out."""
    exchanged = name.replace("I", "l").casefold().replace("rn", "m").replace("vv", "w")
    return exchanged.translate(str.maketrans({"0": "o", "1": "l", "5": "s", "i": "l", "-": None, "_": None, ".": None}))


def _one_edit_apart(first: str, second: str) -> bool:
    """Whether one insertion, deletion, change or swap of neighbours makes two names equal."""
    if abs(len(first) - len(second)) > 1:
        return False
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    rest_first, rest_second = first[start:], second[start:]
    if rest_first[1:] == rest_second[1:] or rest_first == rest_second[1:] or rest_first[1:] == rest_second:
        return True
    return rest_first[:2] == rest_second[:2][::-1] and rest_first[2:] == rest_second[2:]
