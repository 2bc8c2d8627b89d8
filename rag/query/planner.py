"""One small call that plans an answer: what is wanted, what it means on its own, and what to search for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag.chat_model import Schema, complete
from rag.ports import ChatModel
from rag.prompts import plan_messages
from rag.types import Turn, Usage

MAX_TOKENS = 250
MAX_REPLY = 4000  # characters of a reply that are looked at
MOST_QUERIES = 4
MAX_QUERY = 300  # characters of one search
_TEXT = {"type": "string"}
Route = Literal["answer", "transform", "chat", "collection", "off_topic"]


class Plan(BaseModel):
    """What the model makes of the last message. Fields that it leaves out keep their defaults."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    route: Route = "answer"
    standalone: str = Field(min_length=1, max_length=1000)
    queries: tuple[str, ...] = ()
    format: Literal["prose", "list", "table"] = "prose"
    language: str = Field(default="en", max_length=20)

    @property
    def wish(self) -> str:
        """What to tell the writer beyond the question; empty if nothing."""
        form = {"prose": "", "list": "Answer as a list.", "table": "Answer with a table."}[self.format]
        code = self.language.strip().casefold()[:2]
        tongue = f"Answer in the language with the ISO code {code}." if code.isalpha() and code != "en" else ""
        return " ".join(part for part in (form, tongue) if part)


SCHEMA: Schema = {  # of a reply; every field is asked for, as strict servers want it
    "type": "object",
    "properties": {
        "route": {"type": "string", "enum": list(get_args(Route))},
        "standalone": _TEXT,
        "queries": {"type": "array", "items": _TEXT, "maxItems": MOST_QUERIES},
        "format": {"type": "string", "enum": ["prose", "list", "table"]},
        "language": _TEXT,
    },
    "required": ["route", "standalone", "queries", "format", "language"],
    "additionalProperties": False,
}


def make_plan(question: str, history: Sequence[Turn], model: ChatModel) -> tuple[Plan | None, Usage]:
    """The model's plan, or None if its reply is none, and what it took. Raises ProviderError."""
    reply, usage = complete(model, plan_messages(question, history), MAX_TOKENS, SCHEMA)
    return read_plan(reply, question), usage


def read_plan(reply: str, question: str) -> Plan | None:
    """The plan in a reply; None if there is no usable one, such as a question far longer than what was asked."""
    head = reply[:MAX_REPLY]
    start, end = head.find("{"), head.rfind("}")
    if start < 0 or end < start:
        return None
    try:
        plan = Plan.model_validate(json.loads(head[start : end + 1]))
    except (ValueError, ValidationError):
        return None
    standalone = " ".join(plan.standalone.split())
    if not standalone or len(standalone) > 3 * len(question) + 300:
        return None
    queries = (" ".join(one.split())[:MAX_QUERY] for one in plan.queries[:MOST_QUERIES])
    distinct = tuple(one for one in dict.fromkeys(queries) if one and one.casefold() != standalone.casefold())
    return plan.model_copy(update={"standalone": standalone, "queries": distinct})
