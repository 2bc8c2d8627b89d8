"""Replies that somebody wrote from a prompt alone, served to the pipeline in place of a language model.

``eval/gold/replies/*.jsonl`` holds one reply a line; ``Reply`` documents the keys. A reply is valid for the prompt that
it was written for, and stays valid where the search has since brought the passages in another order, or other ones
beside those that it cites: its markers are renumbered. A plan stays valid while the same was asked before, whatever the
answers were. Once the rules of the prompt change, a reply is stale and not served.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from rag import prompts
from rag.errors import ProviderBusy
from rag.ports import Message
from rag.tokens import count_tokens
from rag.types import Usage

REPLIES = Path(__file__).parent.parent / "gold" / "replies"
Kind = Literal["plan", "answer", "repair", "transform"]
Match = Literal["exact", "moved", "stale", "none"]
_RULES: Mapping[str, Kind] = {
    prompts.PLAN_RULES: "plan",
    prompts.ANSWER_RULES: "answer",
    prompts.SMALL_RULES: "answer",
    prompts.TRANSFORM_RULES: "transform",
    prompts.REPAIR_RULES: "repair",
}
_OPENS, _CLOSES = re.compile(r'<passage number="\d{1,3}">\n'), "\n</passage>"
_ASKED = ("User: ", "Last message: ")
_WORD = re.compile(r"\s*\S+\s*")
_MARKER = re.compile(r"\[(\d{1,3})\]")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt taken apart: what changes with the rules, with the question, and with the search."""

    kind: Kind
    messages: tuple[Message, ...]
    rules: str  # hash of the system message
    ask: str  # hash of all but rules and passages; of a plan, of what was asked
    passages: tuple[str, ...]  # a hash of each, in the order shown

    @classmethod
    def of(cls, messages: Sequence[Message]) -> Prompt:
        """Raises ValueError for a prompt that is none of the pipeline's."""
        system, user = messages[0]["content"], messages[-1]["content"]
        kind = next((kind for rules, kind in _RULES.items() if system.startswith(rules)), None)
        if kind is None:
            raise ValueError(f"no prompt of the pipeline begins with {system[:40]!r}")
        first, *blocks = _OPENS.split(user)
        shown = [block.partition(_CLOSES) for block in blocks]
        ask = first + "".join(rest for *_, rest in shown).strip()
        if kind == "plan":  # what was asked; the quotes that were the answers change with the search
            ask = "\n".join(line for line in ask.splitlines() if line.startswith(_ASKED))
        return cls(kind, tuple(messages), _hash(system), _hash(ask), tuple(_hash(text)[:8] for text, *_ in shown))

    @property
    def hash(self) -> str:
        """Of every word."""
        return _hash("\n".join(message["content"] for message in self.messages))

    def record(self) -> dict[str, Any]:
        """What a reply to it repeats."""
        return {
            "kind": self.kind,
            "prompt_hash": self.hash,
            "rules": self.rules,
            "ask": self.ask,
            "passages": list(self.passages),
        }


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply with what it was written for."""

    question: str  # id of what was asked, for people
    kind: Kind
    prompt_hash: str
    rules: str
    ask: str
    passages: tuple[str, ...]
    reply: str
    author_kind: str  # "person" or "model", which wrote from the prompt alone
    date: str

    def fits(self, prompt: Prompt) -> tuple[Match, str]:
        """How well it fits a prompt, and the reply with the markers of that prompt."""
        if self.prompt_hash == prompt.hash:
            return "exact", self.reply
        if (self.kind, self.ask) != (prompt.kind, prompt.ask):
            return "none", ""
        if self.rules != prompt.rules:
            return "stale", ""
        places = {passage: place for place, passage in enumerate(prompt.passages, 1)}
        cited = {int(one) for one in _MARKER.findall(self.reply)}
        needed = [self.passages[one - 1] for one in cited if one <= len(self.passages)] or list(self.passages)
        if not all(passage in places for passage in needed):
            return "stale", ""
        known = {number: places.get(passage) for number, passage in enumerate(self.passages, 1)}
        return "moved", _MARKER.sub(lambda found: f"[{known.get(int(found[1]), found[1])}]", self.reply)

    def to_dict(self) -> dict[str, Any]:
        """One line of a file."""
        return {**asdict(self), "passages": list(self.passages)}


def read_replies(folder: Path = REPLIES) -> list[Reply]:
    """All replies, in the order of their files. Raises ValueError naming file and line."""
    found = []
    for file in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            try:
                record = json.loads(line)
                found.append(Reply(**{**record, "passages": tuple(record["passages"])}))
            except (TypeError, KeyError, ValueError) as error:
                raise ValueError(f"{file.name}, line {number}: {error}") from error
    return found


@dataclass(slots=True)
class ReplayModel:
    """A ChatModel that says what was written down, and keeps the prompts for which nothing was."""

    replies: Sequence[Reply]
    name: str = "replay"
    served: list[tuple[Prompt, Match, str]] = field(default_factory=list)
    pending: list[tuple[Prompt, Match]] = field(default_factory=list)
    first_s: float | None = None  # when the first word after the line with the status was handed over

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
        """The stored reply, word by word, then its Usage. Raises ProviderBusy where none is stored."""
        prompt = Prompt.of(messages)
        found = dict(one.fits(prompt) for one in self.replies)
        for match in ("exact", "moved"):
            if match in found:
                self.served.append((prompt, match, found[match]))
                yield from self._timed(_WORD.findall(found[match]))
                sent = sum(count_tokens(message["content"]) for message in messages)
                yield Usage(sent, min(count_tokens(found[match]), max_tokens), None)
                return
        self.pending.append((prompt, "stale" if "stale" in found else "none"))
        raise ProviderBusy(f"No reply is stored for this {prompt.kind} prompt.")

    def reset(self) -> None:
        """Forget what was served, before the next question."""
        self.served, self.pending, self.first_s = [], [], None

    def _timed(self, pieces: Iterable[str | Usage]) -> Iterator[str | Usage]:
        said = ""
        for piece in pieces:
            said += piece if isinstance(piece, str) else ""
            if self.first_s is None and said.partition("\n")[2].strip():
                self.first_s = time.perf_counter()
            yield piece


@dataclass(slots=True)
class LiveModel(ReplayModel):
    """Passes everything on to a real model and keeps what it said."""

    model: Any = None

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
        """As the model does."""
        said = ""
        for item in self._timed(self.model.stream(messages, max_tokens=max_tokens)):
            said += item if isinstance(item, str) else ""
            yield item
        self.served.append((Prompt.of(messages), "exact", said))


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]
