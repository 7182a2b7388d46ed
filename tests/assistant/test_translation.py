"""The catalogues know every text that a tool can emit, and a Japanese answer holds no English sentence."""

from __future__ import annotations

import pickle
import re
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from assistant.briefing import compose
from assistant.llm.turn_schema import TurnContext
from assistant.rendering.results import TurnResult, render_result
from assistant.translation import LONGEST, known_templates, translate
from assistant.turn_events import ToolFailed
from tests.assistant.emitted_texts import ROOT, emitted, forms_of
from tools.documentation import check_documentation
from tools.errors import ToolError
from tools.fetching import fetch_model
from tools.file_safety import inspect_files
from tools.memory import estimate_memory
from tools.model_sources import ModelSources
from tools.profiling.records import Profile, ProfileRun
from tools.profiling.report import noise_verdict
from tools.version import check_version


def test_every_text_of_a_tool_has_a_japanese_entry():
    known = known_templates()
    missing = [
        f"{each.file}:{each.line}: {each.template!r}"
        for each in emitted()
        if not any(form in known for form in forms_of(each.template))
    ]
    assert not missing, "\n".join(["without an entry in assistant/translations:", *missing])


QUOTED_FROM_ELSEWHERE = {
    "system.toml": "messages of Python and of the operating system",
    "composed.toml": "texts that no single place of the code holds",
}


def test_no_entry_is_left_over():
    source = "".join(
        path.read_text(encoding="utf-8")
        for top in ("tools", "knowledge", "assistant")
        for path in (ROOT / top).rglob("*.py")
    )
    used = {form for each in emitted() for form in forms_of(each.template)}
    folder = ROOT / "assistant" / "translations"
    entries = [
        (path.name, english)
        for path in sorted(folder.glob("*.toml"))
        if path.name not in QUOTED_FROM_ELSEWHERE
        for english in tomllib.loads(path.read_text(encoding="utf-8"))
    ]
    # A word alone, such as the name of a term, is no sentence; it must stand in the code as it is or with underscores.
    left_over = [
        f"{file}: {english!r}"
        for file, english in entries
        if english not in used and f'"{english}"' not in source and f'"{english.replace(" ", "_")}"' not in source
    ]
    assert left_over == []


def test_no_text_has_two_entries():
    names = [
        name
        for path in (ROOT / "assistant" / "translations").glob("*.toml")
        for name in tomllib.loads(path.read_text("utf-8"))
    ]
    assert len(names) == len(set(names))


def filled(template: str) -> str:
    return re.sub(r"\{(\d)\}", r"hole\1", template)


def test_entries_keep_their_holes_and_no_english():
    """The holes move over, no other template takes the text away, and nothing English is left."""
    wrong = {}
    for english in map(filled, known_templates()):
        japanese = translate(english, "ja")
        same_holes = sorted(re.findall(r"hole\d", japanese)) == sorted(re.findall(r"hole\d", english))
        if japanese == english or not same_holes or english_sentences(japanese):
            wrong[english] = japanese
    assert wrong == {}


def english_sentences(text: str) -> list[str]:
    """Runs of four or more Latin words outside backticks, quotation marks and table cells of figures."""
    bare = re.sub(r"`[^`]*`|“[^”]*”|「[^」]*」|\[[EG]\d+\]", "|", text)
    return re.findall(r"[A-Za-z][A-Za-z'-]+(?: [A-Za-z][A-Za-z'-]*){3,}", bare)


BUNDLED = "sentence-transformers/all-MiniLM-L6-v2"
OFFLINE = ModelSources(offline=True)


def in_japanese(tool: str, function: Any, *arguments: Any, **options: Any) -> str:
    """The answer to a call as a Japanese reader sees it, whether it succeeds or fails."""
    try:
        record = function(*arguments, sources=OFFLINE, **options)
    except ToolError as error:
        record = ToolFailed(name=tool, message=error.message, next_step=error.next_step)
        turn = TurnContext(question="どうですか")
        return compose([TurnResult("", tool, {}, record)], AIMessage(""), turn, "ja", "manager").text
    return render_result(TurnResult("E1", tool, {}, record), "ja")


@pytest.fixture
def pickled(tmp_path: Path) -> str:
    """A model that has its weights as a pickle only, a card whose front matter is broken, and a program."""
    folder = tmp_path / "legacy"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"weight": [1.0]}, protocol=2))
    (folder / "README.md").write_text("---\nlicense: [\n---\n# A model\n")
    (folder / "run.sh").write_text("echo")
    return str(folder)


