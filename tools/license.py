"""What a model's licence is: the tag on its card against the text that lies beside it."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict


class LicenceFinding(BaseModel):
    """The licence tag of the card compared with the licence text in the files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tag: str | None
    """The `license` field of the card's front matter, as written; absent when there is none. Untrusted text."""
    text_file: str | None
    """Name of the licence file; absent when there is none."""
    spdx: str | None
    """SPDX identifier (or `LicenseRef-` and a name) that the text, or else the tag, stands for; absent when not known."""
    agreement: Literal["agrees", "differs", "tag_only", "text_only", "none"]
    """Whether tag and text say the same; the one that is not recognised counts as not there, and the note says so."""
    permissive: bool | None
    """True for licences that allow commercial use and change with little more than attribution; absent when not known."""
    note: str
    """What the reader should do or know, one or two sentences; never legal advice."""


class _Licence(NamedTuple):
    spdx: str
    permissive: bool
    text: str
    """Pattern that the licence's own text contains; empty when only the tag is known."""


_LICENCES: dict[str, _Licence] = {
    "apache-2.0": _Licence("Apache-2.0", True, r"apache license\s+version 2\.0"),
    "mit": _Licence("MIT", True, r"permission is hereby granted, free of charge"),
    "bsd-3-clause": _Licence(
        "BSD-3-Clause", True, r"redistribution and use in source and binary forms.*neither the name"
    ),
    "bsd-2-clause": _Licence("BSD-2-Clause", True, r"redistribution and use in source and binary forms"),
    "isc": _Licence("ISC", True, r"permission to use, copy, modify, and/or distribute this software"),
    "unlicense": _Licence("Unlicense", True, r"free and unencumbered software released into the public domain"),
    "cc0-1.0": _Licence("CC0-1.0", True, r"cc0 1\.0 universal"),
    "cc-by-nc-sa-4.0": _Licence("CC-BY-NC-SA-4.0", False, r"attribution-noncommercial-sharealike 4\.0"),
    "cc-by-nc-nd-4.0": _Licence("CC-BY-NC-ND-4.0", False, r"attribution-noncommercial-noderivatives 4\.0"),
    "cc-by-nc-4.0": _Licence("CC-BY-NC-4.0", False, r"attribution-noncommercial 4\.0"),
    "cc-by-sa-4.0": _Licence("CC-BY-SA-4.0", False, r"attribution-sharealike 4\.0"),
    "cc-by-sa-3.0": _Licence("CC-BY-SA-3.0", False, r"attribution-sharealike 3\.0"),
    "cc-by-4.0": _Licence("CC-BY-4.0", True, r"attribution 4\.0 international"),
    "agpl-3.0": _Licence("AGPL-3.0-only", False, r"gnu affero general public license"),
    "lgpl-3.0": _Licence("LGPL-3.0-only", False, r"gnu lesser general public license"),
    "gpl-3.0": _Licence("GPL-3.0-only", False, r"gnu general public license\s+version 3"),
    "gpl-2.0": _Licence("GPL-2.0-only", False, r"gnu general public license\s+version 2"),
    "mpl-2.0": _Licence("MPL-2.0", False, r"mozilla public license"),
    "llama2": _Licence("LicenseRef-Llama-2", False, r"llama 2 community license"),
    "llama3": _Licence("LicenseRef-Llama-3", False, r"meta llama 3 community license"),
    "llama3.1": _Licence("LicenseRef-Llama-3.1", False, r"llama 3\.1 community license"),
    "llama3.2": _Licence("LicenseRef-Llama-3.2", False, r"llama 3\.2 community license"),
    "llama3.3": _Licence("LicenseRef-Llama-3.3", False, r"llama 3\.3 community license"),
    "llama4": _Licence("LicenseRef-Llama-4", False, r"llama 4 community license"),
    "gemma": _Licence("LicenseRef-Gemma", False, r"gemma terms of use"),
    "bigscience-bloom-rail-1.0": _Licence("LicenseRef-BLOOM-RAIL-1.0", False, r"bigscience rail license"),
    "bigcode-openrail-m": _Licence("LicenseRef-BigCode-OpenRAIL-M", False, r"bigcode openrail-m"),
    "creativeml-openrail-m": _Licence("LicenseRef-CreativeML-OpenRAIL-M", False, r"creativeml open rail-m"),
    "openrail++": _Licence("LicenseRef-OpenRAIL-PP-M", False, r"open rail\+\+-m"),
    "openrail": _Licence("LicenseRef-OpenRAIL", False, ""),
    "cc-by-nc-3.0": _Licence("CC-BY-NC-3.0", False, ""),
    "cc-by-3.0": _Licence("CC-BY-3.0", True, ""),
    "cc-by-nc-2.0": _Licence("CC-BY-NC-2.0", False, ""),
    "bsd": _Licence("BSD-3-Clause", True, ""),
    "bsl-1.0": _Licence("BSL-1.0", True, r"boost software license"),
    "artistic-2.0": _Licence("Artistic-2.0", True, r"the artistic license 2\.0"),
    "wtfpl": _Licence("WTFPL", True, r"do what the fuck you want to public license"),
}
_TEXT_NAME = re.compile(r"(?:LICEN[CS]E|COPYING|LICEN[CS]E[._-].*)(?:\.(?:txt|md))?\Z", re.IGNORECASE)
_RESTRICTED = (
    "It restricts use (for example commercial use, redistribution or fields of use): have it read before any pilot."
)
_PERMISSIVE = "It allows commercial use; keep the notice with every copy."


