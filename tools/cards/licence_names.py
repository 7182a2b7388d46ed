"""Names of licences in a card's words, such as `Apache License, Version 2.0` or `表示-継承 4.0`."""

from __future__ import annotations

import re

from tools.cards.words import WordList
from tools.licences.terms import licence_by_tag

_NAME = (
    r"(?<![a-z0-9/-])(?:"
    r"(?P<apache>apache(?:[ -]software)?(?:[ -]licen[sc]e)?(?:[ -]?ライセンス)?,?(?: version)?[ -]?v?(?P<apache_v>[12](?:\.\d)?)?)|"
    r"(?P<cc>(?:cc|creative commons)[ -]by(?P<cc_parts>(?:[ -](?:nc|sa|nd))*)[ -]?(?P<cc_v>\d\.\d)?|"
    r"クリエイティブ・?コモンズ[ ・]?表示(?P<ja_parts>(?:[ ・-]*(?:非営利|継承|改変禁止))*) ?(?P<ja_v>\d\.\d)?)|"
    r"(?P<cc0>cc[ -]?0)(?:[ -]?1\.0)?|"
    r"(?:gnu )?(?P<gpl>[al]?gpl)[ -]?v?(?P<gpl_v>[23])?(?:\.\d)?|"
    r"(?P<bsd>bsd[ -]?[23][ -]clause)|(?P<mpl>mpl|mozilla public licen[sc]e)[ -]?v?(?:2\.0)?|"
    r"llama[ -]?(?P<llama>[234](?:\.\d)?)(?: community| コミュニティ)?[ -]?(?:licen[sc]e|ライセンス)|"
    r"(?P<gemma>gemma)(?: terms of use| licen[sc]e| ?利用規約)|(?P<openrail>(?:[a-z]{3,12}[ -])?openrail(?:\+\+|-m)*)|"
    r"(?P<other>eupl-1\.2|epl-[12]\.0|unlicense|wtfpl|odc-by|bsl-1\.0)|"
    r"(?P<short>mit|isc)(?= ?(?:licen[sc]|ライセンス|\W|\Z)))(?![a-z0-9])"
)
_CUE = re.compile(r"licen[sc]|ライセンス|許諾|利用条件|\bunder (?:the )?\Z|商用")
_OF_DATA = r"\bdata|\bcorpus|\bcode\b|\bscripts?\b|\bimages\b|\bweb ?site|データ|コーパス|コード|辞書|文章は|画像は|wikipedia|ウィキペディア|から.{0,20}(?:使|収集|作)"
_OF_CODE = re.compile(r"(?: licen[sc]e)? (?:of|for) (?:the|our|its) (?:\w+ )?(?:code|data|datasets?|scripts?)\b")
_LIKELY = WordList(
    "licen|ライセンス|許諾|商用|apache|creative|クリエイティブ|cc0|cc by|cc-by|gpl|bsd|mpl|rail|under |terms"
)
_PARTS = {"非営利": "nc", "継承": "sa", "改変禁止": "nd"}
_VERSION = re.compile(r"-(\d+(?:\.\d+)?)\Z")


def licence_named(text: str) -> tuple[str, int] | None:
    """The licence that a clause names as that of the model.

    Args:
        text: A clause in small letters.

    Returns:
        Its tag, and where it is named; None when it names none, or names that of data or code.
    """
    if not _LIKELY.are_in(text):
        return None
    for found in re.finditer(_NAME, text):
        short = found["short"] is not None
        if short and not _CUE.search(text):
            continue
        of_data = re.search(_OF_DATA, text[: found.start()]) or _OF_CODE.match(text, found.end())
        return None if of_data else (_tag(found), found.start())
    return None


def is_same_licence(tag: str, spdx: str) -> bool:
    """Whether a name in a card is that of a licence text; a name without a version fits any.

    Args:
        tag: As `licence_named` gave it.
        spdx: The licence of the text.
    """
    known = licence_by_tag(tag)
    (name, version), (other, other_version) = _parts(known.spdx if known else tag), _parts(spdx)
    if name == other:
        return version is None or version == other_version
    return tag == "openrail" and other.endswith("openrail-m")


def _parts(spdx: str) -> tuple[str, str | None]:
    plain = spdx.casefold().removeprefix("licenseref-").removesuffix("-only").removesuffix("-or-later")
    version = _VERSION.search(plain)
    return (plain, None) if version is None else (plain[: version.start()], version.group(1))


def _tag(found: re.Match[str]) -> str:
    if found["apache"] is not None:
        version = found["apache_v"]
        return "apache" if version is None else f"apache-{version[0]}.0"
    if found["cc"] is not None:
        japanese = [_PARTS[each] for each in re.findall("非営利|継承|改変禁止", found["ja_parts"] or "")]
        parts = [*re.findall("nc|sa|nd", found["cc_parts"] or ""), *japanese]
        version = found["cc_v"] or found["ja_v"]
        return "-".join(("cc-by", *parts, *((version,) if version else ())))
    if found["gpl"] is not None:
        return found["gpl"] + (f"-{found['gpl_v']}.0" if found["gpl_v"] else "")
    if found["bsd"] is not None:
        return re.sub(r"bsd[ -]?(\d)[ -]clause", r"bsd-\1-clause", found["bsd"])
    if found["llama"] is not None:
        return f"llama{found['llama']}"
    fixed = {"cc0": "cc0-1.0", "mpl": "mpl-2.0", "gemma": "gemma"}
    for group, tag in fixed.items():
        if found[group] is not None:
            return tag
    return (found["openrail"] or found["other"] or found["short"]).replace(" ", "-")