@pytest.mark.parametrize(
    ("tool", "options"),
    [
        (fetch_model, {}),
        (inspect_files, {}),
        (estimate_memory, {}),
        (estimate_memory, {"dtype": "bfloat16", "device_memory_gib": 0.25}),
        (estimate_memory, {"batch_size": 0}),
        (estimate_memory, {"dtype": "complex128"}),
        (check_version, {}),
        (check_version, {"revision": "v9"}),
        (check_documentation, {"use_case": "FAQ search in Japanese"}),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_answers_about_the_bundled_model(tool, options):
    text = in_japanese(tool.__name__, tool, BUNDLED, **options)
    assert english_sentences(text) == []


@pytest.mark.parametrize("tool", [fetch_model, inspect_files, estimate_memory, check_version, check_documentation])
@pytest.mark.parametrize("model", ["nobody/nothing", "./nowhere", "hello world", "meta-IIama/Llama-3", "gpt2"])
def test_answers_about_models_that_are_not_there(tool, model):
    assert english_sentences(in_japanese(tool.__name__, tool, model)) == []


@pytest.mark.parametrize("tool", [fetch_model, inspect_files, estimate_memory, check_version, check_documentation])
def test_answers_about_a_pickle(tool, pickled):
    text = in_japanese(tool.__name__, tool, pickled)
    assert english_sentences(text) == []


def test_refusal_of_a_pickle_reads_as_japanese(pickled):
    assert in_japanese("fetch_model", fetch_model, pickled) == (
        f"**モデルを取得** — `pytorch_model.bin` に問題があるため、`{pickled}` の読み込みを見送りました。"
        "中身は pickle の命令で、読み込むだけで任意のプログラムが動くおそれがあります(規則 T01)。\n\n"
        "**次の一歩**:safetensors 形式の版を探すか、隔離した環境で safetensors に変換してください。"
    )


def test_answers_about_damaged_files(pickled):
    Path(pickled, "model.safetensors").write_bytes(b"\x08" + bytes(7) + b'{"a": 1]')
    Path(pickled, "config.json").write_text('{"model_type": "bert",')
    text = in_japanese("inspect_files", inspect_files, pickled)
    assert "は正しい JSON ではありません" in text
    assert "(規則 T12)(規則 T12)" not in text
    assert english_sentences(text) == []


def test_profile_and_trials():
    profile = Profile(
        model=BUNDLED, commit="c", task="feature-extraction", device_name="CPU", device_kind="cpu", dtype="float32",
        threads=2, import_s=1.0, load_s=1.0, first_call_ms=1.0, memory=(), peak_memory_mib=400.0, noise="noisy",
        noise_reason=noise_verdict(0.5, ())[1], not_checked=("quality of the answers: inputs were made up",), isolation=(), wall_s=3.0,
        conditions="Some CPU, Inc, 2 threads, float32, torch 2.13.0, transformers 5.23.0; batch 1/8, 128 tokens, 16 new tokens; "
        "random token ids, one warm-up call per run, wall-clock time per call",
        runs=(ProfileRun(batch_size=1, sequence_length=600, dtype="float32",
                         error="Not run: 600 tokens are more than its 512 positions."),),
    )  # fmt: skip
    text = render_result(TurnResult("E1", "profile_model", {}, profile), "ja")
    assert "ほかのプログラムが CPU 0.50 コア分を使用" in text
    assert "未実行(600 トークンは、モデルの上限 512 を超えています)" in text
    assert english_sentences(text) == []


@pytest.mark.parametrize(
    ("english", "japanese"),
    [
        # Reasons in a list, a stage in small letters, a text within a text within a text.
        (
            "Loading would not give the model that the files describe (rule T10): tensors of `BertModel` do not match the files: "
            "2 missing (such as `a.b`); 1 of another shape (such as `c`).",
            "読み込んでも、ファイルの記述どおりのモデルになりません(規則 T10)。"
            "`BertModel` のテンソルがファイルと一致しません(不足 2 個(例:`a.b`)、形状の違い 1 個(例:`c`))。",
        ),
        (
            "Memory ran out while measuring batch size 8 with 128 tokens: about 1,200 MiB were forecast, 900 MiB were free "
            "(the system ended the process).",
            "「バッチ 8、128 トークンの計測」の途中でメモリが不足しました。予測は約 1,200 MiB、空きは 900 MiB(システムがプロセスを終了)。",
        ),
        (
            "It is a tar archive with the pickle data.pkl, compressed; loading it can run any program.",
            "中身は圧縮された、pickle(data.pkl)を含む tar アーカイブで、読み込むだけで任意のプログラムが動くおそれがあります。",
        ),
        (
            "as written against capital letters: lowest cosine similarity 0.8123 at “Tokens are more.”, tolerance 0.95",
            "コサイン類似度は最小 0.8123(「Tokens are more.」)、許容値 0.95(原文と、大文字にした文の比較)",
        ),
        # What is quoted is a name, also when the catalogue knows it as a text.
        ("`weights` has no revision `tokens`.", "`weights` に版 `tokens` はありません。"),
        ("`{0}{1}{name!r:>99}` was not found on the hub.", "`{0}{1}{name!r:>99}` はハブで見つかりませんでした。"),
    ],
)  # fmt: skip
def test_composed_texts(english, japanese):
    assert translate(english, "ja") == japanese
    assert translate(english, "en") == english


@given(st.text(max_size=300))
def test_random_text_stays_as_it_is(text):
    assume(text.lower() not in {known.lower() for known in known_templates()})  # Hypothesis tries texts of the code too
    assert translate(text, "ja") == text
    assert translate(text, "en") == text


_UNTRUSTED = st.text(st.characters(codec="utf-8", exclude_characters="`"), max_size=60) | st.sampled_from(
    ["{0}", "{", "}}", "{1}{0}", "%s", "{x.__class__}", "\\1", "$1", "weights", "It was added."]
)


@given(_UNTRUSTED, _UNTRUSTED)
def test_untrusted_names_survive(model, revision):
    assert translate(f"`{model}` has no revision `{revision}`.", "ja") == f"`{model}` に版 `{revision}` はありません。"


@given(st.sampled_from(sorted(known_templates())), st.lists(_UNTRUSTED, min_size=10, max_size=10))
def test_no_content_of_a_hole_makes_it_fail(template, contents):
    text = re.sub(r"\{(\d)\}", lambda m: contents[int(m[1])], template)
    assert isinstance(translate(text, "ja"), str)


@pytest.mark.parametrize(
    "text",
    ["`" * LONGEST, "`a` is " * 500, "; " * 1_999, "x, " * 1_300, "is nested deeper than " * 180, "a" * 10_000_000, "it is {0} " * 400],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_hostile_texts_take_no_time(text):
    start = time.process_time()
    assert isinstance(translate(text, "ja"), str)
    assert time.process_time() - start < 1.0
