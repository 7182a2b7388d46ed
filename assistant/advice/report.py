"""The report of a plan: one self-contained HTML page, Markdown or JSON, with every record it rests on."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from pydantic import BaseModel

from assistant.evidence import Evidence, latest
from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.plots import Panel, device_mib_of, panels_of, profile_svg
from assistant.rendering.style import code, plain
from tools.errors import InvalidArgument
from tools.profiling import Profile

_STYLE = """
body{font:16px/1.6 "Noto Sans","Noto Sans CJK JP","Hiragino Sans","Yu Gothic",system-ui,sans-serif;color:#1d2733;max-width:62rem;
margin:2rem auto;padding:0 1.2rem}h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #d5dce3}
table{border-collapse:collapse;width:100%;font-size:.86rem}th,td{border:1px solid #d5dce3;padding:.4rem .5rem;text-align:left;
vertical-align:top}th{background:#f2f5f8}code{background:#f2f5f8;padding:0 .2rem}.plots{display:grid;
grid-template-columns:repeat(auto-fit,minmax(24rem,1fr));gap:1rem}img{width:100%;max-width:38rem;break-inside:avoid}
footer{margin-top:2rem;font-size:.8rem;color:#5a6775}@media print{body{margin:0}h2{break-after:avoid}table{break-inside:avoid}}
"""


def report_markdown(plan: Any, evidence: Sequence[Evidence], body: str, language: Language) -> str:
    """The report as Markdown.

    Args:
        plan: The `AdoptionPlan`.
        evidence: The user's evidence about the model, newest first.
        body: The plan as the chat shows it.
        language: Language of the headings.
    """
    rows = "\n".join(
        f"| {e.id} | {say(f'tool.{e.tool}', language)} | {plain(e.model)} | `{code(e.commit[:19])}` | {e.created_at:%Y-%m-%d %H:%M} UTC | {e.machine} |"
        for e in sorted(_cited(plan, evidence), key=lambda e: int(e.id[1:]))
    )
    sentences = "\n".join(
        f"{i}. {say(f'meeting.{k}', language)}" for i, k in enumerate(("small", "measure", "rules"), 1)
    )
    return "\n\n".join(
        [
            f"# {say('report.title', language, model=plain(plan.model))}",
            f"{say('report.use_case', language)} {plain(plan.use_case, 400)}" if plan.use_case else "",
            body,
            f"## {say('report.sentences', language)}\n\n{sentences}",
            f"## {say('report.evidence', language)}\n\n{say('report.columns', language)}\n|---|---|---|---|---|---|\n{rows}",
        ]
    ).strip()


def report_html(markdown: str, plots: dict[Panel, str] | None, language: Language) -> str:
    """The report as one HTML page without outside parts: raw HTML stays text, `<br>` apart, as do links and images.

    Args:
        markdown: The report.
        plots: SVG by panel. Each becomes an image: what an SVG holds can do nothing to the page around it.
        language: Language of the headings.
    """
    renderer = (
        MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "link", "autolink", "reference"])
    )
    rendered = renderer.render(markdown).replace("&lt;br&gt;", "<br>")
    images = "".join(_image(panel, svg, language) for panel, svg in (plots or {}).items())
    if images:
        images = f'<h2>{say("report.measured", language)}</h2><div class="plots">{images}</div>'
    title = html.escape(re.sub(r"\\(.)", r"\1", markdown.split("\n", 1)[0].lstrip("# ")))
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{_STYLE}</style></head>'
        f"<body>{rendered}{images}<footer>Tameshi</footer></body></html>"
    )


def write_report(plan: BaseModel, evidence: Sequence[Evidence], out: Path, language: Language) -> Path:
    """Write the report in the format that the file's ending names.

    Raises:
        InvalidArgument: Another ending than .html, .md or .json.
    """
    from assistant.rendering.results import TurnResult, render_result  # noqa: PLC0415 (the renderers of plans use this package)

    if out.suffix not in {".html", ".md", ".json"}:
        raise InvalidArgument(f"`{out.name}` has no known ending.", "Use .html, .md or .json.")
    if out.suffix == ".json":
        cited = [e.model_dump(mode="json") for e in _cited(plan, evidence)]
        out.write_text(
            json.dumps({"plan": plan.model_dump(mode="json"), "evidence": cited}, ensure_ascii=False, indent=1),
            encoding="utf-8",
        )
        return out
    own = next((e.id for e in evidence if e.tool == "plan_adoption"), "")
    body = render_result(TurnResult(own, "plan_adoption", {}, plan), language)
    markdown = report_markdown(plan, evidence, body, language)
    profile = latest(evidence, "profile_model")
    plots = _plots(profile, evidence, language) if profile and out.suffix == ".html" else None
    out.write_text(
        report_html(markdown, plots, language) if out.suffix == ".html" else markdown + "\n", encoding="utf-8"
    )
    return out


def _plots(profile: Evidence, evidence: Sequence[Evidence], language: Language) -> dict[Panel, str]:
    record = Profile.model_validate(profile.record)
    there = device_mib_of(evidence, profile.model)
    return {panel: profile_svg(record, language, panels=[panel], device_mib=there) for panel in panels_of(record)}


def _image(panel: Panel, svg: str, language: Language) -> str:
    encoded = base64.b64encode(svg.encode()).decode()
    name = say(f"plot.panel.{panel}", language)
    return f'<img alt="{html.escape(name)}" src="data:image/svg+xml;base64,{encoded}">'


def _cited(plan: Any, evidence: Sequence[Evidence]) -> list[Evidence]:
    return [e for e in evidence if e.id in plan.evidence]
