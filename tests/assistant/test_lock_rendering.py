"""Locks and their check as text: untrusted names act nowhere, and a Japanese reader reads Japanese."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from assistant.rendering.locking import render_check, render_locked, render_news
from tools.comparing.change import Change
from tools.locking.check import CheckedModel, LockCheck
from tools.locking.drift import LibraryChange, ModelState
from tools.locking.policy import RuleResult
from tools.locking.records import LockedFile, LockedModel
from tools.locking.watching import ModelNews

HOSTILE = "`<img src=http://x.example/y>` [a](http://x.example) **b**\n# c"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def change(file="tokenizer.json", description="It is missing.", details=()):
    retest = "Run your acceptance test again, and check lengths and stored token counts."
    return Change(kind="tokenizer", file=file, description=description, retest=retest, risk="high", details=details)


def checked(**state):
    fields = {"model": "org/name", "commit": COMMIT, "state": "drifted", "source": "hub"}
    rules = (RuleResult(rule="licences", outcome="failed", holds=False, found="The licence is `MIT`."),)
    models = (CheckedModel(state=ModelState(**fields | state), rules=rules, verdict="failed"),)
    return LockCheck(verdict="failed", checked_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC), models=models)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_T13_untrusted_names_act_nowhere(language):
    entry = LockedModel(
        reference="org/name", commit=COMMIT, source="hub", locked_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
        locked_by="<img src=x> [a](http://x.example)", safety="flag",
        files=(LockedFile(name="a", size_bytes=1, sha256="ab" * 32),),
    )  # fmt: skip
    drift = change(HOSTILE, HOSTILE, (HOSTILE,))
    texts = (
        render_locked(entry, Path("<b>.lock"), language),
        render_check(checked(drifts=(drift,), reason=HOSTILE, next_step=""), language),
        render_news(
            ModelNews(model="org/name", commit=COMMIT, state="news", changes=(drift,), reason=HOSTILE), language
        ),
    )
    for text in texts:
        html = MarkdownIt().render(text)
        assert not re.search(r"<(?:img|a|h1|b)\b", html), html


def test_a_japanese_reader_reads_japanese():
    drift = change("tokenizer.json", "It is missing.", ("The tokenizer has 21 pieces instead of 20.",))
    libraries = (LibraryChange(name="torch", locked="2.12.0", installed=None),)
    text = render_check(checked(drifts=(drift,), libraries=libraries), "ja")
    assert "語彙が 20 語から 21 語" in text
    assert "torch 2.12.0 → なし" in text
    assert not re.search(r"[A-Za-z]+ [a-z]+ [a-z]+", re.sub(r"`[^`]*`", "", text))


def test_many_changes_are_counted_and_not_all_listed():
    text = render_check(checked(drifts=tuple(change(f"f{number}.json") for number in range(40))), "en")
    assert "and 28 more" in text
    assert len(text) < 4_000
