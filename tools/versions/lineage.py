"""Which models a model was made from: as its card and files say, and as shapes and hashes bear it out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from tools.cards.sections import quote_line
from tools.errors import ToolError
from tools.file_safety.inspected import Inspected
from tools.front_matter import MAX_FRONT_MATTER_BYTES, BadFrontMatter, front_matter_of, parse_front_matter
from tools.locating import ModelLocation, locate_model
from tools.model_sources import ModelSources
from tools.versions.lineage_check import Finding, check_descent

Relation = Literal["base", "finetune", "adapter", "merge", "quantized", "copy"]
"""What was done to the ancestor; `base` where the files only name it, `copy` where the weights are the same."""

_MOST_ANCESTORS = 8
_MOST_CHECKED = 3
_MERGE_FILES = ("mergekit_config.yml", "mergekit_config.yaml", "mergekit_moe_config.yml")
_NAME = re.compile(r"[\w.-]{1,96}(?:/[\w.-]{1,96})?(?:@[\w./-]{1,128})?\Z", re.ASCII)
_RELATIONS: dict[str, Relation] = {
    "finetune": "finetune",
    "adapter": "adapter",
    "merge": "merge",
    "quantized": "quantized",
}


class Ancestor(BaseModel):
    """A model that this one was made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Its name as the files give it. Untrusted text."""
    relation: Relation
    """What was done to it."""
    known_from: tuple[str, ...]
    """Files that say so, and `hashes`, `numbers` or `shapes` where those were compared."""
    confirmed: bool | None
    """Whether hashes, numbers, shapes or sizes bear it out; absent when the ancestor is not at hand or tells nothing."""
    note: str
    """What was compared and what came out, one sentence."""


class _Claim(NamedTuple):
    name: str
    relation: Relation
    file: str


def find_lineage(
    location: ModelLocation, model: Inspected, sources: ModelSources, copies: Sequence[str] = ()
) -> tuple[Ancestor, ...]:
    """Collect what a model's files say about its ancestors, and compare shapes and hashes with those that are at hand.

    An ancestor of a model on this machine is looked for on this machine only; of a model on the hub there too, by its
    listing, config and headers. Nothing is downloaded.

    Args:
        location: Where the model is.
        model: Its files.
        sources: Where models may come from.
        copies: Ids of models on this machine that have the same weights.

    Returns:
        The ancestors, nearest first, then the copies.
    """
    own = (location.reference.id or "").casefold()
    claims: dict[str, list[_Claim]] = {}
    for claim in _claims(model):
        if claim.name.partition("@")[0].casefold() != own:
            claims.setdefault(claim.name.casefold(), []).append(claim)
    near = sources if location.source == "hub" else sources.model_copy(update={"offline": True})
    found = [
        _ancestor(same, model, near if position < _MOST_CHECKED else None)
        for position, same in enumerate(list(claims.values())[:_MOST_ANCESTORS])
    ]
    found += [_copy(name) for name in copies if name.casefold() not in claims]
    return tuple(found)


def _copy(name: str) -> Ancestor:
    note = f"The weights are those of `{name}` on this machine, to the last bit."
    return Ancestor(name=name, relation="copy", known_from=("hashes",), confirmed=True, note=note)


def _ancestor(claims: list[_Claim], model: Inspected, sources: ModelSources | None) -> Ancestor:
    name = claims[0].name
    relations: list[Relation] = [claim.relation for claim in claims if claim.relation != "base"]
    relation = relations[0] if relations else "base"
    files = tuple(dict.fromkeys(claim.file for claim in claims))
    finding = _checked(name, relation, model, sources)
    return Ancestor(
        name=name,
        relation="copy" if finding.means == "hashes" and finding.confirmed else relation,
        known_from=(*files, finding.means) if finding.means else files,
        confirmed=finding.confirmed,
        note=finding.note,
    )


def _checked(name: str, relation: Relation, model: Inspected, sources: ModelSources | None) -> Finding:
    if sources is None:
        return Finding(None, "", "Not compared: the files name more models than are looked for.")
    if _NAME.match(name) is None:
        return Finding(None, "", "Not compared: this is no name of a model.")
    try:
        base = locate_model(name, sources=sources)
        return check_descent(model, Inspected(base.view), name, relation)
    except ToolError as error:
        if sources.offline:
            return Finding(None, "", "Not compared: it is not on this machine.")
        return Finding(None, "", f"Not compared: {error.message}")


def _claims(model: Inspected) -> Iterator[_Claim]:
    config, adapter = model.object("config.json"), model.object("adapter_config.json")
    if isinstance(name := adapter.get("base_model_name_or_path"), str) and name:
        yield _Claim(_quoted(name), "adapter", "adapter_config.json")
    card = _front_matter(model)
    names = _texts(card.get("base_model"))
    relation = _relation_on_card(card, names, model, config, bool(adapter))
    for name in names:
        yield _Claim(_quoted(name), relation, "README.md")
    yield from _merged(model)
    name = config.get("_name_or_path")
    if isinstance(name, str) and name.count("/") == 1 and not name.startswith((".", "/", "~")):
        yield _Claim(_quoted(name), "base", "config.json")


def _relation_on_card(
    card: dict[str, Any], names: list[str], model: Inspected, config: dict[str, Any], adapter: bool
) -> Relation:
    """The relation that the card states, else the one that its files show."""
    stated = _RELATIONS.get(str(card.get("base_model_relation")).strip().lower())
    if stated is not None:
        return stated
    if adapter:
        return "adapter"
    if len(names) > 1 or any(name in model.plain for name in _MERGE_FILES):
        return "merge"
    return "quantized" if isinstance(config.get("quantization_config"), dict) else "finetune"


def _quoted(name: str) -> str:
    return quote_line(name).replace("`", "ˋ")[:120]


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values[:_MOST_ANCESTORS] if isinstance(each, str) and each.strip()]


def _front_matter(model: Inspected) -> dict[str, Any]:
    entry = model.plain.get("README.md")
    if entry is None:
        return {}
    text = model.view.read("README.md", 0, min(entry.size_bytes, 1_000_000)).decode("utf-8", "replace")
    return front_matter_of(text)


def _merged(model: Inspected) -> Iterator[_Claim]:
    """Models that mergekit says it merged."""
    file = next((name for name in _MERGE_FILES if name in model.plain), None)
    if file is None or model.plain[file].size_bytes > MAX_FRONT_MATTER_BYTES:
        return
    text = model.view.read(file, 0, model.plain[file].size_bytes).decode("utf-8", "replace")
    try:
        content = parse_front_matter(text)
    except BadFrontMatter:
        return
    for name in dict.fromkeys(_model_names(content)):
        yield _Claim(_quoted(name), "merge", file)


def _model_names(content: object, depth: int = 0) -> Iterator[str]:
    if depth > 6:
        return
    if isinstance(content, list):
        for each in content[:100]:
            yield from _model_names(each, depth + 1)
    elif isinstance(content, dict):
        for key, value in content.items():
            if key in {"model", "base_model", "source_model"} and isinstance(value, str):
                yield value
            elif isinstance(value, dict | list):
                yield from _model_names(value, depth + 1)
