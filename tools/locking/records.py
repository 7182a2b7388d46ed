"""The records of a lock: which models were adopted, at which content, on which evidence."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from tools.errors import InvalidReference
from tools.file_safety.findings import printable
from tools.locking.fingerprint import Fingerprint, Sha256
from tools.model_reference import ModelReference, parse_reference
from tools.snapshot import Source

SCHEMA_VERSION = 1
"""Version of the schema that is written, and the newest that is read."""

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)
_MAX_NAME_CHARACTERS = 255


def _contained(name: str) -> str:
    if (
        not name.isprintable()
        or len(name) > _MAX_NAME_CHARACTERS
        or any(part in {"", ".", ".."} for part in name.split("/"))
    ):
        raise ValueError("leads_out")
    return name


def _known_form(reference: str) -> str:
    try:
        parsed = parse_reference(reference)
    except InvalidReference as error:
        raise ValueError("no_reference") from error
    if parsed.path is not None and (".." in parsed.path.parts or reference.startswith("~")):
        raise ValueError("leads_out")
    return reference


FileName = Annotated[str, AfterValidator(_contained)]
"""Path inside a model, with forward slashes; it leads nowhere else."""
_MAX_LINE_CHARACTERS = 300
Line = Annotated[str, Field(max_length=_MAX_LINE_CHARACTERS, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A short text of one line."""
Figure = bool | int | Annotated[float, Field(allow_inf_nan=False)] | Line
"""One value of a measurement."""


def as_line(text: str) -> str:
    """Any text as a line that a lock can hold: escaped where it is not printable, and cut."""
    return printable(text, _MAX_LINE_CHARACTERS)[:_MAX_LINE_CHARACTERS]


class LockedFile(BaseModel):
    """One file of a locked model."""

    model_config = _STRICT

    name: FileName
    """Path inside the model."""
    size_bytes: Annotated[int, Field(ge=0)]
    """Size in bytes."""
    sha256: Sha256
    """Hash of the content."""


class LockedPart(BaseModel):
    """The licence of something that a model was made of, where it is known."""

    model_config = _STRICT

    role: Literal["base_model", "dataset"]
    """What it is."""
    name: Line
    """Its name."""
    spdx: Line
    """Its licence."""


class LockedLicence(BaseModel):
    """The licence under which a model was adopted."""

    model_config = _STRICT

    spdx: Line | None = None
    """SPDX identifier, or `LicenseRef-` and a name; absent when not known."""
    tag: Line | None = None
    """The card's tag as written; absent when there is none."""
    text_file: FileName | None = None
    """File with the licence text; absent when there is none."""
    agreement: Literal["agrees", "differs", "tag_only", "text_only", "none"] = "none"
    """Whether tag and text say the same."""
    lineage: tuple[LockedPart, ...] = ()
    """Licences of base models and datasets, where they are known."""


class LockedEvidence(BaseModel):
    """One piece of evidence that the adoption rests on."""

    model_config = _STRICT

    id: Line
    """Its id in the store of whoever locked the model, such as `E12`."""
    tool: Line
    """The tool that made it."""
    made_at: AwareDatetime
    """When it was made, UTC."""
    machine: Line
    """Where it was made."""
    found: tuple[dict[Line, Figure], ...] = ()
    """What it found: a row of named values for each run or result; units are in the names."""


class LockedGate(BaseModel):
    """A condition for adoption as it stood."""

    model_config = _STRICT

    code: Line
    """What is asked."""
    state: Literal["passed", "failed", "missing", "no_limit"]
    """Whether it held; `missing` when nothing was measured, `no_limit` when nobody gave a limit for what was."""
    value: Line = ""
    """What was found."""
    threshold: Line = ""
    """What it must be."""
    evidence: Line = ""
    """Id of the evidence that the value comes from."""


class LockedModel(BaseModel):
    """One adopted model."""

    model_config = _STRICT

    reference: Annotated[Line, AfterValidator(_known_form)]
    """`org/name`, `org/name@revision`, or a folder: absolute, or as `./x` from the folder of the lock."""
    commit: Annotated[str, Field(pattern=r"^(?:[0-9a-f]{40}|folder-[0-9a-f]{12})$")]
    """Full commit on the hub, or the hash of the content of a folder or mirror."""
    source: Source
    """Where the files came from."""
    locked_at: AwareDatetime
    """When it was locked, UTC."""
    locked_by: Line
    """Who locked it."""
    safety: Literal["accept", "flag"]
    """Verdict of the file inspection; refused files cannot be locked."""
    documentation_score: Annotated[float, Field(ge=0, le=1)] | None = None
    """Weighted share of the card's sections that are filled."""
    card_sha256: Sha256 | None = None
    """Hash of the card; absent when there is none."""
    forecast_memory_mib: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """Newest forecast of the peak memory in MiB, its conditions in the evidence; absent when it could not be made."""
    advisories: tuple[Line, ...] = ()
    """Known vulnerabilities of the libraries at hand that the files reached."""
    other_files: tuple[FileName, ...] = ()
    """Weights and programs that were there and are not part of what was adopted."""
    files: Annotated[tuple[LockedFile, ...], Field(min_length=1)]
    """The files that were adopted, sorted by name."""
    licence: LockedLicence = LockedLicence()
    """Its licence."""
    libraries: dict[Line, Line] = {}
    """Version of each library that was installed."""
    fingerprint: Fingerprint = Fingerprint()
    """What the files mean, so that a change can be told by meaning without them."""
    evidence: tuple[LockedEvidence, ...] = ()
    """What was checked and measured."""
    gates: tuple[LockedGate, ...] = ()
    """The conditions for adoption as they stood."""

    @property
    def parsed(self) -> ModelReference:
        """The reference, parsed."""
        return parse_reference(self.reference)

    @property
    def name(self) -> str:
        """Id or folder without revision: one entry of a lock for each."""
        return self.parsed.name

    @property
    def pinned(self) -> bool:
        """Whether the reference itself names exact content: a commit, or a folder, whose content is what it is."""
        parsed = self.parsed
        return parsed.pinned or parsed.path is not None or (parsed.revision or "").startswith("folder-")

    @model_validator(mode="after")
    def _each_file_once(self) -> LockedModel:
        if len({file.name for file in self.files}) != len(self.files):
            raise ValueError("named_twice")
        return self


class Lock(BaseModel):
    """The models that were adopted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    schema_version: Annotated[int, Field(ge=1, le=SCHEMA_VERSION)] = SCHEMA_VERSION
    """Version of the schema."""
    models: tuple[LockedModel, ...] = Field(default=(), alias="model")
    """One entry for each name, sorted by it."""

    @model_validator(mode="after")
    def _each_model_once(self) -> Lock:
        if len({model.name for model in self.models}) != len(self.models):
            raise ValueError("named_twice")
        return self
