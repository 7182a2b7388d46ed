"""Finds the models that a sentence names: ids, folders, bare names; and leaves dates, units and `and/or` alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.errors import InvalidReference
from tools.known_owners import known_owner
from tools.model_reference import BUNDLED_MODEL_ID, parse_reference

_MAX_CHARACTERS = 100_000
_MAX_REFERENCES = 32
# Latin letters and those that imitate them; Japanese text next to a name ends it.
_LETTER = r"A-Za-z0-9\u00c0-\u024f\u0370-\u03ff\u0400-\u052f\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"
_NAME = rf"[{_LETTER}_](?:[{_LETTER}._\u200b\u2010-\u2015-]*[{_LETTER}_])?"
_REVISION = r"(?:@[A-Za-z0-9_](?:[A-Za-z0-9._/+-]*[A-Za-z0-9_])?)?"
_URL = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s\u3000-\u303f\u3041-\u30ff\u4e00-\u9fff<>\"'`]+", re.ASCII)
_HUB_URL = re.compile(
    r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/([\w.-]+/[\w.-]+)(?:/(?:tree|blob)/([\w.-]+).*)?/?\Z"
)
_NOT_MODELS_ON_HUB = {
    "datasets",
    "spaces",
    "docs",
    "blog",
    "papers",
    "models",
    "organizations",
    "settings",
    "collections",
}
_QUOTED_PATH = re.compile(r"([`\"'「『])((?:\.{1,2}|~)?/[^`\"'」』\n]{1,300})[`\"'」』]")
_PATH = re.compile(rf"(?<![{_LETTER}._~/-])(?:\.{{1,2}}|~)?/(?:[\w.+-]+/)*[\w.+-]*[A-Za-z0-9_-]/?", re.ASCII)
# After a colon only where it ends a Japanese word: "候補:org/name", but not "host:org/name".
_ID = re.compile(
    rf"(?<![{_LETTER}._/@-])(?<![A-Za-z0-9]:)(?P<quote>[`\"'「『]?)({_NAME})/({_NAME})({_REVISION})(?![/{_LETTER}@])"
)
_WORD = re.compile(rf"(?<![{_LETTER}._/@-]){_NAME}{_REVISION}(?![/{_LETTER}@])")

_PLAIN = re.compile(r"[A-Za-z]+\Z")
_SHORT_OR_UNIT = re.compile(r"(?:[A-Za-z]{0,3}\d[\d.,]*[A-Za-z]{0,3}|[A-Za-z]{1,2}|\d+)\Z")
_WORDS_OF_PAIRS = """
and or he she his her him they them yes no on off in out input output inputs outputs read write client server host
guest tcp udp ip http https cpu gpu tpu npu ram vram disk ssd hdd train test dev prod staging eval validation win
lose pass fail true false left right up down start stop begin end day week month year hour minute second days weeks
months years hours minutes seconds km mi kg lb mb gb mib gib kb tb ms sec min hr rps qps tps token tokens text texts
request requests req query queries word words char chars character characters image images sample samples user users
person people usd eur jpy yen dollar dollars euro english japanese chinese korean german french spanish italian en
ja jp zh ko de fr es manager engineer linux windows macos mac ios android docker kubernetes python pytorch
tensorflow onnx jax speed accuracy quality cost time memory latency throughput price performance benefit encoder
decoder go nogo pros cons before after old new open closed online offline batch stream sync async build buy make
hardware software frontend backend front back web mobile question answer positive negative import export ci cd qa rd
pm am max avg mean median monday tuesday wednesday thursday friday saturday sunday and/or either both with without n
a na is are was were can will model models data dataset datasets training inference precision recall risk reward
search replace high low medium small large big base legal security compliance finance sales marketing support
product team
"""
_NOT_IDS = frozenset(_WORDS_OF_PAIRS.split())
_CUE_BEFORE = re.compile(
    r"(?:\b(?:model|models|fetch|download|profile|measure|inspect|check|compare|estimate|try|evaluate|adopt|use|pull|load|"
    r"benchmark|scan|called|named)|モデル|候補)[\s::「『`\"'は]*\Z",
    re.IGNORECASE,
)
_CUE_AFTER = re.compile(r"\s*(?:を|の版|のライセンス|のファイル|のカード|のメモリ|は安全|モデル|model\b)")
FAMILIES = (
    "all", "paraphrase", "multi-qa", "msmarco", "stsb", "bge", "e5", "gte", "bert", "roberta", "distilbert", "distilroberta",
    "deberta", "electra", "albert", "xlm", "xlm-roberta", "mpnet", "minilm", "tinybert", "modernbert", "luke", "mluke", "llama",
    "tinyllama", "codellama", "qwen", "qwen2", "qwen2.5", "qwen3", "qwen3.5", "mistral", "mixtral", "ministral", "gemma", "gemma2",
    "gemma3", "gemma4", "phi", "gpt2", "gpt-neo", "gpt-neox", "gpt-j", "gpt-oss", "opt", "bloom", "bloomz", "t5", "flan", "mt5",
    "byt5", "bart", "mbart", "pegasus", "whisper", "wav2vec2", "hubert", "clip", "siglip", "vit", "deit", "dinov2", "resnet",
    "convnext", "nomic", "jina", "ruri", "snowflake", "mxbai", "falcon", "deepseek", "yi", "olmo", "olmo2", "smollm", "smollm2",
    "smollm3", "pythia", "granite", "starcoder", "codebert", "mdeberta", "multilingual", "japanese", "sarashina", "sarashina2",
    "swallow", "plamo", "calm", "calm2", "rinna", "stablelm", "opus-mt", "nllb", "m2m100", "layoutlm", "layoutlmv3", "sam",
    "internlm", "baichuan", "chatglm", "glm", "kimi", "minimax", "nemotron", "command", "dolly", "mpt", "zephyr", "vicuna", "ja",
)  # fmt: skip
"""First words of the names of models on the hub."""
_FAMILY = re.compile(
    r"(?:" + "|".join(re.escape(each) for each in sorted(FAMILIES, key=len, reverse=True)) + r")-(?=.*\d|.*-)", re.I
)
_ORDINARY_WORDS = {
    "all",
    "command",
    "japanese",
    "ja",
    "multilingual",
    "snowflake",
    "clip",
    "falcon",
    "granite",
    "opt",
    "phi",
}
_LONE = {"gpt2", "labse", "bert-base", "distilgpt2", "distilbert", "xlnet"}


def search_references(text: str, known: Sequence[str] = ()) -> tuple[str, ...]:
    """Find model references in a sentence; see `tools.model_reference.find_references`."""
    remaining = text[:_MAX_CHARACTERS]
    known_names = _names_of((*known, BUNDLED_MODEL_ID))
    found: list[tuple[int, str]] = []
    for take in (_take_urls, _take_quoted_paths, _take_ids, _take_paths, _take_bare_names):
        remaining = take(remaining, known_names, found)
    ordered: dict[str, None] = {}
    for _position, reference in sorted(found):
        ordered.setdefault(reference)
    return tuple(ordered)[:_MAX_REFERENCES]


def _names_of(known: Sequence[str]) -> dict[str, str]:
    """Known ids by their folded full name and by their folded name part."""
    names: dict[str, str] = {}
    for identifier in known:
        bare_of_revision = identifier.partition("@")[0]
        names.setdefault(bare_of_revision.casefold(), bare_of_revision)
        if not identifier.startswith((".", "/", "~")):
            names.setdefault(bare_of_revision.rpartition("/")[2].casefold(), bare_of_revision)
    return names


def _blank(text: str, start: int, end: int) -> str:
    """The text with a found part blanked out, so that nothing is found in it again and positions stay."""
    return text[:start] + "\n" * (end - start) + text[end:]


def _take_urls(text: str, known: dict[str, str], found: list[tuple[int, str]]) -> str:  # noqa: ARG001 (one shape for all)
    for match in _URL.finditer(text):
        hub = _HUB_URL.match(match.group().rstrip(".,;:!?)"))
        if hub is not None and hub.group(1).partition("/")[0] not in _NOT_MODELS_ON_HUB:
            found.append((match.start(), hub.group(1) + (f"@{hub.group(2)}" if hub.group(2) else "")))
        text = _blank(text, *match.span())
    return text


def _take_quoted_paths(text: str, known: dict[str, str], found: list[tuple[int, str]]) -> str:  # noqa: ARG001 (one shape)
    for match in _QUOTED_PATH.finditer(text):
        found.append((match.start(), match.group(2).strip()))
        text = _blank(text, *match.span())
    return text


def _take_paths(text: str, known: dict[str, str], found: list[tuple[int, str]]) -> str:  # noqa: ARG001 (one shape)
    for match in _PATH.finditer(text):
        path = match.group()
        segments = [each for each in path.split("/") if each]
        absolute = path.startswith("/")
        if not segments or (absolute and len(segments) == 1 and _looks_like_a_half(text, match.start(), segments[0])):
            continue
        found.append((match.start(), path.rstrip("/") if len(path) > 1 else path))
        text = _blank(text, *match.span())
    return text


def _looks_like_a_half(text: str, start: int, segment: str) -> bool:
    """Whether `/x` is the second half of a pair such as `入力/GPU`, or a command such as `/help`."""
    before = text[start - 1] if start else " "
    return not before.isspace() or len(segment) < 3 or segment.isdigit()


def _take_ids(text: str, known: dict[str, str], found: list[tuple[int, str]]) -> str:
    for match in _ID.finditer(text):
        owner, name, revision = match.group(2), match.group(3), match.group(4)
        identifier = f"{owner}/{name}"
        quoted = bool(match.group("quote"))
        if identifier.casefold() in known:
            found.append((match.start(), known[identifier.casefold()] + revision))
        elif _is_id(owner, name, quoted or bool(revision) or _has_cue(text, match)):
            found.append((match.start(), _canonical(identifier + revision)))
        text = _blank(text, *match.span())
    return text


def _has_cue(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - 40) : match.start()]
    return _CUE_BEFORE.search(before) is not None or _CUE_AFTER.match(text, match.end()) is not None


def _is_id(owner: str, name: str, pointed_at: bool) -> bool:
    """Whether `owner/name` is meant as a model rather than as two words, units or a date."""
    if _SHORT_OR_UNIT.match(owner) or _SHORT_OR_UNIT.match(name):
        return known_owner(owner) is not None and not name.isdigit()
    if owner.casefold() in _NOT_IDS or name.casefold() in _NOT_IDS:
        return known_owner(owner) is not None
    if known_owner(name) is not None and not pointed_at:  # two companies' names
        return False
    if known_owner(owner) is not None or not f"{owner}{name}".isascii():
        return True
    compound = any(mark in name for mark in "-_") or (_PLAIN.match(name) is None and len(name) >= 5)
    return compound or pointed_at


def _canonical(reference: str) -> str:
    try:
        return parse_reference(reference).canonical
    except InvalidReference:
        return reference


def _take_bare_names(text: str, known: dict[str, str], found: list[tuple[int, str]]) -> str:
    for match in _WORD.finditer(text):
        name, separator, revision = match.group().partition("@")
        identifier = known.get(name.casefold())
        if identifier is None and (name.casefold() in _LONE or _FAMILY.match(name)) and name.isascii():
            identifier = name if _is_model_name(name) else None
        if identifier is not None:
            found.append((match.start(), identifier + separator + revision))
    return text


def _is_model_name(name: str) -> bool:
    """Whether a word that starts with a family's name goes on like a model's name: a version, a size or several parts."""
    if any(each.isdigit() for each in name):
        return True
    return name.count("-") >= 2 and name.partition("-")[0].casefold() not in _ORDINARY_WORDS
