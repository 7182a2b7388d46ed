"""Evaluate the pilot on wordings that were written apart from its corpus, each view alone and the whole.

A question counts as right when the tools are right and, where the wording carries arguments, so are the arguments. For
`ask_user` a question back is right; a dear tool counts as started unasked when the wording asks for something else.
"""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from assistant.llm.example_utterances import ROUTES, ExampleUtterance, read_examples
from assistant.llm.pilot.card import EVALUATION, write_card
from assistant.llm.pilot.corpus import REFERENCES
from assistant.llm.pilot_chat import WEIGHTS, PilotChat, RouteModel
from assistant.llm.turn_schema import DEAR_TOOLS, TurnContext, read_turn

SETS = ("routing", "routing_unseen")
WORDINGS = Path("tests/assistant/llm")
"""Where the sets of wordings lie in a checkout."""


class Judged(BaseModel):
    """One wording with what the pilot made of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    language: str
    indirect: bool
    wanted: tuple[str, ...]
    got: tuple[str, ...]
    views: dict[str, str]
    """The likeliest route by each view alone."""
    arguments_right: bool
    dear_unasked: bool

    @property
    def right(self) -> bool:
        """Whether tools and arguments are right."""
        return self.got == self.wanted and self.arguments_right


def read_wordings(folder: Path) -> list[tuple[ExampleUtterance, bool]]:
    """Evaluation wordings with whether they are indirect (below the comment `# indirect`).

    Two people can hit on the same words, most of all on short ones: what stands among the examples too is left out.
    """
    learnt = {plain_form(e.text) for e in read_examples()}
    found: list[tuple[ExampleUtterance, bool]] = []
    for path in sorted(folder.glob("*.txt")):
        indirect, kinds = False, list[bool]()
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("#"):
                indirect = "indirect" in line
            elif line.strip():
                kinds.append(indirect)
        found += zip(read_examples(folder, only=path.name), kinds, strict=True)
    return [(example, indirect) for example, indirect in found if plain_form(example.text) not in learnt]


def plain_form(text: str) -> str:
    """The letters and digits alone, in one case and width: what two equal wordings share."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum()) or text


def judge(pilot: PilotChat, wordings: Iterable[tuple[ExampleUtterance, bool]]) -> list[Judged]:
    """Ask the pilot every wording."""
    judged = []
    for example, indirect in wordings:
        turn = read_turn(
            example.with_models(*REFERENCES[: max(1, example.slots)]),
            last_tool=example.after,
            remembered=REFERENCES[2:4],
        )
        reading = pilot.read(turn)
        route = pilot.decide(turn, reading)
        judged.append(
            Judged(
                text=example.text,
                language=example.language,
                indirect=indirect,
                wanted=example.routes,
                got=route.routes,
                views={name: ROUTES[int(np.argmax(view))] for name, view in reading.scores.items()},
                arguments_right=arguments_right(turn, example),
                dear_unasked=bool(set(route.routes) & DEAR_TOOLS - set(example.routes)),
            )
        )
    return judged


def arguments_right(turn: TurnContext, example: ExampleUtterance) -> bool:
    """Whether every marked argument is found, and every named model."""
    found: dict[str, Any] = {}
    for route in example.routes:
        values = turn.arguments(route)
        found |= values | values.get("targets", {})
    return all(name in found for name, _ in example.marked) and len(turn.named) >= example.slots


def summarise(judged: Sequence[Judged]) -> dict[str, Any]:
    """Shares of right answers by kind of wording, by view and by route."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for item in judged:
        kind = "indirect" if item.indirect else "plain"
        groups[kind].append(item)
        groups[f"{kind}.{item.language}"].append(item)
    routes: dict[str, list[bool]] = defaultdict(list)
    for item in judged:
        routes[item.wanted[0] if len(item.wanted) == 1 else "combined"].append(item.right)
    views = {
        name: {
            kind: _share(i.views[name] == i.wanted[0] for i in judged if i.indirect == (kind == "indirect"))
            for kind in ("plain", "indirect")
        }
        for name in ("lm", "ngrams", "minilm")
    }
    return {
        "wordings": len(judged),
        "right": {name: _share(i.right for i in items) for name, items in sorted(groups.items())},
        "tools_right": {name: _share(i.got == i.wanted for i in items) for name, items in sorted(groups.items())},
        "views_alone": views,
        "dear_tools_unasked": _share(i.dear_unasked for i in judged),
        "asked_back": _share(i.got == ("ask_user",) and i.wanted != ("ask_user",) for i in judged),
        "by_route": {name: _share(values) for name, values in sorted(routes.items())},
    }


def _share(values: Iterable[bool]) -> float:
    listed = list(values)
    return round(sum(listed) / max(1, len(listed)), 4)


def main() -> None:
    """Evaluate on all sets, write `evaluation.json` and the card; with `--misses` print the wrong ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=WEIGHTS)
    parser.add_argument("--misses", action="store_true")
    options = parser.parse_args()
    pilot = PilotChat(source=str(options.folder), routing=RouteModel(weights=options.folder))
    found: dict[str, dict[str, Any]] = {}
    for name in SETS:
        judged = judge(pilot, read_wordings(WORDINGS / name))
        found[name] = summarise(judged)
        for item in judged:
            if options.misses and not item.right:
                print(item.model_dump_json(), file=sys.stderr)  # noqa: T201 (a command's output)
    text = json.dumps(found, indent=1)
    (options.folder / EVALUATION).write_text(text + "\n", encoding="utf-8")
    write_card(options.folder)
    print(text)  # noqa: T201 (a command's output)


if __name__ == "__main__":
    main()
