"""Fit what `assistant/llm/guidance_opinion.py` makes of both chances, and say how often it is right.

`python -m assistant.llm.pilot.opinion_fitting`, after the search or the pilot was trained anew. The guidance is to answer the
search's unseen questions and the pilot's held-out examples of it; everything else is not for it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

from assistant.llm.example_utterances import ROUTES, read_examples
from assistant.llm.guidance_opinion import GUIDANCE, SURE, features
from assistant.llm.pilot.training import is_held_out
from assistant.llm.pilot_chat import PilotChat
from assistant.llm.turn_schema import read_turn
from assistant.services import Services
from assistant.settings import Settings
from knowledge.topics import LANGUAGES, Language
from knowledge.wordings import read_unseen

STRENGTH = 10.0
"""Inverse of the penalty."""


class _Asked(NamedTuple):
    text: str
    after: str
    language: Language
    kind: str
    """unseen, example or outside."""
    guidance: bool
    """Whether the guidance is to answer."""


def main() -> None:
    """Print the numbers of `guidance_opinion.py` and what they decide."""
    asked = list(_asked())
    with tempfile.TemporaryDirectory() as home:
        services = Services(Settings(home=Path(home), offline=True))
        pilot = PilotChat(routing=services.route_model)
        numbers = np.array([_features(each, pilot, services) for each in asked])
    seen = np.column_stack([numbers, [each.language == "ja" for each in asked]])
    model = LogisticRegression(C=STRENGTH).fit(seen, [each.guidance for each in asked])
    by_wording, by_closeness, more = model.coef_[0]
    offset = float(model.intercept_[0])
    _say(
        f"BY_WORDING, BY_CLOSENESS = {by_wording:.2f}, {by_closeness:.2f}; OFFSET en {offset:.2f}, ja {offset + more:.2f}"
    )
    sure = model.predict_proba(seen)[:, 1] >= SURE
    for language in LANGUAGES:
        for kind, guidance in (("unseen", True), ("example", True), ("example", False), ("outside", False)):
            rows = [i for i, e in enumerate(asked) if (e.language, e.kind, e.guidance) == (language, kind, guidance)]
            to = "is for the guidance" if guidance else "is not"
            _say(f"{language} {kind:8} that {to:20} {len(rows):4}  sent there {sure[rows].mean():.3f}")


def _asked() -> Iterator[_Asked]:
    for i, example in enumerate(read_examples()):
        if is_held_out(i) and "{model" not in example.text:
            yield _Asked(example.text, example.after, example.language, "example", example.routes[0] == GUIDANCE)
    for language in LANGUAGES:
        unseen = read_unseen(language)
        yield from (_Asked(text, "", language, "unseen", guidance=True) for text in unseen.graded)
        yield from (_Asked(text, "", language, "outside", guidance=False) for text in unseen.outside)


def _features(asked: _Asked, pilot: PilotChat, services: Services) -> tuple[float, float]:
    turn = read_turn(asked.text, last_tool=asked.after)
    mixed = np.exp(services.route_model.views.mixed(pilot.read(turn, {turn.masked}).scores, asked.language))
    return features(float(mixed[ROUTES.index(GUIDANCE)] / mixed.sum()), services.closest_entry(turn.question))


def _say(line: str) -> None:
    print(line, file=sys.stdout)  # noqa: T201 (a script)


if __name__ == "__main__":
    main()
