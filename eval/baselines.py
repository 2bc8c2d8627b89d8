"""What stands beside Readback in every table: the searches that people would build in an afternoon.

A ranker puts papers into order. ``FirstAbstract`` makes a system of it that answers: it hands over the first abstract,
whole, which is what a search engine's user reads. None of them has a memory, so of a conversation each hears the last
turn; none of them abstains.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from eval.config import BM25, CITATIONS, EMBEDDER, STARTER
from eval.provenance import digest
from rag.collection import Collection
from rag.settings import Settings
from rag.text import sentences
from rag.tokens import count_tokens
from rag.types import Answer, Citation, Options, Paper, RetrievedPaper, Sentence, Usage

if TYPE_CHECKING:
    from llama_index.core import VectorStoreIndex

    from rag.ports import Embedder

DEPTH = 10  # papers of an answer's ranking
ADD = 500  # nodes that Chroma is given at a time
_REFUSES = re.compile(
    r"\b(none of the (provided )?(sources|documents)|sources? (do|does|did) not|no (relevant )?information|"
    r"not (provided|mentioned|specified|stated) in the|cannot (be )?(answer|determin)\w*|"
    r"unable to answer|empty response)\b",
    re.IGNORECASE,
)
Ranked = list[tuple[str, float]]  # paper id and score, best first


class Ranker(Protocol):
    """Puts papers into order."""

    name: str

    def rank(self, question: str, k: int) -> Ranked:
        """At most k distinct papers, best first; scores are comparable within one ranking."""
        ...


class System(Protocol):
    """Something that can be asked. Safe for threads."""

    name: str
    costly: bool  # replies cost tokens, so later runs use them again

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides its answers besides the question."""
        ...

    def answer(self, turns: Sequence[str]) -> Answer:
        """The answer to the last turn, after the others have been asked."""
        ...


class Bm25:
    """BM25 over title and abstract: Lucene's variant, Snowball stems, a list of English stop words."""

    name = BM25

    def __init__(self, papers: Sequence[Paper]) -> None:
        """papers: what can be found; kept in memory."""
        import bm25s

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to DEBUG
        self._ids = [paper.id for paper in papers]
        self._index = bm25s.BM25(k1=1.2, b=0.75, method="lucene")
        self._index.index(self._tokens([f"{paper.title} {paper.abstract}" for paper in papers]), show_progress=False)

    def rank(self, question: str, k: int) -> Ranked:
        """Papers that share a word with the question."""
        known = [token for token in self._tokens([question])[0] if token in self._index.vocab_dict]
        if not known:
            return []
        scores = self._index.get_scores(known)
        order = np.argsort(-scores, kind="stable")[:k]
        return [(self._ids[row], float(scores[row])) for row in order if scores[row] > 0]

    def _tokens(self, texts: list[str]) -> list[list[str]]:
        import bm25s

        tokens: list[list[str]] = bm25s.tokenize(
            texts, stopwords="en", stemmer=self._stemmer, return_ids=False, show_progress=False
        )
        return tokens

    @cached_property
    def _stemmer(self) -> Any:
        import Stemmer

        return Stemmer.Stemmer("english")


class EmbedderAlone:
    """Cosine of question and passage, by Readback's own embedder and index, and nothing else."""

    name = EMBEDDER

    def __init__(self, collection: Collection) -> None:
        """collection: what is ranked."""
        self._collection = collection

    def rank(self, question: str, k: int) -> Ranked:
        """Papers by their nearest passage."""
        view = self._collection.view()
        best: dict[str, float] = {}
        for row, cosine in view.nearest(view.embed(question), 2 * k, Options()):  # an abstract may have several chunks
            best.setdefault(row[0], cosine)
        return list(best.items())[:k]


