"""Settings from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.settings import Settings


@pytest.mark.parametrize("written", ['["/srv/a", "/srv/b"]', "/srv/a:/srv/b", " /srv/a:/srv/b "])
def test_mirrors_are_a_list_or_a_path(monkeypatch, written):
    monkeypatch.setenv("TAMESHI_MIRRORS", written)
    assert Settings().mirrors == (Path("/srv/a"), Path("/srv/b"))


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch):
    monkeypatch.setenv("TAMESHI_OFFLINE", "")
    monkeypatch.setenv("TAMESHI_MIRRORS", " ")
    assert (Settings().offline, Settings().mirrors) == (False, ())


def test_what_is_given_outranks_the_environment(monkeypatch):
    monkeypatch.setenv("TAMESHI_LANGUAGE", "ja")
    assert Settings().language == "ja"
    assert Settings(language="en").language == "en"
