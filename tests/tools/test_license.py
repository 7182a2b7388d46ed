"""A licence is known by its words, a changed one is told, and the strictest term of the lineage decides."""

import json
import re

import pytest

from tools.documentation import check_documentation
from tools.licences.recognition import recognise_licence
from tools.licences.terms import all_licences, licence_by_id, licence_text
from tools.licences.uses import USES, stated_uses
from tools.licences.wording import say_term
from tools.license import compare_licence
from tools.model_sources import ModelSources

WITH_TEXT = [each.spdx for each in all_licences() if licence_text(each.spdx) is not None]
MIT = f"MIT License\n\nCopyright (c) 2024 A. Person\n\n{licence_text('MIT')}"
APACHE = licence_text("Apache-2.0")


def answers(finding):
    return {each.use: each.answer for each in finding.uses}


@pytest.mark.parametrize("spdx", WITH_TEXT)
def test_every_text_of_the_table_is_known_as_itself(spdx):
    found = recognise_licence(licence_text(spdx))
    assert (found.spdx, found.modified, found.compared) == (spdx, False, True)


@pytest.mark.parametrize("licence", all_licences(), ids=lambda each: each.spdx)
def test_every_quote_of_the_table_stands_in_the_text(licence):
    text = licence_text(licence.spdx)
    quotes = [" ".join(term.quote.split()) for term in licence.terms if term.quote]
    assert not quotes or text is not None
    assert [each for each in quotes if each not in " ".join((text or "").split())] == []


def test_every_term_has_words_and_every_source_an_address():
    assert all(say_term(term).endswith(".") for each in all_licences() for term in each.terms)
    assert all(re.match(r"https?://", each.source) and re.match(r"\d{4}", each.dated) for each in all_licences())


def test_no_tag_stands_for_two_licences():
    tags = [tag for each in all_licences() for tag in each.tags]
    assert len(tags) == len(set(tags))


@pytest.mark.parametrize(
    "text",
    [
        MIT,
        " ".join(MIT.split("\n\n", 2)[2].split()),
        "# MIT License\n\n> " + MIT.replace("\n", "\n> "),
        MIT.upper(),
        MIT.replace("\n", "\r\n"),
        "This model is shared by the lab.\n\n" + MIT,
    ],
)
def test_layout_holder_and_introduction_make_no_difference(text):
    found = recognise_licence(text)
    assert (found.spdx, found.modified) == ("MIT", False)


@pytest.mark.parametrize(
    ("text", "spdx", "added"),
    [
        (MIT.replace("to any person", "for non-commercial use, to any person"), "MIT", "non-commercial"),
        (MIT + "\nThe Software may not be used in products.", "MIT", "may not be used in products"),
        (MIT + "\nただし、商用利用は禁止します。", "MIT", "商用利用は禁止"),
        (MIT.replace("sublicense, and/or sell", "and/or sublicense"), "MIT", "sublicense"),
        (APACHE + "\nYou may not offer the Work to competitors of Example Inc.", "Apache-2.0", "competitors"),
        (
            APACHE.replace("   5. Submission", "   Only companies below 10 people.\n\n   5. Submission"),
            "Apache-2.0",
            "10 people",
        ),
        (
            licence_text("LicenseRef-Llama-3.1").replace("700 million", "500 million"),
            "LicenseRef-Llama-3.1",
            "500 million",
        ),
        (licence_text("CC-BY-4.0").replace("You must:", "You must, unless you sell it:", 1), "CC-BY-4.0", "sell"),
    ],
)
def test_a_changed_text_is_told_with_what_was_changed(text, spdx, added):
    found = recognise_licence(text)
    assert (found.spdx, found.modified) == (spdx, True)
    assert any(added in line for line in (*found.added, *found.removed))
    finding = compare_licence({"license": next(e for e in all_licences() if e.spdx == spdx).tags[0]}, "LICENSE", text)
    assert (finding.text_modified, finding.permissive) == (True, None)
    assert "yes" not in answers(finding).values()


def test_a_text_without_its_patent_clause_is_a_changed_one():
    start, end = APACHE.index("   3. Grant of Patent"), APACHE.index("   4. Redistribution")
    assert recognise_licence(APACHE[:start] + APACHE[end:]).modified


def test_the_appendix_may_be_left_out():
    found = recognise_licence(APACHE.split("APPENDIX")[0])
    assert (found.spdx, found.modified) == ("Apache-2.0", False)


