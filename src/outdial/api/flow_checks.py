"""`flows/…/lint`, `simulate` and `test`: what a flow does before anybody is called with it."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any, TypeVar

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from pydantic_core import from_json

from outdial.api.answers import family_time, ok
from outdial.api.auth import Principal, authenticate
from outdial.api.bodies import read_body
from outdial.api.context import context_of
from outdial.api.documentation import body, errors, family, success
from outdial.api.errors import invalid
from outdial.api.flow_lint import check, flow_numbers
from outdial.api.flow_request import DEEPEST, depth, problem_sentence, read_document, read_number
from outdial.api.flows import DOCUMENT, the_flow, the_version
from outdial.errors import InvalidFlow, InvalidInput
from outdial.flow.definition import Flow, Library, parse_flow
from outdial.flow.jumps import library_of
from outdial.flow.lint import Finding
from outdial.flow.stepping import MOST_STEPS, shown_walk, walk_steps
from outdial.flow.told import read_given, read_seed, read_start
from outdial.flow.trial import try_case
from outdial.storage import flows

router = APIRouter(prefix="/flows", tags=["flows"])

MOST_CASES = 100
"""In one request."""
UNSAVED = "unsaved"
"""What a flow is called that comes in the request."""
T = TypeVar("T")

_FINDING = {
    "severity": "warning",
    "code": "dead_end",
    "node": "hello",
    "field": "exits.next",
    "message": "leads nowhere; the call ends when: it is done",
}
_MAY_BE_NULL = {"node": "string", "field": "string", "waits_for": "string", "result": "string"}
_STEPS = [{"wait": True}, {"press": "1"}]
_VARIABLES = {"type": "object", "description": "The variables of the call, by name."}
_WORLD = {
    "variables": _VARIABLES,
    "at": {"type": "string", "description": "When the call begins, as in 2026-03-02T10:00:00+05:30."},
    "seed": {"type": "integer", "description": "Where random splits get their chance from; by default 0."},
    "steps": {
        "type": "array",
        "items": {"type": "object"},
        "description": f"What has happened so far, at most {MOST_STEPS}: each is an object with one of"
        " `press` (keys), `wait` (until a prompt ends or a time is over), `http` (`status` with `json` or"
        " `body`; or `fails`), `connect` (an outcome, or `outcome`, `to`, `seconds`), `record` (seconds),"
        " `conference` (an outcome), `play_fails`, `hang_up`. In a form, as JSON text.",
    },
}
_DOCUMENT_FIELD = {"document": {"type": "object", "description": "A flow; in a form, as JSON text."}}
_VERSION_FIELD = {"version": {"type": "integer", "description": "A published version; by default the draft."}}
_CASES_FIELD = {
    "cases": {
        "type": "array",
        "items": {"type": "object"},
        "description": f"As in a file for `outdial flow test`, at most {MOST_CASES}. In a form, JSON text.",
    }
}
_WALK = {
    "finished": False,
    "waits_for": "keys",
    "node": "hello",
    "flow": "23",
    "now": "2026-03-02 10:00:02",
    "offset_ms": 2000,
    "lines": [
        {"at": "2026-03-02 10:00:00", "offset_ms": 0, "node": "hello", "kind": "says", "text": "Press 1."}
    ],
    "new_lines": 1,
    "actions": [
        {"play": {"play_id": "hello/1/0", "prompt": [{"text": {"text": "Press 1."}}], "barge_in": True}}
    ],
    "report": {"result": None, "path": [], "variables": {}, "tags": [], "problems": []},
}
_CASE = {"name": "the code is heard", "press": ["1"], "expect": {"result": "success"}}
_VERDICT = {"name": "the code is heard", "passed": True, "problems": []}
_ERRORS = errors(400, 401, 403, 413, 415, 422)


@router.post(
    "/lint",
    summary="Check a flow that is not stored",
    responses=success("Errors first.", family("1 findings.", [_FINDING]), nullable=_MAY_BE_NULL) | _ERRORS,
    openapi_extra=body(_DOCUMENT_FIELD, ["document"], {"document": DOCUMENT}),
)
async def lint_document(request: Request) -> Response:
    """Say what is wrong with a flow, and what looks wrong, as `outdial flow lint` does.

    Sounds and other flows are looked for in the account.
    """
    principal, form = await _authenticated(request)
    return _findings(await check(request, principal, read_document(form)))


@router.get(
    "/{flow_id}/lint",
    summary="Check a flow's draft",
    responses=success("Errors first.", family("1 findings.", [_FINDING]), nullable=_MAY_BE_NULL)
    | errors(401, 403, 404),
)
async def lint_draft(request: Request, flow_id: str) -> Response:
    """Say what is wrong with the draft of a flow, and what looks wrong.

    An error keeps it from being published.
    """
    principal = await authenticate(request)
    flow = await the_flow(request, principal, flow_id)
    return _findings(await check(request, principal, flow.draft, own=flow.id))


@router.post(
    "/simulate",
    summary="Walk through a flow that is not stored",
    responses=success(
        "Where it has come to.", family("The flow waits for keys.", _WALK), nullable=_MAY_BE_NULL
    )
    | _ERRORS,
    openapi_extra=body(_DOCUMENT_FIELD | _WORLD, ["document"], {"document": DOCUMENT, "steps": _STEPS}),
)
async def simulate_document(request: Request) -> Response:
    """Walk through a flow without a call, step by step, with a virtual clock.

    Nothing is kept on the server: each request has all `steps` from the beginning, and the answer says where
    they lead. To go on, send the list again with one more step. `waits_for` says which: `keys` (or `wait`),
    `time` (only `wait`), `http`, `connect`, `record` or `conference`; null when the flow is over. `offset_ms`
    are the milliseconds from the beginning. Of `lines`, the last `new_lines` are of the last step, and so are
    all `actions`. A step that cannot happen there is 422 with its position.
    """
    principal, form = await _authenticated(request)
    return await _simulate(request, principal, UNSAVED, read_document(form), form)


@router.post(
    "/{flow_id}/simulate",
    summary="Walk through a flow",
    responses=success(
        "Where it has come to.", family("The flow waits for keys.", _WALK), nullable=_MAY_BE_NULL
    )
    | errors(400, 401, 403, 404, 413, 415, 422),
    openapi_extra=body(_VERSION_FIELD | _WORLD, [], {"steps": _STEPS}),
)
async def simulate_flow(request: Request, flow_id: str) -> Response:
    """Walk through the draft of a flow, or a published version, as `flows/simulate` does with a document."""
    principal, form = await _authenticated(request)
    key, document = await _stored(request, principal, flow_id, form)
    return await _simulate(request, principal, key, document, form)


@router.post(
    "/test",
    summary="Run test cases of a flow that is not stored",
    responses=success("A verdict for each case.", family("1 of 1 cases passed.", [_VERDICT])) | _ERRORS,
    openapi_extra=body(
        _DOCUMENT_FIELD | _CASES_FIELD, ["document", "cases"], {"document": DOCUMENT, "cases": [_CASE]}
    ),
)
async def test_document(request: Request) -> Response:
    """Run cases, as `outdial flow test` does: what callees press and servers answer, and what has to come of
    it."""
    principal, form = await _authenticated(request)
    return await _test(request, principal, UNSAVED, read_document(form), form)


@router.post(
    "/{flow_id}/test",
    summary="Run test cases of a flow",
    responses=success("A verdict for each case.", family("1 of 1 cases passed.", [_VERDICT]))
    | errors(400, 401, 403, 404, 413, 415, 422),
    openapi_extra=body(_VERSION_FIELD | _CASES_FIELD, ["cases"], {"cases": [_CASE]}),
)
async def test_flow(request: Request, flow_id: str) -> Response:
    """Run cases on the draft of a flow, or on a published version."""
    principal, form = await _authenticated(request)
    key, document = await _stored(request, principal, flow_id, form)
    return await _test(request, principal, key, document, form)


async def _authenticated(request: Request) -> tuple[Principal, dict[str, Any]]:
    principal = await authenticate(request)
    return principal, await read_body(request)


async def _stored(
    request: Request, principal: Principal, flow_id: str, form: Mapping[str, Any]
) -> tuple[str, str]:
    """The key and the document of a stored flow. Raises ApiError 404 and 422."""
    flow = await the_flow(request, principal, flow_id)
    number = read_number(form, "version")
    if number is None:
        return str(flow.id), flow.draft
    return str(flow.id), (await the_version(request, flow, number, str(number))).document


async def _library(request: Request, principal: Principal, key: str, document: str) -> Library:
    """A document with the published flows that it may jump to. Raises ApiError 422."""
    try:
        main = await asyncio.to_thread(parse_flow, json.loads(document))
    except InvalidFlow as error:
        sentences = [problem_sentence(*problem) for problem in error.problems[:100]]
        raise invalid({"document": sentences}) from None

    def load(conn: sa.Connection) -> Library:
        def find(names: Iterable[str]) -> dict[str, Flow]:
            found: dict[str, Flow] = {}
            for stored in flows.published(conn, principal.account_id, flow_numbers(names)).values():
                with suppress(InvalidFlow):  # published under other rules: a call could not enter it either
                    found[str(stored.flow_id)] = parse_flow(json.loads(stored.document))
            return found

        return library_of(key, main, find)

    return await context_of(request).database.read(load)


async def _simulate(
    request: Request, principal: Principal, key: str, document: str, form: Mapping[str, Any]
) -> Response:
    variables = _field("variables", read_given, _json(form, "variables"))
    at = _field("at", read_start, form.get("at") or None)
    seed = _field("seed", read_seed, _whole(form.get("seed")))
    steps = _json(form, "steps") or []
    library = await _library(request, principal, key, document)

    def work() -> dict[str, Any]:
        walk = walk_steps(library, steps, variables=variables, now=at, seed=seed)
        return shown_walk(walk, begun=at, time=family_time)

    try:
        walk = await asyncio.to_thread(work)
    except InvalidInput as error:
        raise invalid({"steps": [str(error)]}) from None
    message = "The flow is over." if walk["finished"] else f"The flow waits for {walk['waits_for']}."
    return ok(message, walk)


async def _test(
    request: Request, principal: Principal, key: str, document: str, form: Mapping[str, Any]
) -> Response:
    cases = _json(form, "cases")
    if not isinstance(cases, list) or not 1 <= len(cases) <= MOST_CASES:
        raise invalid({"cases": [f"cases should be a list of 1 to {MOST_CASES} cases."]})
    library = await _library(request, principal, key, document)
    verdicts = []
    for position, case in enumerate(cases):
        try:
            verdicts.append(await asyncio.to_thread(try_case, library, case))
        except InvalidInput as error:
            raise invalid({"cases": [f"cases[{position}]: {error}"]}) from None
    passed = sum(verdict.passed for verdict in verdicts)
    rows = [{"name": each.name, "passed": each.passed, "problems": list(each.problems)} for each in verdicts]
    return ok(f"{passed} of {len(verdicts)} cases passed.", rows)


def _findings(found: list[Finding]) -> Response:
    return ok(f"{len(found)} findings.", [asdict(each) for each in found])


def _json(form: Mapping[str, Any], name: str) -> Any:
    """A value that a form carries as JSON text. Raises ApiError 422."""
    value = form.get(name)
    if isinstance(value, str) and value.strip():
        try:
            value = from_json(value)
        except ValueError:
            raise invalid({name: [f"{name} is not JSON."]}) from None
    if depth(value) > DEEPEST:
        raise invalid({name: [f"{name} is nested more than {DEEPEST} deep."]})
    return value or None


def _whole(value: object) -> object:
    """A number of a form, which is a text there."""
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit() and len(value) <= 20:
        return int(value)
    return value if value != "" else None


def _field(name: str, read: Callable[[object], T], value: object) -> T:
    try:
        return read(value)
    except InvalidInput as error:
        raise invalid({name: [str(error)]}) from None
