"""Every error answer of the API, in the family's shape: `{"status", "message", "errors"}`."""

import errno
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.routing import Match

from outdial.api.notes import warnings
from outdial.errors import (
    BlobsUnavailable,
    DatabaseFull,
    DatabaseUnavailable,
    InUse,
    InvalidInput,
    InvalidReference,
    NotFound,
    OutdialError,
)

log = structlog.get_logger()


class ApiError(OutdialError):
    """An answer other than 200: `status` is the HTTP status.

    `errors` maps a parameter to sentences about it.
    """

    def __init__(
        self,
        status: int,
        message: str,
        errors: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors or {}
        self.headers = headers


def invalid(errors: Mapping[str, Sequence[str]]) -> ApiError:
    """422: the first sentence becomes the message, all of them stand under the names of their parameters."""
    sentences = [sentence for each in errors.values() for sentence in each]
    more = f" (and {len(sentences) - 1} more)" if len(sentences) > 1 else ""
    return ApiError(422, sentences[0] + more, errors)


def error_response(error: ApiError) -> Response:
    """The answer for `error`."""
    body = {"status": error.status, "message": error.message, "errors": error.errors, **warnings()}
    headers = dict(error.headers) if error.headers else None
    return Response(to_json(body), error.status, headers, media_type="application/json")


_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""No space left, quota exceeded, file larger than the process may write (ulimit -f)."""
_SENTENCES = {404: "There is no such endpoint; see /docs for all of them."}
_METHODS = {"GET": "GET, HEAD", "POST": "POST", "PUT": "PUT", "DELETE": "DELETE"}
"""What a route with this method answers."""


async def _on_api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error_response(error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        known = _known_methods(request)
        sentence = f"This endpoint does not know {request.method}; it knows {known}."
        return error_response(ApiError(error.status_code, sentence, headers={"Allow": known}))
    sentence = _SENTENCES.get(error.status_code, error.detail)
    return error_response(ApiError(error.status_code, sentence, headers=error.headers))


def _known_methods(request: Request) -> str:
    """What the path of a request takes: each method has a route of its own, and the framework names one."""
    routes = request.app.routes
    scopes = {method: {**request.scope, "method": method} for method in _METHODS}
    return ", ".join(
        _METHODS[method]
        for method, scope in scopes.items()
        if any(route.matches(scope)[0] is Match.FULL for route in routes)
    )


async def _on_invalid_input(_request: Request, error: Exception) -> Response:
    if not isinstance(error, InUse):
        return error_response(ApiError(422, str(error)))
    errors = {} if error.parameter is None else {error.parameter: [str(error)]}
    return error_response(ApiError(409, str(error), errors))


async def _on_invalid_reference(_request: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidReference)
    return error_response(invalid({name: [sentence] for name, sentence in error.problems.items()}))


async def _on_not_found(_request: Request, error: Exception) -> Response:
    return error_response(ApiError(404, str(error)))


async def _on_no_database(request: Request, error: Exception) -> Response:
    log.error("database_unavailable", method=request.method, path=request.url.path, error=str(error))
    message = "The database cannot be reached just now; try again in a moment."
    return error_response(ApiError(503, message, headers={"Retry-After": "5"}))


async def _on_no_blobs(request: Request, error: Exception) -> Response:
    log.error("blobs_unavailable", method=request.method, path=request.url.path, error=str(error))
    message = "The store of sounds and recordings cannot be used just now; try again in a moment."
    return error_response(ApiError(503, message, headers={"Retry-After": "5"}))


async def _on_full_database(request: Request, error: Exception) -> Response:
    return _no_room(request, error)


async def _on_os_error(request: Request, error: Exception) -> Response:
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return _no_room(request, error)
    return await _on_unexpected(request, error)


def _no_room(request: Request, error: Exception) -> Response:
    log.error("disk_full", method=request.method, path=request.url.path, error=str(error))
    message = "The server's disk is full: nothing was stored. Try again when there is room."
    return error_response(ApiError(507, message, headers={"Retry-After": "60"}))


async def _on_unexpected(request: Request, error: Exception) -> Response:
    log.error("request_failed", method=request.method, path=request.url.path, exc_info=error)
    return error_response(ApiError(500, "Something went wrong here; the log of the server says what."))


def install(app: FastAPI) -> None:
    """Answer every error, those of the framework included, in the family's shape."""
    app.add_exception_handler(ApiError, _on_api_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(InvalidInput, _on_invalid_input)
    app.add_exception_handler(InvalidReference, _on_invalid_reference)
    app.add_exception_handler(NotFound, _on_not_found)
    app.add_exception_handler(DatabaseUnavailable, _on_no_database)
    app.add_exception_handler(DatabaseFull, _on_full_database)
    app.add_exception_handler(OSError, _on_os_error)
    app.add_exception_handler(BlobsUnavailable, _on_no_blobs)
    app.add_exception_handler(Exception, _on_unexpected)
