"""Small talk is told apart by its words, so that an insult gets no thanks."""

from __future__ import annotations

import pytest

from assistant.llm.pilot.corpus import read_leads
from assistant.llm.small_talk import kind_of_talk


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("お前は役立たずだ", "talk"), ("you are useless", "talk"), ("thanks for nothing", "talk"), ("ありがとう、でも役に立たないね", "talk"),
        ("Hello, you idiot", "talk"), ("何ができますか", "talk"), ("Who made you?", "talk"),
        ("Thanks, that helped!", "thanks"), ("ok, thank you", "thanks"), ("ありがとうございます", "thanks"), ("助かりました", "thanks"),
        ("Hello!", "greeting"), ("Good morning", "greeting"), ("こんにちは", "greeting"), ("お疲れ様です", "greeting"),
    ],
)  # fmt: skip
def test_kinds_in_both_languages(said, kind):
    assert kind_of_talk(said) == kind


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_kind_has_a_sentence_and_only_thanks_are_answered_with_joy(language):
    leads = read_leads()
    assert all(leads[f"talk.{kind}"][language] for kind in ("talk", "greeting", "thanks"))
    others = [*leads["talk.talk"][language], *leads["talk.greeting"][language]]
    assert not [lead for lead in others if "Glad" in lead or "うれしい" in lead]
    assert not [lead for lead in leads["talk.talk"][language] if "Hello" in lead or "こんにちは" in lead]
