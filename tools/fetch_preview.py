"""A look before a download: what would come, whether it fits, and what speaks against it; no weights are read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.errors import AccessDenied, SourceUnavailable, ToolError, UnsafeModel, UnsupportedModel
from tools.file_safety.findings import FileInspection
from tools.free_memory import available_memory_mib
from tools.front_matter import front_matter_of
from tools.hub_access.cache import cache_folder
from tools.hub_access.download import check_space, free_bytes, missing_bytes
from tools.license import LicenceFinding, compare_licence, licence_file
from tools.located_files import inspect_location, names_of, refuse_unsafe, require_weights
from tools.locating import ModelLocation, locate_model
from tools.model_sources import ModelSources
from tools.snapshot import Source

_MAX_TEXT_BYTES = 2_000_000
_TOKENS = 128
_GO_STEP = "Fetch it, then measure it."


About = Literal["access", "safety", "weights", "disk", "memory", "licence"]


class PreviewReason(BaseModel):
    """Something that speaks against a download, or that must be known about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: About
    """What it is about."""
    forbids: bool
    """True when the download is not made because of it."""
    found: str
    """What was found, a sentence."""
    next_step: str
    """What to do about it."""


class FetchPreview(BaseModel):
    """What fetching a model would bring to this machine, and whether to do it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference."""
    commit: str | None
    """Full commit on the hub or in its cache; absent for folders and mirrors."""
    source: Source
    """Where the files would come from."""
    verdict: Literal["go", "go_but", "no"]
    """`go`, `go_but` with something to know first, or `no`: then `fetch_model` refuses as well."""
    reasons: tuple[PreviewReason, ...]
    """Why, those that forbid it first; empty for `go`."""
    needed_files: int
    """Files that would be fetched: configs, tokenizer, card, licence and one set of safetensors weights."""
    needed_bytes: int
    """Their sizes together, in bytes."""
    download_bytes: int
    """How much of that is not on this machine yet, in bytes."""
    unneeded_files: int
    """Files that would stay where they are: pickles, the same weights for other frameworks, pictures."""
    unneeded_bytes: int
    """Their sizes together, in bytes."""
    disk_free_bytes: int
    """Free space where the cache is, in bytes."""
    parameters: int | None
    """Parameters by the weights' headers; absent when these were not read."""
    memory_forecast_mib: float | None
    """Forecast peak of a run in the files' number format, one input of up to 128 tokens, in MiB; absent when not known."""
    memory_there_mib: float | None
    """Memory of the device that was stated, else what is free on this machine, in MiB; absent when not known."""
    licence: str | None
    """SPDX identifier of the licence, else the card's tag; absent when there is none. Untrusted text."""
    safety: Literal["accept", "flag", "refuse"] | None
    """Verdict of the file inspection by what can be seen from here; absent when nothing could be read."""
    access: Literal["open", "gated", "private"] | None
    """How the hub gives it out; absent for what is on this machine."""
    next_step: str
    """What to do now."""


def preview_fetch(
    model: str,
    revision: str | None = None,
    *,
    sources: ModelSources,
    device_memory_gib: float | None = None,
) -> FetchPreview:
    """Look at a model before it is downloaded: the listing, small files and the heads of the weights.

    Args:
        model: `org/name`, `org/name@revision`, or a folder written as a path.
        revision: Branch, tag or commit; the newest of the main branch when absent.
        sources: Where models may come from.
        device_memory_gib: Memory of the device that it should run on, in GiB; what is free here when absent.

    Returns:
        One verdict with its reasons and the figures behind it.

    Raises:
        ModelNotFound: No source has it.
        AccessDenied: The hub does not even list it for this user.
        SourceUnavailable: The hub did not answer as it must.
    """
    location = locate_model(model, revision, sources=sources)
    names = names_of(location)
    sizes = {entry.name: entry.size_bytes for entry in location.view.entries}
    listing, folder = location.listing, cache_folder(location.reference.name, sources)
    download_bytes = 0 if listing is None else missing_bytes(listing, names, sources)
    look = _Look(location, names)
    there_mib = _memory_there_mib(device_memory_gib)
    look.judge_files()
    look.judge_space(folder, download_bytes)
    look.judge_memory(there_mib)
    look.judge_terms()
    reasons = tuple(sorted(look.reasons, key=lambda each: not each.forbids))
    needed_bytes = sum(sizes[name] for name in names)
    return FetchPreview(
        model=location.reference.canonical,
        commit=location.commit,
        source=location.source,
        verdict="go" if not reasons else "no" if reasons[0].forbids else "go_but",
        reasons=reasons,
        needed_files=len(names),
        needed_bytes=needed_bytes,
        download_bytes=download_bytes,
        unneeded_files=len(sizes) - len(names),
        unneeded_bytes=sum(sizes.values()) - needed_bytes,
        disk_free_bytes=free_bytes(folder),
        parameters=look.parameters,
        memory_forecast_mib=look.forecast_mib,
        memory_there_mib=there_mib,
        licence=None if look.licence is None else look.licence.spdx or look.licence.tag,
        safety=None if look.inspection is None else look.inspection.verdict,
        access=None if listing is None else "private" if listing.private else "gated" if listing.gated else "open",
        next_step=reasons[0].next_step if reasons else _GO_STEP,
    )


