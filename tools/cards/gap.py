"""What a card leaves open and matters most for the intended use, with the reason."""

from __future__ import annotations

from tools.cards.needs import CardNeed, sections_of, weight_of, weights_for
from tools.cards.sections import LIMITATIONS, CardSection
from tools.license import LicenceFinding

_GENERAL_REASONS = {
    LIMITATIONS: "Without its known limits every failure comes as a surprise in daily use.",
    "Direct use": "Without it nobody knows whether your use is one that the model was made for.",
    "Training data": "What it was trained on decides what it knows, and whose rights it touches.",
    "Evaluation results": "Without figures there is nothing that your own trial could be compared with.",
    "Out-of-scope use": "Without it a use that the publisher rules out is found too late.",
}


def most_important_gap(
    card: str | None,
    sections: tuple[CardSection, ...],
    licence: LicenceFinding,
    needs: tuple[CardNeed, ...],
    use_case: str | None,
) -> tuple[str | None, str | None]:
    """What is missing and weighs most, and why.

    Args:
        card: Name of the card; None when there is none.
        sections: Its sections.
        licence: The licence finding.
        needs: What the intended use needs to read.
        use_case: That use.

    Returns:
        The gap and its reason; None twice when nothing is missing.
    """
    if card is None:
        return "The whole card: the model has none", "Nobody can know what it was made for or where it fails."
    if licence.agreement == "none":
        return "Licence: neither card nor files name one", "Without a licence nobody may use the model."
    weights = weights_for(use_case)
    gaps = [(weights[each.name], each.name, _why(each.name, needs)) for each in sections if each.state != "filled"]
    gaps += [(weight_of(need), need.wants, need.reason) for need in needs if need.quote is None]
    if not gaps:
        return None, None
    _, gap, reason = max(gaps, key=lambda each: each[0])
    return gap, reason


def _why(section: str, needs: tuple[CardNeed, ...]) -> str:
    """Why a section matters: for the weightiest concern of the use that rests on it, else in general."""
    concern = next((need for need in needs if section in sections_of(need.concern)), None)
    if concern is not None:
        return concern.reason
    return _GENERAL_REASONS.get(section, "A team that adopts the model has to find it out by itself.")
