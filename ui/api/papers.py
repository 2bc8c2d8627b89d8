"""/api/papers: the collection, to look at and to change."""

from __future__ import annotations

import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, File, Query, Request, UploadFile
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from rag.types import Paper
from ui.api.ask import ERRORS
from ui.api.asking import IdentityDep, PaperId, ServicesDep, checked_question
from ui.api.errors import problem
from ui.services import UploadReport, UploadTooLarge

if TYPE_CHECKING:
    from rag.engine import Assistant

router = APIRouter(prefix="/api", tags=["Papers"])
Sort = Literal["added", "title", "year", "id"]


class PaperPage(BaseModel):
    """Some of the papers."""

    total: int = Field(description="Papers that match, on all pages.")
    offset: int
    papers: list[Paper]


class Found(BaseModel):
    """One paper close to a question."""

    rank: int
    paper: Paper
    score: float = Field(description="Comparable within one result only.")
    quote: str = Field(description="The sentence most likely to hold what is asked.")
    start: int = Field(description="abstract[start:end] == quote")
    end: int


class SearchReply(BaseModel):
    """Papers close to a question, best first."""

    results: list[Found]


class PaperList:
    """All papers, read again only when the collection has changed."""

    def __init__(self, assistant: Assistant) -> None:
        """assistant: over the collection."""
        self._assistant, self._lock = assistant, threading.Lock()
        self._generation = -1
        self._papers: list[tuple[str, Paper]] = []  # with the words to look through

    def matching(self, words: str) -> list[Paper]:
        """Papers that have all the words somewhere, in the order in which they came."""
        wanted = words.casefold().split()
        return [paper for text, paper in self._current() if all(word in text for word in wanted)]

    def _current(self) -> list[tuple[str, Paper]]:
        generation = self._assistant.index.catalog.generation()
        with self._lock:
            if generation != self._generation:
                self._papers = [(_text(paper), paper) for paper in self._assistant.papers()]
                self._generation = generation
            return self._papers


@router.get("/papers", responses=ERRORS)
def papers(
    request: Request,
    _: IdentityDep,
    q: Annotated[str, Query(max_length=500, description="Papers with all these words.")] = "",
    sort: Sort = "added",
    order: Literal["asc", "desc"] = "asc",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> PaperPage:
    """The collection, page by page. Papers without a year come last, whatever the order."""
    held: PaperList = request.app.state.papers
    found = held.matching(q)
    if sort == "added":
        found = found[::-1] if order == "desc" else found
    elif sort == "year":
        dated = [paper for paper in found if paper.year is not None]
        dated.sort(key=lambda paper: paper.year or 0, reverse=order == "desc")
        found = dated + [paper for paper in found if paper.year is None]
    else:
        found = sorted(found, key=lambda paper: str(getattr(paper, sort)).casefold(), reverse=order == "desc")
    return PaperPage(total=len(found), offset=offset, papers=found[offset : offset + limit])


@router.get("/search", responses=ERRORS)
def search(
    services: ServicesDep,
    _: IdentityDep,
    q: Annotated[str, Query(description="A question, or words.")],
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> SearchReply:
    """The papers closest to a question by meaning and words, each with its best sentence."""
    weighed = services.assistant.search(checked_question(services.settings, q), limit)
    return SearchReply(
        results=[
            Found(
                rank=rank,
                paper=one.paper,
                score=round(one.hit.score, 4),
                quote=one.best.text,
                start=one.best.span.start,
                end=one.best.span.end,
            )
            for rank, one in enumerate(weighed, start=1)
        ]
    )


@router.get("/papers/{paper_id:path}", responses=ERRORS)
def paper(paper_id: str, services: ServicesDep, _: IdentityDep) -> Paper:
    """One paper."""
    found = services.assistant.paper(paper_id)
    if found is None:
        raise HTTPException(404, "The collection has no paper with this id.")
    return found


@router.post("/papers", responses=ERRORS, response_model=UploadReport)
async def upload(
    services: ServicesDep,
    _: IdentityDep,
    file: Annotated[UploadFile, File(description="JSON Lines, CSV, BibTeX, RIS, LaTeX, Medline, arXiv or plain text.")],
    skip_bad: Annotated[bool, Query(description="Whether good records count where others are bad.")] = True,
) -> Response | UploadReport:
    """Add the papers of a file. Faulty records are reported with their lines; 422 if no paper could be read."""
    most_mb = services.settings.upload_mb
    if file.size is not None and file.size > most_mb * 1_000_000:
        raise UploadTooLarge(f"The file is larger than the {most_mb} MB that are taken at once.")
    data, name = await file.read(), plain_name(file.filename or "upload")
    report = await run_in_threadpool(services.add_papers, name, data, skip_bad)
    if report.paper_ids:
        return report
    faults: list[dict[str, Any]] = [asdict(fault) for fault in report.faults]
    first = report.faults[0] if report.faults else None
    where = f", line {first.line}" if first and first.line else ""
    message = f"No paper could be read from {name}{where}: {first.reason if first else 'it holds none'}."
    return problem(422, message, "unreadable_papers", param="file", faults=faults)


@router.delete("/papers/{paper_id:path}", status_code=204, responses=ERRORS)
def remove(paper_id: PaperId, services: ServicesDep, _: IdentityDep) -> None:
    """Take a paper out of the collection. Past answers keep what they quoted."""
    if not services.remove_papers([paper_id]):
        raise HTTPException(404, "The collection has no paper with this id.")


def plain_name(name: str) -> str:
    """The file's name as it may be shown: without folders and invisible characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable())[:200] or "upload"


def _text(paper: Paper) -> str:
    return "\n".join((paper.title, paper.abstract, *paper.authors, paper.id, str(paper.year or ""))).casefold()
