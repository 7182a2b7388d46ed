"""The consent to a large download says what it would bring, before any of it is here."""

from __future__ import annotations

import re
from pathlib import Path

from fakes import call
from langchain_core.messages import AIMessage

from assistant.translation import translate


def test_the_consent_names_the_figures_and_then_the_model_is_fetched(make_assistant, tiny_model, hub):
    folder = Path(tiny_model())
    commit = hub.commit("org/tiny", {path.name: path.read_bytes() for path in folder.iterdir()})
    script = [call(("fetch_model", {"model": "org/tiny"})), AIMessage("Here it is.")]
    assistant = make_assistant(script, approve_above_gib=0.0001, offline=False)
    events = list(assistant.stream("Fetch org/tiny", user="alice", conversation="c"))
    assert [event.kind for event in events] == ["tool_planned", "approval_needed"]
    reason = events[-1].reason
    assert re.search(r"org/tiny: 0\.0 GiB are downloaded .* has \d+\.\d GiB free", reason)
    assert re.search(r"a run needs about 0\.\d GiB of memory, and there are \d+\.\d GiB", reason)
    assert "Apache-2.0" in reason
    assert not list(hub.cache.rglob("*.safetensors"))
    japanese = translate(reason, "ja")
    assert "ディスク(空き" in japanese
    assert "Apache-2.0" in japanese
    assert not re.search(r"[A-Za-z]+ [a-z]+ [a-z]+", japanese)
    after = list(assistant.approve(events[-1].id, "approve"))
    (finished,) = [event for event in after if event.kind == "tool_finished"]
    assert finished.record.commit == commit
