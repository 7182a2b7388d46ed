"""The page in a real browser: what a newcomer sees and clicks, from the first question to the downloaded report."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt-get install chromium)"),
]
MINILM = "sentence-transformers/all-MiniLM-L6-v2"
ANSWER_MS = 90_000


@pytest.fixture(scope="module")
def address(tmp_path_factory, guidance_index):
    """Address of a real `python app.py`, a process of its own as a newcomer would start it."""
    with served(tmp_path_factory.mktemp("home"), guidance_index) as url:
        yield url


@contextmanager
def served(home, guidance_index, **settings):
    (home / "index").symlink_to(guidance_index)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"TAMESHI_HOME": str(home), "TAMESHI_OFFLINE": "1", "TAMESHI_PORT": str(port), **settings}
    environment = {**os.environ, **own}  # noqa: TID251 (the environment of a process that is started)
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=Path(__file__).parent.parent,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_served(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_until_served(url, process):
    for _ in range(600):
        assert process.poll() is None, "the application ended"
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                assert response.status == 200
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the page was not served within a minute")


@pytest.fixture
def page(browser, address):
    """A fresh page; requests that leave this machine are collected and fail the test at its end."""
    context = browser.new_context(viewport={"width": 1360, "height": 900}, locale="en-US", accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(ANSWER_MS)
    foreign = []
    page.on("request", lambda r: foreign.append(r.url) if not r.url.startswith((address, "data:", "blob:")) else None)
    page.goto(address)
    page.locator("#question textarea").wait_for()
    yield page
    context.close()
    assert foreign == []


def ask(page, text):
    """Send a question and wait until its answer is complete; returns the answer's text."""
    answers = page.locator("#chat .bot.message")
    before = answers.count()
    page.locator("#question textarea").fill(text)
    page.locator("#send").click()
    # An empty question is answered before anyone could see the button that stops it.
    answers.nth(before).wait_for()
    page.locator("#stop").wait_for(state="hidden")
    return answers.last.inner_text()


def test_the_managers_conversation(page):
    first = ask(
        page, "部下から事前学習モデルを使えば効率化できると言われています。拾ってきて使えばいいだけではないのですか"
    )
    assert "次の一歩" in first
    assert len(set(re.findall(r"\[(G\d+)\]", first))) >= 3
    assert "[G02]" in ask(page, "要するに小さく試してから段階的に投資するということですか")
    assert "まず小さく試します" in ask(page, "現場に説明する短い言い方をください")


def test_measure_then_plan_and_download(page):
    answer = ask(page, f"Profile {MINILM} with batch 1, 8 and 32, then tell me if 2 GB of memory is enough.")
    assert "Yes, with room" in answer
    assert page.locator("#chat table").first.is_visible()
    plot = page.locator("#plot img")
    plot.wait_for(state="visible")
    speed = plot.get_attribute("src")
    page.locator("#panel").get_by_text("Memory").click()
    page.wait_for_function("shown => document.querySelector('#plot img')?.src !== shown", arg=speed)
    assert "Measure on this machine" in page.locator("#evidence").inner_text()

    answer = ask(page, "We want it for FAQ search. Plan the adoption, 20,000 questions a day, 0.5 dollars an hour.")
    assert "proof of concept" in answer
    links = page.locator("#reports a[download]")
    links.first.wait_for(state="visible")
    names = [link.get_attribute("download") for link in links.all()]
    assert sorted(Path(name).suffix for name in names) == [".html", ".json", ".md"]
    with page.expect_download() as waiting:
        links.nth([Path(name).suffix for name in names].index(".json")).click()
    plan = json.loads(Path(waiting.value.path()).read_text(encoding="utf-8"))
    assert plan["plan"]["model"] == MINILM
    assert plan["evidence"]


def test_a_document_is_added_quoted_first_and_removed(page, tmp_path):
    policy, scan = tmp_path / "policy.md", tmp_path / "scan.pdf"
    policy.write_text("# House rules\n\n## Formats\n\nPickle files are forbidden <b>here</b>.\n", encoding="utf-8")
    scan.write_bytes(b"\x89PNG\r\n\x1a\n")
    page.locator("#documents button").first.click()
    page.get_by_text("No document has been added yet.").wait_for()
    with page.expect_file_chooser() as chooser:
        page.locator("#documents-add").click()
    chooser.value.set_files([policy, scan])
    page.locator("#documents-list").get_by_text("House rules").wait_for()
    told = page.locator("#documents-told").inner_text()
    assert "House rules is added as" in told
    assert "scan.pdf is a picture" in told

    answer = ask(page, "Are pickle files forbidden?")
    assert (
        answer.index("Your policy")
        < answer.index("Pickle files are forbidden here.")
        < answer.index("General guidance")
    )

    page.locator("#documents-own input").click()
    page.get_by_role("option").first.click()
    page.locator("#documents-remove").click()
    page.locator("#documents-told").get_by_text("is removed").wait_for()
    page.get_by_text("No document has been added yet.").wait_for()


def test_version_and_documentation_in_japanese(page):
    answer = ask(page, f"{MINILM} の版と文書を確認して")
    assert "欠けている項目" in answer


def test_bad_input_gets_a_sentence_and_nothing_is_lost(page):
    assert "empty" in ask(page, "   ")
    assert "no-such-model" in ask(page, "How much memory does nobody-here/no-such-model need?")
    assert page.locator("#chat .bot.message").count() >= 2


def test_T30_T31_markup_in_a_question_is_shown_as_text(page):
    ask(
        page, "<img src=http://192.0.2.1/x.png onerror=document.title='hit'><script>document.title='hit'</script> hello"
    )
    assert page.title() == "Tameshi"
    assert page.locator("#chat img[src*='192.0.2.1']").count() == 0


