"""The collection on disk: what updating changes, and what it leaves alone."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from unittest.mock import Mock

import chromadb
import pytest
from filelock import FileLock

from rag.errors import IndexBusy, IndexMismatch, IndexMissing, IndexUnusable, ProviderBusy
from rag.index import Index
from rag.ports import Kind, Vectors
from rag.settings import Settings
from rag.types import Options, Paper
from tests.index.fakes import (
    WordEmbedder,
    assert_sound,
    codeword,
    found,
    leave_uncommitted,
    make_paper,
    make_papers,
    open_finder,
    open_index,
)


def test_only_what_is_new_or_changed_is_embedded(tmp_path: Path) -> None:
    embedder = WordEmbedder()
    index = open_index(tmp_path, embedder)
    assert index.update(make_papers(5)).added == 5
    embedder.embedded.clear()
    report = index.update(make_papers(5))
    assert (report.unchanged, report.total, embedder.embedded) == (5, 5, [])

    report = index.update([*make_papers(4), make_paper(4, "second"), make_paper(5)])
    assert (report.added, report.changed, report.unchanged, report.removed, report.total) == (1, 1, 4, 0, 6)
    texts = [text for text in embedder.embedded if " " in text]  # the others are words of the vocabulary
    assert texts
    assert all(codeword(4) in text or codeword(5) in text or "result is" in text for text in texts)
    assert not any(codeword(number) in text for text in texts for number in range(4))
    assert_sound(index)


def test_the_generation_stays_when_nothing_changes(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(3))
    before = index.catalog.generation()
    index.update(make_papers(3))
    index.remove(["never there"])
    assert index.catalog.generation() == before


def test_a_changed_paper_is_replaced(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(6))
    finder = open_finder(index)
    assert len(found(finder, "first")) == 6
    index.update([make_paper(2, "corrected")])
    hits = finder.hybrid.retrieve(f"corrected {codeword(2)}", 10, Options())
    assert hits[0].passage.paper_id == "paper-2"
    texts = [hit.passage.text for hit in hits if hit.passage.paper_id == "paper-2"]
    assert texts == [make_paper(2, "corrected").abstract]
    lexical = [hit.passage.paper_id for hit in finder.lexical.retrieve("first", 10, Options())]
    assert "paper-2" not in lexical
    assert_sound(index)


def test_a_paper_changes_when_anything_a_reader_sees_changes(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(1))
    assert index.update([replace(make_paper(0), year=2024)]).changed == 1
    paper = index.catalog.paper("paper-0")
    assert paper is not None
    assert paper.year == 2024
    assert index.update([replace(make_paper(0), year=2024, source="elsewhere.csv")]).unchanged == 1


def test_prune_removes_what_is_gone_and_nothing_else_does(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(6))
    assert index.update(make_papers(2)).total == 6
    report = index.update(make_papers(2), prune=True)
    assert (report.removed, report.total) == (4, 2)
    assert not open_finder(index).lexical.retrieve(codeword(5), 5, Options())
    assert_sound(index)


def test_remove_says_how_many_were_there(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    assert index.remove(["paper-0"]) == 0
    index.update(make_papers(4))
    assert index.remove(["paper-0", "paper-3", "paper-3", "unknown"]) == 2
    assert sorted(index.catalog.fingerprints()) == ["paper-1", "paper-2"]
    assert index.catalog.paper("paper-0") is None
    assert_sound(index)


def test_the_last_of_two_papers_with_one_id_counts(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    report = index.update([make_paper(0), make_paper(0, "second")])
    assert (report.added, report.total) == (1, 1)
    assert index.catalog.papers() == [make_paper(0, "second")]
    assert_sound(index)


def test_papers_with_the_same_text_are_both_kept(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update([make_paper(0), replace(make_paper(0), id="twin")])
    assert sorted(found(open_finder(index), codeword(0))) == ["paper-0", "twin"]
    assert_sound(index)


def test_ids_and_texts_in_any_script(tmp_path: Path) -> None:
    papers = [
        Paper("论文/1", "机器学习", "这是一个摘要。模型很好。"),
        Paper("ID with 'quotes' \"and\" %", "Größe", "Ähnlichkeit zählt hier."),
        Paper("😀", "Emoji 😀", "Smiling faces 😀 in text."),
    ]
    index = open_index(tmp_path)
    index.update(papers)
    assert index.catalog.papers() == papers
    assert found(open_finder(index), "Ähnlichkeit")[0] == papers[1].id
    only = open_finder(index).dense.retrieve("Modell", 5, Options(include=frozenset({papers[0].id})))
    assert [hit.passage.paper_id for hit in only] == [papers[0].id]
    assert index.remove([papers[2].id]) == 1
    assert_sound(index)


def test_an_empty_collection_can_be_searched(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    assert index.update([]).total == 0
    index.check()
    finder = open_finder(index)
    assert finder.hybrid.retrieve("anything", 10, Options()) == []
    index.update(make_papers(2))
    index.update([], prune=True)
    assert finder.hybrid.retrieve("anything", 10, Options()) == []


def test_nothing_indexed_is_an_error_that_names_the_command(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    with pytest.raises(IndexMissing, match="readback index"):
        index.check()
    with pytest.raises(IndexMissing, match="readback index"):
        open_finder(index).hybrid.retrieve("anything", 10, Options())


def test_the_manifest_says_what_the_index_was_made_with(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(1))
    manifest = index.catalog.manifest()
    assert manifest == index.wanted
    assert manifest is not None
    assert (manifest.embedder, manifest.dimension) == ("words", 256)
    assert "400 tokens" in manifest.chunking


def test_another_embedder_is_refused_by_name_until_a_rebuild(tmp_path: Path) -> None:
    old = open_index(tmp_path)
    old.update(make_papers(4))
    new = open_index(tmp_path, WordEmbedder("other-model", 192))
    for work in (new.check, lambda: new.update(make_papers(5)), lambda: new.remove(["paper-0"])):
        with pytest.raises(IndexMismatch) as caught:
            work()
        assert all(part in str(caught.value) for part in ("'words'", "'other-model'", "readback index --rebuild"))
    with pytest.raises(IndexMismatch):
        open_finder(new).dense.retrieve("anything", 5, Options())
    assert old.update(make_papers(4)).unchanged == 4  # nothing was spoilt

    report = new.update([], rebuild=True)
    assert report.total == 4
    assert_sound(new)
    with pytest.raises(IndexMismatch, match="other-model"):
        old.check()
    assert new.vectors.names() == [new.collection_name]  # the old vectors are gone


def test_another_passage_length_is_refused_too(tmp_path: Path) -> None:
    open_index(tmp_path).update(make_papers(1))
    other = Index(Settings(data_dir=tmp_path, chunk_tokens=128), WordEmbedder())
    with pytest.raises(IndexMismatch, match="128 tokens"):
        other.check()


def test_the_old_index_serves_while_a_rebuild_is_at_work(tmp_path: Path) -> None:
    old = open_index(tmp_path)
    old.update(make_papers(40))
    finder = open_finder(old)
    seen: list[list[str]] = []
    new = open_index(tmp_path, WordEmbedder("other-model", 192))
    new.update([], rebuild=True, progress=lambda _: seen.append(found(finder, codeword(7))))
    assert len(seen) >= 2
    assert all(ids[0] == "paper-7" for ids in seen)
    with pytest.raises(IndexMismatch):
        found(finder, codeword(7))


def test_a_rebuild_keeps_papers_that_are_not_among_the_files(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(4))
    report = index.update([make_paper(0, "second"), make_paper(9)], rebuild=True)
    assert (report.added, report.changed, report.total) == (1, 1, 5)
    assert index.update([make_paper(9)], rebuild=True, prune=True).total == 1
    assert_sound(index)


def test_a_second_indexer_is_told_to_wait(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(2))
    with FileLock(tmp_path / "index.lock"):
        for work in (lambda: index.update(make_papers(3)), lambda: index.remove(["paper-0"])):
            with pytest.raises(IndexBusy, match="Another indexer is at work"):
                work()
        assert found(open_finder(index), codeword(1))[0] == "paper-1"  # searching goes on
    assert index.update(make_papers(3)).added == 1


def test_progress_counts_every_paper_once(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(10))
    counts: list[int] = []
    index.update(make_papers(50), progress=counts.append)
    assert sum(counts) == 50


def test_the_sources_of_the_last_run_are_known_even_if_nothing_changed(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(1), sources=["a.jsonl"])
    index.update(make_papers(1), sources=["b.jsonl"])
    assert index.sources() == ["b.jsonl"]
    index.update(make_papers(2))
    assert index.sources() == ["b.jsonl"]


def test_an_error_while_embedding_changes_nothing(tmp_path: Path) -> None:
    class Broken(WordEmbedder):
        def embed(self, texts: object, kind: object) -> object:  # type: ignore[override]
            raise OSError("the disk is full")

    index = open_index(tmp_path)
    index.update(make_papers(3))
    before = index.catalog.generation()
    with pytest.raises(OSError, match="disk is full"):
        open_index(tmp_path, Broken()).update([make_paper(1, "second"), make_paper(7)])
    assert index.catalog.generation() == before
    assert index.catalog.papers() == make_papers(3)
    assert index.update(make_papers(8)).added == 5
    assert_sound(index)


def test_what_is_stored_but_not_committed_is_not_found_and_crowds_nothing_out(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(12))
    question = make_paper(3).abstract
    leave_uncommitted(index, question, 40)  # all nearer than any committed one but itself
    for k in (1, 5, 12):
        hits = open_finder(index).dense.retrieve(question, k, Options())
        assert len(hits) == k
        assert hits[0].passage.paper_id == "paper-3"
        assert all(hit.passage.paper_id.startswith("paper-") for hit in hits)
    without = Options(exclude=frozenset({"paper-3"}))
    assert len(open_finder(index).dense.retrieve(question, 11, without)) == 11


def test_a_replaced_paper_leaves_nothing_behind(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(5))
    index.update([make_paper(1, "second")])
    index.remove(["paper-2"])
    assert index.vectors.count(index.collection_name) == 4
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite3")) as db:
        assert db.execute("SELECT count(*) FROM entry").fetchone() == (4,)


def test_updating_step_by_step_ends_in_the_index_of_one_run(tmp_path: Path) -> None:
    one, steps = open_index(tmp_path / "one"), open_index(tmp_path / "steps")
    papers = [make_paper(number, "first" if number % 3 else "second") for number in range(90)]
    one.update(papers)
    finder = open_finder(steps)
    steps.update(make_papers(80))
    for number in range(0, 100, 10):
        steps.update([make_paper(number + 1), make_paper(number + 2)])
        found(finder, codeword(number))  # so that it follows generation by generation
    steps.update(papers, prune=True)
    expected = open_finder(one)
    for question in (codeword(4), "second result units", "whales and violins", "unheard"):
        for there, here in ((expected.lexical, finder.lexical), (expected.dense, finder.dense)):
            scores = {hit.passage: hit.score for hit in there.retrieve(question, 100, Options())}
            mine = {hit.passage: hit.score for hit in here.retrieve(question, 100, Options())}
            assert mine == pytest.approx(scores, abs=1e-5)
        assert finder.collection.view().idf(question) == expected.collection.view().idf(question)


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    class Stopping(WordEmbedder):
        def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
            if any(codeword(70) in text for text in texts):
                raise ProviderBusy("The server is busy.")
            return super().embed(texts, kind)

    index = open_index(tmp_path, Stopping())
    with pytest.raises(ProviderBusy):
        index.update(make_papers(100))
    assert index.catalog.papers() == []
    embedder = WordEmbedder()
    again = open_index(tmp_path, embedder)
    counts: list[int] = []
    assert again.update(make_papers(100), progress=counts.append).added == 100
    assert sum(counts) == 100
    assert not any(codeword(number) in text for text in embedder.embedded for number in range(32))
    assert_sound(again)


def test_what_an_interrupted_run_left_is_not_taken_for_something_else(tmp_path: Path) -> None:
    class Stopping(WordEmbedder):
        def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
            if any(codeword(70) in text for text in texts):
                raise ProviderBusy("The server is busy.")
            return super().embed(texts, kind)

    index = open_index(tmp_path)
    index.update(make_papers(3))
    with pytest.raises(ProviderBusy):
        open_index(tmp_path, Stopping()).update(make_papers(100, "second"))
    assert index.catalog.papers() == make_papers(3)
    index.update(make_papers(5))
    assert index.catalog.papers() == make_papers(5)
    assert_sound(index)


def test_an_error_that_passes_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_index(tmp_path).update(make_papers(4))
    index = open_index(tmp_path)
    before, name = index.catalog.generation(), index.collection_name
    with monkeypatch.context() as patched:
        patched.setattr(chromadb, "PersistentClient", Mock(side_effect=OSError(24, "Too many open files")))
        with pytest.raises(IndexUnusable, match=r"Too many open files.*Try again"):
            found(open_finder(index), codeword(2))
    assert found(open_finder(index), codeword(2))[0] == "paper-2"
    assert (index.catalog.generation(), index.collection_name) == (before, name)
    assert not (tmp_path / "chroma.damaged").exists()


def test_vectors_that_were_deleted_are_made_anew(tmp_path: Path) -> None:
    embedder = WordEmbedder()
    index = open_index(tmp_path, embedder)
    index.update(make_papers(4))
    index.vectors.close()
    shutil.rmtree(tmp_path / "chroma")
    embedder.embedded.clear()
    assert found(open_finder(index), codeword(2))[0] == "paper-2"
    assert embedder.embedded == []  # the catalog has the vectors too
    assert_sound(index)


def test_vectors_that_cannot_be_loaded_are_made_anew(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(4))
    index.vectors.close()
    (tmp_path / "chroma" / "chroma.sqlite3").write_bytes(b"no database" * 1000)
    assert found(open_finder(open_index(tmp_path)), codeword(2))[0] == "paper-2"
    assert (tmp_path / "chroma.damaged").is_dir()  # to be looked at
    assert_sound(open_index(tmp_path))


def test_index_files_that_cannot_be_loaded_are_made_anew(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(4))
    stored = index.vectors.collection(index.collection_name)
    vectors = WordEmbedder().embed([f"filler {number}" for number in range(1200)], "document")
    stored.add(ids=[str(n) for n in range(1200)], embeddings=vectors, metadatas=[{"paper_id": "x"}] * 1200)
    index.vectors.close()
    (file,) = (tmp_path / "chroma").glob("*/index_metadata.pickle")  # written once 1000 vectors are there
    file.write_bytes(file.read_bytes()[:100])
    assert found(open_finder(open_index(tmp_path)), codeword(2))[0] == "paper-2"
    assert_sound(open_index(tmp_path))


def test_a_damaged_catalog_is_named_and_a_rebuild_sets_it_aside(tmp_path: Path) -> None:
    open_index(tmp_path).update(make_papers(3))
    catalog = tmp_path / "catalog.sqlite3"
    catalog.write_bytes(b"no database" * 1000)
    index = open_index(tmp_path)
    for work in (index.check, lambda: index.update(make_papers(3))):
        with pytest.raises(IndexUnusable, match="--rebuild FILES"):
            work()
    assert index.update(make_papers(3), rebuild=True).total == 3
    assert Path(f"{catalog}.damaged").read_bytes().startswith(b"no database")
    assert_sound(index)


def test_a_catalog_of_another_schema_is_refused(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(1))
    with sqlite3.connect(tmp_path / "catalog.sqlite3") as db:
        manifest = json.loads(db.execute("SELECT value FROM meta WHERE key = 'manifest'").fetchone()[0])
        manifest |= {"schema": 99, "something_new": True}
        db.execute("UPDATE meta SET value = ? WHERE key = 'manifest'", (json.dumps(manifest),))
    db.close()
    with pytest.raises(IndexMismatch, match=r"99.*--rebuild"):
        index.check()
    assert index.update(make_papers(1), rebuild=True).total == 1


def test_a_catalog_of_the_first_schema_keeps_its_papers_through_a_rebuild(tmp_path: Path) -> None:
    papers = make_papers(3)
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite3")) as db, db:
        db.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        manifest = {"embedder": "words", "dimension": 256, "chunking": "sentences-1/400 tokens, title in front"}
        facts = {"manifest": json.dumps(manifest | {"schema": 1}), "collection": "papers-1", "generation": "7"}
        db.executemany("INSERT INTO meta VALUES (?, ?)", facts.items())
        db.execute(
            "CREATE TABLE paper (position INTEGER PRIMARY KEY, id TEXT UNIQUE, fingerprint TEXT, record TEXT, "
            "spans TEXT, dimension INTEGER, vectors BLOB)"
        )
        db.executemany(
            "INSERT INTO paper (id, fingerprint, record, spans, dimension, vectors) VALUES (?, ?, ?, '[]', 256, x'')",
            [(paper.id, paper.fingerprint, json.dumps(asdict(paper))) for paper in papers],
        )
    (tmp_path / "cache").mkdir()
    index = open_index(tmp_path)
    with pytest.raises(IndexMismatch, match="--rebuild"):
        index.update(papers)
    assert index.update([make_paper(9)], rebuild=True).total == 4
    assert index.catalog.papers() == [*papers, make_paper(9)]
    assert index.catalog.generation() == 8
    assert not (tmp_path / "cache").exists()
    assert_sound(index)
