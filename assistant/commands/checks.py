"""The tools that look into one model, and the guidance."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.commands.options import (
    REFUSED,
    Json,
    Language,
    Model,
    Numbers,
    plot_file,
    spoken_language,
    whole_numbers,
)
from assistant.commands.running import run_tool, typed_failures


def search_guidance(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    stage: Annotated[str | None, typer.Option(help="desk-check, proof-of-concept, pilot or production.")] = None,
    topic: Annotated[str | None, typer.Option(help="A topic of the guidance.")] = None,
    limit: Annotated[int, typer.Option(help="Most passages.")] = 4,
    as_json: Json = False,
) -> None:
    """Find guidance on reusing pre-trained models."""
    arguments = {"query": query, "stage": stage, "topic": topic, "limit": limit}
    run_tool("search_guidance", arguments, as_json, "ja" if any("\u3040" <= c <= "\u9fff" for c in query) else "en")


def fetch_model(
    model: Model, revision: Annotated[str | None, typer.Option(help="Branch, tag or commit.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only look: what would be fetched, and what speaks against it.")] = False,
    as_json: Json = False, language: Language = "en",
) -> None:  # fmt: skip
    """Get a model's files at one pinned commit, with sizes and hashes."""
    if preview:
        _show_preview(model, revision, as_json, language)
    run_tool("fetch_model", {"model": model, "revision": revision}, as_json, language)


def _show_preview(model: str, revision: str | None, as_json: bool, language: str) -> None:
    """Print what a fetch would bring, and end with the exit status of its verdict."""
    from assistant.rendering.fetching import render_preview  # noqa: PLC0415 (only for a look)
    from assistant.settings import Settings  # noqa: PLC0415 (as above)
    from tools.fetch_preview import preview_fetch  # noqa: PLC0415 (as above)
    from tools.file_facts import remember_in  # noqa: PLC0415 (as above)

    spoken = spoken_language(language)
    settings = Settings()
    remember_in(settings.home / "file-facts")
    with typed_failures(spoken):
        found = preview_fetch(model, revision, sources=settings.sources)
    print(found.model_dump_json() if as_json else render_preview(found, spoken))
    raise typer.Exit(REFUSED if found.verdict == "no" else 0)


def inspect_files(model: Model, as_json: Json = False, language: Language = "en") -> None:
    """Decide from the files alone whether a model is safe to load."""
    run_tool("inspect_files", {"model": model}, as_json, language)


def estimate_memory(
    model: Model,
    dtype: Annotated[
        str | None, typer.Option(help="float32, float16 or bfloat16; absent takes the checkpoint's.")
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Texts at a time.")] = 1,
    sequence_length: Annotated[int | None, typer.Option(help="Tokens a text.")] = None,
    new_tokens: Annotated[int, typer.Option(help="Tokens to generate.")] = 0,
    device_memory_gib: Annotated[float | None, typer.Option(help="Memory that is there, in GiB.")] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Forecast the peak memory from files alone."""
    arguments = {
        "model": model, "dtype": dtype, "batch_size": batch_size, "sequence_length": sequence_length,
        "new_tokens": new_tokens, "device_memory_gib": device_memory_gib,
    }  # fmt: skip
    run_tool("estimate_memory", arguments, as_json, language)


def profile_model(
    model: Model,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    dtype: Annotated[str, typer.Option(help="auto, float32, float16 or bfloat16.")] = "auto",
    batch_sizes: Numbers = "1,8,32",
    sequence_lengths: Numbers = "128",
    new_tokens: Annotated[int, typer.Option(help="Tokens to generate, for a generating model.")] = 0,
    vary: Annotated[
        str,
        typer.Option(
            help="What else to try, comma-separated: dtype, attention, compile, quantization, batch_size, sequence_length."
        ),
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Measure again, even if the same was measured before.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the measurement here: .png or .svg.", callback=plot_file)
    ] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Really run a model on this machine and measure latency, throughput and memory."""
    arguments = {
        "model": model, "device": device, "dtype": dtype, "batch_sizes": whole_numbers(batch_sizes),
        "sequence_lengths": whole_numbers(sequence_lengths), "new_tokens": new_tokens,
        "vary": tuple(part.strip() for part in vary.split(",") if part.strip()) or None, "force": force or None,
    }  # fmt: skip
    run_tool("profile_model", arguments, as_json, language, plot=plot)


def check_version(
    model: Model, revision: Annotated[str | None, typer.Option(help="Branch, tag or commit.")] = None,
    against: Annotated[
        str | None, typer.Option(help="Another model, version or folder to compare with instead of the newest version.")
    ] = None,
    as_json: Json = False, language: Language = "en",
) -> None:  # fmt: skip
    """Which commit a reference resolves to, what is newer or different, and what to test again because of it."""
    arguments = {"model": model, "revision": revision, "against": against}
    run_tool("check_version", arguments, as_json, language)


def check_documentation(
    model: Model, use_case: Annotated[str | None, typer.Option(help="What the model is meant for.")] = None,
    as_json: Json = False, language: Language = "en",
) -> None:  # fmt: skip
    """Read the model card and licence: what is missing, which claims hold."""
    run_tool("check_documentation", {"model": model, "use_case": use_case}, as_json, language)


def observe_behavior(
    model: Model, example: Annotated[list[str] | None, typer.Option(help="An input of yours; repeatable.")] = None,
    as_json: Json = False, language: Language = "en",
) -> None:  # fmt: skip
    """Run small trials: same answer twice, sensitivity to case, spacing, batch position and number format."""
    run_tool("observe_behavior", {"model": model, "examples": tuple(example or ())}, as_json, language)
