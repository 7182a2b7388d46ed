"""What a turn told, by kind."""

from __future__ import annotations

from assistant.turn_events import TurnFinished


def of(kind, events):
    """The events of a kind."""
    return [event for event in events if isinstance(event, kind)]


def answer_of(events):
    """The end of a turn that was answered."""
    assert isinstance(events[-1], TurnFinished), events[-1]
    return events[-1]
