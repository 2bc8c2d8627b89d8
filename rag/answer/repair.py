"""One more chance for sentences that the abstracts contradict: the model rewrites them from a critique.

As in Gou et al. 2024, "CRITIC: Large Language Models Can Self-Correct with Tool-Interactive Critiquing", the critique
comes from outside the model, here from the verifier; what it rewrites counts only if the verifier is satisfied.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rag.chat_model import complete
from rag.ports import ChatModel
from rag.prompts import repair_messages
from rag.types import Usage
from rag.verify import Verdict

MAX_SENTENCES = 12  # that are sent back
MAX_LINE = 1000  # characters of a rewritten sentence
TOKENS_EACH = 90
_LINE = re.compile(r"\s{0,3}(\d{1,2})[.):]\s{0,3}(\S.{0,1000})")


def repaired(model: ChatModel, wrong: Sequence[tuple[str, Verdict]], spend: Callable[[Usage], None]) -> list[str]:
    """A rewriting of each sentence, in order; empty where there is none. Raises ProviderError.

    wrong: sentences as drafted, with their verdicts, whose quotes are what comes closest.
    """
    sent = wrong[:MAX_SENTENCES]
    complaints = [(text, verdict.why, [quote.text for quote in verdict.quotes]) for text, verdict in sent]
    reply, usage = complete(model, repair_messages(complaints), TOKENS_EACH * len(sent))
    spend(usage)
    found = [""] * len(wrong)
    for line in reply.splitlines():
        match = _LINE.fullmatch(line[:MAX_LINE])
        if match and 1 <= int(match[1]) <= len(sent) and match[2].strip().casefold() not in ("drop", "drop."):
            found[int(match[1]) - 1] = match[2].strip()
    return found
