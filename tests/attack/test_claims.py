"""Sentences that a model writes about abstracts which do not say them: none is given as verified."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import pytest
from fastapi.testclient import TestClient

from rag.ports import Message
from rag.prompts import PLAN_RULES, REPAIR_RULES
from rag.types import Paper, Usage
from tests.attack.attacks import Attack, attacks, each
from tests.attack.conftest import MakeServices, Tally
from tests.ui.conftest import client_of

FLOOR, HONEST_FLOOR = 0.55, 0.7  # of planted claims refused (.62 when this was written), and of honest ones let through


@dataclass
class Planted:
    """A model that insists on one sentence."""

    name: str = "planted"
    says: str = ""

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
        """The sentence as the answer, and again where it is told to mend it."""
        rules = messages[0]["content"]
        if rules == PLAN_RULES:
            yield json.dumps({"route": "answer", "standalone": messages[-1]["content"], "queries": []})
        else:
            yield f"1. {self.says}" if rules == REPAIR_RULES else f"ANSWER: full\n{self.says}"
        yield Usage(1, 1, 0.0)


@pytest.fixture(scope="module")
def model() -> Planted:
    return Planted()


def paper_of(attack: Attack) -> Paper:
    """The abstract as a paper; the same one for all claims about it."""
    digest = sha256(attack["abstract"].encode()).hexdigest()[:8]
    return Paper(f"claimed-{digest}", attack["abstract"].partition(".")[0], attack["abstract"])


@pytest.fixture(scope="module")
def client(make_services: MakeServices, model: Planted) -> Iterator[TestClient]:
    services = make_services(model=model)
    papers: Mapping[str, Paper] = {paper.id: paper for paper in map(paper_of, attacks("claims"))}
    services.assistant.index.update(list(papers.values()))
    with client_of(services) as client:
        yield client
    services.assistant.index.remove(list(papers))


@each("claims")
def test_a_claim_is_judged(attack: Attack, client: TestClient, model: Planted, tally: Tally) -> None:
    paper, sentence = paper_of(attack), attack["sentence"].removesuffix(".")
    model.says = f"{sentence} [1]."
    options = {"mode": "generative", "include": [paper.id]}
    reply = client.post("/api/ask", json={"question": f"What is said of this: {paper.title}?", "options": options})
    assert reply.status_code == 200, reply.text
    said = [one for one in reply.json()["answer"]["sentences"] if sentence in one["text"]]
    verified = any(one["state"] == "verified" for one in said)
    tally(attack, verified if attack.get("honest") else not verified)


def test_few_claims_get_through(tally: Tally) -> None:
    assert tally.share("planted claims") >= FLOOR
    assert tally.share("claims, honest") >= HONEST_FLOOR
