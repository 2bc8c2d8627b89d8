"""/v1: Readback as a model of an OpenAI-compatible server."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator
from dataclasses import replace
from time import time

from fastapi import APIRouter
from starlette.responses import Response

from rag.corpus.record import web_address
from rag.errors import ReadbackError
from rag.told import Told
from rag.types import Answer, StreamEvent, TextDelta
from ui.api.ask import ERRORS
from ui.api.asking import AskerDep, ServerSentEvents, ServicesDep, begun, frame
from ui.api.chat import (
    MODELS,
    Annotation,
    ChatRequest,
    Choice,
    Completion,
    Model,
    ModelList,
    ReplyMessage,
    Spans,
    annotations_of,
    chunk,
    exchanges,
    token_usage,
    verdict,
    whole,
)
from ui.problems import BUG, NoSuchModel, error_body, log, status_of
from ui.services import Services
from ui.services.export import inert

router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"])
Finish = Callable[[Answer, str, Spans, str], list[Annotation]]
CREATED = 1767225600  # of the "models": some clients sort by it


@router.get("/models")
def models(services: ServicesDep) -> ModelList:
    """The ways to have a question answered."""
    return ModelList(data=[Model(id=name, created=CREATED) for name in available(services)])


@router.get("/models/{model}", responses=ERRORS)
def model(model: str, services: ServicesDep) -> Model:
    """One of them."""
    return Model(id=checked_model(services, model), created=CREATED)


@router.post(
    "/chat/completions",
    responses={200: {"content": {"text/event-stream": {}}}, **ERRORS},
    response_model=Completion,
    response_model_exclude={"readback": {"trace"}},
)
def complete(body: ChatRequest, services: ServicesDep, asker: AskerDep) -> Response | Completion:
    """Answer the last message. Citations stand as [n] in the text; annotations and readback say what they rest on."""
    name = checked_model(services, body.model)
    pairs, question = exchanges(body.messages)
    services.asking.check(question)
    options = body.readback.to_options()
    events = services.asking.stream(
        question,
        asker=asker,
        source="api",
        place=services.conversations.place_of(asker.user, pairs),
        options=replace(options, mode=options.mode or MODELS[name]),
    )

    def finish(answer: Answer, said: str, spans: Spans, shown: str) -> list[Annotation]:
        services.conversations.shown(asker.user, answer, shown)
        return annotations_of(answer, said, spans, shown, addresses(services, answer))

    if body.stream:
        usage = body.stream_options is not None and body.stream_options.include_usage
        return ServerSentEvents(chunks(begun(events), name, finish, usage=usage))
    *_, answer = events
    assert isinstance(answer, Answer), "a stream ends with its answer"
    content = inert(answer.text)
    message = ReplyMessage(content=content, annotations=finish(answer, *whole(answer), content))
    return Completion(
        id=f"chatcmpl-{answer.id}",
        created=int(time()),
        model=name,
        choices=[Choice(message=message)],
        usage=token_usage(answer),
        readback=answer,
    )


def chunks(events: Generator[StreamEvent], name: str, finish: Finish, *, usage: bool) -> Generator[str]:
    """The events as OpenAI streams them. The last chunk brings annotations, verdicts and the Answer along."""
    head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time()), "model": name}
    told, shown = Told(), ""
    try:
        yield frame(chunk(head, {"role": "assistant", "content": ""}))
        for event in events:
            told.hear(event)
            if isinstance(event, TextDelta):
                piece = following(shown, event.text)
                shown += piece
                yield frame(chunk(head, {"content": piece}))
            elif isinstance(event, Answer):
                added = told.rest(event)
                said, rest = told.shown + added, inert(added)
                if rest:
                    shown += rest
                    yield frame(chunk(head, {"content": rest}))
                begin = len(said) - len(event.text)
                spans = [(one, begin + start, begin + end) for one, start, end in whole(event)[1]]
                spans = spans if said[begin:] == event.text else list(told.spans)
                marked = [one.model_dump(exclude_none=True) for one in finish(event, said, spans, shown)]
                judged = [verdict(one, len(inert(said[:start])), len(inert(said[:end]))) for one, start, end in spans]
                yield frame(chunk(head, {"annotations": marked}, "stop", readback=event.to_dict(), verdicts=judged))
                if usage:
                    yield frame({**chunk(head, {}), "choices": [], "usage": token_usage(event).model_dump()})
        yield frame("[DONE]")
    except ReadbackError as error:
        status, code = status_of(error)
        yield frame(error_body(status, str(error), code))
    except Exception:
        log.exception("a bug, halfway through an answer")
        yield frame(error_body(500, BUG, "bug"))
    finally:
        events.close()


def following(shown: str, text: str) -> str:
    """A piece of Markdown that comes after what was shown, without links, pictures and HTML, also across the seam."""
    piece = inert(text)
    return f"\\{piece}" if shown.endswith("]") and piece.startswith(("(", ":")) else piece


def available(services: Services) -> list[str]:
    """Names of the models that the settings allow."""
    return [name for name, mode in MODELS.items() if mode != "generative" or services.settings.has_model]


def checked_model(services: Services, name: str) -> str:
    """The name, if there is such a model."""
    if name in available(services):
        return name
    raise NoSuchModel(f"There is no model of this name: use one of {', '.join(available(services))}.")


def addresses(services: Services, answer: Answer) -> dict[str, str | None]:
    """Addresses of the papers cited."""
    papers = services.papers.some(one.paper_id for one in answer.citations)
    return {paper_id: web_address(paper.url) for paper_id, paper in papers.items()}
