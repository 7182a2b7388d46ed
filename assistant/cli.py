"""The command line `tameshi`: every tool as a command, and the chat as `ask`; data on stdout, progress on stderr.

Exit status: 0 fine, 1 refused or a gate failed, 2 usage, 3 failed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from assistant.evidence import Evidence
    from assistant.rendering.plots import Panel
    from assistant.rendering.progress import TerminalProgress
    from assistant.turn_events import TurnEvent
    from tools.progress import CancelToken

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Try a pre-trained model small, decide by measurement."
)


@app.callback()
def _every_command() -> None:
    """Try a pre-trained model small, decide by measurement."""


Model = Annotated[str, typer.Argument(help="Hub id (org/name, org/name@revision) or a folder written as a path (./x).")]
Json = Annotated[bool, typer.Option("--json", help="Print the record as JSON.")]
Language = Annotated[str, typer.Option("--language", help="Language of the text: en or ja.")]
Numbers = Annotated[str, typer.Option(help="Comma-separated whole numbers.")]
REFUSED, USAGE, FAILED = 1, 2, 3


def _plot_file(path: Path | None) -> Path | None:
    """The file, when a plot can be written there: better known before a long measurement."""
    if path is not None:
        from assistant.rendering.plots import check_plot_file  # noqa: PLC0415 (heavy import, only when needed)
        from tools.errors import InvalidArgument  # noqa: PLC0415 (as above)

        try:
            check_plot_file(path)
        except InvalidArgument as error:
            raise typer.BadParameter(f"{error.message} {error.next_step}") from error
    return path


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question, in English or Japanese.")],
    conversation: Annotated[str, typer.Option(help="Which conversation the question continues.")] = "cli",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which tools would be called, and stop.")] = False,
    as_json: Json = False,
) -> None:
    """Ask the assistant; `--json` prints one turn event a line."""
    from assistant import Assistant  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.languages import language_of  # noqa: PLC0415 (as above)
    from assistant.rendering.progress import TerminalProgress  # noqa: PLC0415 (as above)

    shown = TerminalProgress(language_of(question))
    status = 0
    with Assistant() as assistant:
        for event in assistant.stream(question, conversation=conversation, dry_run=dry_run):
            if as_json:
                print(json.dumps(event.model_dump(mode="json"), ensure_ascii=False))
            else:
                _show_event(event, language_of(question), shown)
            if event.kind == "turn_failed":
                status = FAILED
    raise typer.Exit(status)


@app.command("search-guidance")
def search_guidance(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    stage: Annotated[str | None, typer.Option(help="desk-check, proof-of-concept, pilot or production.")] = None,
    topic: Annotated[str | None, typer.Option(help="A topic of the guidance.")] = None,
    limit: Annotated[int, typer.Option(help="Most passages.")] = 4,
    as_json: Json = False,
) -> None:
    """Find guidance on reusing pre-trained models."""
    arguments = {"query": query, "stage": stage, "topic": topic, "limit": limit}
    _run("search_guidance", arguments, as_json, "ja" if any("\u3040" <= c <= "\u9fff" for c in query) else "en")


@app.command("fetch-model")
def fetch_model(
    model: Model, revision: Annotated[str | None, typer.Option(help="Branch, tag or commit.")] = None,
    as_json: Json = False, language: Language = "en",
) -> None:  # fmt: skip
    """Get a model's files at one pinned commit, with sizes and hashes."""
    _run("fetch_model", {"model": model, "revision": revision}, as_json, language)


@app.command("inspect-files")
def inspect_files(model: Model, as_json: Json = False, language: Language = "en") -> None:
    """Decide from the files alone whether a model is safe to load."""
    _run("inspect_files", {"model": model}, as_json, language)


@app.command("estimate-memory")
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
    _run("estimate_memory", arguments, as_json, language)


