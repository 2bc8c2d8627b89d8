"""/api/papers: the collection, to look at and to change."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Query, UploadFile
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from rag.types import Paper
from ui.api.ask import ERRORS
from ui.api.asking import AskerDep, IdentityDep, PaperId, ServicesDep
from ui.problems import problem
from ui.services.papers import UNKNOWN_PAPER, PaperUnknown, UploadReport

router = APIRouter(prefix="/api", tags=["Papers"])
Sort = Literal["added", "title", "year", "id"]


class PaperPage(BaseModel):
    """Some of the papers."""

    total: int = Field(description="Papers that match, on all pages.")
    offset: int
    papers: list[Paper]


class SearchResult(BaseModel):
    """One paper close to a question."""

    rank: int
    paper: Paper
    score: float = Field(description="Comparable within one result only.")
    quote: str = Field(description="The sentence most likely to hold what is asked.")
    start: int = Field(description="abstract[start:end] == quote")
    end: int


class SearchReply(BaseModel):
    """Papers close to a question, best first."""

    results: list[SearchResult]


@router.get("/papers", responses=ERRORS)
def papers(
    services: ServicesDep,
    _: IdentityDep,
    q: Annotated[str, Query(max_length=500, description="Papers with all these words.")] = "",
    sort: Sort = "added",
    order: Literal["asc", "desc"] = "asc",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> PaperPage:
    """The collection, page by page. Papers without a year come last, whatever the order."""
    found = services.papers.matching(q)
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
    found = services.asking.search(q, limit)
    return SearchReply(results=[SearchResult(rank=rank, **asdict(one)) for rank, one in enumerate(found, start=1)])


@router.get("/papers/{paper_id:path}", responses=ERRORS)
def paper(paper_id: str, services: ServicesDep, _: IdentityDep) -> Paper:
    """One paper."""
    return services.papers.get(paper_id)


@router.post("/papers", responses=ERRORS, response_model=UploadReport)
async def upload(
    services: ServicesDep,
    asker: AskerDep,
    file: Annotated[UploadFile, File(description="JSON Lines, CSV, BibTeX, RIS, LaTeX, Medline, arXiv or plain text.")],
    skip_bad: Annotated[bool, Query(description="Whether good records count where others are bad.")] = True,
) -> Response | UploadReport:
    """Add the papers of a file. Faulty records are reported with their lines; 422 if no paper could be read."""
    services.papers.check_size(file.size)
    name = plain_name(file.filename or "upload")
    report = await run_in_threadpool(services.papers.add, name, file.file, skip_bad, who=asker.counted)
    if report.paper_ids:
        return report
    faults: list[dict[str, Any]] = [asdict(fault) for fault in report.faults]
    first = report.faults[0] if report.faults else None
    where = f", line {first.line}" if first and first.line else ""
    message = f"No paper could be read from {name}{where}: {first.reason if first else 'it holds none'}."
    return problem(422, message, "unreadable_papers", param="file", faults=faults)


@router.delete("/papers/{paper_id:path}", status_code=204, responses=ERRORS)
def remove(paper_id: PaperId, services: ServicesDep, asker: AskerDep) -> None:
    """Take a paper out of the collection. Past answers keep what they quoted."""
    if not services.papers.remove([paper_id], who=asker.counted):
        raise PaperUnknown(UNKNOWN_PAPER)


def plain_name(name: str) -> str:
    """The file's name as it may be shown: without folders and invisible characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable())[:200] or "upload"
