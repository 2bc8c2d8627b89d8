"""One shape for every error that leaves the server, the one of OpenAI's API, and which status means what."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from rag import errors
from rag.events import errors as event_errors
from ui.services.conversations import ConversationGone
from ui.services.papers import PaperUnknown, ReadOnly, UploadTooLarge
from ui.services.rates import RateLimited
from ui.services.runs import Crowded, Late, Stopping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request

log = logging.getLogger(__name__)
BUG = "Something went wrong on the server. It was noted there; please try again."
BUSY_S = 30  # when to try again where nothing better is known


class NoSuchModel(errors.ReadbackError):
    """A request names a model that is not offered."""


STATUS: dict[type[errors.ReadbackError], tuple[int, str]] = {  # the nearest class counts
    RateLimited: (429, "rate_limit_exceeded"),
    ReadOnly: (403, "read_only"),
    UploadTooLarge: (413, "upload_too_large"),
    PaperUnknown: (404, "not_found"),
    ConversationGone: (404, "not_found"),
    Crowded: (503, "busy"),
    Stopping: (503, "stopping"),
    Late: (504, "too_slow"),
    NoSuchModel: (404, "model_not_found"),
    errors.SettingsError: (422, "not_configured"),
    errors.CorpusError: (422, "unreadable_papers"),
    errors.IndexBusy: (409, "index_busy"),
    errors.IndexUnusable: (503, "index_unusable"),
    errors.QuestionError: (422, "invalid_question"),
    errors.ContextTooLong: (422, "context_length_exceeded"),
    errors.ProviderBusy: (503, "model_busy"),
    errors.ProviderError: (502, "model_failed"),
    event_errors.EventRefused: (422, "invalid_event"),
    event_errors.EventUnknown: (404, "not_found"),
    event_errors.EventsUnavailable: (503, "record_unavailable"),
    errors.ReadbackError: (500, "failed"),
}


class ErrorDetail(BaseModel):
    """What went wrong."""

    message: str = Field(description="For people: what happened and what to do.")
    type: str = Field(description="invalid_request_error, authentication_error, rate_limit_error or server_error.")
    param: str | None = Field(default=None, description="The field at fault, if one is.")
    code: str | None = Field(default=None, description="For programs: a stable name of this sort of error.")


class ErrorReply(BaseModel):
    """Every error has this form."""

    error: ErrorDetail


def problem(
    status: int,
    message: str,
    code: str | None = None,
    *,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """An error as a response. more: further members beside ``error``."""
    body = error_body(status, message, code, param=param)
    return JSONResponse({**body, **more}, status, headers=dict(headers or {}))


def error_body(status: int, message: str, code: str | None = None, *, param: str | None = None) -> dict[str, Any]:
    """An error as JSON, also for the inside of a stream."""
    kind = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}.get(status)
    kind = kind or ("server_error" if status >= 500 else "invalid_request_error")
    return ErrorReply(error=ErrorDetail(message=message, type=kind, param=param, code=code)).model_dump()


def status_of(error: errors.ReadbackError) -> tuple[int, str]:
    """HTTP status and code of one of our errors."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def explained(error: errors.ReadbackError) -> JSONResponse:
    """One of our errors as a response."""
    status, code = status_of(error)
    headers = {}
    if isinstance(error, RateLimited):
        headers = {"Retry-After": str(error.retry_after_s)}
    elif status in (409, 503):
        headers = {"Retry-After": str(BUSY_S)}
    return problem(status, str(error), code, headers=headers)


def install(app: FastAPI) -> None:
    """Have the app answer every error in this form."""

    async def on_ours(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, errors.ReadbackError)
        return explained(error)

    async def on_http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        codes = {404: "not_found", 405: "method_not_allowed", 408: "request_too_slow", 413: "request_too_large"}
        return problem(error.status_code, str(error.detail), codes.get(error.status_code), headers=error.headers)

    async def on_invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        fault = error.errors()[0]
        where = [str(part) for part in fault["loc"][1:]]  # the first part says body, path or query
        name = ".".join(where) or None
        message = str(fault["msg"]).removeprefix("Value error, ")
        return problem(422, f"{name}: {message}" if name else message, "invalid_request", param=name)

    app.add_exception_handler(errors.ReadbackError, on_ours)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
