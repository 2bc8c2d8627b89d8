"""What a call to a well-known model costs, roughly.

List prices of OpenAI's standard tier in US dollars per million tokens, as of June 2026. They leave out discounts for
cached or batched input, and they age: an estimate for people to read, not a bill.
"""

from __future__ import annotations

import re

PRICES: dict[str, tuple[float, float]] = {  # model: (prompt, completion), dollars per million tokens
    "gpt-4o": (2.50, 10.00),
    "gpt-4o-2024-05-13": (5.00, 15.00),  # the first one was dearer
    "gpt-4o-mini": (0.15, 0.60),
    "gpt-4.1": (2.00, 8.00),
    "gpt-4.1-mini": (0.40, 1.60),
    "gpt-4.1-nano": (0.10, 0.40),
    "gpt-5": (1.25, 10.00),
    "gpt-5-chat-latest": (1.25, 10.00),
    "gpt-5-mini": (0.25, 2.00),
    "gpt-5-nano": (0.05, 0.40),
    "gpt-5-pro": (15.00, 120.00),
    "gpt-5.1": (1.25, 10.00),
    "gpt-5.2": (1.75, 14.00),
    "gpt-5.2-pro": (21.00, 168.00),
    "gpt-5.4": (2.50, 15.00),
    "gpt-5.4-mini": (0.75, 4.50),
    "gpt-5.4-nano": (0.20, 1.25),
    "o1": (15.00, 60.00),
    "o1-mini": (1.10, 4.40),
    "o3": (2.00, 8.00),
    "o3-mini": (1.10, 4.40),
    "o3-pro": (20.00, 80.00),
    "o4-mini": (1.10, 4.40),
    "text-embedding-3-small": (0.02, 0.0),
    "text-embedding-3-large": (0.13, 0.0),
    "text-embedding-ada-002": (0.10, 0.0),
}
_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$")


def cost_usd(model: str, prompt_tokens: int, completion_tokens: int = 0, *, local: bool = False) -> float | None:
    """Estimated price of one call in US dollars; None if the model's price is not known.

    A dated name ("gpt-4o-mini-2024-07-18") costs what the undated one does, unless it is listed itself.
    local: the server runs on this machine, where a call costs nothing.
    """
    if local:
        return 0.0
    name = model.removeprefix("openai/")  # as routers write it
    price = PRICES.get(name) or PRICES.get(_DATE.sub("", name))
    if price is None:
        return None
    return (prompt_tokens * price[0] + completion_tokens * price[1]) / 1_000_000
