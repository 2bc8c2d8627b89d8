"""Texts that want to be more than text: in abstracts, titles and questions, on every face and in prompts."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import bibtexparser
import pytest
import rispy
from fastapi.testclient import TestClient
from markdown_it import MarkdownIt

from rag.ports import Message
from rag.types import Paper, Usage
from tests.attack.attacks import Attack, attacks, each
from tests.attack.conftest import MakeServices, Tally
from tests.ui.conftest import client_of
from ui.page.asking import Asking
from ui.page.turns import Turns
from ui.services import Asker, Services

CANARY = "canary"
FIRST = "Magnets guide zebrafish {number} home through dark water."
LAST = "With magnets, zebrafish {number} swam 30% faster than without."
PLACES = ("abstract", "title", "question", "history")
LIVE = {"script", "img", "iframe", "style", "base", "meta", "object", "embed", "link"}
OURS = re.compile(r"https?://(?:doi\.org|arxiv\.org)/")


@dataclass
class Listening:
    """Writes one true sentence, and remembers what it was sent."""

    name: str = "listening"
    heard: list[list[Message]] = field(default_factory=list)

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
        """The sentence."""
        self.heard.append(list(messages))
        yield "ANSWER: full\nMagnets guide zebrafish home through dark water [1]."
        yield Usage(1, 1, 0.0)


def papers() -> dict[tuple[str, str], Paper]:
    """Papers by attack and place, as no reader of files would let them through: cleaning is one fence of several."""
    found = {}
    for number, attack in enumerate(attacks("texts")):
        for place in PLACES:
            hostile = attack["text"] if place in ("abstract", "title") else ""
            title = f"Zebrafish {number} and magnets" + (f" {hostile}" if place == "title" else "")
            inside = f" {hostile} " if place == "abstract" else " "
            abstract = f"{FIRST.format(number=number)}{inside}{LAST.format(number=number)}"
            found[attack["id"], place] = Paper(f"attack-{place}-{number}", title, abstract, ("Eve Hostile",), 2020)
    return found


@pytest.fixture(scope="module")
def collection() -> dict[tuple[str, str], Paper]:
    return papers()


@pytest.fixture(scope="module")
def model() -> Listening:
    return Listening()


@pytest.fixture(scope="module")
def services(
    make_services: MakeServices, model: Listening, collection: Mapping[tuple[str, str], Paper]
) -> Iterator[Services]:
    services = make_services(model=model)
    services.assistant.index.update(list(collection.values()))
    yield services
    services.assistant.index.remove([paper.id for paper in collection.values()])


@pytest.fixture(scope="module")
def client(services: Services) -> Iterator[TestClient]:
    with client_of(services) as client:
        yield client


@pytest.mark.parametrize("place", PLACES)
@each("texts")
def test_text_stays_text(
    attack: Attack,
    place: str,
    client: TestClient,
    services: Services,
    model: Listening,
    collection: Mapping[tuple[str, str], Paper],
    tally: Tally,
) -> None:
    paper = collection[attack["id"], place]
    question = "What guides zebrafish home?" + (f" {attack['text']}" if place == "question" else "")
    faults: list[str] = []
    for mode in ("extractive", "generative"):
        model.heard.clear()
        options = {"mode": mode, "include": [paper.id]}
        history = [{"question": "What is it?", "answer": attack["text"]}] if place == "history" else []
        reply = client.post("/api/ask", json={"question": question, "history": history, "options": options})
        assert reply.status_code == 200, reply.text
        told = reply.json()
        faults += [f"{mode}, prompt: {fault}" for messages in model.heard for fault in in_prompt(messages)]
        faults += [f"{mode}, citations: {fault}" for fault in in_citations(told["answer"], paper)]
        faults += [f"{mode}, export: {fault}" for fault in in_exports(client, told["conversation"])]
        said = [("user", "What is it?"), ("assistant", attack["text"])] if place == "history" else []
        messages = [{"role": role, "content": content} for role, content in [*said, ("user", question)]]
        chat = {"model": "readback", "messages": messages, "readback": options}
        completion = client.post("/v1/chat/completions", json=chat).json()["choices"][0]["message"]
        faults += [f"{mode}, /v1: {fault}" for fault in in_markdown(completion["content"])]
        faults += [f"{mode}, /v1: {fault}" for fault in in_annotations(completion)]
        faults += [f"{mode}, page: {fault}" for fault in on_page(services, question, options)]
    assert tally(attack, not faults), faults


def in_prompt(messages: Sequence[Message]) -> list[str]:
    """A passage that ended early, or words of an attack among the rules."""
    system, user = messages[0]["content"], messages[-1]["content"]
    opened, closed = len(re.findall(r'<passage number="\d+">', user)), user.count("</passage>")
    tags = len(re.findall(r"<\s*/?\s*(?:passage|earlier_answer|approved_answer)\b", user, re.IGNORECASE))
    faults = [] if opened == closed and tags == opened + closed else [f"{opened} passages, {closed} ends, {tags} tags"]
    return faults + (["its words are among the rules"] if CANARY in system.casefold() else [])


def in_citations(answer: Mapping[str, Any], paper: Paper) -> list[str]:
    """A citation that is no exact quote, or a marker that stands for none."""
    markers = {one["marker"] for one in answer["citations"]}
    wrong = [one["quote"] for one in answer["citations"] if paper.abstract[one["start"] : one["end"]] != one["quote"]]
    unknown = {number for one in answer["sentences"] for number in one["citations"]} - markers
    return [f"no quotes: {wrong}"] * bool(wrong) + [f"markers of nothing: {unknown}"] * bool(unknown)


def in_exports(client: TestClient, conversation: str) -> list[str]:
    """Live markup, or entries that nobody cited."""
    address = f"/api/conversations/{conversation}/export"
    faults = in_markdown(client.get(address).text.partition("\n## BibTeX")[0])
    bibtex = client.get(address, params={"format": "bibtex"}).text
    ris = client.get(address, params={"format": "ris"}).text
    if bibtex.startswith("@") and len(bibtexparser.loads(bibtex).entries) != bibtex.count("\n}\n"):
        faults.append("BibTeX entries that nobody cited")
    if ris.strip() and len(rispy.loads(ris)) != 1:
        faults.append("RIS entries that nobody cited")
    return faults


def in_markdown(text: str) -> list[str]:
    """What a program that shows Markdown would make of it."""
    return in_html(MarkdownIt("commonmark").render(text))


def in_annotations(message: Mapping[str, Any]) -> list[str]:
    """Annotations that stand at no marker."""
    places = [one["paper_citation"] for one in message["annotations"]]
    return [
        f"an annotation at {message['content'][one['start_index'] : one['end_index']]!r}"
        for one in places
        if message["content"][one["start_index"] : one["end_index"]] != f"[{one['marker']}]"
    ]


def on_page(services: Services, question: str, options: Mapping[str, Any]) -> list[str]:
    """What the page would show."""
    given = {"run": "run-00000001", "conversation": uuid.uuid4().hex, "turn": 1, "question": question, **options}
    last = json.loads(list(Asking(services, Turns(services)).stream(given, Asker("page")))[-1])
    return in_html(f"{last['html']}{last['evidence']}")


def in_html(html: str) -> list[str]:
    """Elements and attributes that do something by themselves, and links that lead to where an attack wants."""
    found = Elements()
    found.feed(html)
    found.close()
    return found.faults


class Elements(HTMLParser):
    """Looks at every element as a browser would."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one."""
        has = dict(attrs)
        if tag in LIVE:
            self.faults.append(f"<{tag}>")
        self.faults += [f"{tag} {name}=" for name in has if name.startswith("on") or name == "srcdoc"]
        address = has.get("href") or has.get("src") or has.get("action") or has.get("formaction") or ""
        if address and not address.startswith(("#", "/")) and not OURS.match(address):
            self.faults.append(f"{tag} leads to {address}")
