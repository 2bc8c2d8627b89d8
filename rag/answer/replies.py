"""Replies to what is not a question for the collection: short, and from what is known already; nothing is searched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.answer.compose import Composer
from rag.answer.overview import Overview
from rag.answer.sides import by_side
from rag.policy import Comparing
from rag.query.intent import SEARCHED, Said
from rag.query.language import foreign_language
from rag.text import Span, content_stems, marker_numbers, sentences, without_markers
from rag.types import Citation, Paper, Sentence, Turn
from rag.values.evidence import Body, Claim, Quote, Reading
from rag.values.query import Query

MOST_REPEATED = 300  # characters of an earlier question that are said again
NEEDS_MODEL = (
    "Putting an answer into other words needs a language model, and none is configured. "
    "I can shorten the last answer, or show it as a list or a table."
)
NO_ANSWER_YET = "There is no answer yet. Ask me something about the papers first."


def reply(said: Said, asked: str, history: Sequence[Turn], about: Overview) -> Body:
    """The whole reply. said: neither a question nor a summary. history: oldest turn first."""
    match said.intent:
        case "greeting":
            text, suggestions = f"Hello! Ask me anything about the {_papers(about)} in this collection.", 2
        case "thanks":
            text, suggestions = "You're welcome!", 0
        case "capabilities":
            text, suggestions = _capabilities(asked, about), 3
        case "count":
            verb = "is" if about.papers == 1 else "are"
            text, suggestions = f"There {verb} {_papers(about)} in this collection{_years(about)}.", 0
        case "overview":
            text, suggestions = _overview(about), 3
        case _:
            return _about_conversation(said, history)
    return _plain(text, about.questions[:suggestions])


def adapted(query: Query, reading: Reading, policy: Comparing) -> Reading:
    """The reading of a question whose wording says more about the answer than the evidence does."""
    if not reading.evidence:
        return reading
    best = reading.evidence[0]
    if query.intent == "summarise" and query.coverage(best.stems, expanded=False) >= 1.0:
        return replace(reading, evidence=reading.evidence[:1], verdict="answered", missing=())
    if query.sides and any(paper for _, paper in by_side(query, reading.evidence, policy)):
        # what is compared is here, whatever is asked about it
        return replace(reading, verdict="closest" if reading.verdict == "refused" else reading.verdict, missing=())
    if query.intent == "other_language" and foreign_language(best.paper.abstract) != foreign_language(query.asked):
        return replace(reading, verdict="closest", missing=())
    return reading


def _plain(text: str, suggestions: Sequence[str] = ()) -> Body:
    proposed = "\n".join(["", "", "You could ask:", *(f"- {one}" for one in suggestions)]) if suggestions else ""
    return Body("answered", text + proposed, suggestions=tuple(suggestions))


def _papers(about: Overview) -> str:
    return "1 paper" if about.papers == 1 else f"{about.papers:,} papers"


def _years(about: Overview) -> str:
    if about.years is None:
        return ""
    first, last = about.years
    return f", all from {first}" if first == last else f", from {first} to {last}"


def _capabilities(asked: str, about: Overview) -> str:
    folded = asked.casefold()
    no = (
        "No: I know titles and abstracts alone. " if any(word in folded for word in ("pdf", "full", "internet")) else ""
    )
    return (
        f"{no}I answer questions about the {_papers(about)} in this collection, from their titles and abstracts. I "
        "quote the sentences that an answer rests on, so that you can check it, and say so when the papers do not hold "
        "the answer. You can ask for a fact, a list or a comparison, have a paper summarised, and follow up."
    )


def _overview(about: Overview) -> str:
    lines = [f"This collection holds {_papers(about)}{_years(about)}."]
    if about.topics:
        lines += ["", "Its main topics, by the words that set them apart:"]
        lines += [f"- {', '.join(topic.terms)} ({topic.papers} papers)" for topic in about.topics if topic.terms]
    return "\n".join(lines)


def _about_conversation(said: Said, history: Sequence[Turn]) -> Body:
    if said.form == "asked":
        return _plain(_asked(said, history))
    answered = [turn for turn in history if turn.intent in SEARCHED]
    return _again(said, answered[-1]) if answered else _plain(NO_ANSWER_YET)


def _asked(said: Said, history: Sequence[Turn]) -> str:
    if not history:
        return "Nothing yet: this is the beginning of our conversation."
    place = said.place if said.place < len(history) else -1
    which = {-1: "last", 0: "first", 1: "second", 2: "third"}[place]
    return f"Your {which} question was: “{history[place].question[:MOST_REPEATED]}”"


def _again(said: Said, last: Turn) -> Body:
    """The last answer once more, or in another form."""
    cited = last.citations
    match said.form:
        case "sources" if last.cited:
            body = _plain("\n".join(["The last answer rests on:", *(f"- {title}" for title in last.cited)]))
        case "sources":
            body = _plain("The last answer cites no paper.")
        case "other":
            body = _plain(NEEDS_MODEL)
        case _ if not cited:
            body = _plain(without_markers(last.answer)[0])
        case "repeat":
            body = _repeated(last)
        case "table":
            body = _table(cited)
        case "shorter":
            body = _quoting([_most_telling(last)])
        case _:
            body = _quoting(cited, listed=True)
    return body


def _repeated(last: Turn) -> Body:
    lines = [(line, tuple(sorted(marker_numbers(line)))) for line in last.answer.splitlines() if line.strip()]
    pieces = [Sentence(line, markers, bool(markers), float(bool(markers))) for line, markers in lines]
    return Body("answered", last.answer, tuple(pieces), last.citations)


def _quoting(citations: Sequence[Citation], *, listed: bool = False) -> Body:
    composer = Composer()
    for citation in citations:
        lead = f"- {citation.title}: " if listed else ""
        composer.add(Claim(f"“{citation.quote}”", (_quote(citation),), support=1.0, lead=lead))
    return composer.body("answered")


def _most_telling(last: Turn) -> Citation:
    """The sentence of the first quote that holds most of the question's words."""
    first, asked = last.citations[0], frozenset(content_stems(last.standalone_question))
    spans = sentences(first.quote) or [Span(0, len(first.quote))]
    span = max(spans, key=lambda span: (len(asked & set(content_stems(span.of(first.quote)))), -span.start))
    return replace(first, quote=span.of(first.quote), start=first.start + span.start, end=first.start + span.end)


def _table(citations: Sequence[Citation]) -> Body:
    composer = Composer()
    composer.text = "| Paper | What it says |\n| --- | --- |"
    for citation in citations:
        cells = (_cell(citation.title), f"“{_cell(citation.quote)}”")
        composer.add(Claim(cells[1], (_quote(citation),), support=1.0, lead=f"\n| {cells[0]} | "), note=" |")
    return composer.body("answered")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _quote(citation: Citation) -> Quote:
    """A citation's quote; of its paper it knows what composing needs."""
    abstract = " " * citation.start + citation.quote
    return Quote(Paper(citation.paper_id, citation.title, abstract), citation.start, citation.end, citation.score)
