"""One spelling for words that differ only by convention, so that comparing stems does not stumble over it."""

from __future__ import annotations

import re

_BRITISH = re.compile(r"\b([^\W\d_]{3,30})(is|ys)(e|ed|es|er|ers|ing|ation|ations)\b", re.IGNORECASE)
_OUR = re.compile(r"\b(behavi|fav|col|lab|neighb|tum|harb|hum)our", re.IGNORECASE)
_JOINED = re.compile(r"\b(fine|pre)(?=(?:tun|train)(?:e|ed|es|ing|s)?\b)", re.IGNORECASE)
_GREEK = str.maketrans(
    {
        "α": "alpha",
        "β": "beta",
        "γ": "gamma",
        "δ": "delta",
        "ε": "epsilon",
        "ζ": "zeta",
        "θ": "theta",
        "κ": "kappa",
        "λ": "lambda",
        "μ": "mu",
        "ω": "omega",
    }
)
_DIGITS = {
    word: str(value)
    for value, word in enumerate("two three four five six seven eight nine ten eleven twelve".split(), start=2)
}
_SPELLED = re.compile(rf"\b(?:{'|'.join(_DIGITS)})\b", re.IGNORECASE)


LONG_FORMS = {
    "LLM": "large language model",
    "LM": "language model",
    "PLM": "pretrained language model",
    "AI": "artificial intelligence",
    "ML": "machine learning",
    "NLP": "natural language processing",
    "QA": "question answering",
    "IR": "information retrieval",
    "RL": "reinforcement learning",
    "RLHF": "reinforcement learning from human feedback",
    "RAG": "retrieval augmented generation",
}  # that a field uses without explanation
_SHORT_FORM = re.compile(rf"\b({'|'.join(LONG_FORMS)})(s?)\b")


def ungreek(text: str) -> str:
    """With the names of Greek letters in their place: "IFN-γ" as "IFN-gamma"."""
    return text if text.isascii() else text.translate(_GREEK)


def plain(text: str) -> str:
    """With American endings ("optimise" as "optimize"), small numbers in digits, and common acronyms in full.

    For comparing only. Words that are no variants ("exercise") change too; texts that are compared must all have gone
    through it.
    """
    text = _BRITISH.sub(lambda match: f"{match[1]}{match[2][0]}z{match[3]}", ungreek(text))
    text = _OUR.sub(r"\1or", text)
    text = _JOINED.sub(r"\1-", text)
    text = _SHORT_FORM.sub(lambda match: LONG_FORMS[match[1]] + match[2], text)
    return _SPELLED.sub(lambda match: _DIGITS[match[0].casefold()], text)
