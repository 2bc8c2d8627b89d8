"""One failure, with all that is needed to see why: question, gold, what was found and said, and who is to blame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.failures import Blame
from eval.measures import Graded, right
from eval.metrics import holds_fact, shares_words
from eval.report.page import esc, table, tag
from rag.types import Answer

WHY: Mapping[str | None, str] = {
    "rewrite": "With the stand-alone question as the gold has it, the answer becomes right.",
    "retrieval": "With the gold papers among the candidates, the answer becomes right.",
    "ranking": "With the gold papers in front, the answer becomes right.",
    "selection": "With the sentences that hold the facts, the answer becomes right.",
    "verification": "With every sentence let through, the answer becomes right.",
    "abstention": "With the right decision between answer and silence, the reply becomes right.",
    None: "Gold outputs of all stages do not make it right: look at the answer's form, or at the gold question.",
}


def card(one: Graded, blame: Blame | None, titles: Mapping[str, str], error: str | None = None) -> str:
    """A failure that opens at a click. titles: of the papers, by id."""
    stage = blame.stage or "none" if blame else "not examined"
    head = [
        tag("span", esc(stage), class_="tag"),
        tag("span", esc(one.question.kind), class_="tag"),
        tag("b", f"{right(one):.2f}"),
        " ",
        esc(one.question.question),
    ]
    body = [_question(one), _gold(one, titles)]
    if error:
        body.append(tag("h3", "Crash") + tag("blockquote", esc(error)))
    if one.answer:
        body += [_retrieved(one), _answer(one.answer), _sentences(one.answer)]
    if blame:
        body.append(_blame(blame))
    return tag(
        "details",
        tag("summary", *head),
        *body,
        id=f"failure-{one.question.id}",
        data_stage=stage,
        data_kind=one.question.kind,
    )


def _question(one: Graded) -> str:
    parts = [
        tag("p", tag("small", esc(f"{one.question.id} · {one.question.kind} · {one.question.topic or 'no topic'}")))
    ]
    if len(one.question.turns) > 1:
        parts.append(tag("ol", *(tag("li", esc(turn)) for turn in one.question.turns)))
        parts.append(tag("p", "Stand-alone form: ", esc(one.question.standalone)))
    if one.answer and one.answer.standalone_question != one.question.question:
        parts.append(tag("p", "Searched for: ", esc(one.answer.standalone_question)))
    if one.question.note:
        parts.append(tag("p", "Note: ", esc(one.question.note)))
    return "".join(parts)


def _gold(one: Graded, titles: Mapping[str, str]) -> str:
    question = one.question
    if question.expects == "abstain":
        near = [esc(titles.get(paper, paper)) for paper in question.near]
        return tag("h3", "Gold") + tag("p", "Silence.", f" Tempting: {'; '.join(near)}." if near else "")
    said = one.answer.text if one.answer and one.answered else ""
    facts = []
    for forms in question.facts:
        held = holds_fact(said, forms)
        mark = tag("span", "✓ held" if held else "✗ missing", class_="good" if held else "bad")
        facts.append(tag("li", mark, " ", " <i>or</i> ".join(esc(form) for form in forms)))
    papers = [tag("li", esc(titles.get(paper, paper)), f" (grade {grade})") for paper, grade in question.gold.items()]
    allowed = (
        tag("p", "The premise is false: correcting it or declining are both right.")
        if question.expects == "correct"
        else ""
    )
    return tag("h3", "Gold") + allowed + tag("ul", *papers) + tag("ul", *facts)


def _retrieved(one: Graded) -> str:
    assert one.answer is not None
    rows = []
    for paper in one.answer.retrieved[:10]:
        grade = one.question.gold.get(paper.paper_id)
        name = tag("mark", esc(paper.title)) if grade else esc(paper.title)
        rows.append([str(paper.rank), name, f"{paper.score:.3f}", f"gold, grade {grade}" if grade else ""])
    lost = [paper for paper in one.question.gold if paper not in {each.paper_id for each in one.answer.retrieved[:10]}]
    note = tag("p", esc(f"{len(lost)} gold paper(s) not among the first ten."), class_="bad") if lost else ""
    return tag("h3", "Retrieved") + table(["", "Paper", "Score", ""], rows, class_="text") + note


def _answer(answer: Answer) -> str:
    state = "abstained" if answer.abstained else "answered"
    facts = f"{state}, confidence {answer.confidence:.2f}, {answer.mode}"
    return tag("h3", "Answer") + tag("p", tag("small", esc(facts))) + tag("blockquote", esc(answer.text))


def _sentences(answer: Answer) -> str:
    if not answer.sentences:
        return ""
    quotes = {citation.marker: citation for citation in answer.citations}
    rows = []
    for sentence in answer.sentences:
        cited = [quotes[marker] for marker in sentence.citations if marker in quotes]
        carried = bool(cited) and shares_words(sentence.text, " ".join(f"{one.title}. {one.quote}" for one in cited))
        sources = "".join(tag("p", f"[{one.marker}] ", esc(one.title), ": ", tag("i", esc(one.quote))) for one in cited)
        rows.append(
            [
                esc(sentence.text),
                _verdict(sentence.supported, f"{sentence.support:.2f}"),
                _verdict(carried, ""),
                sources,
            ]
        )
    head = ["Sentence", "Readback's verdict", "Words in its quotes", "Quotes"]
    return tag("h3", "Sentence by sentence") + table(head, rows, class_="text")


def _verdict(good: bool, detail: str) -> str:
    return tag("span", "✓ " if good else "✗ ", esc(detail), class_="good" if good else "bad")


def _blame(blame: Blame) -> str:
    why = WHY[blame.stage]
    if len(blame.stages) > 1:
        why = f"Only together: {', '.join(blame.stages)}. No single stage makes it right."
    rows: Sequence[Sequence[str]] = [
        ["as it was", f"{blame.score:.2f}"],
        *([f"gold {esc(stage)}", f"{score:.2f}"] for stage, score in blame.what_if.items()),
        ["gold everywhere", f"{blame.ceiling:.2f}"],
    ]
    return (
        tag("h3", "To blame: ", esc(blame.stage or "no stage")) + tag("p", esc(why)) + table(["What if", "Score"], rows)
    )
