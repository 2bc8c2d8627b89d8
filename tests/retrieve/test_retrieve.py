"""Dense, lexical and fused search over collections small enough to know the right order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.collection import Collection
from rag.embed import open_embedder
from rag.engine import DEFAULT, Assistant
from rag.index import Index
from rag.index.ports import Row
from rag.ports import Kind, Vectors
from rag.query.followup import Resolved
from rag.query.understand import make_query
from rag.retrieve.fuse import fused
from rag.retrieve.rerank import PaperReranker
from rag.settings import Settings
from rag.types import Hit, Options, Paper, ranked_papers
from rag.values.ranking import Ranking
from tests.index.fakes import (
    Finder,
    Searching,
    WordEmbedder,
    codeword,
    context_of,
    make_papers,
    open_finder,
    open_index,
)

PAPERS = [
    Paper("whales", "Whale songs", "Humpback whales sing. Their songs change every year."),
    Paper("birds", "Bird songs", "Birds sing at dawn. Young birds learn songs from old ones."),
    Paper("stars", "Variable stars", "Some stars pulsate. Their brightness changes every few days."),
    Paper("tax", "Tax law", "The law of taxes changes every year."),
]


@pytest.fixture
def finder(tmp_path: Path) -> Finder:
    """A finder of PAPERS."""
    index = open_index(tmp_path)
    index.update(PAPERS)
    return open_finder(index)


def ids(hits: Sequence[Hit]) -> list[str]:
    return [hit.passage.paper_id for hit in hits]


def retrievers(finder: Finder) -> list[Searching]:
    return [finder.dense, finder.lexical, finder.hybrid]


def test_dense_search_orders_by_cosine(finder: Finder) -> None:
    question = "whales that sing songs"
    hits = finder.dense.retrieve(question, 10, Options())
    assert ids(hits)[:2] == ["whales", "birds"]
    embedder = WordEmbedder()
    texts = {paper.id: f"{paper.title}\n\n{paper.abstract}" for paper in PAPERS}
    (vector,) = embedder.embed([question], "query")
    for hit in hits:
        expected = float(embedder.embed([texts[hit.passage.paper_id]], "document")[0] @ vector)
        assert hit.score == hit.dense == pytest.approx(expected, abs=1e-4)  # the title is part of what is embedded
        assert hit.lexical is None


def test_lexical_search_orders_by_rare_words(finder: Finder) -> None:
    hits = finder.lexical.retrieve("humpback songs", 10, Options())
    assert ids(hits)[:2] == ["whales", "birds"]
    assert all(hit.lexical == hit.score > 0 and hit.dense is None for hit in hits)
    assert finder.lexical.retrieve("the of which", 10, Options()) == []


def test_words_of_the_title_count(finder: Finder) -> None:
    assert ids(finder.lexical.retrieve("variable", 1, Options())) == ["stars"]


def test_a_paper_about_something_beats_one_that_mentions_it(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    told = "Gulls nest on cliffs. They return each spring."
    index.update(
        [
            Paper("mentions", "Life on cliffs", f"Gulls nest there. {told}"),  # says the word twice, in its text
            Paper("about", "Gulls", told),  # says it once, and is called so
        ]
    )
    assert ids(open_finder(index).lexical.retrieve("gulls", 2, Options())) == ["about", "mentions"]


def test_fused_search_keeps_both_scores(finder: Finder) -> None:
    hits = finder.hybrid.retrieve("whales sing", 10, Options())
    assert ids(hits)[0] == "whales"
    assert hits[0].score == pytest.approx(1.0)
    assert hits[0].dense is not None
    assert hits[0].lexical is not None
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@pytest.mark.parametrize("k", [1, 2, 3, 100])
def test_at_most_k_hits_come_back_best_first(finder: Finder, k: int) -> None:
    for retriever in retrievers(finder):
        some, every = (retriever.retrieve("songs that change", depth, Options()) for depth in (k, 100))
        assert ids(some) == ids(every)[:k]


def test_only_included_and_no_excluded_papers(finder: Finder) -> None:
    for retriever in retrievers(finder):
        two = Options(include=frozenset({"birds", "tax"}))
        assert set(ids(retriever.retrieve("songs change year", 10, two))) == {"birds", "tax"}
        without = Options(exclude=frozenset({"birds", "whales"}))
        assert set(ids(retriever.retrieve("songs change year", 10, without))) == {"stars", "tax"}
        both = Options(include=frozenset({"birds", "tax"}), exclude=frozenset({"tax"}))
        assert set(ids(retriever.retrieve("songs change year", 10, both))) == {"birds"}
        assert retriever.retrieve("songs", 10, Options(include=frozenset({"not there"}))) == []


def test_ties_are_broken_in_the_same_way_whatever_the_order_of_indexing(tmp_path: Path) -> None:
    twins = [Paper(f"twin-{number}", "Same title", "The same words in every abstract.") for number in range(12)]
    rankings = []
    for attempt in range(2):
        random.Random(attempt).shuffle(twins)
        index = open_index(tmp_path / str(attempt))
        index.update(twins)
        finder = open_finder(index)
        rankings.append(ids(finder.hybrid.retrieve("same words", 12, Options())))
        assert rankings[-1] == ids(finder.hybrid.retrieve("same words", 12, Options()))
    assert rankings[0] == rankings[1]


def ranked(index: Index, question: str, options: Options = DEFAULT) -> list[Hit]:
    """Papers in the order in which an answer would have them."""
    return Assistant(Settings(), Collection(index, index.embedder)).rank(question, options)


def test_at_least_ten_papers_come_back_where_they_exist(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(30))
    for question in (codeword(3), "nothing that is there", "xyzzy", "first"):
        hits = ranked(index, question)[:10]
        assert len({hit.passage.paper_id for hit in hits}) == 10
        assert len(ranked_papers(hits)) == 10
    few = ranked(index, "first", Options(include=frozenset({"paper-1", "paper-2"})))
    assert sorted(ids(few)) == ["paper-1", "paper-2"]


@pytest.mark.slow
def test_ten_papers_come_back_where_one_paper_has_many_passages(tmp_path: Path) -> None:
    long = " ".join(f"Sentence {number} speaks of whales and whales again in many words." for number in range(2500))
    index = Index(Settings(data_dir=tmp_path, chunk_tokens=64), WordEmbedder())
    index.update([Paper("long", "Whales", long), *make_papers(20)])
    assert len(ranked(index, "whales")[:10]) == 10


def reranked(index: Index, question: str, hits: Sequence[Hit]) -> list[Hit]:
    """Reranking alone."""
    context = context_of(Collection(index, index.embedder).view())
    query = make_query(question, Resolved(question, question), context)
    return PaperReranker().rerank(query, hits, context)


def test_reranking_prefers_the_paper_with_the_sentence_that_answers(tmp_path: Path) -> None:
    filler = "Nothing else matters in gardens. Water flows downhill. Bread needs flour."
    papers = [
        Paper("holds", "Notes", f"{filler} Whales sing loudly."),
        Paper("mentions", "Notes", f"{filler} Whales eat krill. Choirs sing."),
    ]
    index = open_index(tmp_path)
    index.update(papers)
    even = [Hit(passage, 0.5) for _, passage in index.catalog.passages()]
    found = reranked(index, "whales sing loudly", even[::-1])
    assert ids(found) == ["holds", "mentions"]
    assert all(0 <= hit.score <= 1 for hit in found)


@pytest.mark.parametrize("question", ["first result", "Which papers have a first result?"])
def test_reranking_returns_one_hit_a_paper_and_loses_none(tmp_path: Path, question: str) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(70))  # more than are reranked
    hits = [Hit(passage, 1 - number / 100) for number, (_, passage) in enumerate(index.catalog.passages())]
    found = reranked(index, question, [*hits, *hits])
    assert sorted(ids(found)) == sorted(ids(hits))
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
    assert reranked(index, question, []) == []


SCORES = st.dictionaries(st.integers(0, 9), st.floats(-1, 40, allow_nan=False), max_size=10)


def chunk(number: int) -> Row:
    return f"p{number % 4}", "version", number, number + 1


@given(SCORES, SCORES, st.floats(0, 1))
def test_fusion_gives_every_chunk_a_score_from_0_to_1(
    near: dict[int, float], sharing: dict[int, float], weight: float
) -> None:
    dense = Ranking("dense", weight, [(chunk(number), score) for number, score in near.items()])
    lexical = Ranking("lexical", 1 - weight, [(chunk(number), score) for number, score in sharing.items()])
    scores = fused([dense, lexical])
    assert set(scores) == {chunk(number) for number in near | sharing}
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in scores.values())
    assert fused([lexical, dense]) == pytest.approx(scores)


@given(st.integers(2, 9), st.floats(0.1, 0.9))
def test_what_both_searches_find_best_is_best(count: int, weight: float) -> None:
    rows = [(chunk(number), 1 - number / 10) for number in range(count)]
    scores = fused([Ranking("dense", weight, rows), Ranking("lexical", 1 - weight, rows)])
    assert max(scores, key=lambda row: scores[row]) == chunk(0)


def test_an_index_without_words_finds_nothing(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update([Paper("p", "The", "Of and.")])
    finder = open_finder(index)
    assert finder.lexical.retrieve("whale", 5, Options()) == []
    assert finder.collection.view().idf("whale") == 1.0


def test_rarer_words_have_a_higher_idf(finder: Finder) -> None:
    view = finder.collection.view()
    assert view.idf("unheard-of") == 1.0
    assert 0 <= view.idf("chang") < view.idf("humpback") < 1


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Finder:
    """A finder with the embedded model."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("real"))
    index = Index(settings, open_embedder(settings))
    index.update(
        [
            Paper("persian", "A Persian corpus", "We collect Persian sentences from newspapers."),
            Paper("german", "A German corpus", "We collect German sentences from newspapers."),
            Paper("physician", "Physician notes", "Notes of physicians are hard to read."),
            Paper("cars", "Cars", "Automobiles drive on roads."),
        ]
    )
    return Finder(index)


@pytest.mark.parametrize(
    ("question", "expected"),
    [("Farsi", "persian"), ("doctors", "physician"), ("vehicles", "cars"), ("german", "german")],
)
def test_words_of_like_meaning_expand_each_other(real: Finder, question: str, expected: str) -> None:
    assert ids(real.lexical.retrieve(question, 1, Options())) == [expected]


def test_words_are_compared_as_like_with_like(tmp_path: Path) -> None:
    class Prefixed(WordEmbedder):
        """Gives a question quite another vector than a document, as some models do."""

        def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
            vectors = super().embed([text.replace("cetaceans", "whales") for text in texts], kind)
            return -vectors if kind == "query" else vectors

    index = open_index(tmp_path, Prefixed())
    index.update(PAPERS)
    assert ids(open_finder(index).lexical.retrieve("cetaceans", 1, Options())) == ["whales"]


def test_an_expansion_is_worth_less_than_the_word_itself(real: Finder) -> None:
    itself = real.lexical.retrieve("Persian", 1, Options())[0]
    expanded = real.lexical.retrieve("Farsi", 1, Options())[0]
    assert itself.passage == expanded.passage
    assert 0 < expanded.score < itself.score