def test_labels_in_japanese(page):
    page.locator("#language").get_by_text("日本語").click()
    page.locator("#send").get_by_text("送信").wait_for()
    answer = ask(page, f"Check the version of {MINILM}")
    assert "次の一歩" in answer, "the chosen language outranks that of the question"


def test_a_japanese_browser_gets_a_japanese_page_and_the_reader_may_choose_english(browser, address):
    context = browser.new_context(locale="ja-JP", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(ANSWER_MS)
    page.goto(address)
    page.locator("#send").get_by_text("送信").wait_for()
    assert page.locator("#evidence").inner_text().startswith("まだ")
    assert page.locator("#documents").get_by_text("チームの文書").count() == 1
    page.locator("#language").get_by_text("English").click()
    page.locator("#send").get_by_text("Send").wait_for()
    context.close()


def test_a_language_chosen_while_the_page_is_still_loading_is_kept(browser, address):
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(ANSWER_MS)
    loading = []
    page.route("**/queue/join*", lambda route: route.continue_() if loading else loading.append(route))
    with page.expect_request("**/queue/join*"):
        page.goto(address)
    page.locator("#language").get_by_text("日本語").click()
    loading[0].continue_()
    page.locator("#send").get_by_text("送信").wait_for()
    context.close()


def test_an_example_is_asked_and_what_is_typed_stays(page):
    page.locator("#question textarea").fill("What is a model card?")
    page.locator("#chat").get_by_text("just download a model").click()
    page.locator("#chat .bot.message").get_by_text("Next step").first.wait_for()
    page.locator("#stop").wait_for(state="hidden")
    assert page.locator("#chat .user.message").inner_text().startswith("Can't we just download")
    assert page.locator("#question textarea").input_value() == "What is a model card?"


def test_a_dear_step_is_run_or_left_as_the_reader_decides(browser, tmp_path, guidance_index):
    with served(tmp_path, guidance_index, TAMESHI_APPROVE_ABOVE_GIB="0.01") as url:
        page = browser.new_page(locale="en-US")
        page.set_default_timeout(ANSWER_MS)
        page.goto(url)
        ask(page, f"Profile {MINILM} with batch 1")
        page.locator("#question textarea").fill("What is a model card?")
        page.locator("#reject").click()
        page.locator("#chat").get_by_text("not approved").first.wait_for()
        assert not page.locator("#approve").is_visible()
        assert page.locator("#question textarea").input_value() == "What is a model card?"
        ask(page, f"Profile {MINILM} with batch 1")
        page.locator("#approve").click()
        page.locator("#evidence").get_by_text("Measure on this machine").wait_for()
        page.close()


def begin(page, text):
    """Send a question that runs a tool for long, and wait until it runs."""
    page.locator("#question textarea").fill(text)
    page.locator("#send").click()
    page.locator("#chat").get_by_text("Measure on this machine").wait_for()


def test_what_is_typed_while_a_turn_runs_stays_and_starts_no_second_turn(page):
    begin(page, f"Profile {MINILM} with batch 1, 2 and 4, and measure it again")
    page.locator("#question textarea").fill("What is a model card?")
    page.locator("#question textarea").press("Enter")
    page.locator("#stop").click()
    page.locator("#send").wait_for(state="visible")
    assert page.locator("#question textarea").input_value() == "What is a model card?"
    assert page.locator("#chat .user.message").count() == 1
    page.locator("#send").click()
    page.locator("#chat .bot.message").get_by_text("model card").first.wait_for()


def test_a_new_conversation_leaves_the_turn_that_runs(page):
    begin(page, f"Profile {MINILM} with batch 1, 2 and 8, and measure it again")
    page.get_by_role("button", name="New conversation").click()
    page.locator("#chat .message").first.wait_for(state="detached")
    page.locator("#send").wait_for(state="visible")
    assert "[G" in ask(page, "What is a model card?")
    assert page.locator("#chat .user.message").count() == 1
    assert "Measure on this machine" not in page.locator("#evidence").inner_text()


def test_a_page_that_is_left_while_a_tool_runs_holds_up_no_other(page):
    begin(page, f"Profile {MINILM} with batch 1, 4 and 16, and measure it again")
    page.reload()
    page.locator("#question textarea").wait_for()
    assert "[G" in ask(page, "What is a model card?")
    assert "Measure on this machine" not in page.locator("#evidence").inner_text()


def test_emptying_the_chat_begins_a_new_conversation(page):
    ask(page, "What is a model card?")
    page.locator("#evidence").get_by_text("E").first.wait_for()
    page.get_by_label("Clear").first.click()
    page.locator("#evidence").get_by_text("Nothing has been measured").wait_for()


def test_T26_two_readers_do_not_see_each_other(browser, address):
    pages = [browser.new_context().new_page() for _ in range(2)]
    for page in pages:
        page.set_default_timeout(ANSWER_MS)
        page.goto(address)
    ask(pages[0], f"Check the version of {MINILM}")
    assert pages[0].locator("#chat .bot.message").count() > 0
    assert pages[1].locator("#chat .bot.message").count() == 0
    assert "E1" not in pages[1].locator("#evidence").inner_text()
    for page in pages:
        page.context.close()


def test_no_function_of_the_page_is_a_public_endpoint(address):
    with urllib.request.urlopen(f"{address}/gradio_api/info", timeout=20) as response:
        info = json.load(response)
    assert info["named_endpoints"] == {}
    assert info["unnamed_endpoints"] == {}
