"""Rows T27, T32 and T34: documents are kept as a whole or not at all, once, and seen by those who may see them."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hash_embedder import HashEmbedder

from assistant.team_documents.library import TeamDocuments
from assistant.team_documents.records import document_id
from knowledge.errors import DocumentNotFound, UnreadableDocument
from tools.errors import Cancelled
from tools.progress import CancelToken

POLICY = "# Model policy\n\n## Licences\n\nNo model may be used without a licence text.\n\n## Formats\n\nPickle files are forbidden.\n"
REGEL = "# 利用規程\n\n## 版の管理\n\nモデルの版はコミットで固定すること。\n"
HOST = Path(__file__).with_name("adding_host.py")
KILLS = 5


def add(library, text=POLICY, name="policy.md", **options):
    return library.add(text.encode(), name, **options)


def quotes(found):
    return [passage.quote for passage in found]


def test_a_document_is_listed_with_everything_that_tells_it(library):
    added = add(library, user="ann")
    document = added.document
    assert added.state == "added"
    assert (document.title, document.file_name, document.format) == ("Model policy", "policy.md", "md")
    assert (document.passages, document.shared, document.added_by) == (2, False, "ann")
    assert document.size_bytes == len(POLICY)
    assert document.id == document_id(document.sha256)
    assert document.added_at.tzinfo is not None
    assert library.listed("ann") == [document]


def test_T34_added_twice_it_is_there_once(library, embedder):
    first = add(library)
    embedded = embedder.embedded
    again = add(library, name="copy of policy.txt")
    assert (again.state, again.document) == ("already_there", first.document)
    assert embedder.embedded == embedded
    assert len(library.passages()) == 2


def test_adding_it_again_can_share_it_and_never_hides_it(library):
    add(library)
    assert add(library, shared=True).state == "shared_now"
    assert add(library).state == "already_there"
    assert [document.shared for document in library.listed("someone else")] == [True]


def test_T27_nobody_sees_the_private_documents_of_another(library):
    mine, theirs = add(library, user="ann"), add(library, REGEL, user="bob")
    assert library.listed("bob") == [theirs.document]
    assert [passage.document for passage in library.passages("bob")] == [theirs.document.id]
    assert library.search("Is pickle forbidden?", "bob") == ()
    assert library.search("Is pickle forbidden?", "bob", documents=[mine.document.id]) == ()
    with pytest.raises(DocumentNotFound, match="There is no document"):
        library.remove(mine.document.id, user="bob")
    assert quotes(library.search("Is pickle forbidden?", "ann")) == ["Pickle files are forbidden."]


def test_the_same_document_of_two_users_is_two_and_seen_once(library):
    ann, bob = add(library, user="ann"), add(library, user="bob", shared=True)
    assert ann.document.id == bob.document.id
    assert [passage.shared for passage in library.passages("ann")] == [False, False]
    assert len(library.search("Are pickle files forbidden?", "ann")) == 1
    library.remove(ann.document.id, user="ann")
    assert [passage.shared for passage in library.passages("ann")] == [True, True]


def test_only_who_added_a_shared_document_removes_it(library):
    added = add(library, user="ann", shared=True)
    with pytest.raises(DocumentNotFound, match="was added by `ann`"):
        library.remove(added.document.id, user="bob")
    assert library.remove(added.document.id, user="ann") == added.document
    assert library.listed("bob") == []


def test_a_removed_document_is_not_found_by_another_process_either(library, open_library):
    added = add(library)
    other = open_library()
    assert quotes(other.search("Are pickle files forbidden?")) == ["Pickle files are forbidden."]
    library.remove(added.document.id)
    assert other.search("Are pickle files forbidden?") == ()
    assert library.search("Are pickle files forbidden?") == ()


def test_a_document_that_another_process_adds_is_found(library, open_library):
    add(library)
    assert library.search("Are pickle files forbidden?")
    add(open_library(), REGEL, "規程.md")
    assert quotes(library.search("モデルの版の固定について")) == ["モデルの版はコミットで固定すること。"]


def test_adding_one_document_embeds_no_other(library, open_library, embedder):
    add(library)
    library.search("pickle")
    before = embedder.embedded
    add(open_library(), REGEL, "規程.md")
    assert embedder.embedded == before + 1


def test_another_embedding_model_makes_all_vectors_anew(library, tmp_path):
    add(library)
    library.close()
    newer = HashEmbedder("second")
    url, folder = f"sqlite:///{tmp_path / 'team.sqlite3'}", tmp_path / "index" / "documents"
    for expected in (2, 0):
        other = TeamDocuments(url, lambda: newer, folder)
        before = newer.embedded
        assert quotes(other.search("Are pickle files forbidden?")) == ["Pickle files are forbidden."]
        assert newer.embedded - before - 1 == expected
        other.close()


def test_T33_the_index_of_words_is_built_again_from_the_database(library, open_library, tmp_path):
    add(library)
    library.search("pickle")
    (words,) = (tmp_path / "index" / "documents").glob("words-*")
    for file in words.iterdir():
        file.write_bytes(b"broken")
    assert quotes(open_library().search("Are pickle files forbidden?")) == ["Pickle files are forbidden."]


def test_an_index_that_cannot_be_kept_costs_time_and_not_the_search(library, tmp_path):
    tmp_path.joinpath("index").write_text("a file where the folder should be")
    add(library)
    assert quotes(library.search("Are pickle files forbidden?")) == ["Pickle files are forbidden."]


def test_a_document_that_cannot_be_read_leaves_nothing(library):
    with pytest.raises(UnreadableDocument):
        library.add(b"%PDF-1.7 broken", "broken.pdf")
    assert library.listed() == []


def test_a_file_that_is_not_there(library, tmp_path):
    with pytest.raises(DocumentNotFound, match="There is no file `none.pdf`"):
        library.add_file(tmp_path / "none.pdf")


def test_stopped_while_it_is_embedded_nothing_is_kept(library):
    token = CancelToken()

    def progress(fraction, message):
        if message == "Embedding the passages":
            token.cancel()

    long = "\n\n".join(f"## Section {i}\n\nSentence number {i}." for i in range(200))
    with pytest.raises(Cancelled):
        add(library, long, progress=progress, cancel=token)
    assert library.listed() == []


def test_many_threads_add_and_search_at_once(library):
    def work(number):
        add(library, POLICY, user=f"user {number % 3}")
        return quotes(library.search("Are pickle files forbidden?", f"user {number % 3}"))

    with ThreadPoolExecutor(9) as pool:
        found = list(pool.map(work, range(9)))
    assert found == [["Pickle files are forbidden."]] * 9
    assert sum(len(library.listed(f"user {i}")) for i in range(3)) == 3


def test_a_place_can_be_named_and_only_that_document_is_searched(library):
    first, second = add(library), add(library, POLICY.replace("Model", "Second"), "second.md")
    for document in (first.document, second.document):
        found = library.search("Are pickle files forbidden?", documents=[document.id])
        assert [(p.document, p.place, p.kind) for p in found] == [(document.id, "Formats", "policy")]


def _rows(path):
    with sqlite3.connect(path) as database:
        documents = dict(database.execute('SELECT "key", passages FROM team_documents'))
        passages = dict(database.execute("SELECT document, count(*) FROM team_passages GROUP BY document"))
        vectors = dict(database.execute("SELECT document, length(vectors) FROM team_vectors"))
    return documents, passages, {key: size // 384 for key, size in vectors.items()}


def _adding(folder, number):
    return subprocess.Popen([sys.executable, str(HOST), str(folder), number], stdout=subprocess.PIPE, text=True)


def test_T34_killed_half_way_nothing_is_there(tmp_path, open_library):
    with _adding(tmp_path, "half") as child:
        assert child.stdout.readline() == "ready\n"
        assert child.stdout.readline() == "half\n"
        child.kill()
    assert _rows(tmp_path / "team.sqlite3") == ({}, {}, {})
    library = open_library()
    assert library.listed() == []
    assert add(library).state == "added"


@pytest.mark.timeout(200)
def test_T34_killed_at_any_moment_nothing_is_half_there(tmp_path, open_library):
    moments, counts = random.Random(3), []
    for number in range(KILLS):
        with _adding(tmp_path, str(number)) as child:
            assert [child.stdout.readline() for _ in range(2)] == ["ready\n", "added\n"]
            time.sleep(moments.uniform(0.0, 0.5))
            child.kill()
        documents, passages, vectors = _rows(tmp_path / "team.sqlite3")
        assert documents == passages == vectors, "each document has all of its passages and vectors"
        counts.append(len(documents))
    assert counts[-1] >= KILLS
    library = open_library()
    assert len(library.listed()) == counts[-1]
    assert len(library.passages()) == sum(_rows(tmp_path / "team.sqlite3")[0].values())
    assert library.search("Which rule 7 holds?", limit=1)


def test_vectors_are_kept_as_bytes_of_their_model(library, embedder, tmp_path):
    add(library)
    with sqlite3.connect(tmp_path / "team.sqlite3") as database:
        ((model, content),) = database.execute("SELECT model, vectors FROM team_vectors").fetchall()
    assert model == embedder.model_hash
    assert np.frombuffer(content, np.int8).reshape(2, 384).astype(int).__abs__().max() == 127
