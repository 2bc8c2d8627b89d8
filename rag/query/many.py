"""Are several papers asked for, or something that one paper says? Learned from the wording; see ``eval.fit.many``."""

from __future__ import annotations

import re

from rag.policy import Logistic
from rag.text import names, words

FEATURES = (
    "which_papers",  # asks which papers, or for papers, in so many words
    "papers",  # speaks of papers, studies, surveys in the plural
    "a_paper",  # ... of one
    "which_plural",  # begins with which or what and a noun in the plural
    "kinds_of_work",  # methods, approaches, systems: what papers are about
    "who",  # asks who does something
    "what_there",  # asks what there is, or what anyone has done
    "is_there",  # asks whether there is something
    "any",
    "request",  # list, compare, find, show
    "each",
    "how",  # asks how, why or when
    "how_many",
    "what_is",  # asks what something is or does
    "whether",  # can be answered by yes or no
    "past",  # speaks of what was done once
    "counted",  # "the two datasets", "four benchmarks"
    "name",  # names something
    "no_verb",  # a few words in the plural without a verb
    "short",
    "long",
)
_SUBJECTS = r"(?:papers?|works|studies|surveys|articles|publications|reviews|abstracts|literature|references|research)"
_WORK = (
    r"(?:methods|approaches|systems|techniques|frameworks|algorithms|benchmarks|datasets|models|llms|tools|resources|"
    r"alternatives|ways|corpora)"
)
_PATTERNS = {
    "which_papers": re.compile(
        rf"\b(?:which|what|any|all|some|other|more|these|every) (?:[\w'-]+ ){{0,4}}{_SUBJECTS}\b|"
        rf"^(?:please |pls |can you |could you )?(?:list|find|show|give) (?:[\w'-]+ ){{0,4}}{_SUBJECTS}\b|"
        rf"\b{_SUBJECTS} (?:that|which|on|about|using|where|for|with)\b|^(?:[\w'-]+ ){{1,5}}(?:papers|works|studies)\b"
    ),
    "papers": re.compile(r"\b(?:papers|works|studies|surveys|articles|publications|literature|research|reviews)\b"),
    "a_paper": re.compile(r"\b(?:the|this|that|a) (?:[\w'-]+ )?(?:paper|study|survey|article|work|authors?)\b"),
    "which_plural": re.compile(r"^(?:[\w'-]+ )?(?:which|what)(?: of)?(?: the)?(?: [\w'-]+){0,2} \w{2,}[^s\W]s\b"),
    "kinds_of_work": re.compile(rf"\b{_WORK}\b"),
    "who": re.compile(r"\bwho\b(?! (?:wrote|made|built|developed))"),
    "what_there": re.compile(
        r"\bwhat (?:else |other \w+ )?(?:is|are|'s) (?:(?:in |out )?(?:here|there)|known|available)\b|\bwhat exists\b|"
        r"\bwhat has been\b|\bhas (?:any|some)one\b|\bhave people\b|\bwho else\b|\bwho has\b"
    ),
    "is_there": re.compile(r"\b(?:is|are) there\b"),
    "any": re.compile(r"\bany(?:one|thing|body)?\b"),
    "request": re.compile(
        r"^(?:please |pls |can you |could you )?(?:list|compare|contrast|find|show|give|collect|name|enumerate)\b|"
        r"\boverview of\b"
    ),
    "each": re.compile(r"\b(?:each|respectively|various|several|different|them)\b"),
    "how": re.compile(r"^(?:[\w'-]+ )?(?:how|why|when|where)\b"),
    "how_many": re.compile(r"\bhow (?:many|much|big|large|often|long|well|good)\b|\bby how\b"),
    "what_is": re.compile(r"^(?:[\w'-]+ )?what(?:'s| is| are| was| were| does| do| did) (?!there)"),
    "whether": re.compile(r"^(?:[\w'-]+ )?(?:is|are|does|do|did|can|could|was|were|has|have|should|will) (?!there)"),
    "past": re.compile(r"\b(?:was|were|did|used|tested|evaluated|trained|compared|reported)\b"),
    "counted": re.compile(r"\b(?:the|which|what|are|all) (?:two|three|four|five|six|seven|\d)\b"),
}


def features_of(question: str) -> list[float]:
    """One row of FEATURES. What begins a question may stand at the beginning of any of its sentences."""
    count = len(words(question))
    parts = [" ".join(words(part)) for part in re.split(r"[.?!:;]\s", question)]
    held = {name: float(any(pattern.search(part) for part in parts)) for name, pattern in _PATTERNS.items()}
    asks = held["how"] or held["whether"] or held["what_is"] or "?" in question
    held["name"] = float(bool(names(question)))
    held["no_verb"] = float(count <= 6 and not asks)
    held["short"], held["long"] = float(count <= 5), float(count >= 20)
    return [held[name] for name in FEATURES]


def wants_many(question: str, model: Logistic) -> bool:
    """Whether several papers are asked for. model: over FEATURES."""
    return bool(model.of(FEATURES).probabilities([features_of(question)])[0] >= 0.5)
