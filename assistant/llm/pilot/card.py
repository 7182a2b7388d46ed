"""The pilot's model card, written from what the training and the evaluation recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from assistant.llm.example_utterances import ROUTES

TRAINING = "training.json"
EVALUATION = "evaluation.json"
_TEMPLATE = Path(__file__).with_name("card_template.md")


def write_card(folder: Path) -> None:
    """Write `README.md` beside the weights.

    Args:
        folder: Folder with the weights, `training.json` and `evaluation.json`.

    Raises:
        FileNotFoundError: The pilot was not trained or not evaluated yet.
    """
    training = json.loads((folder / TRAINING).read_text(encoding="utf-8"))
    evaluation = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))
    fields = {
        **training,
        "parameters": f"{training['parameters'] / 1e6:.2f} million",
        "routes": ", ".join(f"`{route}`" for route in ROUTES),
        "results": _results(evaluation),
        "held_out_right": _held_out(training["right_on_held_out"]),
    }
    text = _TEMPLATE.read_text(encoding="utf-8")
    for name, value in fields.items():
        text = text.replace(f"{{{{{name}}}}}", str(value))
    (folder / "README.md").write_text(text, encoding="utf-8")


def _results(evaluation: dict[str, dict[str, Any]]) -> str:
    """A table with a column for each set of wordings."""
    sets = list(evaluation)
    rows = [["", *(f"{name} ({evaluation[name]['wordings']} wordings)" for name in sets)], ["---"] * (len(sets) + 1)]
    for kind in ("plain", "indirect"):
        rows.append([f"{kind}: right tools and arguments", *(_shares(evaluation[n]["right"], kind) for n in sets)])
        for view, label in (("lm", "language model"), ("ngrams", "n-grams"), ("minilm", "MiniLM with adapters")):
            alone = (_percent(evaluation[n]["views_alone"][view][kind]) for n in sets)
            rows.append([f"{kind}: first tool by the {label} alone", *alone])
    rows.append(["dear tools started unasked", *(_percent(evaluation[n]["dear_tools_unasked"]) for n in sets)])
    rows.append(["asked back although the question was clear", *(_percent(evaluation[n]["asked_back"]) for n in sets)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _shares(right: dict[str, float], kind: str) -> str:
    both = (f"{language} {_percent(right[f'{kind}.{language}'])}" for language in ("en", "ja"))
    return f"{_percent(right[kind])} ({', '.join(both)})"


def _held_out(right: dict[str, dict[str, float]]) -> str:
    return "; ".join(
        f"{view}: " + ", ".join(f"{language} {_percent(share)}" for language, share in by_language.items())
        for view, by_language in right.items()
    )


def _percent(share: float) -> str:
    return f"{share:.1%}"
