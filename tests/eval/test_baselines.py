"""What stands beside Readback answers in the same form, and reads the papers it says it reads."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import httpx
import pytest
import respx

from eval.baselines import FirstAbstract, LlamaIndexCitations, LlamaIndexStarter, Ranked
from eval.run import Setup
from rag.embed import open_embedder
from rag.types import Paper
from tests.eval.conftest import PAPERS


class Fixed:
    """A ranker that always says the same."""

    name = "fixed"

    def __init__(self, ranked: Ranked) -> None:
        self.ranked = ranked

    def rank(self, question: str, k: int) -> Ranked:
        return self.ranked[:k]


def test_the_first_abstract_is_handed_over_in_exact_quotes() -> None:
    answer = FirstAbstract(Fixed([("bees", 3.0), ("owls", 1.0)]), PAPERS, "x").answer(["earlier", "now"])
    bees = PAPERS[0].abstract
    assert [bees[one.start : one.end] == one.quote for one in answer.citations] == [True] * 4
    assert answer.question == "now"
    assert [paper.paper_id for paper in answer.retrieved] == ["bees", "owls"]
    assert not answer.abstained
    assert answer.confidence == 3.0


def test_finding_nothing_is_silence() -> None:
    answer = FirstAbstract(Fixed([]), PAPERS, "x").answer(["now"])
    assert answer.abstained
    assert answer.text == ""


def test_what_decides_the_ranking_decides_the_fingerprint() -> None:
    systems = [FirstAbstract(Fixed([]), PAPERS, decided_by) for decided_by in ("x", "x", "y")]
    first, same, other = (system.fingerprint for system in systems)
    assert first == same != other


def test_the_starter_cuts_long_texts_and_is_used_again(setup: Setup, tmp_path: Path) -> None:
    long = Paper("long", "A long paper", " ".join(f"Sentence number {n} is about granite." for n in range(400)))
    embedder = open_embedder(setup.settings)
    papers = (*PAPERS, long)
    made = LlamaIndexStarter(papers, embedder, tmp_path / "chroma")
    first = made.rank("What is granite?", 3)
    assert first[0][0] == "long"
    assert len({paper for paper, _ in first}) == len(first)
    from llama_index.core import Settings as GlobalSettings

    assert GlobalSettings._llm is None  # LlamaIndex's global settings are left alone
    assert GlobalSettings._embed_model is None
    again = LlamaIndexStarter((), embedder, tmp_path / "chroma")
    assert again.rank("What is granite?", 3) == first


@pytest.mark.parametrize(
    ("text", "abstained", "cited"),
    [("We filmed 412 dances [1]. It was fun.", False, 1), ("None of the sources are helpful.", True, 0)],
)
@respx.mock
def test_the_citation_engine_is_read_as_an_answer(
    setup: Setup, tmp_path: Path, text: str, abstained: bool, cited: int
) -> None:
    assert sys.version_info >= (3, 11)
    reply = {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
    route = respx.post("http://model.test/v1/chat/completions").mock(return_value=httpx.Response(200, json=reply))
    settings = setup.settings.model_copy(update={"openai_base_url": "http://model.test/v1", "retries": 0})
    starter = LlamaIndexStarter(PAPERS, open_embedder(setup.settings), tmp_path / "chroma")
    answer = LlamaIndexCitations(starter, settings, "x").answer(["How many waggle dances were filmed?"])
    sent = json.loads(route.calls.last.request.content)
    assert "Source 1" in str(sent["messages"])
    assert answer.text == text
    assert answer.abstained is abstained
    assert len(answer.citations) == cited
    assert answer.retrieved[0].paper_id == "bees"
    for one in answer.citations:
        assert PAPERS[0].abstract[one.start : one.end] == one.quote
    if cited:
        assert [sentence.citations for sentence in answer.sentences] == [(1,), ()]
