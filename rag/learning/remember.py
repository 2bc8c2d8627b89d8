"""From evidence to memory: the needs that a policy remembers.

What similar questions taught is applied to a paper's score as the kNN form of *Incorporating Relevance Feedback for
Information-Seeking Retrieval using Few-Shot Document Re-Ranking*. Accepted and edited answers become examples for
similar questions (*Learning to Retrieve In-Context Examples for Large Language Models*; *Chain of Hindsight Aligns
Language Models with Feedback*); an edit is honoured as it was made (*In-Place Feedback: A New Paradigm for Guiding LLMs
in Multi-Turn Reasoning*).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from rag.learning.history import Asked
from rag.learning.needs import Needs
from rag.learning.rewrites import Rewrite
from rag.learning.signals import Outcome, Task
from rag.learning.truth import Truth
from rag.policy.memory import Match, Memory, Need, encode, said_in

LARGEST = 10_000  # needs remembered; those that more people taught come first
WORDINGS = 8  # of one need
WORTH = 0.2  # relevance below which nothing is remembered about a paper
EXAMPLE_CHARS = 4_000
DOUBT = 1.0  # people who said neither, that are assumed for every sentence
EDITED = 3.0  # people that somebody is worth who wrote what the answer should have said

SentencesOf = Callable[[str], Sequence[str]]


@dataclass(slots=True)
class _Lesson:
    """What answers to one need taught, apart from the beliefs about its papers."""

    accepted: dict[str, float] = field(default_factory=dict)  # person → how well it ended
    refused: dict[str, float] = field(default_factory=dict)  # person → how sure that nothing answers
    quotes: dict[tuple[str, str], dict[tuple[str, bool], float]] = field(default_factory=lambda: defaultdict(dict))
    example: tuple[float, float, str] | None = None  # strength, time, text
    times: list[float] = field(default_factory=list)


def remember(
    needs: Needs,
    vector_of: Mapping[str, NDArray[np.float32]],
    truth: Truth,
    tasks: Sequence[Task],
    rewrites: Sequence[Rewrite],
    *,
    match: Match,
    background: tuple[float, float],
    sentences_of: SentencesOf,
) -> Memory:
    """The memory that the evidence supports. sentences_of: paper id → sentences of its abstract, none if unknown."""
    lessons = _lessons(tasks, needs, truth.credit, sentences_of)
    relevance: dict[int, dict[str, float]] = defaultdict(dict)
    people: dict[int, int] = defaultdict(int)
    spans: dict[int, list[float]] = defaultdict(list)
    for belief in truth.beliefs:
        value = 2 * belief.probability - 1
        if abs(value) >= WORTH:
            relevance[belief.need][belief.paper] = round(value, 3)
            people[belief.need] = max(people[belief.need], belief.people)
            spans[belief.need] += [belief.since, belief.until]
    rewrite_of = {one.need: one for one in sorted(rewrites, key=lambda one: one.confidence)}  # the surest of a need
    found = []
    for number in sorted(relevance.keys() | lessons.keys() | rewrite_of.keys()):
        lesson = lessons.get(number, _Lesson())
        rewrite = rewrite_of.get(number)
        quotes = _quotes(lesson, truth.credit)
        answerable = _answerable(lesson, truth.credit)
        if not (relevance[number] or quotes or rewrite or lesson.example) and abs(answerable) < WORTH:
            continue
        texts = tuple(text for text in needs.members[number] if text in vector_of)[:WORDINGS]
        if not texts:
            continue
        taught = max(people[number], len(lesson.accepted))
        times = spans[number] + lesson.times
        found.append(
            Need(
                id=sha256(needs.members[number][0].encode()).hexdigest()[:10],
                texts=texts,
                vectors=encode(np.stack([vector_of[text] for text in texts])),
                rewrite=rewrite.text if rewrite else None,
                rewrite_confidence=round(rewrite.confidence, 3) if rewrite else 0.0,
                relevance=relevance[number],
                quotes=quotes,
                answerable=round(answerable, 3),
                example=lesson.example[2] if lesson.example else None,
                people=taught,
                since=_day(min(times)) if times else "",
                until=_day(max(times)) if times else "",
                why=_why(relevance[number], rewrite, answerable, lesson, taught),
            )
        )
    found.sort(key=lambda need: (-need.people, need.id))
    return Memory(tuple(found[:LARGEST]), match, (round(background[0], 4), round(background[1], 4)))


def _lessons(
    tasks: Sequence[Task], needs: Needs, credit: Mapping[str, float], sentences_of: SentencesOf
) -> dict[int, _Lesson]:
    """What ended well is a lesson for all wordings of its task up to there."""
    lessons: dict[int, _Lesson] = defaultdict(_Lesson)
    for task in tasks:
        for number, outcome in enumerate(task.outcomes):
            told = {needs.of[one.asked.text] for one in task.outcomes[: number + 1] if one.asked.text in needs.of}
            for need in sorted(told):
                _learn(lessons[need], outcome, credit, sentences_of)
    return lessons


def _learn(lesson: _Lesson, outcome: Outcome, credit: Mapping[str, float], sentences_of: SentencesOf) -> None:
    asked, value = outcome.asked, outcome.value
    person = asked.person or asked.id
    trusted = credit.get(person, 1.0)
    edit = asked.word("edit")
    if value > 0 and not asked.abstained:
        lesson.accepted[person] = max(value, lesson.accepted.get(person, 0.0))
        for said in _sentences(asked, sentences_of):
            lesson.quotes[said][person, True] = value
        if asked.answer:
            _offer(lesson, (value * trusted, asked.at.timestamp(), asked.answer))
    elif value > 0 and asked.abstained:
        lesson.refused[person] = value
    elif outcome.blame == "selection":
        for said in _sentences(asked, sentences_of):
            lesson.quotes[said][person, False] = value
    if edit is not None:
        lesson.accepted[person] = 1.0
        for paper in asked.cited or tuple(one.paper for one in asked.papers):
            for sentence in said_in(edit, sentences_of(paper)):
                lesson.quotes[paper, sentence][person, True] = EDITED
        _offer(lesson, (2.0 * trusted, asked.at.timestamp(), edit))
    if value > 0 or edit is not None:
        lesson.times.append(asked.at.timestamp())


def _sentences(asked: Asked, sentences_of: SentencesOf) -> list[tuple[str, str]]:
    """What the answer quoted, sentence by sentence: a quote may run over several."""
    return [
        (paper, sentence)
        for paper, quote in asked.quotes
        for sentence in [one for one in sentences_of(paper) if one in quote] or [quote]
    ]


def _offer(lesson: _Lesson, example: tuple[float, float, str]) -> None:
    """Keep the strongest example, the newest of equals. Nothing is kept from people who do not count."""
    strength, at, text = example
    if strength > 0.5 and (lesson.example is None or (strength, at) >= lesson.example[:2]):
        lesson.example = (strength, at, text[:EXAMPLE_CHARS])


def _quotes(lesson: _Lesson, credit: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """How well the answers ended that a sentence stood in, in [-1, 1], by paper and sentence."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for (paper, quote), said in lesson.quotes.items():
        votes = dict.fromkeys((True, False), 0.0)
        for (person, accepted), worth in said.items():
            votes[accepted] += credit.get(person, 1.0) * max(1.0, worth)
        weight = (votes[True] - votes[False]) / (votes[True] + votes[False] + DOUBT)
        if abs(weight) >= WORTH:
            found[paper][quote] = round(weight, 3)
    return dict(found)


def _answerable(lesson: _Lesson, credit: Mapping[str, float]) -> float:
    """Mean verdict on whether anything answers, drawn to 0 as if half a person had said neither."""
    yes = sum(credit.get(person, 1.0) * value for person, value in lesson.accepted.items())
    no = sum(credit.get(person, 1.0) * value for person, value in lesson.refused.items())
    return (yes - no) / (yes + no + 0.5)


def _why(
    relevance: Mapping[str, float], rewrite: Rewrite | None, answerable: float, lesson: _Lesson, people: int
) -> str:
    """What was learned, in a sentence for the operator."""
    who = "1 person" if people == 1 else f"{people} people"
    liked = sum(value > 0 for value in relevance.values())
    disliked = len(relevance) - liked
    said = []
    if liked:
        said.append(f"{liked} paper{'s' * (liked != 1)} found right")
    if disliked:
        said.append(f"{disliked} found wrong")
    if rewrite:
        said.append("another wording ends better")
    if answerable < -WORTH:
        said.append("nothing here answers it")
    elif lesson.accepted:
        said.append("an answer was accepted")
    return f"{who}: {', '.join(said)}"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
