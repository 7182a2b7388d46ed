"""Whether the libraries installed here know a model: its architecture, its class, and what else it needs to be loaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

from tools.file_safety.inspected import Inspected
from tools.installed_packages import installed_version
from tools.installed_transformers import known_classes, known_model_types

_QUANTIZERS = {
    "bitsandbytes": "bitsandbytes", "bitsandbytes_4bit": "bitsandbytes", "bitsandbytes_8bit": "bitsandbytes", "gptq": "gptqmodel",
    "awq": "gptqmodel", "compressed-tensors": "compressed-tensors", "aqlm": "aqlm", "hqq": "hqq", "quanto": "optimum-quanto",
    "eetq": "eetq", "torchao": "torchao", "fp_quant": "fp_quant", "auto-round": "auto-round", "vptq": "vptq", "higgs": "flute-kernel",
    "spqr": "spqr-quant", "quark": "amd-quark",
}  # fmt: skip


class OtherLibrary(BaseModel):
    """A library beside transformers that a model's files ask for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Name of the package."""
    asked_by: str
    """File that asks for it."""
    written_with: str | None
    """Version that wrote the file; absent when it does not say. Untrusted text."""
    installed: str | None
    """Version installed here; absent when there is none."""
    note: str
    """What it is needed for, and whether it is here, one sentence."""


class LibraryFit(BaseModel):
    """Whether the installed libraries know the model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    written_with: str | None
    """Version of transformers that wrote the config; absent when the config does not say."""
    installed: str | None
    """Version of transformers installed here; absent when there is none."""
    architecture_known: bool | None
    """Whether the installed library has this `model_type`; absent when it cannot be told."""
    class_known: bool | None = None
    """Whether it has the class named in `architectures`; absent when none is named or it cannot be told."""
    own_code: bool = False
    """Whether the files ask for code of their own, which is never run here."""
    note: str
    """What follows from it, one or two sentences."""
    others: tuple[OtherLibrary, ...] = ()
    """Other libraries that the files ask for."""


def library_fit(config: dict[str, Any], model: Inspected | None = None) -> LibraryFit:
    """Whether the installed libraries know a model's architecture.

    Args:
        config: The parsed `config.json`, empty when there is none.
        model: The model's other files, which can ask for further libraries.

    Returns:
        Versions and what follows from them.
    """
    kind, written_with, installed = (
        config.get("model_type"),
        config.get("transformers_version"),
        installed_version("transformers"),
    )
    written_with = written_with[:40] if isinstance(written_with, str) else None
    types = known_model_types()
    known = kind in types if isinstance(kind, str) and types else None
    own_code = isinstance(config.get("auto_map"), dict) and bool(config["auto_map"])
    class_name = _class_name(config)
    class_known = class_name in known_classes() if class_name is not None and known_classes() else None
    if own_code and installed is not None:
        note = _own_code_note(kind, known, installed)
    elif known and class_known is False:
        note = f"The installed transformers {installed} has `{str(kind)[:40]}`, but no class `{class_name}`: a loader would take another one."
    else:
        note = _fit_note(kind, written_with, installed, known)
    return LibraryFit(
        written_with=written_with,
        installed=installed,
        architecture_known=known,
        class_known=class_known,
        own_code=own_code,
        note=note,
        others=tuple(_others(config, model)),
    )


def _class_name(config: dict[str, Any]) -> str | None:
    classes = config.get("architectures")
    first = classes[0] if isinstance(classes, list) and classes else None
    return first[:80] if isinstance(first, str) and first.isidentifier() else None


def _own_code_note(kind: object, known: bool | None, installed: str) -> str:
    if known:
        return (
            f"The files ask for code of their own, which is not run here; transformers {installed} has `{str(kind)[:40]}` "
            "itself and loads it without that code."
        )
    return f"The model needs code of its own, which is not run here: transformers {installed} alone does not load it."


def _fit_note(kind: object, written_with: str | None, installed: str | None, known: bool | None) -> str:
    if installed is None:
        return "transformers is not installed here, so nothing can be said about the fit."
    if known is None:
        return "The config names no model type, so nothing can be said about the fit."
    if not known:
        return f"The installed transformers {installed} has no `{str(kind)[:40]}`; a newer one may, or the model needs code of its own."
    first, second = _major(written_with), _major(installed)
    if first is None or second is None:
        return f"The installed transformers {installed} has this architecture; which version wrote the config is not stated."
    if first < second:
        return f"Written with {written_with}, read with {installed}: a major version lies between; compare outputs with the card's example once."
    if first > second:
        return f"Written with {written_with}, newer than the installed {installed}: entries this version does not know are ignored."
    return f"Written with {written_with}, read with {installed}: the same major version."


def _major(version: str | None) -> int | None:
    head = (version or "").partition(".")[0]
    return int(head) if head.isascii() and head.isdigit() and len(head) < 4 else None


def _others(config: dict[str, Any], model: Inspected | None) -> Iterator[OtherLibrary]:
    quantization = config.get("quantization_config")
    method = quantization.get("quant_method") if isinstance(quantization, dict) else None
    if isinstance(method, str):
        yield _quantizer(method)
    if model is None:
        return
    versions = model.object("config_sentence_transformers.json").get("__version__")
    if "modules.json" in model.plain or isinstance(versions, dict):
        written = versions.get("sentence_transformers") if isinstance(versions, dict) else None
        use = "its steps from text to embedding, which are run here without it"
        yield _library("sentence-transformers", "modules.json", written, use)
    if "adapter_config.json" in model.plain:
        written = model.object("adapter_config.json").get("peft_version")
        yield _library("peft", "adapter_config.json", written, "loading an adapter onto its base model")


def _quantizer(method: str) -> OtherLibrary:
    name = _QUANTIZERS.get(method.lower())
    if name is not None:
        return _library(name, "config.json", None, "reading its compressed weights")
    note = f"Its weights are compressed by `{_shown(method)}`; which library reads that is not known here."
    return OtherLibrary(name=_shown(method), asked_by="config.json", written_with=None, installed=None, note=note)


def _shown(text: str) -> str:
    return "".join(each if each.isprintable() else "�" for each in text[:40]).replace("`", "ˋ")


def _library(name: str, asked_by: str, written_with: object, use: str) -> OtherLibrary:
    installed = installed_version(name)
    return OtherLibrary(
        name=name,
        asked_by=asked_by,
        written_with=_shown(written_with) if isinstance(written_with, str) else None,
        installed=installed,
        note=f"`{name}` {installed} is installed; it is for {use}."
        if installed
        else f"`{name}` is not installed here; it is for {use}.",
    )
