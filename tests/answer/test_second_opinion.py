"""A second opinion by a model: what is sent, what counts of what comes back, and what each failure leaves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
import pytest
import respx
from pydantic import SecretStr

from rag import Assistant, Paper, Usage
from rag.answer.second_opinion import FINDS_NOTHING, SAYS_OTHERWISE, UNCHECKED, ModelVerifier
from rag.chat_model import OpenAIChat
from rag.prompts import CHECK_RULES
from rag.text import sentences
from rag.types import Options
from rag.verify import Source, Verdict
from tests.engine.shared import ABOUT_CTRL, CTRL, TPRF, Scripted, writing
from tests.providers.conftest import KEY, URL, counted, delta, sse

ABSTRACT = "Otters use tools. We show that otters  crack shells with “flat” stones — 40% faster than by biting."
DRAFT = ("Otters crack shells with stones [1].", "Two findings follow:", "Stones are eaten.", "Otters fly.")
STATES = ("unchecked", "verified", "verified", "contradicted")
QUOTE = 'otters crack shells with "flat" stones - 40% FASTER'


class Fixed:
    """A Verifier that says what it was told."""

    def verify(self, sentences: Sequence[str], sources: Sequence[Source]) -> list[Verdict]:
        kinds = ("claim", "framing", "claim", "claim")
        return [
            Verdict(text, state, (), 0.3, "", kind)  # type: ignore[arg-type]
            for text, state, kind in zip(sentences, STATES, kinds, strict=True)
        ]


def source() -> Source:
    spans = tuple(sentences(ABSTRACT))
    return Source(Paper("otters", "Tools of otters", ABSTRACT), spans, np.zeros((len(spans), 3), dtype=np.float32))


def judged(*opinions: dict[str, Any], reply: str | None = None) -> tuple[list[Verdict], list[str], list[Usage]]:
    text = reply if reply is not None else f"Here it is: {json.dumps(opinions)}"
    with respx.mock(base_url=URL) as server:
        server.post("/chat/completions").respond(200, content=sse(delta(text), delta(finish="stop"), counted(9, 4)))
        return verified()


def verified() -> tuple[list[Verdict], list[str], list[Usage]]:
    warned: list[str] = []
    spent: list[Usage] = []
    model = OpenAIChat("gpt-x", SecretStr(KEY), URL, retries=0)
    return ModelVerifier(Fixed(), model, spent.append, warned.append).verify(DRAFT, [source()]), warned, spent


def test_one_call_carries_the_whole_draft_and_the_abstracts() -> None:
    with respx.mock(base_url=URL) as server:
        route = server.post("/chat/completions").respond(200, content=sse(delta("[]"), delta(finish="stop")))
        verified()
    assert route.call_count == 1
    system, user = json.loads(route.calls[0].request.content)["messages"]
    assert system["content"] == CHECK_RULES
    assert ABSTRACT in user["content"]
    assert [line for line in user["content"].splitlines() if line[:2] in ("1.", "2.", "3.", "4.")] == [
        f"{number}. {text}" for number, text in enumerate(DRAFT, 1)
    ]


def test_a_quote_that_stands_there_decides_and_is_shown() -> None:
    verdicts, warned, spent = judged(
        {"sentence": 1, "verdict": "supported", "quote": QUOTE},
        {"sentence": 3, "verdict": "contradicted", "quote": "we show that otters crack shells"},
    )
    assert [one.state for one in verdicts] == ["verified", "verified", "contradicted", "contradicted"]
    (quote,) = verdicts[0].quotes
    assert quote.text == "otters  crack shells with “flat” stones — 40% faster"
    assert verdicts[2].why == SAYS_OTHERWISE
    assert not warned
    assert [(one.prompt_tokens, one.completion_tokens) for one in spent] == [(9, 4)]


@pytest.mark.parametrize(
    "quote", ["", "otters", "otters crack shells with sharp stones", "We show otters crack shells"]
)
def test_without_a_verbatim_quote_the_other_verdict_stands(quote: str) -> None:
    verdicts, warned, _ = judged(
        {"sentence": 1, "verdict": "supported", "quote": quote},
        {"sentence": 3, "verdict": "contradicted", "quote": quote},
    )
    assert [one.state for one in verdicts] == list(STATES)
    assert not warned


def test_what_the_model_finds_nowhere_is_unchecked_and_a_contradiction_is_never_overruled() -> None:
    verdicts, _, _ = judged(
        {"sentence": 2, "verdict": "unsupported"},
        {"sentence": 3, "verdict": "unsupported"},
        {"sentence": 4, "verdict": "supported", "quote": QUOTE},
        {"sentence": 99, "verdict": "supported", "quote": QUOTE},
    )
    assert [one.state for one in verdicts] == ["unchecked", "verified", "unchecked", "contradicted"]
    assert verdicts[2].why == FINDS_NOTHING


@pytest.mark.parametrize("reply", ["All is well.", "[{]", '[{"sentence": 1, "verdict": "maybe"}]', '["a"]', ""])
def test_a_reply_that_is_no_list_of_verdicts_leaves_the_other_ones_and_says_so(reply: str) -> None:
    verdicts, warned, _ = judged(reply=reply)
    assert [one.state for one in verdicts] == list(STATES)
    assert warned == [UNCHECKED]


@pytest.mark.parametrize("failure", [httpx.ReadTimeout("slow"), httpx.Response(500), httpx.Response(401)])
def test_a_call_that_fails_leaves_the_other_ones_and_says_so(failure: httpx.Response | Exception) -> None:
    with respx.mock(base_url=URL) as server:
        server.post("/chat/completions").mock(side_effect=[failure])
        verdicts, warned, _ = verified()
    assert [one.state for one in verdicts] == list(STATES)
    assert warned == [UNCHECKED]


class Checking(Scripted):
    """Writes a draft, and says of it what it was told."""

    def __init__(self, draft: str, opinions: str) -> None:
        super().__init__(draft)
        self.opinions = opinions

    def stream(self, messages: Sequence[Any], *, max_tokens: int) -> Any:
        if messages[0]["content"] == CHECK_RULES:
            return Scripted(self.opinions).stream(messages, max_tokens=max_tokens)
        return super().stream(messages, max_tokens=max_tokens)


@pytest.mark.parametrize(("small", "state"), [(False, "unchecked"), (True, "verified")])
def test_an_answer_is_checked_again_where_the_settings_say_so(assistant: Assistant, small: bool, state: str) -> None:
    model = Checking(
        "Critics trained with CTRL significantly enhance pass rates [1].", '[{"sentence":1,"verdict":"unsupported"}]'
    )
    asker = writing(assistant, model, second_opinion=True, small_model=small)
    answer = asker.ask(ABOUT_CTRL, options=Options(include=frozenset((CTRL, TPRF))))
    assert [sentence.state for sentence in answer.sentences] == [state]
