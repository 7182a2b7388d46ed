import pytest

MIT = """MIT License

Copyright (c) 2026 A

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
ISC = """ISC License

Copyright (c) 2026 A

Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted,
provided that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED
WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR
CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF
CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
"""
CARD = "---\nlicense: mit\nlanguage: en\n---\n# M\n\n## Intended uses\nSearch.\n\n## Limitations\nNone.\n\n## Citation\nX\n"


def test_a_template_is_compared_line_by_line(change_of):
    old = "{% for m in messages %}\n{{ m.content }}\n{% endfor %}"
    change = change_of("chat_template.jinja", old, old.replace("m.content", "m.content | trim"))
    assert (change.kind, change.risk) == ("chat_template", "high")
    assert change.details == ("Removed: `{{ m.content }}`.", "Added: `{{ m.content | trim }}`.")


def test_a_template_in_one_line_is_cut_at_its_statements(change_of):
    old = "".join(f"{{% if a{number} %}}" for number in range(40))
    change = change_of("chat_template.jinja", old, old.replace("a17", "b17"))
    assert change.details == ("Removed: `{% if a17 %}`.", "Added: `{% if b17 %}`.")


def test_spaces_in_a_template_are_told_but_not_feared(change_of):
    change = change_of("chat_template.jinja", "{{ a }}\n", "{{ a }}")
    assert (change.risk, change.description) == ("medium", "Only spaces and line breaks changed.")


def test_T03_a_hostile_template_is_quoted_and_cut(change_of):
    change = change_of("chat_template.jinja", "x", "\n".join("`{{ ''.__class__ }}<script>\x1b" * 50 for _ in range(3)))
    assert len(change.details) <= 8
    assert all(len(text) < 200 and text.count("`") == 2 and text.isprintable() for text in change.details)


def test_T17_very_long_texts_are_not_laid_side_by_side(change_of):
    old, new = ("\n".join(f"{side} {number}" for number in range(5_000)) for side in "ab")
    assert change_of("chat_template.jinja", old, new).details == (
        "It has 5,000 lines instead of 5,000, too many to be laid side by side.",
    )


def test_a_card_is_compared_by_what_its_sections_are_about(change_of):
    new = (
        CARD.replace("Search.", "Everything.")
        .replace("None.", "Many.")
        .replace("X\n", "Y\n")
        .replace("license: mit", "license: apache-2.0")
    )
    change = change_of("README.md", CARD, new)
    assert (change.kind, change.risk) == ("card", "high")
    assert change.details == (
        "`license`, the licence: from `mit` to `apache-2.0`.",
        "What it says about uses changed: `Intended uses`.",
        "What it says about limitations changed: `Limitations`.",
        "Other sections changed: `Citation`.",
    )


def test_a_section_may_be_in_japanese(change_of):
    change = change_of("README.md", "## 用途\n検索\n", "## 用途\n要約\n")
    assert change.details == ("What it says about uses changed: `用途`.",)
    assert change.risk == "medium"


def test_new_line_breaks_in_a_card_are_of_no_consequence(change_of):
    assert change_of("README.md", CARD, CARD.replace("\n", "\n\n").replace("---\n\n", "---\n")).risk == "low"


def test_T07_a_hostile_head_of_a_card_is_not_parsed(change_of):
    change = change_of("README.md", CARD, "---\na: &x [1]\nb: *x\n---\n# M\n")
    assert "uses aliases" in change.details[0]


@pytest.mark.parametrize(
    ("old", "new", "risk", "description"),
    [
        (MIT, ISC, "high", "It is another licence: ISC instead of MIT."),
        (MIT, MIT.replace("2026 A", "2026 B"), "medium", "It is still MIT, but its wording changed."),
        (MIT, "All rights reserved.", "high", "Its wording changed, and not both texts are licences known here."),
        (MIT, MIT.replace(" ", "\n"), "low", "Only spaces and line breaks changed."),
    ],
)
def test_licence_texts_are_recognised(change_of, old, new, risk, description):
    change = change_of("LICENSE", old, new)
    assert (change.kind, change.risk, change.description) == ("licence", risk, description)
