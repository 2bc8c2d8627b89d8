"""Long texts of one shape, in every field that takes text: the server answers, and goes on answering others."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.attack.attacks import Attack, each
from tests.attack.conftest import Tally, Target

PATIENCE_S = 60.0  # beyond it something hangs
QUESTION = "What does it say about query rewrites?"
TOOL = {"accept": "application/json, text/event-stream"}


@each("oversize")
def test_a_long_text_holds_nobody_up(attack: Attack, local: Target, tally: Tally) -> None:
    text = attack.get("before", "") + attack["unit"] * attack["times"] + attack.get("end", "")
    with httpx.Client(base_url=local.address, timeout=PATIENCE_S) as client:
        reply = sent(client, attack["face"], text)
    held = tally(attack, reply.status_code < 500 and local.alive())
    assert held, (reply.status_code, reply.text[:400])


def sent(client: httpx.Client, face: str, text: str) -> httpx.Response:
    """The text, in the field of this name."""
    if face == "abstract":
        paper = json.dumps({"title": "A long one", "abstract": f"We study zebras. {text}"}).encode()
        reply = client.post("/api/papers", files={"file": ("long.jsonl", paper)})
        for added in reply.json()["paper_ids"] if reply.is_success else []:
            client.delete(f"/api/papers/{added}")
        return reply
    if face in ("title", "feedback"):
        asked = client.post("/api/ask", json={"question": QUESTION}).json()
        if face == "title":
            return client.patch(f"/api/conversations/{asked['conversation']}", json={"title": text})
        said = {"answer_id": asked["answer"]["id"], "kind": "comment", "value": text}
        return client.post("/api/feedback", json=said)
    address, more = form(face, text)
    return client.request("GET" if "params" in more else "POST", address, headers=TOOL, **more)


def form(face: str, text: str) -> tuple[str, dict[str, Any]]:
    """Where and how a face takes the text."""
    said = [("user", "What?"), ("assistant", text), ("user", QUESTION)]
    chat = {"model": "readback", "messages": [{"role": role, "content": content} for role, content in said]}
    call = {"name": "ask", "arguments": {"question": text}}
    forms: dict[str, tuple[str, dict[str, Any]]] = {
        "search": ("/api/search", {"params": {"q": text}}),
        "papers": ("/api/papers", {"params": {"q": text}}),
        "login": ("/login", {"data": {"name": "ada", "password": text}}),
        "api": ("/api/ask", {"json": {"question": text}}),
        "history": (
            "/api/ask",
            {"json": {"question": QUESTION, "history": [{"question": "What?", "answer": text[:20_000]}]}},
        ),
        "openai": ("/v1/chat/completions", {"json": chat}),
        "mcp": ("/mcp", {"json": {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}}),
    }
    return forms[face]
