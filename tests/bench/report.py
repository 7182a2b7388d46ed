"""The bench for people: the table in the README, a pure function of `docs/bench.json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

START = "<!-- bench -->"
END = "<!-- /bench -->"
_HELD = {True: "yes", False: "**no**", None: ""}


def table(document: dict[str, Any]) -> str:
    """Every value with a goal, and below it on what and when it was measured.

    Args:
        document: The content of `docs/bench.json`.
    """
    rows = [
        f"| {r['title']} | {shown(r['value'], r['unit'])} | {_goal(r)} | {_HELD[r['held']]} | {_spread(r)} | {r['n']} |"
        for part in document["parts"]
        for r in part["results"]
        if r["goal"] is not None
    ]
    head = ["| Question | Measured | Goal | Held | Spread | n |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *rows, "", _footer(document)])


def shown(value: float, unit: str) -> str:
    """A value with its unit as people write it."""
    if unit == "share":
        return f"{100 * value:.1f} %"
    if unit == "ratio":
        return f"{value:.2f} ×"
    return f"{value:.3g} {unit}"


def replace_block(text: str, block: str) -> str:
    """The text with what stands between the two marks replaced.

    Args:
        text: The README.
        block: What is to stand there.

    Raises:
        ValueError: The marks are missing, doubled or in the wrong order.
    """
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end) or START in rest or END in before + after:
        raise ValueError(f"the text needs `{START}` and behind it `{END}`, once each")
    return f"{before}{START}\n{block}\n{END}{after}"


def block_of(text: str) -> str:
    """What stands between the two marks."""
    return text.partition(START)[2].partition(END)[0].strip("\n")


def _goal(result: dict[str, Any]) -> str:
    return f"{'≤' if result['bound'] == 'at most' else '≥'} {shown(result['goal'], result['unit'])}"


def _spread(result: dict[str, Any]) -> str:
    if "low" in result["spread"]:
        return f"95 % interval {_range(result, 'low', 'high')}"
    if not result["spread"]:  # a count of all there are
        return ""
    median = shown(result["spread"]["p50"], result["unit"])
    return f"{_range(result, 'min', 'max')}, median {median}"


def _range(result: dict[str, Any], low: str, high: str) -> str:
    spread, unit = result["spread"], result["unit"]
    least, most = shown(spread[low], unit), shown(spread[high], unit)
    return f"{least.rsplit(' ', 1)[0]} to {most}"


def _footer(document: dict[str, Any]) -> str:
    machine, parts = document["machine"], document["parts"]
    busy = [part["load_before"]["busy_share"] for part in parts]
    return (
        f"Measured {_listed(p['date'][:10] for p in parts)} at commit {_listed(_commit(p) for p in parts)} on "
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']:.0f} GiB, accelerator: "
        f"{machine['accelerator']}; {machine['system']}, Python {machine['python']}, torch "
        f"{machine['packages']['torch']} with {machine['torch_threads']} threads. Before each part other work used at most "
        f"{100 * max(busy, default=0.0):.0f} % of the cores. Conditions, load and the views of the pilot alone: "
        "[docs/bench.json](docs/bench.json). Measure again: `make bench`."
    )


def _commit(part: dict[str, Any]) -> str:
    return f"`{part['commit']}`" + (" with uncommitted changes" if part["uncommitted_files"] else "")


def _listed(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))
