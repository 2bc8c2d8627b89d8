"""Labelling in a terminal: one reply after the other, blind to who wrote it, stopped and taken up at will."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from hashlib import sha256

from eval.lab.judge import Case
from eval.lab.verdicts import LABELS, Found, Task, keep, unlabelled
from rag.types import Answer

WIDTH = 100
ALONE_KEYS: Mapping[str, float] = {"y": 1.0, "p": 0.5, "n": 0.0}
PAIR_KEYS: Mapping[str, float] = {"1": 1.0, "t": 0.5, "2": 0.0}


def label(
    task: Task,
    cases: Mapping[str, Case],
    *,
    count: int,
    who: str,
    ask: Callable[[str], str],
    say: Callable[[str], None],
) -> int:
    """Show up to `count` replies and keep what is said of each. ask: shows a prompt and returns what was typed.

    Returns how many labels were made; "q" stops. There is no way to skip one: leaving out the hard ones would bias the
    estimate, so who cannot tell says "partly" or "tie".
    """
    done = 0
    for question, mine, theirs in unlabelled(task, cases):
        if done >= count:
            break
        say(_shown(cases[question], done + 1, count))
        swap = theirs is not None and bool(sha256(f"{task.name} {question}".encode()).digest()[0] & 1)
        if theirs is None:
            say(_reply("Reply", mine))
            keys, prompt = ALONE_KEYS, "Is it right? [y]es, [p]artly, [n]o, [q]uit"
        else:
            for name, reply in zip(("Reply 1", "Reply 2"), (theirs, mine) if swap else (mine, theirs), strict=True):
                say(_reply(name, reply))
            keys, prompt = PAIR_KEYS, "Which is better? [1], [2], [t]ie, [q]uit"
        while (typed := ask(prompt).strip().casefold()[:1]) not in keys and typed != "q":
            say("Please type one of the letters in brackets.")
        if typed == "q":
            break
        value = 1.0 - keys[typed] if swap else keys[typed]
        keep(task.run, LABELS, Found(task.name, question, value, who))
        done += 1
    return done


def _shown(case: Case, number: int, count: int) -> str:
    question = case.question
    parts = [f"\n{'═' * WIDTH}\n{number} of {count}"]
    parts += [f"Earlier: {turn}" for turn in question.turns[:-1]]
    parts.append(f"Question: {question.question}")
    wanted = "; ".join(" or ".join(forms) for forms in question.facts)
    expected = {
        "answer": f"It should hold: {wanted}",
        "correct": f"The premise is false. It should say: {wanted}, or decline",
    }
    parts.append(expected.get(question.expects, "The collection does not answer this: it should decline"))
    parts += [f"{paper.title}\n{paper.abstract}" for paper in case.papers]
    return "\n\n".join(_wrapped(part) for part in parts)


def _reply(name: str, answer: Answer) -> str:
    quotes = [f"[{one.marker}] {one.title}: “{one.quote}”" for one in answer.citations]
    return "\n".join([f"\n{f' {name} ':─^{WIDTH}}", _wrapped(answer.text), *map(_wrapped, quotes)])


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.fill(line, WIDTH) if line else "" for line in text.split("\n"))
