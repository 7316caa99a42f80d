"""`flows/{id}/results` and `counts`: what callees did in a flow, a row a call or summed up a node."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from outdial.api.answers import Page, family_time, ok
from outdial.api.auth import authenticate
from outdial.api.call_filter import midnight, unix_ms
from outdial.api.context import ApiContext, context_of
from outdial.api.csv_lines import csv_download, csv_lines
from outdial.api.developer_webhooks import PAGES
from outdial.api.documentation import errors, family, query, success
from outdial.api.errors import invalid
from outdial.api.flows import the_flow
from outdial.domain.flow_counts import ENDED_HERE, VersionCounts
from outdial.errors import InvalidFlow
from outdial.flow.definition import parse_flow
from outdial.flow.lint import variables_set
from outdial.storage import flow_runs, flows
from outdial.storage.flow_runs import RunFilter, StoredRun
from outdial.storage.flows import FlowVersion, StoredFlow

router = APIRouter(prefix="/flows", tags=["flows"])

MOST_COUNTED = 100_000
"""Runs in one answer of `counts`: two to three seconds of work, in a thread."""
_BATCH = 500
_MOST_VERSIONS = 20
"""Whose variables have columns of their own: the newest."""
_FIXED = ("call_id", "attempt", "to", "version", "started_at", "ended_at", "result", "tags", "path")

_RUN = {
    "call_id": "70fa87e0-9df9-4327-bc80-a561c48703d8:1",
    "attempt": 1,
    "to": "918867135000",
    "ended_at": "2019-08-16 15:10:14",
    "flow": {
        "id": 23,
        "version": 2,
        "result": "success",
        "path": [
            {"flow": "23", "node": "ask", "exit": "1", "entered_at": "2019-08-16 15:09:55", "seconds": 6.1},
            {"flow": "23", "node": "bye", "exit": None, "entered_at": "2019-08-16 15:10:01", "seconds": None},
        ],
        "variables": {"answer": "yes"},
        "tags": [],
        "problems": [],
    },
}
_COUNTS = {
    "counted": 10,
    "complete": True,
    "versions": [
        {
            "version": 2,
            "runs": 10,
            "results": {"success": 8, "callee_hung_up": 2},
            "nodes": [
                {
                    "flow": "23",
                    "node": "ask",
                    "visits": 12,
                    "ended_here": 2,
                    "exits": {"1": {"count": 8, "results": {"success": 8}}},
                }
            ],
        }
    ],
}
_RESULT_LINES = """\
call_id,attempt,to,version,started_at,ended_at,result,tags,path,answer,other
70fa87e0-…:1,1,918867135000,2,2019-08-16 15:09:55,2019-08-16 15:10:14,success,,ask > bye,yes,
"""
_COUNT_LINES = """\
version,flow,node,exit,result,runs
2,23,ask,1,success,8
2,23,ask,(end),callee_hung_up,2
"""
_LINKS = {"first": "…?page=1&per_page=15", "last": "…?page=1&per_page=15", "prev": None, "next": None}
_META = {"current_page": 1, "from": 1, "last_page": 1, "path": "…", "per_page": 15, "to": 1, "total": 1}
_WHICH = [
    query("from", "Calls that ended on this day of the account's time zone or later.", required=False),
    query("to", "Calls that ended on this day or before.", required=False),
    query("version", "Calls of this version only.", required=False, kind="integer"),
    query("result", "Calls with this result only.", required=False),
]


def _csv(description: str, example: str) -> dict[int | str, dict[str, Any]]:
    content = {"text/csv": {"schema": {"type": "string"}, "example": example}}
    return {200: {"description": description, "content": content}}


@router.get(
    "/{flow_id}/results",
    summary="What callees did in a flow",
    responses=success("The newest call first.", family("1 runs.", [_RUN], links=_LINKS, meta=_META))
    | errors(401, 403, 404, 422),
    openapi_extra={"parameters": [*_WHICH, *PAGES]},
)
async def results(request: Request, flow_id: str) -> Response:
    """Show each call's way through a flow, page by page: its path, what it collected, its result.

    A value that the flow's author masked is `****`. What retention removed is empty; the result stays.
    """
    principal = await authenticate(request)
    flow = await the_flow(request, principal, flow_id)
    page, wanted = Page(request), _read_filter(request)
    found, total = await context_of(request).database.read(
        flow_runs.find, principal.account_id, flow.id, wanted, limit=page.size, offset=page.offset
    )
    return page.answer(f"{total} runs.", [_row(each) for each in found], total)


@router.get(
    "/{flow_id}/results.csv",
    summary="What callees did in a flow, as CSV",
    response_class=Response,
    responses=_csv("A line a call, the oldest first.", _RESULT_LINES) | errors(401, 403, 404, 422),
    openapi_extra={"parameters": _WHICH},
)
async def results_csv(request: Request, flow_id: str) -> Response:
    """The same as lines of CSV, all of them, with a column for each variable that the flow sets.

    The columns are those of the newest 20 versions; what else was set is in `other`, as JSON. A text that a
    spreadsheet would take for a formula has an apostrophe before it.
    """
    principal = await authenticate(request)
    flow = await the_flow(request, principal, flow_id)
    wanted = _read_filter(request)
    context = context_of(request)
    versions = await context.database.read(flows.versions, flow.id, limit=_MOST_VERSIONS)
    names = await asyncio.to_thread(_variables_of, versions)
    return csv_download(_result_lines(context, flow, wanted, names), f"flow-{flow.id}-results.csv")


@router.get(
    "/{flow_id}/counts",
    summary="How callees went through a flow",
    responses=success("For each version.", family("10 runs are counted.", _COUNTS))
    | errors(401, 403, 404, 422),
    openapi_extra={"parameters": _WHICH},
)
async def counts(request: Request, flow_id: str) -> Response:
    """Count, for each version and node, the visits, the calls that ended there, and what came of each exit.

    An exit has the results of the calls that took it, which tells which arm of a random split does better.

    At most 100,000 runs are counted, the oldest of the days asked for; `complete` says whether that was all.
    """
    flow = await the_flow(request, await authenticate(request), flow_id)
    found, complete = await _count(context_of(request), flow, _read_filter(request))
    counted = sum(each.runs for each in found.values())
    data = {
        "counted": counted,
        "complete": complete,
        "versions": [found[version].shown(version) for version in sorted(found, reverse=True)],
    }
    return ok(f"{counted} runs are counted.", data)


@router.get(
    "/{flow_id}/counts.csv",
    summary="How callees went through a flow, as CSV",
    response_class=Response,
    responses=_csv("A line an exit and result.", _COUNT_LINES) | errors(401, 403, 404, 422),
    openapi_extra={"parameters": _WHICH},
)
async def counts_csv(request: Request, flow_id: str) -> Response:
    """The same as lines of CSV: how many runs of each version took each exit and had each result.

    The exit `(end)` stands for the calls that ended at the node.
    """
    flow = await the_flow(request, await authenticate(request), flow_id)
    found, _ = await _count(context_of(request), flow, _read_filter(request))

    async def lines() -> AsyncIterator[str]:
        yield csv_lines([("version", "flow", "node", "exit", "result", "runs")])
        for version in sorted(found, reverse=True):
            yield csv_lines(_count_rows(version, found[version]))

    return csv_download(lines(), f"flow-{flow.id}-counts.csv")


def _read_filter(request: Request) -> RunFilter:
    """`from`, `to`, `version` and `result`. Raises ApiError 422."""
    given = {name: request.query_params.get(name, "").strip() for name in ("from", "to", "version", "result")}
    problems: dict[str, list[str]] = {}
    days: dict[str, datetime] = {}
    for name in ("from", "to"):
        try:
            if given[name]:
                days[name] = midnight(given[name])
        except ValueError:
            problems[name] = [f"{name} should be a day as in 2019-08-16, not {given[name][:40]!r}."]
    version = given["version"]
    if version and not (version.isascii() and version.isdigit() and len(version) <= 9):
        problems["version"] = [f"version should be the number of a version, not {version[:40]!r}."]
    if len(days) == 2 and days["to"] < days["from"]:
        problems["to"] = ["to should not be before from."]
    if problems:
        raise invalid(problems)
    return RunFilter(
        ended_from=unix_ms(days["from"]) if "from" in days else None,
        ended_before=unix_ms(days["to"] + timedelta(days=1)) if "to" in days else None,
        version=int(version) if version else None,
        result=given["result"] or None,
    )


def _row(stored: StoredRun) -> dict[str, Any]:
    return {
        "call_id": stored.call_id,
        "attempt": stored.number,
        "to": stored.to,
        "ended_at": family_time(stored.ended_at),
        "flow": stored.run.shown(family_time),
    }


async def _batches(
    context: ApiContext, flow: StoredFlow, wanted: RunFilter
) -> AsyncIterator[list[StoredRun]]:
    last: StoredRun | None = None
    while True:
        found = await context.database.read(
            flow_runs.following, flow.account_id, flow.id, wanted, after=last, limit=_BATCH
        )
        if found:
            yield found
        if len(found) < _BATCH:
            return
        last = found[-1]


async def _count(
    context: ApiContext, flow: StoredFlow, wanted: RunFilter
) -> tuple[dict[int, VersionCounts], bool]:
    found: dict[int, VersionCounts] = {}
    counted = 0
    async for batch in _batches(context, flow, wanted):
        if counted >= MOST_COUNTED:
            return found, False
        for stored in batch[: MOST_COUNTED - counted]:
            counts = found.setdefault(stored.run.version, VersionCounts())
            counts.add(stored.run.result, stored.run.path)
        counted += len(batch)
    return found, counted <= MOST_COUNTED


async def _result_lines(
    context: ApiContext, flow: StoredFlow, wanted: RunFilter, names: list[str]
) -> AsyncIterator[str]:
    yield csv_lines([(*_FIXED, *names, "other")])
    async for batch in _batches(context, flow, wanted):
        yield csv_lines(_result_row(stored, names) for stored in batch)


def _result_row(stored: StoredRun, names: list[str]) -> list[Any]:
    run = stored.run
    other = {name: value for name, value in run.variables.items() if name not in names}
    return [
        stored.call_id,
        stored.number,
        stored.to,
        run.version,
        family_time(run.path[0]["entered_at"]) if run.path else None,
        family_time(stored.ended_at),
        run.result,
        ", ".join(run.tags),
        " > ".join(each["node"] for each in run.path),
        *(run.variables.get(name) for name in names),
        other or None,
    ]


def _count_rows(version: int, counts: VersionCounts) -> Iterable[tuple[Any, ...]]:
    for (flow, node), exits in sorted(counts.exits.items()):
        for exit_, each in sorted(exits.items(), key=lambda named: (named[0] == ENDED_HERE, named[0])):
            for result, runs in each.results.most_common():
                yield version, flow, node, exit_, result, runs


def _variables_of(versions: list[FlowVersion]) -> list[str]:
    """The names of what these versions set, those of the newest first."""
    names: dict[str, None] = {}
    for version in versions:
        try:
            names |= dict.fromkeys(variables_set(parse_flow(json.loads(version.document))))
        except InvalidFlow:  # published under other rules
            continue
    return list(names)
