"""One thing that was asked and what came back, read side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from eval.gold import GoldQuestion
from eval.metrics.answer import fact_coverage
from eval.metrics.decision import CAVEAT, Class, Verdict
from eval.metrics.retrieval import CENTRAL
from rag.types import Answer, Citation


@dataclass(frozen=True)
class Graded:
    """One thing that was asked, and what came back."""

    question: GoldQuestion
    asker: str | None  # None: the question as written
    answer: Answer | None  # None: the system crashed, which is wrong in every measure

    @cached_property
    def right(self) -> float:
        """How right the reply is, in [0, 1]: the one number that means the same for every kind of question.

        Where an answer is right, the share of its facts, less 0.3 of it if it comes with the caveat of the closest
        evidence, and 0 for a refusal, whatever evidence that shows. Where nothing answers, 1 for a refusal and, within
        the field, for the closest evidence. A false premise may be corrected or declined. A crash is 0.
        """
        if self.kind == "in the field":
            return float(self.verdict in ("closest", "refused"))
        if self.kind == "off topic":
            return float(self.verdict == "refused")
        if self.question.expects == "correct" and self.verdict in ("closest", "refused"):
            return 1.0
        return self.facts * (1 - CAVEAT if self.verdict == "closest" else 1)

    @property
    def facts(self) -> float:
        """Share of the facts that the reply holds; of a question that lists none, whether a central paper is cited."""
        if not self.answer or not self.answered:
            return 0.0
        if not self.question.facts:  # other people's questions may come without
            return float(self.shows_right_paper)
        return fact_coverage(self.answer.text, self.question.facts)

    @property
    def kind(self) -> Class:
        """What kind of decision the question asks for."""
        if self.question.answerable:
            return "answerable"
        return "off topic" if self.question.kind == "out_of_scope" else "in the field"

    @property
    def verdict(self) -> Verdict | None:
        """The band of the reply; None for a crash."""
        if self.answer is None:
            return None
        if self.answer.abstained:
            return "refused"
        return self.answer.verdict

    @property
    def ranked(self) -> list[str]:
        """Ids of the papers found, best first."""
        return [paper.paper_id for paper in self.answer.retrieved] if self.answer else []

    @property
    def shown(self) -> list[Citation]:
        """The quotes of the reply; none for a refusal."""
        if self.answer is None or self.verdict == "refused":
            return []
        return list(self.answer.citations or self.answer.closest)

    @property
    def shows_right_paper(self) -> bool:
        """Whether a central paper is quoted."""
        return any(self.question.gold.get(one.paper_id, 0) >= CENTRAL for one in self.shown)

    @property
    def answered(self) -> bool:
        """Whether it was given something to read, right or wrong, with a caveat or without."""
        return self.verdict in ("answered", "closest")
