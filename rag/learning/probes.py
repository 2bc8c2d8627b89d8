"""The frozen questions of the gate: shipped ones for the shipped papers, and made ones for any other collection."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from zlib import crc32

from rag.learning.signals import Task
from rag.text import sentences
from rag.types import Paper

FEWEST = 5  # shipped questions that must fit before they are asked at all
MADE = 60  # papers that questions are made of
ACCEPTED = 60  # questions of people that are asked again
CLEAR = 0.5  # how well or badly an answer must have ended for it to count
AGREED, PEOPLE = 0.8, 2  # share of those who spoke that must have accepted it, and how many must have spoken
SENTENCE_CHARS = 300


@dataclass(frozen=True, slots=True)
class Probe:
    """A question with known papers."""

    id: str
    kind: str
    question: str
    gold: Mapping[str, int]  # paper id → 2 central, 1 useful; empty where nothing answers


def probes_for(papers: Iterable[Paper]) -> list[Probe]:
    """What the gate asks of this collection: the shipped questions if they fit it, else made ones."""
    held = list(papers)
    return load_probes({paper.id for paper in held}) or made_of(held)


def load_probes(known: Collection[str]) -> list[Probe]:
    """The probes that Readback ships, from its development questions, as far as the collection holds their papers."""
    lines = files("rag.learning").joinpath("probes.jsonl").read_text(encoding="utf-8").splitlines()
    probes = [Probe(**json.loads(line)) for line in lines]
    fits = sum(bool(probe.gold) and set(probe.gold) <= set(known) for probe in probes)
    return [probe for probe in probes if set(probe.gold) <= set(known)] if fits >= FEWEST else []


def made_of(papers: Sequence[Paper]) -> list[Probe]:
    """Titles, and a sentence from the middle of each abstract, as questions that their own paper answers.

    Whatever is learned, a paper must still be found by its own words. The same papers are taken every time.
    """
    taken = sorted(papers, key=lambda paper: (crc32(paper.id.encode()), paper.id))[:MADE]
    found = []
    for paper in taken:
        found.append(Probe(f"title of {paper.id}", "title", paper.title, {paper.id: 2}))
        if spans := sentences(paper.abstract):
            text = spans[len(spans) // 2].of(paper.abstract)[:SENTENCE_CHARS]
            found.append(Probe(f"sentence of {paper.id}", "sentence", text, {paper.id: 2}))
    return found


def accepted(tasks: Sequence[Task]) -> list[Probe]:
    """Questions whose answers people agreed to accept, with the paper that was quoted first: those of most people.

    What already satisfies must not get worse by what is learned elsewhere.
    """
    said: dict[tuple[str, str], dict[str, bool]] = {}
    for one in (outcome for task in tasks for outcome in task.outcomes):
        if one.asked.person is not None and one.asked.cited and abs(one.value) > CLEAR:
            said.setdefault((one.asked.text, one.asked.cited[0]), {})[one.asked.person] = one.value > 0
    agreed = [
        (sum(people.values()), text, paper)
        for (text, paper), people in said.items()
        if sum(people.values()) >= AGREED * len(people) and len(people) >= PEOPLE
    ]
    most = sorted(agreed, reverse=True)[:ACCEPTED]
    return [Probe(f"accepted by {people}", "accepted", text, {paper: 2}) for people, text, paper in most]
