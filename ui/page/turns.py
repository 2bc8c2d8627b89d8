"""Turns of a conversation as HTML: the question, what became of it, and what can be done about it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from rag.events.feedback import COMMENT_CHARS, EDIT_CHARS
from rag.told import Told
from rag.types import Answer, Options, Paper
from ui.page.evidence import evidence_of
from ui.page.prose import growing, marked_up, marker, with_markers
from ui.page.said import Said
from ui.render import render
from ui.words import count, shortened

if TYPE_CHECKING:
    from rag.events.records import Conversation, Episode
    from ui.services import Services

REASONS = (
    ("wrong_paper", "Wrong paper"),
    ("not_supported", "Not supported"),
    ("incomplete", "Incomplete"),
    ("too_long", "Too long"),
)
REFUSAL_REASONS = (("wrong_refusal", "The answer is in the collection"), ("wrong_paper", "Wrong papers"))
DEFAULT = Options()
PLAIN: dict[str, Any] = {"steering": None, "steered": (), "version": None}  # a turn that has no answer yet
NOT_KEPT = "This Readback does not keep the words of conversations, so they cannot be shown again."


def working_turn(turn: int, question: str, told: Told, progress: str) -> Markup:
    """A turn whose answer is still being made. told: what has been said so far."""
    words = growing(told) if told.shown else None
    return render(
        "working", turn=turn, question=question, answer_id=None, busy=True, words=words, progress=progress, **PLAIN
    )


def failed_turn(turn: int, question: str, message: str) -> Markup:
    """A turn that came to nothing, with the reason and a way on."""
    return render("failed", turn=turn, question=question, answer_id=None, busy=False, message=message, **PLAIN)


def copy_text(answer: Answer, edit: str | None = None) -> str:
    """The answer and what it cites, as plain text to paste elsewhere; no quote stands in it twice."""
    sources: dict[str, str] = {}
    for one in answer.citations:
        source = f"[{one.marker}] {one.title}."
        quote = "" if one.quote in answer.text and edit is None else f" “{one.quote}”"
        sources[source] = sources.get(source, "") + quote
    lines = [source + quotes for source, quotes in sources.items()]
    return "\n".join([edit or answer.text, *(["", *lines] if lines else [])])


class Turns:
    """Puts an answer together with the papers that it cites and what its reader has said about it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def finished(
        self,
        turn: int,
        answer: Answer,
        episode: Episode | None = None,
        *,
        options: Options = DEFAULT,
        versions: Sequence[str] = (),
    ) -> dict[str, Markup]:
        """``html`` of the turn and ``evidence`` beside it.

        episode: what its reader has said about it. options: how it was steered. versions: ids of all of its answers.
        """
        said = Said.of(episode) if episode else Said()
        markers = [one.marker for one in (*answer.citations, *answer.closest)]
        edited = None
        if said.edit is not None:
            edited = [with_markers(line, turn, markers) for line in said.edit.splitlines() if line.strip()]
        cited = {one.paper_id for one in (answer.closest if answer.abstained else answer.citations)}
        papers = self._services.papers.some({*cited, *options.include, *options.exclude})
        html = render(
            "finished",
            turn=turn,
            question=answer.question,
            answer_id=answer.id,
            busy=False,
            answer=answer,
            said=said,
            words=marked_up(turn, _without_suggestions(answer)),
            edited=edited,
            marker=partial(marker, turn, known=markers),
            cited=len(cited),
            copied=copy_text(answer, said.edit),
            reasons=REFUSAL_REASONS if answer.abstained else REASONS,
            limits={"edit": EDIT_CHARS, "comment": COMMENT_CHARS},
            settings=self._services.settings,
            options=options,
            steered=list(_steered(options, papers)),
            steering=_steering(options),
            version=_version(answer.id, versions),
            notice=_notice(answer.notice),
            traced=bool(answer.trace),
        )
        return {"html": html, "evidence": evidence_of(turn, answer, papers, said.useful)}

    def conversation(self, conversation: Conversation) -> dict[str, Any]:
        """The current turns of a conversation, as ``html``, with their ``evidence``.

        ``last``: number of the last one; ``tail``: the id of its answer; ``title`` and ``revision`` of the whole.
        """
        shown = [
            self.finished(
                place,
                one.interaction.answer,
                one,
                options=one.interaction.options,
                versions=conversation.versions.get(one.interaction.id, ()),
            )
            for place, one in enumerate(conversation.turns, start=1)
            if one.interaction.answer is not None
        ]
        html = Markup("").join(one["html"] for one in shown)
        return {
            "html": html or Markup('<p class="hint">{}</p>').format(NOT_KEPT),
            "evidence": Markup("").join(one["evidence"] for one in shown),
            "last": len(conversation.turns),
            "tail": conversation.turns[-1].interaction.id if conversation.turns else None,
            "title": conversation.summary.title or "",
            "revision": conversation.revision,
        }


def _without_suggestions(answer: Answer) -> Answer:
    """The answer without the questions that its text lists, if it does: the page has buttons for them."""
    listed = {f"- {one}" for one in answer.suggestions}
    lines = answer.text.splitlines()
    if answer.abstained or not listed or not listed <= set(lines):
        return answer
    kept = "\n".join(line for line in lines if line not in listed).rstrip()
    head, _, last = kept.rpartition("\n")
    return replace(answer, text=head.rstrip() if last.endswith(":") else kept)


def _notice(notice: str | None) -> str | None:
    """Without what the page says in its setup: that is no news below an answer."""
    from rag.engine import NO_MODEL

    return (notice or "").replace(NO_MODEL, "").strip() or None


def _steered(options: Options, papers: Mapping[str, Paper]) -> Iterator[str]:
    """How a question was steered, in words. papers: those named by the options."""

    def titles(ids: Iterable[str]) -> str:
        return ", ".join(f"“{shortened(papers[one].title if one in papers else one, 60)}”" for one in sorted(ids))

    if options.standalone_question:
        yield f"Searched for “{shortened(options.standalone_question, 160)}”"
    if options.include:
        yield f"Only from {titles(options.include)}"
    if options.exclude:
        yield f"Left out {titles(options.exclude)}"
    if options.papers:
        yield f"Up to {count(options.papers, 'paper')}"
    if options.mode:
        yield "Quotes only" if options.mode == "extractive" else "Written"
    if options.model:
        yield f"By {options.model}"


def _steering(options: Options) -> str:
    """The same for the page's script, in the form in which it sends it."""
    given = {
        "standalone": options.standalone_question,
        "include": sorted(options.include),
        "exclude": sorted(options.exclude),
        "papers": options.papers,
        "mode": options.mode,
        "model": options.model,
    }
    return json.dumps({name: value for name, value in given.items() if value})


def _version(answer: str, versions: Sequence[str]) -> dict[str, Any] | None:
    """Which of several versions this is, and the ids of those before and after it."""
    if len(versions) < 2 or answer not in versions:
        return None
    at = versions.index(answer)
    return {
        "number": at + 1,
        "count": len(versions),
        "before": versions[at - 1] if at else None,
        "after": versions[at + 1] if at + 1 < len(versions) else None,
    }
