"""The tools that draw on what was found: cost and comparison."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant.commands.options import Json, Language, Model
from assistant.commands.running import run_tool


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
    run_tool("estimate_cost", arguments, as_json, language)


def compare_models(
    models: Annotated[list[str], typer.Argument(help="Two or more models.")],
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Put models side by side from their evidence."""
    run_tool("compare_models", {"models": models}, as_json, language)
