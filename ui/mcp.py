"""Readback as tools of the Model Context Protocol: over standard input and output, and over HTTP at /mcp."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from mcp.server.fastmcp import Context, FastMCP
from mcp.server.fastmcp.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

from rag.errors import ReadbackError
from rag.events.records import Source
from ui.services.export import inert

if TYPE_CHECKING:
    from rag.settings import Settings
    from ui.services import Asker, Services

INSTRUCTIONS = (
    "Readback answers questions about a collection of paper abstracts with exact quotes, and says so when the "
    "collection does not hold the answer. Use ask for a question, search_papers to look around, get_paper for a whole "
    "abstract."
)
READS = ToolAnnotations(readOnlyHint=True, openWorldHint=False)
SOURCE: Source = "mcp"
AnyContext = Context[Any, Any, Any]
Result = TypeVar("Result")


class QuoteResult(BaseModel):
    """One quote that an answer rests on."""

    marker: int = Field(description="The n of [n]: the paper's number in this answer, which all its quotes share.")
    paper_id: str
    title: str
    quote: str = Field(description="An exact quote of the abstract.")


class AskResult(BaseModel):
    """An answer."""

    text: str = Field(description="Markdown with [n] markers.")
    abstained: bool = Field(description="Whether the collection does not hold the answer.")
    citations: list[QuoteResult]
    suggestions: list[str] = Field(description="When abstaining: questions that the collection can answer.")
    answer_id: str
    conversation: str = Field(description="Give it with the next question to ask a follow-up.")
    notice: str | None
    recorded: bool | None = Field(description="Whether it is on disk; if not, a follow-up may not know of it.")


class PaperResult(BaseModel):
    """One paper that was found."""

    paper_id: str
    title: str
    year: int | None
    url: str | None
    quote: str = Field(description="Its sentence closest to what was asked.")


class SearchResult(BaseModel):
    """Papers, best first."""

    papers: list[PaperResult]


class FullPaper(BaseModel):
    """One paper of the collection."""

    paper_id: str
    title: str
    abstract: str
    authors: list[str]
    year: int | None
    url: str | None


QuestionText = Annotated[str, Field(description="A question in words, about what the abstracts say.", max_length=4000)]
ConversationId = Annotated[str | None, Field(description="From an earlier answer, to ask a follow-up.", max_length=200)]
Words = Annotated[str, Field(description="What the papers should be about.", max_length=4000)]
Count = Annotated[int, Field(ge=1, le=50, description="Maximum number of papers.")]
Id = Annotated[str, Field(description="From ask or search_papers.", max_length=300)]


def build(services: Services, asker_of: Callable[[AnyContext], Asker]) -> FastMCP:
    """The server with its three tools. asker_of: who calls."""
    from mcp.server.transport_security import TransportSecuritySettings

    server = FastMCP(
        "readback",
        INSTRUCTIONS,
        stateless_http=True,
        log_level="WARNING",
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),  # our gate does that
    )

    @server.tool(annotations=ToolAnnotations(openWorldHint=False), title="Ask the papers")
    async def ask(question: QuestionText, context: AnyContext, conversation: ConversationId = None) -> AskResult:
        """Answer a question from the collection with exact quotes, or say that it does not hold the answer."""
        return await _run(partial(_ask, services, asker_of(context), question, conversation))

    @server.tool(annotations=READS, title="Search the papers")
    async def search_papers(query: Words, limit: Count = 10) -> SearchResult:
        """Find the papers closest to a question or topic, each with its best sentence."""
        return await _run(partial(_search, services, query, limit))

    @server.tool(annotations=READS, title="Read a paper")
    async def get_paper(paper_id: Id) -> FullPaper:
        """Title, authors, year, address and the whole abstract of one paper."""
        return await _run(partial(_paper, services, paper_id))

    return server


def run_stdio(settings: Settings) -> None:
    """Serve one client over standard input and output until it hangs up. Raises ReadbackError if that cannot be."""
    from ui.services import LOCAL, Asker, Services

    with Services.open(settings) as services:
        print("Readback serves MCP on standard input and output.", file=sys.stderr)
        build(services, lambda _: Asker(LOCAL)).run("stdio")


async def _run(work: Callable[[], Result]) -> Result:
    """Do blocking work elsewhere; errors meant for people become the tool's error, others do not leave the server."""
    import anyio.to_thread

    try:
        return await anyio.to_thread.run_sync(work)
    except ReadbackError as error:
        raise ToolError(str(error)) from None


def _ask(services: Services, asker: Asker, question: str, conversation: str | None) -> AskResult:
    services.asking.check(question)
    place = services.conversations.place(asker.user, conversation)
    assert place.conversation is not None, "it has been begun"
    answer = services.asking.ask(question, asker=asker, source=SOURCE, place=place)
    return AskResult(
        text=inert(answer.text),
        abstained=answer.abstained,
        citations=[
            QuoteResult(marker=one.marker, paper_id=one.paper_id, title=one.title, quote=one.quote)
            for one in answer.citations
        ],
        suggestions=list(answer.suggestions),
        answer_id=answer.id,
        conversation=place.conversation,
        notice=answer.notice,
        recorded=answer.recorded,
    )


def _search(services: Services, query: str, limit: int) -> SearchResult:
    found = services.asking.search(query, limit)
    return SearchResult(
        papers=[
            PaperResult(
                paper_id=one.paper.id,
                title=one.paper.title,
                year=one.paper.year,
                url=one.paper.url,
                quote=one.quote,
            )
            for one in found
        ]
    )


def _paper(services: Services, paper_id: str) -> FullPaper:
    found = services.papers.get(paper_id)
    return FullPaper(
        paper_id=found.id,
        title=found.title,
        abstract=found.abstract,
        authors=list(found.authors),
        year=found.year,
        url=found.url,
    )
