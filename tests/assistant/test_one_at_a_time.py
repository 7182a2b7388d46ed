"""Tools run one at a time, in the order of asking."""

from __future__ import annotations

import threading
import time

import pytest

from assistant.one_at_a_time import LOOKS_EVERY_S, OneAtATime
from tools.errors import Cancelled
from tools.progress import CancelToken


@pytest.fixture
def gate():
    return OneAtATime()


def begin_waiting(gate, name, came, cancel=None):
    """A thread that waits for its turn, once it stands in line."""
    before = len(gate._order)

    def take():
        try:
            with gate.alone(cancel or CancelToken()):
                came.append(name)
        except Cancelled:
            came.append(f"{name} was stopped")

    thread = threading.Thread(target=take)
    thread.start()
    while len(gate._order) == before:
        pass
    return thread


def test_who_asked_first_is_first(gate):
    came = []
    with gate.alone(CancelToken()):
        waiting = [begin_waiting(gate, name, came) for name in "abcdef"]
        assert came == []
    for thread in waiting:
        thread.join()
    assert came == list("abcdef")


def test_who_is_alone_may_ask_again(gate):
    with gate.alone(CancelToken()), gate.alone(CancelToken()):
        pass
    with gate.alone(CancelToken()):
        pass


def test_who_is_stopped_while_waiting_leaves_the_line(gate):
    came, stopped = [], CancelToken()
    with gate.alone(CancelToken()):
        first, second = begin_waiting(gate, "a", came, stopped), begin_waiting(gate, "b", came)
        stopped.cancel()
        first.join()
        assert came == ["a was stopped"]
    second.join()
    assert came == ["a was stopped", "b"]


def test_who_waits_is_told_how_many_strangers_are_before(gate):
    own, heard = CancelToken(), []

    def take():
        with gate.alone(own, heard.append):
            heard.append("came")

    with gate.alone(CancelToken()):
        other = begin_waiting(gate, "b", [])
        waiting = threading.Thread(target=take)
        waiting.start()
        while not heard:
            pass
        assert heard == [2]
    other.join()
    waiting.join()
    assert heard[-1] == "came"
    assert set(heard[1:-1]) <= {1}


def test_steps_of_ones_own_question_are_no_strangers(gate):
    own, heard = CancelToken(), []

    def take():
        with gate.alone(own, heard.append):
            heard.append("came")

    with gate.alone(own):
        waiting = threading.Thread(target=take)
        waiting.start()
        while len(gate._order) < 2:
            pass
        time.sleep(3 * LOOKS_EVERY_S)
        assert heard == []
    waiting.join()
    assert heard == ["came"]


def test_an_error_lets_the_next_one_come(gate):
    with pytest.raises(ZeroDivisionError), gate.alone(CancelToken()):
        raise ZeroDivisionError
    with gate.alone(CancelToken()):
        pass
