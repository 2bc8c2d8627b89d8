"""One Assistant for many threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from eval.gold import expand, load_gold
from rag import Answer, Assistant
from rag.types import Options
from tests.engine.shared import ABOUT_CTRL, CTRL, Scripted, writing

QUESTIONS = [item.turns[-1] for question in load_gold("dev") for item in expand(question, standalone=True)][:200]


def _said(answer: Answer) -> tuple[object, ...]:
    return answer.question, answer.text, answer.citations, answer.retrieved, answer.confidence


def test_many_threads_get_the_answers_that_one_gets(assistant: Assistant) -> None:
    assert len(QUESTIONS) == 200
    alone = [_said(assistant.ask(question)) for question in QUESTIONS]
    with ThreadPoolExecutor(16) as pool:
        together = [_said(answer) for answer in pool.map(assistant.ask, QUESTIONS)]
    assert together == alone


def test_a_model_is_opened_once_for_all_threads(assistant: Assistant) -> None:
    opened = []
    model = Scripted("Critics trained with CTRL significantly enhance pass rates [1].")

    def open_model(*_: object) -> Scripted:
        opened.append(model)
        return model

    many = writing(assistant, model)
    many._open_model = open_model
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: many.ask(ABOUT_CTRL, options=Options(include=frozenset({CTRL}))), range(32)))
    assert len(opened) == 1
    assert len({answer.text for answer in answers}) == 1
    assert len(model.calls) == 32
