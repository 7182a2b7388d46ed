"""The YAML block at the head of a model card, read as untrusted input."""

from __future__ import annotations

from typing import Any

import yaml

MAX_FRONT_MATTER_BYTES = 200_000
"""Longer blocks are refused before they are parsed."""
_MAX_NODES = 20_000
_MAX_DEPTH = 20


class BadFrontMatter(ValueError):
    """A block that is not acceptable; the message continues a sentence whose subject is the block."""


def split_card(text: str) -> tuple[str, str, int]:
    """Separate a card's front matter from its text.

    Args:
        text: The whole card.

    Returns:
        The block without its fences (empty when there is none), the rest, and how many lines come before the rest.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[0].rstrip() != "---":
        return "", text, 0
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == "---":
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :]), number + 1
    return "", text, 0


def parse_front_matter(block: str) -> dict[str, Any]:
    """Parse the block with tags, aliases, size and depth limited.

    Args:
        block: YAML text without its fences.

    Returns:
        The mapping; empty for an empty block. Dates stay texts.

    Raises:
        BadFrontMatter: The block is too large, uses tags or aliases, is not YAML or not a mapping.
    """
    if len(block.encode("utf-8", "replace")) > MAX_FRONT_MATTER_BYTES:
        raise BadFrontMatter(f"is larger than {MAX_FRONT_MATTER_BYTES} bytes")
    try:
        _check_events(block)
        content = yaml.load(block, Loader=_TextLoader)  # a safe loader, without its guesses at dates
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, BadFrontMatter):
            raise
        raise BadFrontMatter("is not valid YAML") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise BadFrontMatter("is not a mapping")
    return {str(key): value for key, value in content.items()}


_SafeLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times as fast


def front_matter_of(card: str) -> dict[str, Any]:
    """What stands at a card's head; empty where there is nothing that can be read, which `check_documentation` tells.

    Args:
        card: The whole card.
    """
    try:
        return parse_front_matter(split_card(card)[0])
    except BadFrontMatter:
        return {}


class _TextLoader(_SafeLoader):
    """The safe loader; dates, and words such as `no` (Norwegian), stay texts."""


_TextLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":bool", ":merge"))]
    for first, resolvers in _SafeLoader.yaml_implicit_resolvers.items()
}


def _check_events(block: str) -> None:
    depth = 0
    for count, event in enumerate(yaml.parse(block, Loader=_SafeLoader)):
        if count > _MAX_NODES:
            raise BadFrontMatter(f"has more than {_MAX_NODES} parts")
        if isinstance(event, yaml.AliasEvent):
            raise BadFrontMatter("uses aliases")
        tag = getattr(event, "tag", None)
        if tag is not None and not str(tag).startswith("tag:yaml.org,2002:"):
            raise BadFrontMatter(f"uses the tag `{str(tag)[:60]}`")
        if tag is not None and "python" in str(tag):
            raise BadFrontMatter(f"asks for an object by the tag `{str(tag)[:60]}`")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise BadFrontMatter(f"is nested deeper than {_MAX_DEPTH} levels")
