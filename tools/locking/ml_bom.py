"""A lock as a bill of materials for machine learning: CycloneDX 1.6, valid against its schema."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tools.errors import InvalidLock
from tools.hub import PUBLIC_ENDPOINT
from tools.locking.bom_card import model_card
from tools.locking.document import not_written, replace_file
from tools.locking.records import Lock, LockedModel

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://cyclonedx.org/models.lock")
_PREFIX = "tameshi"


@cache
def _library() -> Any:
    """The library's classes; its decorators hide their constructors from type checkers, to which they are Any here."""
    from cyclonedx import model  # noqa: PLC0415 (heavy import, only when needed)
    from cyclonedx.model import bom, component, license, tool  # noqa: PLC0415 (as above)
    from cyclonedx.output import json as output  # noqa: PLC0415 (as above)

    modules = (model, bom, component, license, tool, output)
    return SimpleNamespace(**{name: value for module in modules for name, value in vars(module).items()})


def bill_of_materials(lock: Lock) -> dict[str, Any]:
    """Make a CycloneDX 1.6 bill of materials from a lock; the same lock makes the same bill.

    Args:
        lock: What was adopted.

    Returns:
        The bill as JSON.

    Raises:
        InvalidLock: What the lock says cannot be put into a bill that is valid.
    """
    cdx = _library()
    components = {_identity(model): model for model in lock.models}
    tools = cdx.ToolRepository(components=[cdx.Component(name="tameshi", type=cdx.ComponentType.APPLICATION)])
    newest = max((model.locked_at for model in lock.models), default=None)
    bom = cdx.Bom(
        components=[_component(model) for model in lock.models],
        serial_number=uuid.uuid5(_NAMESPACE, lock.model_dump_json()),
        metadata=cdx.BomMetaData(tools=tools, timestamp=newest),
    )
    bill: dict[str, Any] = json.loads(cdx.JsonV1Dot6(bom).output_as_string())
    for component in bill.get("components", ()):  # the library has no class for the card yet
        component["modelCard"] = model_card(components[component["bom-ref"]], component["bom-ref"])
    _validate(bill)
    return bill


def write_bill(bill: dict[str, Any], path: Path) -> None:
    """Write a bill of materials: whole or not at all.

    Raises:
        SourceUnavailable: It cannot be written.
    """
    try:
        replace_file(path, json.dumps(bill, ensure_ascii=False, indent=2) + "\n")
    except OSError as error:
        raise not_written(path, error) from error


def _identity(model: LockedModel) -> str:
    return f"{model.name}@{model.commit}"


def _component(model: LockedModel) -> Any:
    cdx = _library()
    from packageurl import PackageURL  # noqa: PLC0415 (as above)

    owner, _, name = model.name.rpartition("/")
    has_id = model.parsed.path is None
    # The hash of a mirror's content is no revision that the hub knows.
    revision = model.commit if not model.commit.startswith("folder-") else None
    return cdx.Component(
        name=name or model.name,
        group=owner or None if has_id else None,
        version=model.commit,
        type=cdx.ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=_identity(model),
        purl=PackageURL("huggingface", owner or None, name, revision) if has_id else None,
        hashes=_hash_of_weights(model),
        licenses=list(_licences(model)),
        external_references=list(_references(model)),
        properties=list(_properties(model)),
        components=[_file(model, position) for position in range(len(model.files))],
    )


def _hash_of_weights(model: LockedModel) -> list[Any]:
    """The hash of the weights where they are one file; those of all files stand with them."""
    weights = [file for file in model.files if file.name.endswith(".safetensors")]
    return [_sha256(weights[0].sha256)] if len(weights) == 1 else []


def _sha256(content: str) -> Any:
    cdx = _library()
    return cdx.HashType(alg=cdx.HashAlgorithm.SHA_256, content=content)


def _file(model: LockedModel, position: int) -> Any:
    cdx = _library()
    file = model.files[position]
    return cdx.Component(
        name=file.name,
        type=cdx.ComponentType.FILE,
        bom_ref=f"{_identity(model)}#{position}",
        hashes=[_sha256(file.sha256)],
        properties=[cdx.Property(name=f"{_PREFIX}:size_bytes", value=str(file.size_bytes))],
    )


def _licences(model: LockedModel) -> Iterator[Any]:
    cdx = _library()
    from cyclonedx.spdx import is_supported_id  # noqa: PLC0415 (as above)

    spdx, tag = model.licence.spdx, model.licence.tag
    if spdx is not None and is_supported_id(spdx):
        yield cdx.DisjunctiveLicense(id=spdx)
    elif spdx or tag:
        yield cdx.DisjunctiveLicense(name=spdx or tag)


def _references(model: LockedModel) -> Iterator[Any]:
    cdx = _library()
    if model.parsed.path is not None or model.commit.startswith("folder-"):
        return
    page = f"{PUBLIC_ENDPOINT}/{model.name}"
    yield cdx.ExternalReference(
        type=cdx.ExternalReferenceType.DISTRIBUTION, url=cdx.XsUri(f"{page}/tree/{model.commit}")
    )
    if model.card_sha256 is not None:
        yield cdx.ExternalReference(
            type=cdx.ExternalReferenceType.MODEL_CARD, url=cdx.XsUri(f"{page}/blob/{model.commit}/README.md")
        )


def _properties(model: LockedModel) -> Iterator[Any]:
    cdx = _library()
    plain = {
        "reference": model.reference,
        "source": model.source,
        "locked_at": model.locked_at.isoformat(),
        "locked_by": model.locked_by,
        "safety": model.safety,
        "documentation_score": model.documentation_score,
        "forecast_memory_mib": model.forecast_memory_mib,
        "parameters": model.fingerprint.parameters,
        "card_sha256": model.card_sha256,
        **{f"library:{name}": version for name, version in model.libraries.items()},
        **{f"gate:{gate.code}": f"{gate.state} {gate.value} {gate.evidence}".strip() for gate in model.gates},
    }
    for name, value in plain.items():
        if value not in (None, ""):
            yield cdx.Property(name=f"{_PREFIX}:{name}", value=str(value))
    for advisory in model.advisories:
        yield cdx.Property(name=f"{_PREFIX}:advisory", value=advisory)
    for evidence in model.evidence:
        made = f"{evidence.tool} {evidence.made_at.isoformat()} {evidence.machine}"
        yield cdx.Property(name=f"{_PREFIX}:evidence:{evidence.id}", value=made)


def _validate(bill: dict[str, Any]) -> None:
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415 (as above)
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415 (as above)

    error: Any = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill))
    if error is not None:
        message = "The lock holds something that a CycloneDX bill of materials cannot say."
        raise InvalidLock(message, "Lock the models anew with this version, then export again.") from ValueError(
            str(error.data)[:500]
        )
