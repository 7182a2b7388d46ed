"""How well claims of a card are told apart: true and planted ones in cards of our own, beside files of small models.

Every card is checked twice, as it is true and with a false value in each marked place. The cards also speak of other
models, of training and of limits; what is found there is a mistake.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.home import BenchHome
from tests.bench.results import Result, share_interval
from tests.tools.cards.planted import Planted, cards_of, check_planted

GOAL = 0.95
SETS = {
    "tuned": "cards that the finder was made with",
    "unseen": "cards of the same writer that it was not tuned on",
    "others": "cards by another writer, the half that was looked at afterwards",
    "held_out": "cards by another writer, the half that was not looked at",
}
_SAME_WRITER = "one writer made cards and finder, so that wordings of others are surely found less well"
_OTHER_WRITER = (
    "labelled before the finder was first run on them, when of both halves 0.65 of the claims were found and 0.87 of the "
    "contradictions were right; their writer then mended the finder"
)
_WRITTEN = {"tuned": _SAME_WRITER, "unseen": _SAME_WRITER, "others": _OTHER_WRITER, "held_out": _OTHER_WRITER}


def measure(home: BenchHome) -> list[Result]:
    """Precision and recall of contradictions and of confirmations, for each set of cards."""
    return [result for name in SETS for result in _measure_set(name, quick=home.quick)]


def _measure_set(name: str, *, quick: bool) -> list[Result]:
    cards = cards_of(name)[: 3 if quick else None]
    with TemporaryDirectory() as folder:
        checked = [each for card in cards for each in check_planted(card, Path(folder) / card.stem)]
    results: list[Result] = []
    for verdict, false, word in (("contradicted", True, "planted contradictions"), ("confirmed", False, "true claims")):
        right, expected, found = count(checked, verdict, false=false)
        for measured, total, title in (
            ("recall", expected, f"found among {word}"),
            ("precision", found, f"right among claims {verdict}"),
        ):
            share = right / max(1, total)
            results.append(
                Result(
                    name=f"claims.{name}.{verdict}.{measured}",
                    title=f"Claims, {SETS[name]}: {title}",
                    value=round(share, 4),
                    unit="share",
                    goal=GOAL,
                    bound="at least",
                    n=total,
                    spread=share_interval(share, total) if total else {},
                    conditions=f"{len(cards)} cards in two languages, each true and with false values, beside small models' "
                    f"files; {_WRITTEN[name]}",
                )
            )
    return results


def count(checked: list[Planted], verdict: str, *, false: bool) -> tuple[int, int, int]:
    """Right, expected and found claims with a verdict; found ones are counted in the cards of both kinds."""
    expected = sum((each.expected for each in checked if each.false == false), Counter())
    right = sum(sum((each.expected & each.found(verdict)).values()) for each in checked if each.false == false)
    others = sum(sum(each.found(verdict).values()) for each in checked if each.false == false)
    # A true card holds no contradiction. In a false one some lines stay true, so confirmations there are not counted.
    others += sum(sum(each.found(verdict).values()) for each in checked if each.false != false) if false else 0
    return right, sum(expected.values()), others
