"""Plans and decisions: the staged plan, its versions, closing a stage, and what was decided."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.commands.options import REFUSED, Json, Language, Model, report_file, spoken_language
from assistant.commands.running import as_text, opened_services, run_tool, typed_failures, write_report_file

if TYPE_CHECKING:
    from assistant.plan_reports import ReportFile

UseCase = Annotated[str, typer.Option(help="What the model is for; without it the newest plan of the model.")]
_USER = "local"


def plan_adoption(
    model: Model,
    use_case: UseCase = "",
    requests_per_day: Annotated[float | None, typer.Option(help="Load.")] = None,
    price_per_hour: Annotated[float | None, typer.Option(help="Price of one device for an hour.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO code of price and budget; USD when absent.")] = None,
    budget_per_month: Annotated[float | None, typer.Option(help="What running it may cost a month.")] = None,
    device_memory_gib: Annotated[float | None, typer.Option(help="Memory that is there, in GiB.")] = None,
    latency_p95_ms: Annotated[float | None, typer.Option(help="Longest accepted p95 response time, in ms.")] = None,
    data_class: Annotated[
        str | None, typer.Option(help="Data it will see: public, internal, confidential, personal, sensitive_personal.")
    ] = None,
    deadline: Annotated[str | None, typer.Option(help="When it should be in use: 2027-03-31, or weeks.")] = None,
    version: Annotated[int | None, typer.Option(help="Show this stored version instead of making the next.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the report here: .html, .md or .json.")] = None,
    format: Annotated[
        str | None, typer.Option(help="Format of the report when the ending does not say it: html, md, json or adr.")
    ] = None,
    audience: Annotated[str | None, typer.Option(help="Who reads the report: manager or engineer.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a report that is there.")] = False,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Plan the adoption in stages with gates bound to evidence; runs the missing checks and a profile first."""
    targets = {
        "requests_per_day": requests_per_day, "price_per_hour": price_per_hour, "currency": currency,
        "budget_per_month": budget_per_month, "device_memory_gib": device_memory_gib, "latency_p95_ms": latency_p95_ms,
        "data_class": data_class, "deadline": deadline,
    }  # fmt: skip
    given = {k: v for k, v in targets.items() if v is not None}
    arguments = {"model": model, "use_case": use_case, "targets": given}
    report = report_file(out, format, audience, force=force)
    if version is None:
        run_tool("plan_adoption", arguments, as_json, language, report)
    else:
        _show_version(arguments, version, report, as_json, language)


def _show_version(
    arguments: dict[str, Any], version: int, out: ReportFile | None, as_json: bool, language: str
) -> None:
    from assistant.planning import find_version  # noqa: PLC0415 (heavy import, only when needed)

    spoken = spoken_language(language)
    with opened_services() as services, typed_failures(spoken):
        stored = find_version(services, arguments, _USER, version)
        evidence = services.store.get(stored.evidence, user=_USER)
        if evidence is None:
            raise RuntimeError(f"the record {stored.evidence} of a stored plan is gone")
        if out is not None:
            write_report_file(evidence, services, out, spoken)
    print(json.dumps(evidence.record, ensure_ascii=False) if as_json else as_text(evidence, None, spoken))


def plans(
    model: Annotated[str, typer.Argument(help="Only plans for this model.")] = "",
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """List the stored plans with their versions and verdicts, the latest first."""
    from assistant.rendering.decisions import plans_table  # noqa: PLC0415 (heavy import, only when needed)

    spoken = spoken_language(language)
    with opened_services() as services:
        found = services.plans.versions(_USER, model)
    rows = [
        {
            "model": plan.key.model,
            "use_case": plan.use_case,
            "version": plan.version,
            "verdict": plan.verdict,
            "evidence": plan.evidence,
            "created_at": plan.created_at.isoformat(),
        }
        for plan in found
    ]
    print(json.dumps(rows, ensure_ascii=False) if as_json else plans_table(found, spoken))


def close_stage(
    model: Model,
    stage: Annotated[str, typer.Argument(help="desk_check, proof_of_concept, pilot or production.")],
    decision: Annotated[str, typer.Option(help="go, stop or repeat.")],
    by: Annotated[str, typer.Option(help="Who decides.")],
    note: Annotated[str, typer.Option(help="Why.")] = "",
    reason: Annotated[str, typer.Option(help="Why to go on although gates do not hold.")] = "",
    found: Annotated[
        list[str] | None, typer.Option(help="What the team found out itself, as GATE=VALUE; may be repeated.")
    ] = None,
    use_case: UseCase = "",
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Close a stage of the newest plan: the gates as they stand, who decided what, and why are written down."""
    from assistant.rendering.decisions import stored_text  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.stage_closing import close_stage as close  # noqa: PLC0415 (as above)
    from assistant.translation import translate  # noqa: PLC0415 (as above)
    from tools.errors import GatesOpen  # noqa: PLC0415 (as above)

    spoken = spoken_language(language)
    stated = dict(_pair(each) for each in found or ())
    arguments = {"model": model, "use_case": use_case}
    with opened_services() as services, typed_failures(spoken):
        try:
            made = close(services, arguments, stage, decision, by=by, note=note, reason=reason, stated=stated)
        except GatesOpen as error:
            typer.echo(f"{translate(error.message, spoken)} {translate(error.next_step, spoken)}", err=True)
            raise typer.Exit(REFUSED) from error
    print(made.model_dump_json() if as_json else stored_text(made, spoken))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise typer.BadParameter(f"`{text}` is not of the form GATE=VALUE.")
    return name.strip(), value.strip()


def decisions(
    model: Annotated[str, typer.Argument(help="Only decisions about this model.")] = "",
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Tell what was decided and why: stage, who, when, and the gates with their evidence."""
    from assistant.rendering.decisions import decisions_text  # noqa: PLC0415 (heavy import, only when needed)

    spoken = spoken_language(language)
    with opened_services() as services:
        found = services.plans.decisions(_USER, model)
        made = services.plans.versions(_USER, model)
    shown = json.dumps([d.model_dump(mode="json") for d in found], ensure_ascii=False)
    print(shown if as_json else decisions_text(found, made, model, spoken))