@app.command("profile-model")
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
    force: Annotated[bool, typer.Option("--force", help="Measure again, even if the same was measured before.")] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the measurement here: .png or .svg.", callback=_plot_file)
    ] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Really run a model on this machine and measure latency, throughput and memory."""
    arguments = {
        "model": model, "device": device, "dtype": dtype, "batch_sizes": _whole_numbers(batch_sizes),
        "sequence_lengths": _whole_numbers(sequence_lengths), "new_tokens": new_tokens,
        "vary": tuple(part.strip() for part in vary.split(",") if part.strip()) or None, "force": force or None,
    }  # fmt: skip
    _run("profile_model", arguments, as_json, language, plot=plot)


@app.command("plot")
def draw_plot(
    evidence_id: Annotated[str, typer.Argument(help="Evidence of a measurement, such as E12.")],
    out: Annotated[Path, typer.Option(help="Draw it here: .png or .svg.", callback=_plot_file)],
    panel: Annotated[
        list[str] | None, typer.Option(help="speed, memory, roofline or variants; repeatable, all by default.")
    ] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Draw a stored measurement as PNG or SVG."""
    from assistant.rendering.plots import PANELS, panels_of  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.services import Services  # noqa: PLC0415 (as above)
    from assistant.settings import Settings  # noqa: PLC0415 (as above)
    from assistant.toolbox import read_record  # noqa: PLC0415 (as above)
    from tools.errors import InvalidArgument  # noqa: PLC0415 (as above)

    spoken = _spoken(language)
    if unknown := [name for name in panel or () if name not in PANELS]:
        raise typer.BadParameter(f"`{unknown[0]}` is not a panel; there are {', '.join(PANELS)}.")
    services = Services(Settings())
    try:
        with _typed_failures(spoken):
            evidence = services.store.get(evidence_id, user="local")
            if evidence is None or evidence.tool != "profile_model":
                raise InvalidArgument(
                    f"`{evidence_id[:40]}` is not a stored measurement.",
                    "Name one that `tameshi profile-model` or the chat made, such as E12.",
                )
            present = panels_of(read_record(evidence))
            drawn: list[Panel] = [name for name in present if not panel or name in panel]
            if not drawn:
                raise InvalidArgument(
                    f"`{evidence.id}` has no figures for such a plot.", f"It has them for {', '.join(present) or '–'}."
                )
            _draw(evidence, services, out, spoken, drawn)
    finally:
        services.close()
    if as_json:
        print(json.dumps({"evidence": evidence.id, "out": str(out), "panels": drawn}, ensure_ascii=False))


@app.command("check-version")
def check_version(
    model: Model, revision: Annotated[str | None, typer.Option(help="Branch, tag or commit.")] = None,
    as_json: Json = False, language: Language = "en",
) -> None:  # fmt: skip
    """Which commit a reference resolves to, what is newer and what changed."""
    _run("check_version", {"model": model, "revision": revision}, as_json, language)


@app.command("check-documentation")
def check_documentation(
    model: Model, use_case: Annotated[str | None, typer.Option(help="What the model is meant for.")] = None,
    as_json: Json = False, language: Language = "en",
) -> None:  # fmt: skip
    """Read the model card and licence: what is missing, which claims hold."""
    _run("check_documentation", {"model": model, "use_case": use_case}, as_json, language)


@app.command("observe-behavior")
def observe_behavior(
    model: Model, example: Annotated[list[str] | None, typer.Option(help="An input of yours; repeatable.")] = None,
    as_json: Json = False, language: Language = "en",
) -> None:  # fmt: skip
    """Run small trials: same answer twice, sensitivity to case, spacing, batch position and number format."""
    _run("observe_behavior", {"model": model, "examples": tuple(example or ())}, as_json, language)


