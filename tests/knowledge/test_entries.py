"""Every guidance file is of the form, the topics are covered, and a figure is printed only where a study stated it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assistant.tool_catalogue import RECORDS
from knowledge.entry import FOLDER, MAX_BYTES, MAX_NODES, SECTIONS, Entry, read_entries, read_entry
from knowledge.errors import InvalidEntry
from knowledge.topics import AUDIENCES, LANGUAGES, STAGES, TOOL_NAMES, TOPICS

FILES = sorted(FOLDER.glob("*.md"))
ENTRIES = {path.stem: read_entry(path) for path in FILES}
PIN = (FOLDER / "pin-the-commit-not-the-name.md").read_text(encoding="utf-8")

# What each study found, as figures that its abstract or page states; percentages carry their sign.
FINDINGS: dict[str, set[str]] = {
    "2202.10054": {"10", "2%", "7%"},
    "2303.02552": {"12"},
    "2303.17708": {"200", "33%"},
    "2305.11164": {"1417"},
    "2310.01642": {"108"},
    "2310.16787": {"1800", "72%", "50%"},
    "2401.13177": set(),
    "2402.05160": {"32111"},
    "2403.13784": set(),
    "2409.10472": {"52227", "40.87%", "148"},
    "2410.06992": {"32.67%", "31.08%"},
    "2411.02355": {"500000", "1", "3%"},
    "2503.19444": {"18", "86", "874"},
    "2506.23234": {"840", "31", "7"},
    "2508.15987": {"44.9%"},
    "2509.06085": {"401", "21%", "37%", "23%"},
    "2509.09873": {"1600000", "140000", "35.5%"},
    "2602.19818": {"727", "7", "63%"},
    "2604.17940": {"4988", "323", "406", "2814", "3"},
    "Challenges of Using Pre-trained Models": {"5896"},
    "NIST AI 600-1": {"12"},
    "ISO/IEC 42001": {"38"},
}
# Numbers of a "why" section that are no finding, with the words they may stand in.
NO_FINDINGS = (
    r"ISO/IEC 42001",  # the standard's own number
    r"SANER 2024",  # venue of a study
    r"18 July 2025|2025年7月18日",  # date of the Commission's guidelines
    r"one third|3分の1を超え",  # the share of training compute in those guidelines
    r"9人までは動いたのに10人目で落ちる",  # an example of what is seen, not a count of anything
)
# Percentages, and counts from 100 up, that stand in other sections.
ORDINARY = (r"sha256",)

_ID = re.compile(r"arXiv (\d{4}\.\d{5})")
_SCALES = {"万": 10_000, "億": 100_000_000, "million": 1_000_000, "M": 1_000_000, "thousand": 1_000, "k": 1_000}
# A digit that belongs to a name (INT8, GPT-4, Llama-3.1) is no figure.
_FIGURE = re.compile(
    r"(?<![A-Za-z0-9.,])(?<![A-Za-z]-)(\d[\d,]*(?:\.\d+)?)(?:\s*(%|万|億|(?:million|thousand|[Mk])\b))?"
)


def figures(text: str) -> set[str]:
    """The figures of a text in one spelling: `52,227件` and `1.6 M` become `52227` and `1600000`."""
    plain = unicodedata.normalize("NFKC", text)
    found = set()
    for number, unit in _FIGURE.findall(re.sub(r"(\d)分の1(?!\d)", r"\1", plain)):
        value = float(number.replace(",", "")) * _SCALES.get(unit, 1)
        found.add(f"{value:g}%" if unit == "%" else f"{value:.10g}")
    return found


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[。.])(?<!al\.)(?:\s+|(?<=。))", text)


def without(text: str, patterns: tuple[str, ...]) -> str:
    return re.sub("|".join((*patterns, _ID.pattern)), " ", text)


def is_large(figure: str) -> bool:
    return figure.endswith("%") or float(figure) >= 10


def stated_by(entry: Entry) -> set[str]:
    """Figures of all studies that an entry names as its sources."""
    named = " ".join(source.citation() for source in entry.sources)
    return set().union(*(found for source, found in FINDINGS.items() if source in named))


def test_figures_are_read_in_both_spellings():
    assert figures("52,227件の40.87％、160万、1.6 M models, 140 thousand, INT8, GPT-4, Llama-3.1, 3分の1") == {
        "52227", "40.87%", "1600000", "140000", "3",
    }  # fmt: skip


def test_there_are_at_least_150_entries_with_ids_and_titles_of_their_own():
    entries = read_entries()
    assert len(entries) == len(FILES) >= 150
    assert len({entry.id for entry in entries}) == len(entries)
    for language in LANGUAGES:
        assert len({entry.title_in(language) for entry in entries}) == len(entries)


def test_no_two_entries_share_an_ask():
    asked_by: dict[str, str] = {}
    for entry in ENTRIES.values():
        for ask in (*entry.asks.en, *entry.asks.ja):
            bare = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", ask).casefold())
            assert bare not in asked_by, f"{entry.id} and {asked_by[bare]} both list: {ask}"
            asked_by[bare] = entry.id


def test_every_topic_has_three_entries_and_every_stage_and_audience_has_one():
    entries = ENTRIES.values()
    filed = Counter(topic for entry in entries for topic in entry.topics)
    assert not [topic for topic in TOPICS if filed[topic] < 3]
    assert {stage for entry in entries for stage in entry.stage} == set(STAGES)
    assert {reader for entry in entries for reader in entry.audience} == set(AUDIENCES)


def test_tools_that_guidance_can_name_are_those_of_the_toolbox():
    assert set(TOOL_NAMES) == set(RECORDS)


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_speaks_both_languages_and_names_its_tools(name):
    entry = ENTRIES[name]
    japanese = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")
    for section in SECTIONS:
        assert japanese.search(getattr(entry.ja, section)), section
        assert not japanese.search(getattr(entry.en, section).replace("AI事業者ガイドライン", "")), section
    assert not japanese.search(" ".join([entry.title.en, *entry.asks.en]))
    assert all(japanese.search(text) for text in [entry.title.ja, *entry.asks.ja])
    for text in (entry.en, entry.ja):
        in_text = set(re.findall(r"`(\w+)`", " ".join(text.model_dump().values())))
        assert set(entry.tools) <= in_text, "a tool is listed that the text does not use"
        assert in_text & set(RECORDS) <= set(entry.tools), "the text uses a tool that is not listed"


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_figure_beside_a_study_is_one_that_the_study_states(name, language):
    entry = ENTRIES[name]
    for text in entry.text(language).model_dump().values():
        for sentence in sentences(text):
            cited = _ID.findall(sentence)
            assert set(cited) <= set(FINDINGS), sentence
            allowed = set().union(*(FINDINGS[each] for each in cited))
            if len(cited) == 1:  # in a sentence of its own, a study is answered for by its own figures alone
                assert figures(without(sentence, NO_FINDINGS)) <= allowed, sentence


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_reasons_state_no_figure_without_a_source(name, language):
    entry = ENTRIES[name]
    why = entry.text(language).why
    large = {figure for figure in figures(without(why, NO_FINDINGS)) if is_large(figure)}
    assert large <= stated_by(entry)
    assert set(_ID.findall(why)) == {i for source in entry.sources for i in _ID.findall(source.where)}


@pytest.mark.parametrize("name", ENTRIES)
def test_the_scope_of_a_source_states_only_that_studys_figures(name):
    for source in ENTRIES[name].sources:
        allowed = set().union(*(found for key, found in FINDINGS.items() if key in source.citation()))
        large = {figure for figure in figures(source.scope) if is_large(figure)} - {"2023", "2024", "2025", "2026"}
        assert large <= allowed, source.scope


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_advice_outside_the_reasons_claims_no_percentage_and_no_large_count(name, language):
    entry = ENTRIES[name]
    texts = [getattr(entry.text(language), section) for section in SECTIONS if section != "why"]
    found = figures(without("\n".join([entry.title_in(language), *texts]), ORDINARY))
    claims = {each for each in found if each.endswith("%") or float(each) >= 100}
    assert claims <= stated_by(entry)


# The parser


def read_text(folder, text: str | bytes) -> Entry:
    path = folder / "entry.md"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return read_entry(path)


def with_id(value: str) -> str:
    return PIN.replace("id: G38", f"id: {value}", 1)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (with_id("&a G38"), "anchors"),
        (with_id("G38\nextra: [*a, *a]"), "undefined alias|aliases"),
        (with_id("!!str G38"), "tags"),
        (with_id("! G38"), "tags"),
        (with_id("!!python/object/apply:os.system [exit]"), "tags"),
        (with_id("!!binary RzM4"), "tags"),
        (with_id("[" * 300 + "]" * 300), "levels"),
        (with_id("{a: " * 100 + "1" + "}" * 100), "levels"),
        (with_id("G38\nextra: [" + "1, " * MAX_NODES + "1]"), "values"),
        (with_id("9" * 5000), "digits"),
        (with_id("2001-99-99"), "month"),
        (with_id("Ｇ３８"), "id"),
        (with_id("G３８"), "id"),
        (with_id('"G38\\n"'), "id"),
        (with_id('"\\uD800"'), "id"),
        (with_id("G38\nmore: true"), "more"),
        (with_id("G38\n1: true"), "named values"),
        (with_id("G38\n? [a]\n: b"), "unhashable"),
        (PIN.replace("version-pinning", "astrology"), "unknown: astrology"),
        (PIN.replace("[version-pinning, operating-rules]", "[operating-rules, operating-rules]"), "twice"),
        (PIN.replace("check_version, fetch_model", "format_disk"), "unknown: format_disk"),
        (PIN.replace("## Why it matters", "## Reasons"), "headings of en"),
        (re.sub(r"(?s)## If it is skipped\n.*?(?=## A sentence)", "", PIN), "headings of en"),
        (re.sub(r"(?s)(## 怠ると起きること\n).*?(?=## 会議)", r"\1\n", PIN), "ja.skipped"),
        (re.sub(r"(## If it is skipped\n)", r"\1" + "x" * 601, PIN), "en.skipped"),
        (PIN.replace("# 日本語", "# Deutsch"), "language is missing"),
        (PIN.replace("3. Put", "4. Put"), "numbered"),
        (PIN.replace("3. Put", "9" * 5000 + ". Put"), "steps"),
        (PIN.replace("We run one exact version", "“We run one exact version"), "quote marks"),
        (re.sub(r"(?s)(## 会議での一言\n).*", r"\1", PIN), "ja.say"),
        (PIN + "x" * MAX_BYTES, "larger than"),
        ("---\n" + "a\n---\n# English\n" * 3000, "missing"),
        ("", "missing"),
        (bytes(range(256)), "codec"),
        (PIN.replace("G38", "G\0"), "special characters"),
        (PIN.replace("Adopt one", "Adopt \ud800 one"), "codec"),
    ],
)
def test_T07_a_file_that_is_not_of_the_form_is_refused_with_what_is_wrong(tmp_path, text, complaint):
    with pytest.raises(InvalidEntry, match=complaint) as refused:
        read_text(tmp_path, text)
    assert refused.value.next_step


def test_windows_line_ends_change_nothing(tmp_path):
    assert read_text(tmp_path, PIN.replace("\n", "\r\n")) == ENTRIES["pin-the-commit-not-the-name"]


def test_two_files_with_one_id_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(InvalidEntry, match="no guidance"):
        read_entries(tmp_path)
    (tmp_path / "a.md").write_text(PIN, encoding="utf-8")
    (tmp_path / "b.md").write_text(PIN, encoding="utf-8")
    with pytest.raises(InvalidEntry, match=r"`b\.md` uses the id `G38` again"):
        read_entries(tmp_path)


_TEXTS = [path.read_text(encoding="utf-8") for path in FILES[:8]]
_SNIPPETS = st.sampled_from(
    ["\n---\n", "# English\n", "# 日本語\n", "## Why it matters\n", "&a ", "*a", "!!set ", "<<: ", "[", "{", "- ", ": ",
     "|\n", "> ", "\t", "'", '"', "%YAML 9.9\n", "...\n", "? ", "0x", "1:60", "1. ", "~", "\x85", "\u2028", "\ufeff"]
)  # fmt: skip


@st.composite
def mutated_files(draw) -> bytes:
    """A real entry with some pieces cut out, doubled, moved or put in, and sometimes a broken byte."""
    text = draw(st.sampled_from(_TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        # Most of the form is in the front matter, so most of the cuts are there.
        start = draw(st.integers(0, draw(st.sampled_from([600, 2_000, len(text)]))))
        end = start + draw(st.integers(0, 80))
        piece = draw(st.one_of(st.just(""), st.just(text[start:end] * 2), _SNIPPETS, st.text(max_size=8)))
        text = text[:start] + piece + text[end:]
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    if data and draw(st.integers(0, 4)) == 0:
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


@given(mutated_files())
@example(PIN.encode())
@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_T07_a_mutated_entry_is_read_or_refused_and_nothing_else(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    try:
        entry = read_text(folder, data)
    except InvalidEntry:
        return
    assert Entry.model_validate(entry.model_dump()) == entry
    assert all(getattr(entry.text(language), section) for language in LANGUAGES for section in SECTIONS)