@pytest.mark.parametrize(
    "text",
    ["", "All rights reserved.", "You may read this. " * 50, "permission is hereby granted free of charge " * 99],
)
def test_other_texts_are_no_licence_known_here(text):
    assert recognise_licence(text) is None


def test_a_notice_that_only_names_the_licence_is_told_as_such():
    finding = compare_licence({"license": "apache-2.0"}, "LICENSE", "Apache License\n   Version 2.0, January 2004")
    assert (finding.agreement, finding.text_modified) == ("agrees", False)
    assert "only names" in finding.note


def test_the_text_is_found_under_any_usual_name_and_by_its_words(tiny_folder, offline):
    (tiny_folder / "LICENSE").write_text("See below.")
    (tiny_folder / "LICENSE-MODEL.txt").write_text(MIT)
    licence = check_documentation(str(tiny_folder), sources=offline).licence
    assert (licence.text_file, licence.text_spdx, licence.agreement) == ("LICENSE-MODEL.txt", "MIT", "differs")


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("mit", ["yes", "yes", "yes", "yes", "yes"]),
        ("cc-by-nc-4.0", ["no", "unclear", "unclear", "unclear", "no"]),
        ("cc-by-nd-4.0", ["yes", "yes", "yes", "unclear", "yes"]),
        ("agpl-3.0", ["yes", "yes", "yes", "yes", "unclear"]),
        ("exaone", ["no", "no", "unclear", "unclear", "no"]),
        ("stabilityai-ai-community", ["unclear", "unclear", "yes", "yes", "unclear"]),
        ("llama3.1", ["yes", "yes", "yes", "yes", "yes"]),
        ("my-own-terms", ["unclear"] * 5),
        (None, ["no"] * 5),
    ],
)
def test_every_use_is_answered(tag, expected):
    finding = compare_licence({} if tag is None else {"license": tag}, None, "")
    assert [answers(finding)[use] for use in USES] == expected
    assert all(each.reason for each in finding.uses)


@pytest.mark.parametrize(
    ("use_case", "uses"),
    [
        ("Search in a product that we sell to customers", {"commercial_product"}),
        ("社内の規程を検索する", {"internal_use"}),
        ("Fine-tune it and host it as an API", {"fine_tuning", "hosting"}),
        ("製品に同梱して配布する", {"commercial_product", "redistribution"}),
        ("追加学習して、サービスとして提供する", {"fine_tuning", "hosting"}),
        ("try it", set()),
        (None, set()),
    ],
)
def test_the_stated_uses_are_read_in_both_languages(use_case, uses):
    assert stated_uses(use_case) == uses


def test_duties_are_quoted_with_section_and_source():
    finding = compare_licence({"license": "llama3.1"}, "LICENSE", licence_text("LicenseRef-Llama-3.1"))
    duties = {each.kind: each for each in finding.obligations}
    assert "700,000,000" in duties["user_cap"].says
    assert "700 million" in duties["user_cap"].quote
    assert "Built with Llama" in duties["naming_product"].says
    assert {each.source for each in finding.obligations} == {"LICENSE"}
    without_text = compare_licence({"license": "llama3.1"}, None, "")
    assert all(each.source.startswith("https://") for each in without_text.obligations)


def test_the_strictest_term_comes_from_the_base_model_in_a_mirror(tmp_path, write, make_files):
    mirror = tmp_path / "mirror"
    card = b"---\nlicense: cc-by-nc-4.0\nbase_model: meta-llama/Llama-3.1-8B\n---\n# Base"
    write(mirror / "org" / "base", make_files(README__md=card))
    write(tmp_path / "tiny", make_files())
    sources = ModelSources(offline=True, mirrors=(mirror,))
    licence = check_documentation(str(tmp_path / "tiny"), "a product for customers", sources=sources).licence
    assert [(part.name, part.spdx, part.known_from) for part in licence.lineage[1:]] == [
        ("org/base", "CC-BY-NC-4.0", "card tag"),
        ("meta-llama/Llama-3.1-8B", "LicenseRef-Llama-3.1", "its publisher"),
    ]
    assert (licence.strictest.kind, licence.strictest.name) == ("non_commercial", "org/base")
    assert (licence.uses[0].use, licence.uses[0].answer, licence.uses[0].stated) == ("commercial_product", "no", True)
    assert "org/base" in licence.uses[0].reason


