"""Records as Markdown and plots: what a stranger wrote acts nowhere, and a refusal names the next step."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from assistant.advice.comparison import compare_models
from assistant.advice.plan import plan_adoption
from assistant.languages import LANGUAGES
from assistant.phrases import say
from assistant.rendering.results import TurnResult, render_result
from assistant.translation import translate
from tools.file_safety import inspect_files

NAMES = ["./cheap *best* __model__", "./[click](http://198.51.100.7)", "./<img src=x>", "./a|b|c", "./`code`"]


def markdown(tool, record, language="en"):
    return render_result(TurnResult("E1", tool, {}, record), language)


def shown(text):
    """What a reader sees of Markdown, line by line: the text alone, whatever the marks do."""
    tokens = MarkdownIt("commonmark", {"html": False}).enable("table").parse(text)
    inline = [token.children for token in tokens if token.type == "inline"]
    return ["".join(child.content for child in children) for children in inline]


def pickled(tmp_path, count=1):
    """A folder whose weights are pickles only."""
    folder = tmp_path / "legacy"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    for i in range(count):
        (folder / f"pytorch_model-{i}.bin").write_bytes(b"\x80\x04cos\nsystem\n.")
    return str(folder)


# --- file safety ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_T01_a_refusal_names_the_next_step_once(tmp_path, language):
    record = inspect_files(pickled(tmp_path, count=3))
    assert record.verdict == "refuse"
    text = markdown("inspect_files", record, language)
    step = translate(record.findings[0].next_step, language)
    assert say("common.next_step", language, text=step) in text
    assert text.count(step) == 1
    for finding in record.findings:
        assert finding.file in text
        assert translate(finding.next_step, language) in text, "another finding keeps the step of its own"


# --- names in Markdown ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_T13_the_name_of_a_model_is_text_in_a_plan_and_a_comparison(name, language):
    plan = plan_adoption(name, "FAQ", {}, evidence=[])
    (sentence,) = (line for line in shown(markdown("plan_adoption", plan, language)) if name in line)
    assert sentence.startswith(shown(say("common.say_it", language, text=""))[0][:5])
    compared = compare_models([name, "org/other"], evidence=[])
    assert name in " ".join(shown(markdown("compare_models", compared, language)))
    assert sum(name in line for line in shown(markdown("compare_models", compared, language))) == 2


def test_T13_a_currency_is_text_in_a_plan():
    plan = plan_adoption("org/model", "FAQ", {}, evidence=[]).model_copy(update={"budget": "*EUR* <b> 3.00"})
    assert any("*EUR* <b> 3.00" in line for line in shown(markdown("plan_adoption", plan)))
