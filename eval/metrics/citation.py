"""Do the citations carry the sentences that cite them? ALCE's definitions, with a support check that is handed in.

Source: Gao, Yen, Yu and Chen 2023, Enabling Large Language Models to Generate Text with Citations, arXiv:2305.14627,
section 3.3. There the check is an entailment model; here it is any function, by default one that compares words, so
that a result is the same on every machine and owes nothing to the product's own verifier.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from eval.metrics.facts import normalise
from eval.metrics.retrieval import CENTRAL

Supports = Callable[[str, str], bool]  # (claim, evidence) -> does the evidence, taken as a whole, bear the claim out?

_WORD = re.compile(r"\d+(?:[.,]\d+)*[%x]?(?!\w)|[^\W_]+")
_SUFFIX = re.compile(r"(?<=\w\w\w)(?:ings?|ies|ied|ed|es|e|s|y)$")
_STOP_WORDS = frozenset(
    """
    a about after all also an and any are as at be because been before being between both but by can could did do does
    each for from had has have how if in into is it its may more most no not of on one only or other our over own per
    same should so some such than that the their them then there these they this those through thus to too under up use
    used using very via was we were what when where whether which while who why will with within without would yes
    abstract author authors paper papers study studies work works
    """.split()
)


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """One sentence of an answer and what each of its citations quotes."""

    text: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CitationScores:
    """Citation precision and recall of one answer, each in [0, 1]."""

    precision: float
    recall: float


def shares_words(claim: str, evidence: str, *, share: float = 0.6) -> bool:
    """Whether the evidence holds every number of the claim and at least a share of its other content words.

    Words are compared without endings; a claim without any content is not supported. Deterministic and blunt: it sees
    neither negation nor who did what to whom, and a faithful paraphrase in new words fails it.
    """
    known, wanted = set(_content(evidence)), set(_content(claim))
    numbers = {word for word in wanted if word[0].isdigit()}
    words = wanted - numbers
    return bool(wanted) and numbers <= known and len(words & known) >= share * len(words)


def citation_scores(sentences: Sequence[CitedSentence], supports: Supports = shares_words) -> CitationScores:
    """ALCE's citation precision and recall of one answer, each in [0, 1]; no sentence or no citation: 0.0.

    Recall: share of sentences that have citations and are supported by all of them together. Precision: share of the
    citations whose sentence counts for recall and that are not idle; one is idle if it does not support the sentence
    alone and the others of the sentence support it without it. Source: arXiv:2305.14627, section 3.3.
    """
    supported = [bool(one.evidence) and supports(one.text, " ".join(one.evidence)) for one in sentences]
    citations = sum(len(one.evidence) for one in sentences)
    precise = sum(_at_work(one, supports) for one, holds in zip(sentences, supported, strict=True) if holds)
    return CitationScores(
        precision=precise / citations if citations else 0.0,
        recall=sum(supported) / len(sentences) if sentences else 0.0,
    )


def cited_precision(cited: Collection[str], gold: Mapping[str, int], *, min_grade: int = 1) -> float:
    """Share of the distinct papers cited that are gold papers, in [0, 1]; nothing cited: 0.0.

    Source: set precision, Manning, Raghavan and Schütze 2008, section 8.3.
    """
    papers = set(cited)
    return sum(gold.get(paper, 0) >= min_grade for paper in papers) / len(papers) if papers else 0.0


def cited_recall(cited: Collection[str], gold: Mapping[str, int], *, min_grade: int = CENTRAL) -> float:
    """Share of the central gold papers that the answer cites, in [0, 1]: how complete a list is.

    Raises ValueError if no gold paper has that grade. Source: set recall, Manning, Raghavan and Schütze 2008,
    section 8.3.
    """
    central = {paper for paper, grade in gold.items() if grade >= min_grade}
    if not central:
        raise ValueError(f"no gold paper has grade {min_grade} or more")
    return len(central & set(cited)) / len(central)


def _at_work(sentence: CitedSentence, supports: Supports) -> int:
    """How many citations of a supported sentence are not idle."""
    if len(sentence.evidence) == 1:
        return 1
    return sum(
        supports(sentence.text, quote)
        or not supports(sentence.text, " ".join(sentence.evidence[:place] + sentence.evidence[place + 1 :]))
        for place, quote in enumerate(sentence.evidence)
    )


def _content(text: str) -> list[str]:
    return [_SUFFIX.sub("", word) for word in _WORD.findall(normalise(text)) if word not in _STOP_WORDS]
