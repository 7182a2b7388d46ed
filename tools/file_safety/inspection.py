"""The tool `inspect_files`: locates a model's files and applies every rule to them."""

from __future__ import annotations

from tools.file_safety.findings import FileInspection
from tools.model_sources import ModelSources


def inspect_files(
    model: str,
    revision: str | None = None,
    *,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
) -> FileInspection:
    """Decide whether a model's files may be loaded, without loading or running any of them.

    Use it before anything else is done with a model. Milliseconds for a folder; for a model on the hub only listing,
    configs and the heads of weight files are read.

    Args:
        model: `org/name`, `org/name@revision`, or a folder written as a path such as `./models/x`.
        revision: Branch, tag or commit; the newest of the main branch when absent.
        sources: Where models may come from.

    Returns:
        Verdict (accept, flag, refuse) with findings: rule, file, what was found, what to do next.
    """
    from tools.located_files import inspect_location, local_commit  # noqa: PLC0415 (fetching builds on this package)
    from tools.locating import locate_model  # noqa: PLC0415 (as above)

    location = locate_model(model, revision, sources=sources)
    inspection = inspect_location(location)
    if location.commit is not None:
        return inspection
    return inspection.model_copy(update={"commit": local_commit(location)})
