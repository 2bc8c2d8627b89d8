"""Training sets from what people said: SFT, DPO and KTO lines that the usual trainers read.

All kinds of feedback become one supervision format each, filtered and deduplicated, as in *A Framework for Fine-Tuning
LLMs using Heterogeneous Feedback* and *UltraFeedback: Boosting Language Models with High-quality Feedback*.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from rag.learning.signals import Outcome, Task

Format = Literal["sft", "dpo", "kto"]
LIKED, DISLIKED = 0.6, -0.6
CREDIT = 0.3  # of a person, below which nothing of theirs is exported


def write(folder: Path, tasks: Sequence[Task], credit: Mapping[str, float]) -> dict[str, int]:
    """Write ``sft.jsonl``, ``dpo.jsonl`` and ``kto.jsonl`` into the folder; returns the number of lines of each."""
    folder.mkdir(parents=True, exist_ok=True)
    trusted = [
        Task([one for one in task.outcomes if credit.get(one.asked.person or "", 1.0) >= CREDIT]) for task in tasks
    ]
    counts = {}
    for name, rows in (("sft", _liked(trusted)), ("dpo", _pairs(trusted)), ("kto", _judged(trusted))):
        lines = list(dict.fromkeys(json.dumps(row, ensure_ascii=False) for row in rows))
        (folder / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        counts[name] = len(lines)
    return counts


def _liked(tasks: Sequence[Task]) -> Iterator[dict[str, Any]]:
    """Accepted and edited answers."""
    for task in tasks:
        for one in task.outcomes:
            text = one.asked.word("edit") or (one.asked.answer if one.value >= LIKED else None)
            if text:
                yield {"prompt": one.asked.text, "completion": text}


def _pairs(tasks: Sequence[Task]) -> Iterator[dict[str, Any]]:
    """What was edited before what it was; what a task ended with before what it failed with. With the critique."""
    for task in tasks:
        solved = task.solved
        for one in task.outcomes:
            asked, edit = one.asked, one.asked.word("edit")
            better = edit or (solved.asked.answer if solved is not None and one.value <= DISLIKED else None)
            if better and asked.answer and better != asked.answer:
                yield {
                    "prompt": asked.text,
                    "chosen": better,
                    "rejected": asked.answer,
                    "critique": asked.word("comment") or asked.word("reason"),
                }


def _judged(tasks: Sequence[Task]) -> Iterator[dict[str, Any]]:
    """Answers that were clearly liked or clearly not."""
    for task in tasks:
        for one in task.outcomes:
            if one.asked.answer and _clear(one):
                yield {"prompt": one.asked.text, "completion": one.asked.answer, "label": one.value > 0}


def _clear(outcome: Outcome) -> bool:
    return outcome.value >= LIKED or outcome.value <= DISLIKED
