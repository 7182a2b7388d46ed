"""The tools as an LLM is offered them; what they do is the toolbox's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool

from assistant.evidence import Evidence
from assistant.tool_catalogue import CATALOGUE

DESCRIPTIONS: dict[str, str] = {
    "search_guidance": "Find what the team's own policy and the general guidance say on reusing pre-trained models: risks, "
    "proof of concept, versions, licences, operation, wording for a meeting. Use for general questions that are not about one model's facts.",
    "fetch_model": "Get a model's files (safetensors only) at one pinned commit, with sizes and hashes.",
    "inspect_files": "Decide from the files alone whether a model is safe to load: accept, flag or refuse. Milliseconds.",
    "estimate_memory": "Forecast the peak memory in MiB from files alone, and whether it fits a device. Milliseconds.",
    "profile_model": "Really run the model on this machine and measure latency, throughput and peak memory. Dear: seconds "
    "to minutes; only when a measurement was asked for.",
    "check_version": "Which commit a reference resolves to, whether a newer one exists, what changed, library fit, "
    "lineage; or what differs between two models or folders, also of the same name.",
    "check_documentation": "Read the model card and licence: what is missing, which claims the files confirm or contradict.",
    "observe_behavior": "Run small trials: same answer twice, sensitivity to case, spacing, batch position and number "
    "format. Dear: seconds to minutes.",
    "estimate_cost": "Cost per request, day, month and million tokens from measured throughput, devices for a response "
    "time, and break-even against another offer; needs requests per day and a price per hour.",
    "compare_models": "Put two or more models side by side from their evidence.",
    "plan_adoption": "Make a staged adoption plan (desk check, proof of concept, pilot, production) with gates bound to "
    "measured evidence and a verdict. Dear: runs the missing checks and a profile first.",
}
"""What an LLM reads of each tool."""


def langchain_tools(run: Callable[[str, dict[str, Any]], tuple[str, Evidence | None]]) -> list[BaseTool]:
    """The tools for LangChain: a short text for the LLM, the evidence as the artifact.

    Args:
        run: Runs a tool by name with completed arguments, within the graph's step.
    """

    def make(name: str) -> BaseTool:
        def call(model: str = "", models: list[str] | None = None, query: str = "") -> tuple[str, Evidence | None]:
            given = {"model": model, "models": models, "query": query}
            return run(name, {k: v for k, v in given.items() if v})

        return StructuredTool.from_function(
            call, name=name, description=DESCRIPTIONS[name], response_format="content_and_artifact"
        )

    return [make(name) for name in CATALOGUE]
