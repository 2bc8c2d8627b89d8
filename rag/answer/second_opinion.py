"""A second opinion on a draft by a language model: one call, and what it says counts only with a verbatim quote.

As in Gao et al. 2023, "RARR: Researching and Revising What Language Models Say, Using Language Models", a model judges
whether evidence and statement agree; here the abstracts have the last word.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from rag.chat_model import complete
from rag.errors import ProviderError
from rag.ports import ChatModel
from rag.prompts import Shown, check_messages
from rag.types import Usage
from rag.values.evidence import Quote
from rag.verify import Source, Verdict, Verifier

log = logging.getLogger(__name__)
MOST_SENTENCES = 40  # that are put to the model
TOKENS_EACH = 110
MOST_REPLY = 40_000  # characters of a reply that are looked at
LEAST_QUOTE = 20  # characters; less proves nothing
LIKE = str.maketrans("“”‘’–—‐‑", "\"\"''----")
UNCHECKED = "The model could not check its answer a second time, so only the rules did."
SAYS_OTHERWISE = "the model finds that what it cites says otherwise"
FINDS_NOTHING = "the model finds no abstract that says it"


class _Opinion(BaseModel):
    """What the model says of one sentence."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sentence: int
    verdict: Literal["supported", "contradicted", "unsupported"]
    quote: str = Field(default="", max_length=4000)


_OPINIONS = TypeAdapter(list[_Opinion])


@dataclass(frozen=True, slots=True)
class ModelVerifier:
    """A Verifier that lets a model judge what another one has judged.

    A verdict of the model counts if its quote stands in an abstract, but for case, spaces and the form of marks; the
    quote is shown then. Without one, *supported* and *contradicted* are ignored. *unsupported* makes a verified
    sentence unchecked, and never worse. What was contradicted before stays contradicted, and framing stays framing. If
    the call fails, the other verdicts stand, and ``warn`` is told.
    """

    standard: Verifier
    model: ChatModel
    spend: Callable[[Usage], None]
    warn: Callable[[str], None]

    def verify(self, sentences: Sequence[str], sources: Sequence[Source]) -> list[Verdict]:
        """One verdict a sentence, in their order. sentences: of one draft, so that one can explain the next."""
        verdicts = self.standard.verify(sentences, sources)
        asked = [at for at, one in enumerate(verdicts) if one.kind == "claim" and one.state != "contradicted"]
        if not asked or not sources:
            return verdicts
        shown = [Shown(one.paper.title, one.paper.abstract) for one in sources]
        drafted = list(enumerate(sentences[:MOST_SENTENCES], 1))
        try:
            reply, usage = complete(self.model, check_messages(drafted, shown), TOKENS_EACH * len(drafted))
            self.spend(usage)
            opinions = read_opinions(reply)
        except (ProviderError, ValueError) as error:
            log.warning("the model could not check its answer: %s", error)
            self.warn(UNCHECKED)
            return verdicts
        for one in opinions:
            at = one.sentence - 1
            if at in asked:
                verdicts[at] = _judged(verdicts[at], one, sources)
        return verdicts


def read_opinions(reply: str) -> list[_Opinion]:
    """The opinions in a reply. Raises ValueError if there is no list of them."""
    head = reply[:MOST_REPLY]
    start, end = head.find("["), head.rfind("]")
    if start < 0 or end < start:
        raise ValueError("no list in the reply")
    try:
        return _OPINIONS.validate_python(json.loads(head[start : end + 1]))
    except ValidationError as error:
        raise ValueError(f"not a list of verdicts: {error.error_count()} faults") from error


def _judged(verdict: Verdict, opinion: _Opinion, sources: Sequence[Source]) -> Verdict:
    if opinion.verdict == "unsupported":
        weaker = verdict.state == "verified"
        return replace(verdict, state="unchecked", why=FINDS_NOTHING) if weaker else verdict
    quote = next((found for one in sources if (found := _found(opinion.quote, one))), None)
    if quote is None:
        return verdict
    if opinion.verdict == "supported":
        return replace(verdict, state="verified", quotes=(quote,), support=max(verdict.support, quote.score), why="")
    return replace(verdict, state="contradicted", quotes=(quote,), support=0.0, why=SAYS_OTHERWISE)


def _found(quoted: str, source: Source) -> Quote | None:
    """Where the abstract says this, letter for letter but for case, spaces and the form of marks."""
    wanted, _ = _folded(quoted.strip("\"'“”‘’ .…"))
    here, places = _folded(source.paper.abstract)
    at = here.find(wanted) if len(wanted) >= LEAST_QUOTE else -1
    if at < 0:
        return None
    return Quote(source.paper, places[at], places[at + len(wanted) - 1] + 1, 1.0)


def _folded(text: str) -> tuple[str, list[int]]:
    """The text in one form, and the place in it of each character."""
    folded: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text.translate(LIKE)):
        one = " " if char.isspace() else char.casefold() if len(char.casefold()) == 1 else char
        if one != " " or folded[-1:] != [" "]:
            folded.append(one)
            places.append(place)
    return "".join(folded), places
