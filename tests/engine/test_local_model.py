"""The written path against a real server. Its 135M model writes noise, so only the plumbing is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from rag import Answer, Assistant, Retrieved
from rag.errors import ProviderError
from tests.engine.shared import ABOUT_CTRL, ABOUT_TPRF, check, deltas, settings_in, streamed
from tests.local_model import LocalModel

SMALL = {"context_tokens": 1500, "answer_tokens": 60}  # what fits one of the server's slots


@pytest.fixture(autouse=True)
def _idle_between_tests(local_model: LocalModel) -> Iterator[None]:
    yield
    assert local_model.wait_until_idle(60)


def written_by(local_model: LocalModel, assistant: Assistant, **values: object) -> Assistant:
    """An assistant whose answers the real model writes."""
    settings = settings_in(
        assistant.settings.data_dir,
        **{
            "openai_base_url": local_model.base_url,
            "chat_model": local_model.model,
            "timeout_s": 250,
            **SMALL,
            **values,
        },
    )
    return Assistant(settings, assistant.collection)


def test_an_answer_is_written_checked_and_counted(assistant: Assistant, local_model: LocalModel) -> None:
    many = written_by(local_model, assistant)
    events, answer = streamed(many, ABOUT_TPRF)
    check(answer, many)
    assert answer.mode == "generative"
    assert answer.model == local_model.model
    assert 300 < answer.usage.prompt_tokens <= 1800
    assert 0 < answer.usage.completion_tokens <= 60
    assert answer.timings_ms["answer"] > 0
    assert isinstance(events[0], Retrieved)
    if not answer.abstained:
        assert deltas(events) == answer.text


def test_marked_sentences_stay(assistant: Assistant, local_model: LocalModel) -> None:
    many = written_by(local_model, assistant, unsupported="mark")
    answer = many.ask(ABOUT_CTRL)
    check(answer, many)
    for sentence in answer.sentences:
        assert sentence.supported == bool(re.search(r"\[\d+\]", sentence.text))


def test_leaving_ends_the_work_at_the_server(assistant: Assistant, local_model: LocalModel) -> None:
    many = written_by(local_model, assistant, answer_tokens=400, unsupported="mark")
    before = local_model.tokens_written()
    events = many.stream(ABOUT_CTRL)
    next(events)
    next(events)  # a first sentence, or the end
    events.close()  # type: ignore[attr-defined]  # it is a generator
    assert local_model.wait_until_idle(60)
    assert local_model.tokens_written() - before < 400


def test_a_prompt_beyond_the_server_s_context_is_made_smaller_or_explained(
    assistant: Assistant, local_model: LocalModel
) -> None:
    writer = written_by(local_model, assistant, context_tokens=8000, answer_tokens=40)
    policy = writer.policy()
    once = policy.writing.model_copy(update={"repair": False})  # so that one prompt alone is counted
    many = writer.with_policy(policy.with_parts(writing=once))
    answer = many.ask(ABOUT_CTRL)
    check(answer, many)
    if answer.mode == "generative":
        assert answer.usage.prompt_tokens < local_model.context_tokens
    else:
        assert answer.notice
        assert "READBACK_CONTEXT_TOKENS" in answer.notice


def test_a_conversation_goes_through_the_model(assistant: Assistant, local_model: LocalModel) -> None:
    many = written_by(local_model, assistant)
    chat = many.conversation()
    first = chat.ask(ABOUT_TPRF)
    second = chat.ask("How much memory does it need?")
    for answer in (first, second):
        check(answer, many)
    assert second.standalone_question
    assert len(chat.turns) == 2


def test_an_unknown_server_is_an_error_or_a_notice(assistant: Assistant, local_model: LocalModel) -> None:
    nowhere = {"openai_base_url": "http://127.0.0.1:9/v1", "retries": 0}
    answer = written_by(local_model, assistant, **nowhere).ask(ABOUT_CTRL)
    assert isinstance(answer, Answer)
    assert answer.notice
    assert "127.0.0.1:9" in answer.notice
    with pytest.raises(ProviderError, match=r"127\.0\.0\.1:9"):
        written_by(local_model, assistant, on_model_failure="error", **nowhere).ask(ABOUT_CTRL)
