"""Unpacks a bundle into a mirror folder: verified while it is written, inspected, and there in one step or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools.bundles.archive import (
    MANIFEST,
    MODEL_FOLDER,
    RECORD_SUFFIX,
    BundleDamaged,
    BundledFile,
    Manifest,
    read_archive,
)
from tools.bundles.bundle import Bundle, bundle_of, opened_bundle, told
from tools.errors import InvalidArgument
from tools.file_safety.file_view import FolderView
from tools.file_safety.verdict import inspect_view
from tools.hub_access.cache import UNFINISHED, not_writable
from tools.hub_access.download import check_space
from tools.located_files import refuse_unsafe
from tools.progress import CancelToken, Progress, ignore_progress

_ID = re.compile(r"[A-Za-z0-9_][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}\Z", re.ASCII)


def unpack_bundle(
    file: Path, into: Path, *, progress: Progress = ignore_progress, cancel: CancelToken | None = None
) -> Bundle:
    """Verify a bundle while it is unpacked, inspect the model's files, and put them into a mirror folder.

    Args:
        file: The bundle.
        into: The mirror folder; the model appears in it as `org/name/` when all is verified, and not before.
        progress: Told about each file.
        cancel: Stops; nothing appears then.

    Returns:
        The bundle, with the model's folder.

    Raises:
        BundleDamaged: It is not a bundle, or not whole and unchanged.
        UnsafeModel: The inspection refuses its files.
        InvalidArgument: The model is there already.
        SourceUnavailable: It cannot be read, or the disk does not take it.
    """
    try:
        into.mkdir(parents=True, exist_ok=True)
        with opened_bundle(file) as (stream, size_bytes), _unfinished_folder(into) as folder:
            check_space(into, size_bytes)

            def begin(manifest: Manifest) -> None:
                if _target(into, manifest).exists():
                    message = f"`{manifest.model}` is already in `{into}`."
                    raise InvalidArgument(message, "Name another folder, or remove it there first.")

            def write(manifest: Manifest, bundled: BundledFile, pieces: Iterator[bytes]) -> None:
                place = folder / bundled.name
                place.parent.mkdir(parents=True, exist_ok=True)
                with place.open("xb") as unpacked:
                    for piece in told(pieces, manifest, bundled, f"Unpacking {bundled.name}", progress):
                        unpacked.write(piece)

            manifest, bundle_id = read_archive(stream, size_bytes, write, begin=begin, cancel=cancel)
            (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
            _inspect(folder / MODEL_FOLDER, manifest)
            target = _put_in_place(folder, into, manifest)
    except OSError as error:
        raise not_writable(into, error) from error
    progress(1.0, "Ready")
    return bundle_of(file, manifest, bundle_id).model_copy(update={"unpacked_into": str(target.resolve())})


def _inspect(folder: Path, manifest: Manifest) -> None:
    if not folder.is_dir():
        raise BundleDamaged("it has no model")
    refuse_unsafe(inspect_view(FolderView(folder), model=manifest.model, commit=manifest.commit))


def _put_in_place(folder: Path, into: Path, manifest: Manifest) -> Path:
    """The model's folder appears last, in one step."""
    target = _target(into, manifest)
    target.parent.mkdir(parents=True, exist_ok=True)
    record = target.with_name(target.name + RECORD_SUFFIX)
    shutil.rmtree(record, ignore_errors=True)
    record.mkdir()
    for each in [*folder.iterdir()]:
        if each.is_file():
            each.rename(record / each.name)
    (folder / MODEL_FOLDER).rename(target)
    return target


@contextlib.contextmanager
def _unfinished_folder(into: Path) -> Iterator[Path]:
    """A folder of this process alone; those that killed ones left are removed, as the kernel ended their hold."""
    for left in into.glob(f".*{UNFINISHED}"):
        handle = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        os.close(handle)
    folder = Path(tempfile.mkdtemp(prefix=".", suffix=UNFINISHED, dir=into))
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(handle)
        shutil.rmtree(folder, ignore_errors=True)


def _target(into: Path, manifest: Manifest) -> Path:
    if not _ID.match(manifest.model) or ".." in manifest.model:
        raise BundleDamaged("its model has no id of the form `organisation/name`")
    return into / manifest.model
