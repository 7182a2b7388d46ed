"""The command line `tameshi`: every tool as a command, and the chat as `ask`; data on stdout, progress on stderr.

Exit status: 0 fine, 1 refused or a gate failed, 2 usage, 3 failed.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable

import typer

from assistant.commands import advice, bundling, checks, documenting, indexing, locking, looking, planning, talk, upkeep

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Try a pre-trained model small, decide by measurement."
)
_COMMANDS: dict[str, Callable[..., None]] = {
    "ask": talk.ask,
    "search-guidance": checks.search_guidance,
    "look": looking.look,
    "fetch-model": checks.fetch_model,
    "inspect-files": checks.inspect_files,
    "estimate-memory": checks.estimate_memory,
    "profile-model": checks.profile_model,
    "plot": upkeep.draw_plot,
    "check-version": checks.check_version,
    "check-documentation": checks.check_documentation,
    "draft-card": documenting.draft_card,
    "observe-behavior": checks.observe_behavior,
    "estimate-cost": advice.estimate_cost,
    "compare-models": advice.compare_models,
    "plan-adoption": planning.plan_adoption,
    "plans": planning.plans,
    "close-stage": planning.close_stage,
    "decisions": planning.decisions,
    "lock": locking.lock,
    "check": locking.check,
    "watch": locking.watch,
    "export-bom": locking.export_bom,
    "bundle": bundling.bundle,
    "doctor": upkeep.doctor,
}
"""In the order of the help text."""

for _name, _function in _COMMANDS.items():
    app.command(_name)(_function)
app.add_typer(indexing.index, name="index")


@app.callback()
def _every_command() -> None:
    """Try a pre-trained model small, decide by measurement."""


def main() -> None:
    """Entry point of the command."""
    # Importing makes many objects that stay; looking through them every 700 is a tenth of a quick command's time.
    gc.set_threshold(200_000)
    # pydantic looks through every installed distribution for plugins, of which the product has none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # noqa: TID251 (set, not read)
    # Typer builds all commands before it runs one; of a command that is named, its own is enough.
    named = [each for each in app.registered_commands if each.name in sys.argv[1:2]]
    app.registered_commands = named or app.registered_commands
    app.registered_groups = [] if named else app.registered_groups
    try:
        app()
    finally:
        # The interpreter looks through all objects once more when it ends, which frees nothing that its end does not.
        gc.freeze()