def licence_file(names: list[str]) -> str | None:
    """The licence text among the names of a model's files; None when there is none."""
    return next((name for name in sorted(names) if _TEXT_NAME.match(name)), None)


def compare_licence(front_matter: dict[str, Any], text_file: str | None, text: str) -> LicenceFinding:
    """Compare the card's licence tag with the licence text.

    Args:
        front_matter: The card's parsed front matter.
        text_file: Name of the licence file, when there is one.
        text: Its content.

    Returns:
        The comparison.
    """
    tag = _tag(front_matter)
    from_tag = _LICENCES.get(tag.casefold()) if tag is not None else None
    from_text = _recognised(text) if text_file is not None else None
    known = from_text or from_tag
    return LicenceFinding(
        tag=tag[:100] if tag is not None else None,
        text_file=text_file,
        spdx=known.spdx if known is not None else None,
        agreement=_agreement(tag, text_file, from_tag, from_text),
        permissive=_permissive(from_tag, from_text),
        note=_note(tag, text_file, from_tag, from_text),
    )


def _tag(front_matter: dict[str, Any]) -> str | None:
    value = front_matter.get("license")
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else ", ".join(str(each) for each in value[:5]) or None
    if value == "other" and isinstance(front_matter.get("license_name"), str):
        value = front_matter["license_name"]
    return str(value) if value not in (None, "", "unknown") else None


def _recognised(text: str) -> _Licence | None:
    plain = " ".join(text[:200_000].casefold().split())
    return next((each for each in _LICENCES.values() if each.text and re.search(each.text, plain)), None)


_Agreement = Literal["agrees", "differs", "tag_only", "text_only", "none"]


def _agreement(
    tag: str | None, text_file: str | None, from_tag: _Licence | None, from_text: _Licence | None
) -> _Agreement:
    if text_file is None:
        return "tag_only" if tag is not None else "none"
    if tag is None:
        return "text_only"
    if from_text is None or from_tag is None:
        return "tag_only" if from_tag is not None else "text_only"
    return "agrees" if from_text.spdx == from_tag.spdx else "differs"


def _permissive(from_tag: _Licence | None, from_text: _Licence | None) -> bool | None:
    found = [each for each in (from_tag, from_text) if each is not None]
    return all(each.permissive for each in found) if found else None


def _note(tag: str | None, text_file: str | None, from_tag: _Licence | None, from_text: _Licence | None) -> str:
    if tag is None and text_file is None:
        return (
            "Neither card nor files name a licence: without one nobody may use the model. Ask the publisher in writing."
        )
    if from_tag is not None and from_text is not None and from_tag.spdx != from_text.spdx:
        return f"The card says {from_tag.spdx}, the text beside it is {from_text.spdx}: ask the publisher which holds."
    known = from_text or from_tag
    if known is None:
        return "It is not a licence known here: have its text read before any pilot."
    first = _PERMISSIVE if known.permissive else _RESTRICTED
    if text_file is None:
        return f"{first} Only the card names it; the licence text is not among the files."
    if from_text is None:
        return f"{first} The text in `{text_file}` was not recognised: have it read."
    return f"{first} The data and the base model may carry other terms."
