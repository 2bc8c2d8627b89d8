"""A file of questions to a file of answers, line by line."""

from __future__ import annotations

import codecs
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import CorpusError, ReadbackError
from rag.types import Options

if TYPE_CHECKING:
    from rag.engine import Assistant

log = logging.getLogger(__name__)


def run_batch(assistant: Assistant, batch: Path, out: Path, options: Options) -> int:
    """Answer every line of a file; returns how many lines failed. Raises CorpusError if a file cannot be used."""
    try:
        lines = batch.read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n")
    except OSError as error:
        raise CorpusError(str(batch), None, f"cannot be read: {error.strerror}") from error
    try:
        file = out.open("w", encoding="utf-8", errors="backslashreplace")  # a lone surrogate becomes its JSON escape
    except OSError as error:
        raise CorpusError(str(out), None, f"cannot be written: {error.strerror}") from error
    failed = 0
    with file:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            row = _batch_row(assistant, number, line, options)
            failed += row["result"] is None
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()  # what is answered stays answered
    return failed


def _batch_row(assistant: Assistant, number: int, line: bytes, options: Options) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": f"line {number}",
        "answer": "",
        "abstained": True,
        "cited_titles": [],
        "retrieved_titles": [],
    }
    try:
        record = json.loads(line.decode())
        if not isinstance(record, dict):
            raise TypeError("a line must be a JSON object")
        row["id"] = record.get("id", row["id"])
        conversation = assistant.conversation()
        for question in _questions(record):
            answer = conversation.ask(question, options)
    except (ReadbackError, ValueError, TypeError) as error:
        return row | {"result": None, "error": f"line {number}: {error}"}
    except Exception as error:  # a bug with one question must not cost the others their answers
        log.exception("line %d", number)
        return row | {"result": None, "error": f"line {number}: a bug: {type(error).__name__}: {error}"}
    cited = dict.fromkeys(citation.title for citation in answer.citations)
    return row | {
        "answer": answer.text,
        "abstained": answer.abstained,
        "cited_titles": list(cited),
        "retrieved_titles": [paper.title for paper in answer.retrieved],
        "result": answer.to_dict(),
    }


def _questions(record: dict[str, Any]) -> list[str]:
    turns = record.get("turns")
    if not isinstance(turns, list) or not turns:
        raise ValueError('it has no "turns", a list of {"question": …}')
    questions = []
    for turn in turns:
        question = turn.get("question") if isinstance(turn, dict) else None
        if not isinstance(question, str):
            raise ValueError('a turn has no "question" that is a text')
        questions.append(question)
    return questions
