"""Memory's say in a ranking: a better wording is searched for as well, and papers gain or lose what was learned."""

from __future__ import annotations

from dataclasses import asdict, replace

from rag.policy.memory import Memory, Need, Recollection, encode, said_in
from rag.query.followup import corrects
from rag.stages import Context, FindAgain
from rag.text import content_stems, sentences
from rag.types import Hit, Options, Passage
from rag.values.query import Query

EDITED = 0.8  # said of a paper whose sentences somebody put into an answer
CORRECTED = -0.3  # said of a paper by "no, I meant …", where as many content words say what was meant
MEANT = 4


class MemoryRecaller:
    """Applies the policy's memory. A question that it knows nothing about keeps its ranking exactly."""

    def recall(self, query: Query, hits: list[Hit], search: FindAgain, context: Context) -> list[Hit]:
        """hits: one a paper, best first. Sets ``context.recalled``."""
        recollection, told = context.policy.recollection, _told(query, context)
        scores = {hit.passage.paper_id: hit.score for hit in hits}
        recalled = recollection.recall(query.vector, query.standalone, scores)
        if told:
            recalled = recalled.beside(Recollection(told).recall(query.vector, query.standalone, scores))
        if not recalled:
            return hits
        context.recalled = recalled
        context.trace.note("recall", used=[asdict(one) for one in recalled.used])
        for text, share in recalled.rewrites:
            hits = _blended(hits, search(text), share)
        learned = {paper: more for paper, more in recalled.papers.items() if _allowed(paper, context.options)}
        found = {hit.passage.paper_id for hit in hits}
        best = max((hit.score for hit in hits), default=0.0)
        order = context.policy.memory.match.order
        hits = [
            replace(hit, score=_moved(hit.score, learned.get(hit.passage.paper_id, 0.0), best, order)) for hit in hits
        ]
        hits += [
            hit for paper, more in learned.items() if more > 0 and paper not in found for hit in _hit(paper, context)
        ]
        context.trace.score("learned", learned)
        return sorted(hits, key=lambda hit: (-hit.score, hit.passage.paper_id))


def _told(query: Query, context: Context) -> Memory | None:
    """What was said of the answers of this conversation, as a memory of its own: it counts at once, and here alone.

    "No, I meant …" says of the paper quoted first that it was wrong, for the question that comes with it.
    """
    needs = []
    for number, turn in enumerate(context.history, start=1):
        if not turn.judged and not turn.edit:
            continue
        said = {paper: _sentences_said(turn.edit, paper, context) for paper in turn.papers} if turn.edit else {}
        judged = {paper: EDITED for paper, kept in said.items() if kept} | dict(turn.judged)
        needs.append(_need(f"turn {number}", turn.standalone_question, judged, said, context))
    last = context.history[-1] if context.history else None
    meant = corrects(query.asked) and len(set(content_stems(query.asked))) >= MEANT
    if last and last.papers and not last.judged and meant:
        needs.append(_need("correction", query.standalone, {last.papers[0]: CORRECTED}, {}, context))
    if not needs:
        return None
    known = context.policy.memory
    return Memory(tuple(needs), known.match, known.background)


def _need(name: str, text: str, judged: dict[str, float], said: dict[str, dict[str, float]], context: Context) -> Need:
    vectors = encode(context.view.embed(text)[None, :])
    return Need(name, (text,), vectors, relevance=judged, quotes=said, people=1, why="said in this conversation")


def _sentences_said(edit: str, paper: str, context: Context) -> dict[str, float]:
    stored = context.view.papers([paper]).get(paper)
    if stored is None:
        return {}
    own = [span.of(stored.paper.abstract) for span in sentences(stored.paper.abstract)]
    return dict.fromkeys(said_in(edit, own), 1.0)


def _moved(score: float, more: float, best: float, order: float) -> float:
    """The score after what was learned. Beyond the best one only the order counts: how far the others lie behind the
    first paper decides how many an answer quotes, and that was fitted without memory."""
    moved = score + more
    return moved if moved <= best else best + order * (moved - best)


def _blended(own: list[Hit], other: list[Hit], share: float) -> list[Hit]:
    """Papers of both rankings, with the weighted mean of their scores; one that a ranking lacks has 0 there."""
    mine = {hit.passage.paper_id: hit for hit in own}
    theirs = {hit.passage.paper_id: hit for hit in other}
    return [
        replace(
            mine.get(paper) or theirs[paper],
            score=(1 - share) * (mine[paper].score if paper in mine else 0.0)
            + share * (theirs[paper].score if paper in theirs else 0.0),
        )
        for paper in mine | theirs
    ]


def _allowed(paper: str, options: Options) -> bool:
    return paper not in options.exclude and (not options.include or paper in options.include)


def _hit(paper: str, context: Context) -> list[Hit]:
    """A paper that no search found, by its whole abstract; none if it has left the collection."""
    stored = context.view.papers([paper]).get(paper)
    if stored is None:
        return []
    passage = Passage(paper, stored.paper.title, 0, stored.paper.abstract)
    return [Hit(passage, context.recalled.papers[paper])]
