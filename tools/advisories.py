"""Known vulnerabilities of loaders that a model's files can reach, against the versions that are installed.

The table `advisories.toml` says which package and versions; the conditions here say what in a model reaches each. Packages
are asked for their version only, never imported.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from tools.file_facts import fact_of
from tools.installed_packages import installed_version

if TYPE_CHECKING:
    from tools.file_safety.inspected import Inspected

TABLE_DATE = dt.date(2026, 11, 27)
"""When the table was last compared with the public advisories; the same date is in `advisories.toml`."""
_TORCH_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt")
_RANDOM_STATE = re.compile(r"(?:.*/)?rng_state[^/]*\.pth\Z")


class Advisory(BaseModel):
    """A published vulnerability of a package that opens files like the model's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """Its CVE number."""
    package: str
    """The package that is vulnerable, as it is installed."""
    installed: str | None
    """Version installed here; absent when the package is not installed."""
    affected: bool | None
    """Whether the installed version is vulnerable; absent when that is not known, as for a package that is not installed."""
    file: str
    """File of the model that reaches it; control characters are escaped."""
    reason: str
    """What can happen, one sentence."""
    fixed_in: str | None
    """First version without it; absent when none is known."""
    next_step: str
    """What the reader can do about it, one sentence."""


def reachable_advisories(model: Inspected, installed: Mapping[str, str | None] | None = None) -> tuple[Advisory, ...]:
    """Find the known vulnerabilities that a model's files can reach.

    Args:
        model: The model under inspection.
        installed: Version of each package, None where it is not installed; by default what is installed here.

    Returns:
        One entry per vulnerability, those that affect an installed version first.
    """
    found: list[Advisory] = []
    reached: dict[str, str | None] = {name: next(find(model), None) for name, find in _CONDITIONS.items()}
    for row in _table():
        file = reached[row["reached_by"]]
        if file is not None:
            found.append(_advisory(row, file, installed_version if installed is None else installed.get))
    return tuple(sorted(found, key=lambda each: (_RANK[each.affected], each.id)))


_RANK = {True: 0, None: 1, False: 2}


@cache
def _table() -> list[dict[str, Any]]:
    file = Path(__file__).with_suffix(".toml")

    def read() -> list[dict[str, Any]]:
        import tomllib  # noqa: PLC0415 (only when the table was changed)

        return tomllib.loads(file.read_text(encoding="utf-8"))["advisory"]

    return fact_of("advisories", file, read)


def _advisory(row: dict[str, Any], file: str, version_of: Callable[[str], str | None]) -> Advisory:
    from tools.file_safety.findings import printable  # noqa: PLC0415 (its records hold advisories)

    package, fixed_in = row["package"], row.get("fixed_in")
    installed = version_of(package)
    affected = _is_affected(row, installed, version_of)
    return Advisory(
        id=row["id"],
        package=package,
        installed=installed,
        affected=affected,
        file=printable(file),
        reason=row["reason"],
        fixed_in=fixed_in,
        next_step=_next_step(package, fixed_in, installed, affected),
    )


def _is_affected(row: dict[str, Any], installed: str | None, version_of: Callable[[str], str | None]) -> bool | None:
    answers = [_is_within(installed, row["versions"])]
    answers += [_is_within(version_of(package), versions) for package, versions in row.get("also", {}).items()]
    if False in answers:
        return False
    return None if None in answers else True


def _is_within(installed: str | None, versions: str) -> bool | None:
    """Whether a version is in a range; None without a version, or with one that is no version."""
    if installed is None:
        return None
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 (only when a model reaches a vulnerability)
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 (as above)

    try:
        return SpecifierSet(versions).contains(Version(installed), prereleases=True)
    except InvalidVersion:
        return None


def _next_step(package: str, fixed_in: str | None, installed: str | None, affected: bool | None) -> str:
    if affected is False:
        return "Nothing to do here: the installed version does not have it."
    if fixed_in is None:
        return f"Do not open this file with `{package}`; no version without the fault is known."
    if affected is None and installed is None:
        return f"It is not installed here; where this file is opened with `{package}`, use {fixed_in} or newer."
    return f"Update `{package}` to {fixed_in} or newer before it opens this file."


def _pairs(content: Any) -> Iterator[tuple[str, Any]]:
    """Every key of nested objects with its value; the depth was capped when the file was parsed."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield key, value
            yield from _pairs(value)
    elif isinstance(content, list):
        for item in content[:10_000]:
            yield from _pairs(item)


def _configs(model: Inspected) -> Iterator[tuple[str, Any]]:
    for name in model.plain:
        if name.rpartition("/")[2] in {"config.json", "generation_config.json", "tokenizer_config.json"}:
            yield name, model.object(name)


def _kernel_in_config(model: Inspected) -> Iterator[str]:
    for name, content in _configs(model):
        if any(key == "_attn_implementation_internal" and "/" in str(value) for key, value in _pairs(content)):
            yield name


def _lightglue(model: Inspected) -> Iterator[str]:
    for name, content in _configs(model):
        if any(key == "model_type" and value == "lightglue" for key, value in _pairs(content)):
            yield name


def _own_code(model: Inspected) -> Iterator[str]:
    for name, content in _configs(model):
        if any(key == "auto_map" and value for key, value in _pairs(content)):
            yield name


def _of_kind(*kinds: str) -> Callable[[Inspected], Iterator[str]]:
    def find(model: Inspected) -> Iterator[str]:
        return (name for name in model.plain if model.content(name).kind in kinds)

    return find


def _gguf_template(model: Inspected) -> Iterator[str]:
    for name in _of_kind("gguf")(model):
        metadata = model.gguf(name)
        if metadata.templates or metadata.trouble is not None:  # what does not read to its end may hold one
            yield name


def _torch_pickle(model: Inspected) -> Iterator[str]:
    for name in _of_kind("pickle")(model):
        if name.lower().endswith(_TORCH_SUFFIXES):
            yield name


def _random_state(model: Inspected) -> Iterator[str]:
    return (name for name in _torch_pickle(model) if _RANDOM_STATE.match(name))


_CONDITIONS: dict[str, Callable[[Inspected], Iterator[str]]] = {
    "kernel_in_config": _kernel_in_config,
    "lightglue": _lightglue,
    "own_code": _own_code,
    "random_state": _random_state,
    "torch_pickle": _torch_pickle,
    "keras_archive": _of_kind("keras"),
    "hdf5": _of_kind("hdf5"),
    "gguf_template": _gguf_template,
}
"""What a row's `reached_by` means: names of the files that reach the vulnerability."""
