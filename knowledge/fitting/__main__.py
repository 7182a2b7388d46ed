"""Train the entry reader and fit the search's weights: `python -m knowledge.fitting FOLDER_OF_MINILM [--keep-reader]`.

Every eighth further wording is held out from the reader, and what combines the views is fitted on those. Half an hour on two
cores; with `--keep-reader` three to five minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from knowledge.embedding import Embedder
from knowledge.entry import Entry
from knowledge.entry_reader import WEIGHTS, EntryReader
from knowledge.fitting.ranking_fit import Numbers, fit_weights
from knowledge.fitting.reader_training import train_reader
from knowledge.gloss import english_of
from knowledge.neighbours import write_neighbours
from knowledge.prepared import prepare
from knowledge.scoring import FILE, EntryScoring
from knowledge.shipped_vectors import embed_texts
from knowledge.topics import LANGUAGES, Language
from knowledge.wordings import ANSWERS, read_graded, read_outside, read_unseen, read_wordings, shares_of

HELD_OUT = 8


def main() -> None:
    """Train, fit, and write reader, neighbours and weights."""
    parser = argparse.ArgumentParser(prog="python -m knowledge.fitting", description=__doc__)
    parser.add_argument("minilm", type=Path)
    reader_options = parser.add_mutually_exclusive_group()
    reader_options.add_argument(
        "--keep-reader", action="store_true", help="fit the weights for the reader that is there"
    )
    reader_options.add_argument("--go-on", action="store_true", help="train the reader that is there further")
    parser.add_argument(
        "--teacher",
        type=Path,
        action="append",
        default=[],
        help="a reader trained before, of which this one learns too",
    )
    options = parser.parse_args()
    held_out = held_out_wordings()
    prepared = prepare(without=held_out)
    entries = prepared.entries
    if not options.keep_reader:
        before = WEIGHTS if options.go_on else None
        train_reader(entries, held_out, options.minilm, WEIGHTS, before=before, teachers=options.teacher)
    embedder = Embedder(options.minilm)
    vectors = embed_texts([text.text for text in prepared.texts], embedder)
    reader = EntryReader(options.minilm, [entry.id for entry in entries])
    write_neighbours([entry.id for entry in entries], reader)
    scoring = EntryScoring(prepared, vectors, embedder, reader)
    fitted = {
        language: fit_weights(
            scoring,
            language,
            _asked(entries, language, held_out),
            [text for text in read_outside(language) if text in held_out],
            _meanings(entries, language, embedder),
            list(read_unseen(language).graded),
        ).model_dump()
        for language in LANGUAGES
    }
    FILE.write_text(json.dumps(fitted, indent=1) + "\n", encoding="utf-8")
    print(f"Wrote {FILE.name}.", file=sys.stderr)  # noqa: T201 (a script)


def held_out_wordings() -> frozenset[str]:
    """What the reader does not learn, in scope and out of it: the same texts however many others there are."""
    asked = (text for own in read_wordings().values() for texts in own.values() for text in texts)
    every = [*asked, *(text for language in LANGUAGES for text in read_outside(language))]
    return frozenset(text for text in every if zlib.crc32(text.encode()) % HELD_OUT == 0)


def _asked(entries: Sequence[Entry], language: Language, held_out: frozenset[str]) -> list[tuple[str, Numbers]]:
    """The held-out wordings of a language with the weight of each entry."""
    ids = [entry.id for entry in entries]
    graded, wordings = read_graded(language), read_wordings()
    asked = {text: {entry: ANSWERS} for entry in ids for text in wordings[entry][language] if text in held_out}
    return [(text, shares_of(graded.get(text) or grades, ids)) for text, grades in asked.items()]


def _meanings(entries: Sequence[Entry], language: Language, embedder: Embedder) -> tuple[Numbers, Numbers]:
    """MiniLM's vectors of all wordings and of the questions out of scope, of Japanese ones' glosses."""
    wordings = read_wordings()
    asked = [text for entry in entries for text in (*entry.asks_in(language), *wordings[entry.id][language])]
    inside, outside = ([english_of(text, language) for text in each] for each in (asked, read_outside(language)))
    return embedder.embed(inside).astype(np.float64), embedder.embed(outside).astype(np.float64)


if __name__ == "__main__":
    main()
