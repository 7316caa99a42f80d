"""HTTP requests of flows: through the guard, bounded in time and size, one event whatever comes."""

from collections.abc import Callable
from typing import Literal

from outdial.egress.client import EgressClient
from outdial.egress.message import EgressRequest
from outdial.errors import EgressBadAnswer, EgressError, EgressRefused, EgressTimeout, EgressTooLarge
from outdial.flow.actions import HttpRequest
from outdial.flow.events import HttpAnswered, HttpFailed

_MOST_BYTES = 256 * 1024
"""Of an answer: it is mapped into variables while the callee waits."""


async def send_request(
    action: HttpRequest, egress: EgressClient, clock: Callable[[], int]
) -> HttpAnswered | HttpFailed:
    """Send it and tell what came of it."""
    request = EgressRequest(
        url=action.url,
        method=action.method,
        headers=action.headers,
        body=None if action.body is None else action.body.encode(),
        total_s=action.timeout_ms / 1000,
    )
    try:
        answer = await egress.fetch(request, most_bytes=_MOST_BYTES)
    except EgressError as error:
        return HttpFailed(clock(), action.request_id, _reason(error), str(error))
    if answer.truncated:
        problem = f"the answer has more than {_MOST_BYTES} bytes"
        return HttpFailed(clock(), action.request_id, "too_large", problem)
    body = answer.body.decode("utf-8", "replace")
    return HttpAnswered(clock(), action.request_id, answer.status, body)


def _reason(error: EgressError) -> Literal["timeout", "unreachable", "refused", "too_large", "bad_answer"]:
    match error:
        case EgressTimeout():
            return "timeout"
        case EgressRefused():
            return "refused"
        case EgressTooLarge():
            return "too_large"
        case EgressBadAnswer():
            return "bad_answer"
        case _:
            return "unreachable"
