"""Which stage is to blame for a wrong reply? Counterfactually: the one whose gold output would have made it right.

Stages are replaced one at a time, in the order in which they happen, while all others do what they did; the first whose
replacement makes the reply as right as it can become is to blame. If no single one does, several are needed together,
and the smallest set found by leaving stages out one by one is named. Where even gold outputs of all stages do not help,
none is to blame: the answer's form, or the gold question, is the problem.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Sequence

from eval.config import READBACK
from eval.failures import BLAMES, STAGES, Blame, Stage, failures
from eval.gold import GoldQuestion
from eval.graded import Graded
from eval.lab.counterfactual import replay
from eval.results import Run
from eval.run import Setup, grade
from rag.engine import Assistant
from rag.types import Answer

log = logging.getLogger(__name__)
Replay = Callable[[Collection[Stage]], float]  # score in [0, 1] of the reply with the gold outputs of some stages


def stages_of(question: GoldQuestion) -> tuple[Stage, ...]:
    """The stages that can be to blame: where silence is right, there is nothing to find, select or verify."""
    relevant = STAGES if question.answerable else ("understanding", "answerability")
    return tuple(stage for stage in relevant if stage != "understanding" or len(question.turns) > 1)


def find_blame(question_id: str, score: float, stages: Sequence[Stage], again: Replay) -> Blame:
    """Try the stages, at most 2 * len(stages) + 1 replays. score: of the reply as it was."""
    ceiling = again(stages)
    what_if = {stage: again([stage]) for stage in stages}
    blamed: tuple[Stage, ...] = ()
    if ceiling > score:
        healing = [stage for stage in stages if what_if[stage] >= ceiling]
        blamed = (healing[0],) if healing else _smallest(stages, ceiling, again)
    elif max(what_if.values()) > score:  # the gold outputs get into each other's way; one alone helps
        blamed = (max(stages, key=lambda stage: what_if[stage]),)
    return Blame(question_id, score, blamed, ceiling, what_if)


def _smallest(stages: Sequence[Stage], ceiling: float, again: Replay) -> tuple[Stage, ...]:
    kept = list(stages)
    for stage in stages:
        rest = [other for other in kept if other != stage]
        if rest and again(rest) >= ceiling:
            kept = rest
    return tuple(kept)


def blame(assistant: Assistant, question: GoldQuestion, answer: Answer | None) -> Blame:
    """Explain one wrong reply by asking again. answer: None if the question crashed the system."""

    def again(stages: Collection[Stage]) -> float:
        try:
            return Graded(question, None, replay(assistant, question, answer, stages)).right
        except Exception as error:  # what crashes is not right
            log.warning("%s fails with gold %s", question.id, ", ".join(stages), exc_info=error)
            return 0.0

    return find_blame(question.id, Graded(question, None, answer).right, stages_of(question), again)


def blame_run(setup: Setup, run: Run, progress: Callable[[int], None] = lambda _: None) -> list[Blame]:
    """Explain Readback's wrong replies to the questions as written, and store that beside the run's results.

    What was explained before is not asked again: a run's id stands for all that decides it.
    """
    known = {one.question_id: one for one in map(Blame.of, run.lines(BLAMES))}
    found = []
    for one in failures(grade(run.rows(), setup.questions).get(READBACK, [])):
        score = one.right
        before = known.get(one.question.id)
        found.append(before if before and before.score == score else blame(setup.assistant, one.question, one.answer))
        progress(1)
    run.put(BLAMES, "".join(json.dumps(one.to_dict()) + "\n" for one in found))
    return found