class LlamaIndexStarter:
    """LlamaIndex's starter example: a VectorStoreIndex over Chroma with default settings and the same embedder.

    Its query engine would take two papers; here it ranks as many as are asked for.
    """

    name = STARTER

    def __init__(self, papers: Sequence[Paper], embedder: Embedder, folder: Path) -> None:
        """folder: for Chroma; what is there is used again, so it must be of the same papers and embedder."""
        self.papers = papers
        self._embedder = embedder
        self._folder = folder

    @cached_property
    def index(self) -> VectorStoreIndex:
        """Built at first use, with everything passed in: LlamaIndex's global settings are left alone."""
        import chromadb
        from chromadb.config import Settings as ChromaSettings
        from llama_index.core import Document, StorageContext, VectorStoreIndex
        from llama_index.core.node_parser import SentenceSplitter
        from llama_index.core.node_parser.text.utils import split_by_sentence_tokenizer_internal
        from llama_index.vector_stores.chroma import ChromaVectorStore
        from nltk.tokenize import PunktSentenceTokenizer  # type: ignore[import-untyped]

        from rag.index.ingest import PortEmbedding

        count_tokens("")  # points tiktoken to the tables that are here
        client = chromadb.PersistentClient(str(self._folder), settings=ChromaSettings(anonymized_telemetry=False))
        collection = client.get_or_create_collection("starter", embedding_function=None)
        store = ChromaVectorStore(chroma_collection=collection)
        embedding = PortEmbedding(self._embedder)
        if (self._folder / "complete").exists():
            return VectorStoreIndex.from_vector_store(store, embed_model=embedding)
        documents = [Document(text=f"{paper.title}\n{paper.abstract}", id_=paper.id) for paper in self.papers]
        punkt = PunktSentenceTokenizer()

        def cut(text: str) -> list[str]:
            # what the splitter does by default, but for reading a list of stop words that it does not use: nltk refuses
            # to read that where the packages were installed as hard links
            return split_by_sentence_tokenizer_internal(text, punkt)

        index = VectorStoreIndex.from_documents(
            documents,
            storage_context=StorageContext.from_defaults(vector_store=store),
            embed_model=embedding,
            transformations=[SentenceSplitter(chunking_tokenizer_fn=cut)],
            insert_batch_size=ADD,
        )
        (self._folder / "complete").touch()  # a killed build must not pass for a small collection
        return index

    def rank(self, question: str, k: int) -> Ranked:
        """Papers by their nearest chunk."""
        best: dict[str, float] = {}
        for found in self.index.as_retriever(similarity_top_k=k).retrieve(question):
            best.setdefault(str(found.node.ref_doc_id), float(found.score or 0.0))
        return list(best.items())


class FirstAbstract:
    """A system of a ranker: the answer is the first paper's abstract, every sentence of it quoted."""

    costly = False

    def __init__(self, ranker: Ranker, papers: Sequence[Paper], decided_by: str) -> None:
        """decided_by: hash of what decides the ranking besides this module."""
        self.name = ranker.name
        self._ranker = ranker
        self._papers = {paper.id: paper for paper in papers}
        self._decided_by = decided_by

    @property
    def fingerprint(self) -> str:
        """Of this module and what decides the ranking."""
        return digest(self.name, Path(__file__).read_text("utf-8"), self._decided_by)

    def answer(self, turns: Sequence[str]) -> Answer:
        """The abstract of the paper that comes first for the last turn."""
        began = time.perf_counter()
        ranked = self._ranker.rank(turns[-1], DEPTH)
        spent = (time.perf_counter() - began) * 1000
        citations = [] if not ranked else _whole(self._papers[ranked[0][0]], ranked[0][1])
        spoken = tuple(Sentence(f"{one.quote} [{one.marker}]", (one.marker,), True, 1.0) for one in citations)
        return Answer(
            id=uuid.uuid4().hex,
            question=turns[-1],
            standalone_question=turns[-1],
            text=" ".join(one.text for one in spoken),
            abstained=not spoken,  # no paper shares a word with the question
            abstain_reason=None,
            sentences=spoken,
            citations=tuple(citations),
            retrieved=_ranking(ranked, self._papers),
            mode="extractive",
            model=None,
            timings_ms={"retrieve": round(spent, 2), "total": round(spent, 2)},
            confidence=ranked[0][1] if ranked else 0.0,
        )