def test_a_base_model_of_the_hub_is_asked_for_when_the_model_is_there(hub, hub_sources, make_files):
    hub.commit("org/base", make_files(README__md=b"---\nlicense: agpl-3.0\n---\n# Base"))
    hub.commit("org/tiny", make_files())
    licence = check_documentation("org/tiny", sources=hub_sources).licence
    assert [(part.name, part.spdx) for part in licence.lineage[1:]] == [("org/base", "AGPL-3.0-only")]


def test_what_is_not_at_hand_is_not_known_and_makes_the_answer_unclear(tiny_folder, offline):
    licence = check_documentation(str(tiny_folder), sources=offline).licence
    assert [(part.role, part.name, part.spdx) for part in licence.lineage[1:]] == [("base_model", "org/base", None)]
    assert set(answers(licence).values()) == {"unclear"}


def test_the_adapter_s_base_counts_whatever_the_card_says(tmp_path, write, make_files, offline):
    adapter = json.dumps({"base_model_name_or_path": "meta-llama/Llama-3.2-1B", "peft_type": "LORA"}).encode()
    folder = write(tmp_path / "a", make_files(adapter_config__json=adapter, README__md=b"---\nlicense: mit\n---\n# x"))
    licence = check_documentation(str(folder), sources=offline).licence
    assert [(part.name, part.spdx) for part in licence.lineage[1:]] == [
        ("meta-llama/Llama-3.2-1B", "LicenseRef-Llama-3.2")
    ]
    assert licence.strictest.spdx == "LicenseRef-Llama-3.2"


def test_datasets_are_listed_and_known_only_from_a_mirror(tmp_path, write, make_files):
    mirror = tmp_path / "mirror"
    write(mirror / "datasets" / "org" / "pages", {"README.md": b"---\nlicense: cc-by-nc-4.0\n---\n"})
    card = b"---\nlicense: mit\ndatasets: [org/pages, other, ../../etc]\n---\n# x"
    folder = write(tmp_path / "m", make_files(README__md=card))
    licence = check_documentation(str(folder), sources=ModelSources(offline=True, mirrors=(mirror,))).licence
    assert [(part.name, part.spdx) for part in licence.lineage[1:]] == [
        ("org/pages", "CC-BY-NC-4.0"), ("other", None), ("../../etc", None),
    ]  # fmt: skip
    assert answers(licence)["commercial_product"] == "unclear"


def test_T28_a_path_in_a_card_is_no_model_to_read(tmp_path, write, make_files, offline):
    secret = write(tmp_path / "secret", make_files(README__md=b"---\nlicense: agpl-3.0\n---\n"))
    card = f"---\nlicense: mit\nbase_model: {secret}\n---\n# x".encode()
    licence = check_documentation(str(write(tmp_path / "m", make_files(README__md=card))), sources=offline).licence
    assert licence.lineage[1].spdx is None


@pytest.mark.parametrize(
    ("allowed", "on_list"),
    [((), None), (("Apache-2.0",), True), (("MIT", " apache-2.0 "), True), (("MIT",), False)],
)
def test_the_team_s_list_is_asked(bundled_copy, offline, allowed, on_list):
    check = check_documentation(str(bundled_copy), sources=offline, licence_allow_list=allowed)
    assert check.licence.on_allow_list is on_list


def test_a_name_that_speaks_of_research_is_told_though_the_licence_is_not_known():
    finding = compare_licence({"license": "other", "license_name": "lab-research-license"}, None, "")
    assert all("research" in each.reason for each in finding.uses)


@pytest.mark.parametrize(
    ("tag", "spdx"),
    [
        ("gpl-3.0-or-later", "GPL-3.0-only"),
        ("Apache-2.0", "Apache-2.0"),
        ("eupl-1.2", "EUPL-1.2"),
        ("odbl", "ODbL-1.0"),
    ],
)
def test_tags_are_known_as_the_hub_and_as_spdx_write_them(tag, spdx):
    assert compare_licence({"license": tag}, None, "").spdx == spdx


def test_several_tags_agree_with_the_text_that_is_there():
    finding = compare_licence({"license": ["apache-2.0", "mit"]}, "LICENSE", MIT)
    assert (finding.agreement, finding.spdx) == ("agrees", "MIT")


def test_publishers_are_known_by_how_their_models_are_called():
    assert licence_by_id("google/gemma-2-2b").spdx == "LicenseRef-Gemma"
    assert licence_by_id("someone/gemma-2-2b") is None
