"""What stands beside the chat: its evidence, what it cites from earlier, and the plot that was chosen."""

from __future__ import annotations

import pytest

from assistant.evidence import EvidenceStore
from assistant.web.panels import evidence_markdown, evidence_of_chat, newest_plan, profile_plot
from tools.profiling.records import Profile, ProfileRun

PROFILE = Profile(
    model="org/model", commit="c", task="feature-extraction", device_name="CPU", device_kind="cpu", dtype="float32",
    threads=2, import_s=2.0, load_s=0.5, first_call_ms=90.0, memory=(), peak_memory_mib=400.0, noise="quiet",
    noise_reason="", conditions="", not_checked=(), isolation=(), wall_s=3.0,
    runs=(ProfileRun(batch_size=1, sequence_length=8, dtype="float32", latency_p50_ms=4.0, throughput_per_s=250.0),),
)  # fmt: skip


@pytest.fixture
def store(tmp_path):
    """A real store: E1 was made in conversation `first`, E2 in `second`, both by user `u`."""
    opened = EvidenceStore(f"sqlite:///{tmp_path / 'evidence.sqlite3'}")
    for conversation in ("first", "second"):
        opened.add(PROFILE, user="u", conversation=conversation, tool="profile_model", arguments={})
    yield opened
    opened.close()


def said(text, role="assistant"):
    return {"role": role, "content": text}


def ids(evidence):
    return [each.id for each in evidence]


def test_what_an_answer_cites_from_an_earlier_conversation_stands_beside_it(store):
    assert ids(evidence_of_chat(store, "u", "second", [said("Measured [E2].")])) == ["E2"]
    assert ids(evidence_of_chat(store, "u", "second", [said("Measured [E1], [E1] and [E99].")])) == ["E2", "E1"]
    assert ids(evidence_of_chat(store, "u", "third", [said([{"type": "text", "text": "Measured [E1]."}])])) == ["E1"]


def test_T26_nobody_reads_anothers_evidence_by_its_number(store):
    assert evidence_of_chat(store, "other", "second", [said("Measured [E1].")]) == []
    assert evidence_of_chat(store, "u", "third", [said("What of [E1]?", role="user")]) == []


def test_the_panel_that_was_chosen_is_drawn_where_it_can_be(store):
    evidence = store.find(user="u")
    assert profile_plot(evidence, "en", "memory").panel == "memory"
    assert profile_plot(evidence, "en", "roofline").panel == "speed"
    assert profile_plot(evidence, "en").panels == ("speed", "memory")
    assert profile_plot([], "en") is None
    assert newest_plan(evidence) is None


def test_the_evidence_is_listed_by_number_and_name(store):
    lines = evidence_markdown(store.find(user="u"), "ja").splitlines()
    assert [line.split(" · ")[0] for line in lines] == [
        "- **E2** このマシンで実測 `org/model`", "- **E1** このマシンで実測 `org/model`",
    ]  # fmt: skip
