"""What operators look at: /healthz, /readyz, /metrics, the API's description, and who one is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from rag.errors import ReadbackError
from ui.api.asking import IdentityDep, ServicesDep
from ui.services.discretion import discreet

if TYPE_CHECKING:
    from rag.settings import Settings
    from ui.services import Services

log = logging.getLogger(__name__)
PROBE_S = 5.0  # longest wait for the model's server
PROBED_FOR_S = 60.0  # how long what it said is believed

router = APIRouter(tags=["Operations"])


class Live(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """Whether questions can be answered. Reasons are told to those who may ask questions."""

    ready: bool
    index: str
    record: str
    disk: str = Field(description="Whether the data folder can be written: what is asked now is recorded there.")
    model: str


class Me(BaseModel):
    """Who the server takes you for."""

    user: str
    name: str | None
    how: Literal["local", "browser", "login", "key"]


class ModelProbe:
    """Whether the model's server answers, asked once a minute at most."""

    def __init__(self, services: Services, clock: Callable[[], float] = monotonic) -> None:
        """clock: seconds that only grow."""
        self._services, self._clock, self._lock = services, clock, threading.Lock()
        self._known: tuple[float, Settings, str | None] | None = None

    def fault(self) -> str | None:
        """What is wrong, or None. Waits for the server a few seconds at most; costs no tokens."""
        with self._lock:
            settings = self._services.settings
            if self._known is None or self._known[1] is not settings or self._clock() - self._known[0] > PROBED_FOR_S:
                self._known = self._clock(), settings, self._ask(settings)
            return self._known[2]

    def _ask(self, settings: Settings) -> str | None:
        import openai

        from rag.openai_client import Server, request_errors

        try:
            server = Server(
                "language model",
                settings.chat_model,
                "READBACK_CHAT_MODEL",
                api_key=settings.openai_api_key,
                base_url=settings.openai_base_url,
                timeout_s=min(PROBE_S, settings.timeout_s),
                retries=0,
            )
            server.client().models.list()
        except ReadbackError as error:
            return str(error)
        except openai.NotFoundError:
            return None  # it answers; not every server lists its models
        except request_errors() as error:
            return str(server.failure(error).error)
        return None


@router.get("/healthz")
async def healthz() -> Live:  # async: it needs no thread, and answers when all of them are busy
    """Whether the process is alive."""
    return Live()


@router.get("/readyz", responses={503: {"model": Ready}})
def readyz(request: Request, services: ServicesDep) -> Response:
    """Whether index, record and model are usable."""
    known = request.state.identity is not None
    found = services.readiness.state()
    settings, probe = services.settings, request.app.state.probe
    model = probe.fault() if settings.writes else None
    if model is not None and request.app.state.door.login:  # others ask here too, and need not know where it is
        log.warning("the language model does not answer: %s", model)
        model = discreet(model, settings)
    needed = settings.on_model_failure == "error"  # otherwise there are quotes without it
    ready = (found.index, found.record, found.disk) == (None, None, None) and (model is None or not needed)
    state = Ready(
        ready=ready,
        index=_told(found.index, known),
        record=_told(found.record, known),
        disk=_told(found.disk, known),
        model=_told(model, known) if settings.writes else "none: answers are made of quotes",
    )
    return JSONResponse(state.model_dump(), 200 if ready else 503)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(services: ServicesDep, _: IdentityDep) -> Response:
    """For Prometheus: requests, latency by stage, abstentions, feedback, tokens and cost."""
    return Response(
        services.metrics.text(services.store.health()), media_type="text/plain; version=0.0.4; charset=utf-8"
    )


@router.get("/api/me")
def me(identity: IdentityDep) -> Me:
    """Who you are here."""
    return Me(user=identity.user, name=identity.name, how=identity.how)


def _told(fault: str | None, known: bool) -> str:
    if fault is None:
        return "ok"
    return fault if known else "unusable"