class LlamaIndexCitations:
    """LlamaIndex's CitationQueryEngine with default settings and the configured model.

    Its papers are ranked as the starter ranks them; it reads as many as it does by default.
    """

    name = CITATIONS
    costly = True

    def __init__(self, starter: LlamaIndexStarter, settings: Settings, decided_by: str) -> None:
        """settings: must name a model."""
        self._starter = starter
        self._settings = settings
        self._papers: Mapping[str, Paper] = {paper.id: paper for paper in starter.papers}
        self._decided_by = decided_by

    @property
    def fingerprint(self) -> str:
        """Of this module, the model and what decides the ranking."""
        model = f"{self._settings.chat_model} {self._settings.openai_base_url}"
        return digest(self.name, Path(__file__).read_text("utf-8"), model, self._decided_by)

    @cached_property
    def _engine(self) -> Any:
        from llama_index.core.query_engine import CitationQueryEngine
        from llama_index.llms.openai_like import OpenAILike

        key = self._settings.openai_api_key
        llm = OpenAILike(
            model=self._settings.chat_model,
            api_base=self._settings.openai_base_url or "https://api.openai.com/v1",
            api_key=key.get_secret_value() if key else "none",
            is_chat_model=True,
            context_window=self._settings.context_tokens,
            max_tokens=self._settings.answer_tokens,
            timeout=self._settings.timeout_s,
            max_retries=self._settings.retries,
            temperature=0.0,
        )
        return CitationQueryEngine.from_args(self._starter.index, llm=llm)

    def answer(self, turns: Sequence[str]) -> Answer:
        """What the engine writes to the last turn."""
        began = time.perf_counter()
        response = self._engine.query(turns[-1])
        spent = (time.perf_counter() - began) * 1000
        text = str(response)
        citations = [
            self._citation(marker, node)
            for marker, node in enumerate(response.source_nodes, start=1)
            if f"[{marker}]" in text
        ]
        known = {one.marker for one in citations}
        said = [span.of(text) for span in sentences(text)]
        ranked = self._starter.rank(turns[-1], DEPTH)
        abstained = not citations and bool(_REFUSES.search(text) or not text.strip())
        return Answer(
            id=uuid.uuid4().hex,
            question=turns[-1],
            standalone_question=turns[-1],
            text=text,
            abstained=abstained,
            abstain_reason=text if abstained else None,
            sentences=tuple(Sentence(one, tuple(sorted(_markers(one) & known)), True, 1.0) for one in said),
            citations=tuple(citations),
            retrieved=_ranking(ranked, self._papers),
            mode="generative",
            model=self._settings.chat_model,
            usage=Usage(cost_usd=None),  # the engine does not say
            timings_ms={"total": round(spent, 2)},
            confidence=ranked[0][1] if ranked else 0.0,
        )

    def _citation(self, marker: int, found: Any) -> Citation:
        """The engine cites whole chunks; what stands in the abstract of the chunk is the quote."""
        paper = self._papers[str(found.node.ref_doc_id)]
        chunk = re.sub(r"^Source \d+:\n", "", found.node.get_content()).removeprefix(paper.title).strip()
        start = max(0, paper.abstract.find(chunk))
        return Citation(marker, paper.id, paper.title, chunk, start, start + len(chunk), float(found.score or 0.0))


def _markers(text: str) -> set[int]:
    return {int(number) for number in re.findall(r"\[(\d+)\]", text)}


def _whole(paper: Paper, score: float) -> list[Citation]:
    spans = sentences(paper.abstract)
    return [
        Citation(marker, paper.id, paper.title, span.of(paper.abstract), span.start, span.end, score)
        for marker, span in enumerate(spans, start=1)
    ]


def _ranking(ranked: Ranked, papers: Mapping[str, Paper]) -> tuple[RetrievedPaper, ...]:
    return tuple(
        RetrievedPaper(rank, paper_id, papers[paper_id].title, round(score, 4))
        for rank, (paper_id, score) in enumerate(ranked, start=1)
    )