def memory_of_run(preview: FetchPreview) -> str:
    """What a run needs of the memory that is there, as part of a sentence.

    Args:
        preview: What the look found.
    """
    if preview.memory_forecast_mib is None or preview.memory_there_mib is None:
        return "what memory a run needs is not known"
    need_gib, there_gib = preview.memory_forecast_mib / 1024, preview.memory_there_mib / 1024
    return f"a run needs about {need_gib:.1f} GiB of memory, and there are {there_gib:.1f} GiB"


class _Look:
    """What a look at a located model finds, step by step.

    Args:
        location: Where its files are.
        names: Those that are needed.
    """

    def __init__(self, location: ModelLocation, names: tuple[str, ...]) -> None:
        self._location, self._names = location, names
        self.reasons: list[PreviewReason] = []
        self.inspection: FileInspection | None = None
        self.licence: LicenceFinding | None = None
        self.parameters: int | None = None
        self.forecast_mib: float | None = None

    def judge_files(self) -> None:
        """Whether `fetch_model` would refuse the files; it makes the same checks."""
        try:
            self.inspection = inspect_location(self._location, thorough=False)
            refuse_unsafe(self.inspection)
            require_weights(self._location, self._names)
        except AccessDenied as error:
            self._add("access", error)
        except UnsafeModel as error:
            self._add("safety", error)
        except UnsupportedModel as error:
            self._add("weights", error)
        else:
            worst = next((each for each in self.inspection.findings if each.severity == "flag"), None)
            if worst is not None:
                self._note("safety", f"`{worst.file}`: {worst.found} (rule {worst.rule})", worst.next_step)

    def judge_space(self, folder: Path, download_bytes: int) -> None:
        """Whether the disk has the space."""
        try:
            check_space(folder, download_bytes)
        except SourceUnavailable as error:
            self._add("disk", error)

    def judge_memory(self, there_mib: float | None) -> None:
        """Whether a run would fit."""
        if any(each.forbids and each.about != "disk" for each in self.reasons):
            return  # there is nothing to be run
        try:
            self.parameters, self.forecast_mib = _forecast(self._location)
        except ToolError:  # the tool that forecasts says it better, when it is asked
            return
        if there_mib is not None and self.forecast_mib > there_mib:
            found = f"A run needs about {self.forecast_mib:,.0f} MiB of memory; there are {there_mib:,.0f} MiB."
            self._note("memory", found, "Take a smaller model or a larger machine, or forecast another number format.")

    def judge_terms(self) -> None:
        """What the licence and the publisher ask for."""
        listing = self._location.listing
        if any(each.about == "access" for each in self.reasons):
            return
        if listing is not None and listing.gated:
            found = "Its publisher grants access person by person, and has granted it to you."
            self._note("access", found, "See that everyone who will use it has agreed to its terms as well.")
        try:
            self.licence = _licence(self._location)
        except ToolError:
            return
        if self.licence.permissive is not True:
            found = f"The licence needs a look first. {self.licence.note}"
            self._note("licence", found, "Check the documentation for what the licence says, and have its terms read.")

    def _add(self, about: About, error: ToolError) -> None:
        self.reasons.append(PreviewReason(about=about, forbids=True, found=error.message, next_step=error.next_step))

    def _note(self, about: About, found: str, next_step: str) -> None:
        self.reasons.append(PreviewReason(about=about, forbids=False, found=found, next_step=next_step))


def _forecast(location: ModelLocation) -> tuple[int, float]:
    """Parameters and forecast peak in MiB of a run on one input, by the heads of the weights."""
    from tools.memory.model_shape import read_shape  # noqa: PLC0415 (the forecast builds on the fetching)
    from tools.memory.terms import Plan, total_of  # noqa: PLC0415 (as above)
    from tools.weight_files import snapshot_tensors  # noqa: PLC0415 (as above)

    header, shape = snapshot_tensors(location.view), read_shape(location.view)
    plan = Plan(header, shape, None, min(_TOKENS, shape.positions or _TOKENS), 0)
    return plan.files.stored.parameters, total_of(plan.terms(1))


def _memory_there_mib(device_memory_gib: float | None) -> float | None:
    return available_memory_mib() if device_memory_gib is None else device_memory_gib * 1024


def _licence(location: ModelLocation) -> LicenceFinding:
    texts = dict(_texts(location))
    front_matter = front_matter_of(texts.get("README.md", ""))
    name = licence_file(list(texts))
    return compare_licence(front_matter, name, texts.get(name or "", ""))


def _texts(location: ModelLocation) -> Iterator[tuple[str, str]]:
    """The card and the licence text."""
    sizes = {entry.name: entry.size_bytes for entry in location.view.entries if entry.trouble is None}
    for name in {"README.md", licence_file(list(sizes))} & set(sizes):
        yield name, location.view.read(name, 0, min(sizes[name], _MAX_TEXT_BYTES)).decode("utf-8", "replace")
