"""Readback's tools, called by the official MCP client."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from markdown_it import MarkdownIt
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from pydantic import SecretStr

from rag.index import Index
from rag.types import Paper
from tests.ui.conftest import MakeServices, running
from tests.ui.samples import FOLLOW_UP, PAPERS, REWRITES, UNKNOWN
from ui.services import Services

STDIO = "from rag.settings import Settings; from ui.mcp import run_stdio; run_stdio(Settings.load())"
KEY = "mcp-key-0123456789"
Use = Callable[[ClientSession], Awaitable[None]]


@asynccontextmanager
async def over_http(address: str, key: str | None = None) -> AsyncIterator[ClientSession]:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    async with (
        httpx.AsyncClient(headers=headers, timeout=30) as http,
        streamable_http_client(f"{address}/mcp", http_client=http) as (receive, send, _),
        ClientSession(receive, send) as session,
    ):
        await session.initialize()
        yield session


async def call(session: ClientSession, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await session.call_tool(tool, arguments)
    assert not result.isError, result.content
    assert result.structuredContent is not None
    return result.structuredContent


async def use_everything(session: ClientSession) -> None:
    tools = {tool.name: tool for tool in (await session.list_tools()).tools}
    assert set(tools) == {"ask", "search_papers", "get_paper"}
    assert all(tool.description and tool.outputSchema for tool in tools.values())
    assert "question" in tools["ask"].inputSchema["properties"]
    assert "context" not in tools["ask"].inputSchema["properties"]

    answer = await call(session, "ask", question=REWRITES)
    assert "[1]" in answer["text"]
    assert answer["citations"][0]["quote"] in PAPERS[0].abstract
    following = await call(session, "ask", question=FOLLOW_UP, conversation=answer["conversation"])
    assert following["conversation"] == answer["conversation"]
    assert (await call(session, "ask", question=UNKNOWN))["abstained"]

    found = await call(session, "search_papers", query="robots that forget", limit=2)
    assert found["papers"][0]["paper_id"] == "arXiv:2202.00004"
    assert len(found["papers"]) == 2
    paper = await call(session, "get_paper", paper_id="arXiv:2202.00004")
    assert paper["abstract"] == PAPERS[4].abstract

    for tool, arguments in (
        ("ask", {"question": " "}),
        ("ask", {"question": "x" * 5000}),
        ("ask", {"question": REWRITES, "conversation": "nobodys"}),
        ("ask", {}),
        ("search_papers", {"query": "x", "limit": 10_000}),
        ("get_paper", {"paper_id": "nothing"}),
    ):
        failed = await session.call_tool(tool, arguments)
        assert failed.isError
        assert "Traceback" not in str(failed.content)


def test_over_http(server: str) -> None:
    async def run() -> None:
        async with over_http(server) as session:
            await use_everything(session)

    anyio.run(run)


def test_over_standard_input_and_output(data_dir: Path, tmp_path: Path) -> None:
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-c", STDIO],
        env={"READBACK_DATA_DIR": str(data_dir), "READBACK_EVENTS_URL": f"sqlite:///{tmp_path / 'events.db'}"},
        cwd=Path(__file__).parents[3],
    )

    async def run() -> None:
        with (tmp_path / "stderr").open("w") as errors:
            async with (
                stdio_client(parameters, errlog=errors) as (receive, send),
                ClientSession(receive, send) as session,
            ):
                await session.initialize()
                await use_everything(session)

    anyio.run(run)


def test_callers_are_recorded_as_who_they_are(make_services: MakeServices) -> None:
    services = make_services(api_keys=SecretStr(f"ada:{KEY},bob:{KEY[::-1]}"))

    async def run(address: str) -> None:
        async with over_http(address, KEY) as session:
            conversation = (await call(session, "ask", question=REWRITES))["conversation"]
        async with over_http(address, KEY[::-1]) as session:
            result = await session.call_tool("ask", {"question": "And?", "conversation": conversation})
            assert result.isError

    with running(services) as address:
        anyio.run(run, address)
        assert httpx.post(f"{address}/mcp", json={}).status_code == 401
    (episode,) = services.store.episodes()
    assert episode.interaction.source == "mcp"
    assert episode.interaction.user is not None
    assert episode.interaction.user.startswith("user-")


def test_a_papers_markup_is_no_markup_of_the_answer(services: Services, index: Index) -> None:
    hostile = "Wallabies hop ![so](https://evil.example/x.png) <img src=x onerror=y> [far](https://evil.example) daily."
    index.update([Paper("hostile", "On wallabies", f"{hostile} We counted them in the outback for two years.")])

    async def run(address: str) -> None:
        async with over_http(address) as session:
            answer = await call(session, "ask", question="How far do wallabies hop?")
            assert "evil" in answer["text"]
            shown = MarkdownIt("commonmark").render(answer["text"])
            assert not re.search(r"<(?:img|a|script)\b", shown)

    with running(services) as address:
        anyio.run(run, address)


@pytest.mark.usefixtures("one_minute")
def test_questions_count_against_the_limit(make_services: MakeServices) -> None:
    services = make_services(user_per_minute=2)

    async def run(address: str) -> None:
        async with over_http(address) as session:
            results = [await session.call_tool("ask", {"question": REWRITES}) for _ in range(3)]
        assert [result.isError for result in results] == [False, False, True]
        assert "try again in" in str(results[-1].content)

    with running(services) as address:
        anyio.run(run, address)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"jsonrpc": "2.0", "id": 1, "method": "nope"}'])
def test_what_is_no_call(server: str, body: bytes) -> None:
    headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    reply = httpx.post(f"{server}/mcp", content=body, headers=headers)
    assert reply.status_code < 500
    assert "Traceback" not in reply.text