@app.command("estimate-cost")
def estimate_cost(
    model: Model,
    requests_per_day: Annotated[float | None, typer.Option(help="Load.")] = None,
    price_per_hour: Annotated[float | None, typer.Option(help="Price of one device for an hour.")] = None,
    currency: Annotated[str, typer.Option(help="ISO code of the prices.")] = "USD",
    latency_p95_target_ms: Annotated[
        float | None, typer.Option(help="Longest accepted p95 response time, wait included, in ms.")
    ] = None,
    peak_factor: Annotated[
        float | None, typer.Option(help="Requests in the busiest hour over the average hour's; 3 when absent.")
    ] = None,
    alternative_price_per_million_tokens: Annotated[
        float | None, typer.Option(help="What another offer takes for a million tokens, read and written.")
    ] = None,
    alternative_price_per_thousand_requests: Annotated[
        float | None, typer.Option(help="What another offer takes for a thousand requests.")
    ] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Cost per request, day, month and million tokens, break-even, and devices for a response time; measures first."""
    arguments = {
        "model": model, "requests_per_day": requests_per_day, "price_per_hour": price_per_hour, "currency": currency,
        "latency_p95_target_ms": latency_p95_target_ms, "peak_factor": peak_factor,
        "alternative_price_per_million_tokens": alternative_price_per_million_tokens,
        "alternative_price_per_thousand_requests": alternative_price_per_thousand_requests,
    }  # fmt: skip
    _run("estimate_cost", arguments, as_json, language)


@app.command("compare-models")
def compare_models(
    models: Annotated[list[str], typer.Argument(help="Two or more models.")],
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Put models side by side from their evidence."""
    _run("compare_models", {"models": models}, as_json, language)


@app.command("plan-adoption")
def plan_adoption(
    model: Model,
    use_case: Annotated[str, typer.Option(help="What the model is for.")] = "",
    requests_per_day: Annotated[float | None, typer.Option(help="Load.")] = None,
    price_per_hour: Annotated[float | None, typer.Option(help="Price of one device for an hour.")] = None,
    currency: Annotated[str, typer.Option(help="ISO code of the price.")] = "USD",
    device_memory_gib: Annotated[float | None, typer.Option(help="Memory that is there, in GiB.")] = None,
    latency_p95_ms: Annotated[float | None, typer.Option(help="Longest accepted p95 response time, in ms.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the report here: .html, .md or .json.")] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Plan the adoption in stages with gates bound to evidence; runs the missing checks and a profile first."""
    targets = {
        "requests_per_day": requests_per_day, "price_per_hour": price_per_hour, "currency": currency,
        "device_memory_gib": device_memory_gib, "latency_p95_ms": latency_p95_ms,
    }  # fmt: skip
    given = {k: v for k, v in targets.items() if v is not None}
    _run("plan_adoption", {"model": model, "use_case": use_case, "targets": given}, as_json, language, out)


@app.command()
def doctor(as_json: Json = False, language: Language = "en") -> None:
    """What works on this machine and what does not, with the next step for each."""
    from assistant.doctor import examine  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.phrases import say  # noqa: PLC0415 (as above)

    spoken = _spoken(language)
    checks = examine(language=spoken)
    if as_json:
        print(json.dumps([c.model_dump(mode="json") for c in checks], ensure_ascii=False))
    else:
        for check in checks:
            mark = {"fine": "✓", "reduced": "△", "broken": "✗"}[check.state]
            part = say(f"doctor.part.{check.name}", spoken)
            line = say("doctor.line", spoken, mark=mark, part=part, found=check.found)
            print(line + (f"\n    {check.next_step}" if check.next_step else ""))
    raise typer.Exit(FAILED if any(c.state == "broken" for c in checks) else 0)


@app.command()
def index(language: Language = "en") -> None:
    """Build the guidance index now, instead of at the first question."""
    from assistant.phrases import say  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.services import Services  # noqa: PLC0415 (as above)
    from assistant.settings import Settings  # noqa: PLC0415 (as above)
    from assistant.translation import translate  # noqa: PLC0415 (as above)

    spoken = _spoken(language)
    with _typed_failures(spoken):
        services = Services(Settings())
        try:
            problem = services.search.index_problem
            passages = services.search.search("version", limit=1).passages
        finally:
            services.close()
    found = say("doctor.index", spoken, entry=passages[0].entry)
    part = say("doctor.part.guidance", spoken)
    if problem:
        found = say("doctor.index_unkept", spoken, problem=translate(problem, spoken))
    print(say("doctor.line", spoken, mark="✗" if problem else "✓", part=part, found=found), file=sys.stderr)
    raise typer.Exit(FAILED if problem else 0)


def main() -> None:
    """Entry point of the command."""
    # pydantic looks through every installed distribution for plugins, of which the product has none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # noqa: TID251 (set, not read)
    # Typer builds all commands before it runs one; of a command that is named, its own is enough.
    named = [each for each in app.registered_commands if each.name in sys.argv[1:2]]
    app.registered_commands = named or app.registered_commands
    app()


def _run(
    name: str,
    arguments: dict[str, Any],
    as_json: bool,
    language: str,
    out: Path | None = None,
    plot: Path | None = None,
) -> None:
    from assistant.rendering.progress import TerminalProgress  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.services import Services  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.settings import Settings  # noqa: PLC0415 (as above)
    from assistant.toolbox import CallScope, Toolbox  # noqa: PLC0415 (as above)
    from tools.progress import CancelToken  # noqa: PLC0415 (as above)

    shown = TerminalProgress(_spoken(language))
    given = {k: v for k, v in arguments.items() if v is not None}
    scope = CallScope(user="local", conversation="cli", cancel=CancelToken())
    services = Services(Settings())
    refusals: list[str] = []
    ages: dict[str, float | None] = {}

    def emit(event: TurnEvent) -> None:
        _show_progress(event, language, shown)
        if event.kind == "tool_failed" and event.refused:
            refusals.append(event.name)
        elif event.kind == "tool_finished":
            ages[event.evidence_id] = event.age_s

    # The first Ctrl-C asks the tool to stop, which keeps what it measured; the second one ends the program.
    interrupt = signal.signal(signal.SIGINT, lambda *_: _stop(scope.cancel))
    try:
        evidence = Toolbox(services).run(name, given, scope, emit)
        if evidence is None:
            raise typer.Exit(REFUSED if refusals else FAILED)
        if out is not None:
            _write_report(evidence, services, out, language)
        if plot is not None:
            _draw(evidence, services, plot, language)
    finally:
        signal.signal(signal.SIGINT, interrupt)
        services.close()
    text = "" if as_json else _as_text(evidence, ages.get(evidence.id), language)
    print(text or json.dumps(evidence.record, ensure_ascii=False))
    refused = evidence.record.get("verdict") in {"refuse", "no", "not_yet"}
    raise typer.Exit(REFUSED if refused else 0)


def _stop(cancel: CancelToken) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    cancel.cancel()


def _as_text(evidence: Evidence, age_s: float | None, language: Any) -> str:
    from assistant.rendering.results import TurnResult, render_result  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.toolbox import read_record  # noqa: PLC0415 (as above)

    result = TurnResult(evidence.id, evidence.tool, evidence.arguments, read_record(evidence), age_s)
    return render_result(result, language)


def _write_report(evidence: Evidence, services: Any, out: Path, language: Any) -> None:
    from assistant.advice.report import write_report  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.toolbox import read_record  # noqa: PLC0415 (as above)

    about = services.store.find(user="local", model=evidence.model)
    write_report(read_record(evidence), about, out, language)
    print(f"Report: {out}", file=sys.stderr)


def _draw(evidence: Evidence, services: Any, path: Path, language: Any, panels: Sequence[Panel] | None = None) -> None:
    from assistant.rendering.plots import device_mib_of, write_plot  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.toolbox import read_record  # noqa: PLC0415 (as above)

    there = device_mib_of(services.store.find(user="local", model=evidence.model), evidence.model)
    write_plot(read_record(evidence), path, language, panels=panels, device_mib=there)
    print(f"Plot: {path}", file=sys.stderr)


def _show_progress(event: TurnEvent, language: Any, shown: TerminalProgress) -> None:
    from assistant.translation import translate  # noqa: PLC0415 (the catalogues are read when a tool speaks)

    if event.kind == "tool_started":
        shown.started(event.name)
    elif event.kind == "tool_progress":
        shown.progressed(event.fraction, event.message)
    elif event.kind == "tool_finished":
        shown.ended()
    elif event.kind == "tool_failed":
        shown.ended()
        message, step = translate(event.message, language), translate(event.next_step, language)
        shown.line(f"✗ {event.name}: {message}\n  {step}")


def _show_event(event: TurnEvent, language: Any, shown: TerminalProgress) -> None:
    from assistant.phrases import say  # noqa: PLC0415 (as above)

    _show_progress(event, language, shown)
    if event.kind == "tool_planned":
        print(f"· {event.name} {json.dumps(event.arguments, ensure_ascii=False)}", file=sys.stderr)
    elif event.kind == "turn_finished":
        print(event.answer)
        for choice in event.choices:
            print(f"  › {choice}")
    elif event.kind == "turn_failed":
        print(f"{event.message} {event.next_step}", file=sys.stderr)
    elif event.kind == "approval_needed":
        print(say("consent.in_terminal", language, reason=event.reason), file=sys.stderr)


def _spoken(language: str) -> Any:
    if language not in {"en", "ja"}:
        raise typer.BadParameter("The language is en or ja.")
    return language


def _whole_numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise typer.BadParameter(f"`{text}` is not a list of whole numbers such as 1,8,32.") from error


@contextmanager
def _typed_failures(language: Any) -> Iterator[None]:
    from assistant.translation import translate  # noqa: PLC0415 (heavy import, only when needed)
    from knowledge.errors import KnowledgeError  # noqa: PLC0415 (as above)
    from tools.errors import ToolError  # noqa: PLC0415 (as above)

    try:
        yield
    except (ToolError, KnowledgeError) as error:
        print(f"{translate(error.message, language)} {translate(error.next_step, language)}", file=sys.stderr)
        raise typer.Exit(FAILED) from error
