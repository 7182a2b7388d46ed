"""Progress as text: the time left, and one line that a terminal rewrites."""

from __future__ import annotations

import io
import os
import pty

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.rendering.progress import TerminalProgress, TimeLeft, progress_text


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_the_time_left_follows_from_the_time_it_took(clock):
    left = TimeLeft(clock)
    clock.now += 10
    assert left.after(0.25) == pytest.approx(30)
    clock.now += 10
    assert left.after(0.5) == pytest.approx(20)
    assert left.after(1.0) == 0


def test_nothing_is_told_while_too_little_is_done(clock):
    left = TimeLeft(clock)
    clock.now += 60
    assert left.after(0.0) is None
    assert left.after(0.02) is None
    clock = Clock()
    left = TimeLeft(clock)
    clock.now += 0.5
    assert left.after(0.5) is None, "half a second says nothing about the rest"


def test_a_step_that_starts_again_is_timed_again(clock):
    left = TimeLeft(clock)
    clock.now += 50
    left.after(0.9)
    left.after(0.1)
    clock.now += 4
    assert left.after(0.5) == pytest.approx(4)


def test_waiting_in_a_queue_is_no_part_of_it(clock):
    left = TimeLeft(clock)
    clock.now += 600
    assert left.after(0.0) is None
    clock.now += 5
    assert left.after(0.5) == pytest.approx(5)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1)), max_size=30))
def test_it_is_never_negative(steps):
    clock = Clock()
    left = TimeLeft(clock)
    for passed, fraction in steps:
        clock.now += passed
        assert (left.after(fraction) or 0) >= 0


@pytest.mark.parametrize(
    ("left_s", "words"),
    [(None, ""), (0.0, ""), (0.2, " · about 1 s left"), (11.0, " · about 15 s left"), (100.0, " · about 2 min left")],
)
def test_the_time_left_is_rounded_up(left_s, words):
    assert progress_text(0.5, "Measuring", left_s, "en") == f"██████░░░░░░  50 % Measuring{words}"


def test_the_line_is_in_the_readers_language_and_harmless():
    text = progress_text(0.1, "Hashing \x1b[2Ja\nb.json", 70.0, "ja")
    assert text.endswith("· 残り約 70 秒")
    assert text.isprintable()


def test_a_log_gets_a_line_a_step(clock):
    stream = io.StringIO()
    shown = TerminalProgress("en", stream, clock)
    shown.started("fetch_model")
    shown.progressed(0.5, "Hashing")
    shown.progressed(0.5, "Hashing")
    shown.progressed(1.0, "Ready")
    shown.ended()
    assert stream.getvalue().splitlines() == [
        "→ fetch_model", "  ██████░░░░░░  50 % Hashing", "  ████████████ 100 % Ready",
    ]  # fmt: skip


def test_a_terminal_gets_one_line_that_is_rewritten_and_goes_away(clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        shown = TerminalProgress("ja", stream, clock)
        shown.started("profile_model")
        shown.progressed(0.5, "Measuring batch size 8 with 128 tokens")
        shown.ended()
        shown.line("done")
        stream.flush()
        seen = b""
        while not seen.endswith(b"done\r\n"):
            seen += os.read(ours, 4096)
    os.close(ours)
    first, drawn, cleared = seen.decode().split("\r\x1b[2K")
    assert first == "→ profile_model\r\n"
    assert drawn.startswith("  ██████░░░░░░  50 % ")
    assert "\n" not in drawn
    assert sum(2 if letter >= "\u3040" and letter != "█" else 1 for letter in drawn) <= 39
    assert cleared == "done\r\n"
