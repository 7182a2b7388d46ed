"""How well questions that nothing was learnt of find their guidance: what to look at while choosing a setting of the search.

`python -m knowledge.fitting.validation FOLDER_OF_MINILM`. The evaluation of the tests is for measuring what was chosen.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from knowledge.embedding import Embedder
from knowledge.fitting.measures import scores_of
from knowledge.search import GuidanceSearch
from knowledge.topics import LANGUAGES, Language
from knowledge.wordings import read_unseen


def validate(search: GuidanceSearch, language: Language) -> dict[str, float]:
    """Mean of each measure over the unseen questions of a language, 0 to 1; a refused question counts as not found.

    Args:
        search: The guidance's search.
        language: The language.
    """
    unseen = read_unseen(language)
    ranked = [
        ([p.entry for p in search.search(ask, limit=10).passages], grades) for ask, grades in unseen.graded.items()
    ]
    return {
        **scores_of(ranked),
        "inside_refused": statistics.fmean(not found for found, _ in ranked),
        "outside_refused": statistics.fmean(not search.search(ask).passages for ask in unseen.outside),
    }


def main() -> None:
    """Print the measures of both languages."""
    parser = argparse.ArgumentParser(prog="python -m knowledge.fitting.validation", description=__doc__)
    parser.add_argument("minilm", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        search = GuidanceSearch(Path(folder), Embedder(options.minilm))
        for language in LANGUAGES:
            found = "  ".join(f"{name} {value:.3f}" for name, value in validate(search, language).items())
            print(f"{language}  {found}", file=sys.stdout)  # noqa: T201 (a script)


if __name__ == "__main__":
    main()
