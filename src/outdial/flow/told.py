"""What a simulated flow is told, in JSON: keys, times, and what servers and other callees answer.

Whatever is given is read with care: it comes out of files of users and out of requests. Each reader raises
InvalidInput with a sentence that says what would be right.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, cast

from outdial.errors import InvalidInput
from outdial.flow import actions as act
from outdial.flow.kinds import KEYS, shown
from outdial.flow.simulator import Simulator
from outdial.flow.values import Value, Variables, clean

USUAL_START = 1_772_445_600_000
"""2026-03-02 10:00 UTC, a Monday: when a simulated call begins unless somebody says."""
MOST_SECONDS = 4 * 3600
"""Of one talk, message or conference: longer than a flow may take."""
MOST_KEYS = 50
"""Pressed at a time."""
MOST_VARIABLES = 200
_LARGEST_SEED = 2**63
_HTTP_FAILURES = ("timeout", "unreachable", "refused", "too_large", "bad_answer")
_CONNECT_OUTCOMES = ("answered", "busy", "no_answer", "failed")
_CONFERENCE_OUTCOMES = ("left", "ended", "full", "failed")


def read_start(value: object) -> int:
    """When the call begins, as Unix milliseconds: a text as ISO 8601 has it, or what YAML made of one."""
    wrong = InvalidInput(f"at must be a time such as 2026-03-02T10:00:00+05:30, not {shown(value)}.")
    if value is None:
        return USUAL_START
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise wrong from None
    if not isinstance(value, datetime) or not 1971 <= value.year <= 9000:
        raise wrong
    return round((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp() * 1_000)


def read_seed(value: object) -> int:
    """Where random splits get their chance from."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= _LARGEST_SEED:
        raise InvalidInput(f"seed must be a whole number, not {shown(value)}.")
    return value


def read_given(value: object) -> Variables:
    """The variables of the call."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > MOST_VARIABLES:
        raise InvalidInput(
            f"variables must be an object of at most {MOST_VARIABLES} values, not {shown(value)}."
        )
    return {str(name): clean(each) for name, each in value.items()}


def read_keys(value: object) -> str:
    """Keys of a telephone, one after the other."""
    keys = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not 1 <= len(keys) <= MOST_KEYS or not set(keys) <= set(KEYS):
        raise InvalidInput(f"keys must be 1 to {MOST_KEYS} of {KEYS}, not {shown(value)}.")
    return keys


def tell_http(walk: Simulator, value: object) -> None:
    """``{"status": 200, "json": …}``, ``{"status": 404, "body": "…"}`` or ``{"fails": "timeout"}``."""
    if not isinstance(value, Mapping):
        raise InvalidInput(
            f"the answer of a server must be an object with status or fails, not {shown(value)}."
        )
    _check_members(value, "the answer of a server", ("status", "json", "body", "fails"))
    if "fails" in value:
        walk.fail_http(cast("Any", _one_of(value["fails"], _HTTP_FAILURES, "fails")))
        return
    status = value.get("status", 200)
    if isinstance(status, bool) or not isinstance(status, int) or not 100 <= status <= 599:
        raise InvalidInput(f"status must be a number from 100 to 599, not {shown(status)}.")
    try:
        body = json.dumps(clean(value["json"])) if "json" in value else str(value.get("body", ""))
    except (TypeError, ValueError):
        raise InvalidInput("json must be what JSON has.") from None
    walk.answer_http(status, body)


def tell_connect(walk: Simulator, value: object) -> None:
    """``"busy"``, or ``{"outcome": "answered", "to": "…", "seconds": 90}``."""
    told: Mapping[str, Any] = value if isinstance(value, Mapping) else {"outcome": value}
    _check_members(told, "the outcome of a transfer", ("outcome", "to", "seconds"))
    outcome = _one_of(told.get("outcome", "answered"), _CONNECT_OUTCOMES, "the outcome of a transfer")
    to = told.get("to")
    if to is not None and not isinstance(to, str):
        raise InvalidInput(f"to must be a text, not {shown(to)}.")
    talked = _milliseconds(told.get("seconds", 30))
    walk.connect(cast("Literal['answered']", outcome), to=to, talked_ms=talked)


def tell_record(walk: Simulator, value: object) -> None:
    """The seconds of speech."""
    walk.finish_recording(_milliseconds(value))


def tell_conference(walk: Simulator, value: object) -> None:
    """``"left"``, ``"ended"``, ``"full"`` or ``"failed"``."""
    outcome = _one_of(value, _CONFERENCE_OUTCOMES, "the outcome of a conference")
    walk.leave_conference(cast("Literal['left']", outcome))


def waits_for(walk: Simulator) -> Literal["http", "connect", "conference", "record", "keys", "time"] | None:
    """What has to happen next; None when the flow is over."""
    if walk.finished:
        return None
    match walk.asked:
        case act.HttpRequest():
            return "http"
        case act.Connect():
            return "connect"
        case act.JoinConference():
            return "conference"
        case act.Record():
            return "record"
        case None:
            return "keys" if takes_keys(walk) else "time"


def takes_keys(walk: Simulator) -> bool:
    """Whether a key that is pressed now means something."""
    node = walk.library.flows[walk.state.flow].nodes[walk.state.node]
    return node.step.takes_keys(walk.state.memory) and (not walk.playing or walk.barge_in)


def _one_of(value: object, words: tuple[str, ...], what: str) -> Value:
    if not isinstance(value, str) or value not in words:
        raise InvalidInput(f"{what} must be one of {', '.join(words)}, not {shown(value)}.")
    return value


def _milliseconds(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_SECONDS:
        raise InvalidInput(f"seconds must be a number from 0 to {MOST_SECONDS}, not {shown(value)}.")
    return round(value * 1_000)


def _check_members(value: Mapping[Any, Any], what: str, known: tuple[str, ...]) -> None:
    for name in value:
        if name not in known:
            raise InvalidInput(f"{what} has no {shown(name)}; it may have {', '.join(known)}.")
