"""Watching is quiet until something happens that matters, and tells that by its meaning."""

from __future__ import annotations

import json

import pytest

from tools.advisories import Advisory
from tools.hub import forget_reachability
from tools.locking.watching import watch_model


@pytest.fixture
def watched(hub, hub_sources, make_files, locked, lock_path):
    """The function that looks at a model that was locked before; changes become a new commit."""
    hub.commit("org/tiny", make_files(LICENSE=b"Permission is hereby granted, free of charge", image__png=b"1"))
    entry = locked("org/tiny", hub_sources)

    def look(**changes):
        if changes:
            hub.commit(
                "org/tiny",
                make_files(
                    **{"LICENSE": b"Permission is hereby granted, free of charge", "image__png": b"1"} | changes
                ),
            )
        return watch_model(entry, lock_path, sources=hub_sources)

    look.entry = entry
    return look


def test_nothing_new_is_quiet(watched):
    news = watched()
    assert (news.state, news.access, news.behind, news.changes) == ("quiet", "open", 0, ())


@pytest.mark.parametrize("changes", [{"image__png": b"2"}, {"extra__bin": b"x"}], ids=str)
def test_a_new_commit_without_consequence_is_quiet(watched, changes):
    news = watched(**changes)
    assert (news.state, news.behind, news.changes, news.other_changes) == ("quiet", 1, (), 1)
    assert news.newest_commit != news.commit


def test_a_config_of_another_layout_is_quiet(watched, make_files):
    news = watched(config__json=json.dumps(json.loads(make_files()["config.json"]), indent=4).encode())
    assert (news.state, news.other_changes) == ("quiet", 1)


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        ({"README__md": b"---\nlicense: cc-by-nc-4.0\n---\n# Tiny\n"}, "card", "the licence"),
        ({"LICENSE": b"Attribution-NonCommercial 4.0 International"}, "licence", ""),
        ({"LICENSE": None}, "licence", "removed"),
        ({"chat_template__jinja": b"{{ messages }}"}, "chat_template", "added"),
        ({"config__json": lambda files: files["config.json"].replace(b'"hidden_size": 8', b'"hidden_size": 9')}, "config", "hidden_size"),
    ],
)  # fmt: skip
def test_what_matters_is_told_by_its_meaning(watched, make_files, changes, kind, says):
    news = watched(**{name: change(make_files()) if callable(change) else change for name, change in changes.items()})
    assert news.state == "news"
    (change,) = [each for each in news.changes if each.kind == kind]
    assert says in " ".join((change.description, *change.details))
    assert news.behind == 1
    assert "tameshi lock org/tiny" in news.next_step


def test_a_history_that_was_rewritten_is_news(watched, hub, make_files):
    config = json.dumps(json.loads(make_files()["config.json"]) | {"hidden_act": "relu"}).encode()
    hub.repositories["org/tiny"].commits.clear()
    news = watched(config__json=config)
    assert news.state == "news"
    assert news.behind is None
    assert "history was rewritten" in news.reason
    assert [change.kind for change in news.changes] == ["config"]


@pytest.mark.parametrize(
    ("part", "fault", "access"),
    [("/api/models/org/tiny", 404, "gone"), ("/api/models/org/tiny", 403, "gated"), ("/resolve/", 403, "gated")],
)
def test_access_that_was_taken_away_is_news(watched, hub, part, fault, access):
    hub.fail(part, fault)
    news = watched()
    assert (news.state, news.access) == ("news", access)
    assert news.reason
    assert "copy of the files" in news.next_step


@pytest.mark.parametrize("fault", [500, 429, "html"])
def test_T21_a_hub_that_fails_is_no_news(watched, hub, fault):
    hub.fail("/api/models/org/tiny", fault)
    news = watched()
    assert (news.state, news.access) == ("unavailable", None)
    assert news.reason


def test_a_hub_that_is_away_is_no_news(watched, hub_sources, lock_path):
    forget_reachability()
    news = watch_model(
        watched.entry, lock_path, sources=hub_sources.model_copy(update={"endpoint": "http://127.0.0.1:9"})
    )
    assert news.state == "unavailable"
    assert "could not be reached" in news.reason


def test_an_advisory_that_applies_now_is_news_once(watched, hub_sources, lock_path, monkeypatch):
    advisory = Advisory(id="CVE-2030-1", package="torch", installed="2.13.0", affected=True, file="model.safetensors",
                        reason="It can run code.", fixed_in="2.14.0", next_step="Install it.")  # fmt: skip
    monkeypatch.setattr("tools.locking.drift.reachable_advisories", lambda *_args: (advisory,))
    news = watched()
    assert (news.state, [each.id for each in news.advisories]) == ("news", ["CVE-2030-1"])
    known = watched.entry.model_copy(update={"advisories": ("CVE-2030-1",)})
    assert watch_model(known, lock_path, sources=hub_sources).state == "quiet"


def test_a_folder_is_watched_by_its_content(tiny_folder, locked, offline, lock_path):
    entry = locked(str(tiny_folder), offline)
    assert watch_model(entry, lock_path, sources=offline).state == "quiet"
    (tiny_folder / "config.json").write_text("{}")
    news = watch_model(entry, lock_path, sources=offline)
    assert news.state == "news"
    assert "config.json" in {change.file for change in news.changes}
