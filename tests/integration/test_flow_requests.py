"""The step `http_request` on real calls, against servers that are slow, huge, broken, or inside."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.helpers.system import BRIDGE, System
from tests.helpers.web_server import WebServer, raw_server, web_server

pytestmark = pytest.mark.timeout(200)

ANSWERS = "12025550100"
FLOW: dict[str, Any] = {
    "schema_version": 1,
    "entry": "ask",
    "nodes": {
        "ask": {
            "type": "http_request",
            "settings": {
                "method": "POST",
                "url": "{{url}}",
                "json": {"phone": "{{to}}"},
                "timeout": 1.5,
                "save": {"state": "state", "number": "number"},
                "status_variable": "status",
            },
            "exits": {"ok": "ok", "404": "unknown", "5xx": "theirs", "timeout": "late", "failed": "failed"},
        },
        **{
            name: {"type": "hang_up", "settings": {"result": name}}
            for name in ("ok", "unknown", "theirs", "late", "failed")
        },
    },
}


async def answer(request: web.Request) -> web.StreamResponse:
    """What the path says."""
    match request.path:
        case "/good":
            return web.json_response({"state": "open", "number": 10**400})
        case "/text":
            return web.Response(text="{no JSON")
        case "/unknown":
            return web.Response(status=404)
        case "/busy":
            return web.json_response({"state": "none"}, status=503)
        case "/inside":
            raise web.HTTPTemporaryRedirect(request.query["to"])
    raise web.HTTPNotFound


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def never_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"\r\n")
    while True:
        writer.write(b" " * 65_536)
        await writer.drain()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.1)


async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b'Content-Length: 100\r\n\r\n{"st')
    await writer.drain()


async def talk_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\xff not HTTP at all\r\n\r\n")
    await writer.drain()


@pytest.fixture
async def system(tmp_path: Path, sqlite_url: str) -> AsyncIterator[System]:
    settings = {"egress.allow": '["127.0.0.2"]'}
    async with System(tmp_path, sqlite_url, settings=settings) as running:
        await running.start()
        yield running


async def ok(system: System, method: str, path: str, **arguments: Any) -> Any:
    status, answered = await system.request(method, path, **arguments)
    assert status == 200, answered
    return answered["data"]


async def run_of(system: System, flow: int, url: str) -> dict[str, Any]:
    """What the flow of one call did with a server."""
    form = {"bridge": BRIDGE, "to": ANSWERS, "ivr_id": str(flow), "variables[url]": url}
    [row] = await ok(system, "POST", "outgoing/send", data=form)
    status = await system.done(row["id"])
    assert status["status"] == "ANSWER", status
    return dict(status["attempts"][0]["flow"])


async def test_no_server_holds_a_call_or_is_reached_inside(system: System) -> None:
    flow = (await ok(system, "POST", "flows", json={"name": "ask", "document": FLOW}))["id"]
    await ok(system, "POST", f"flows/{flow}/publish", json={})
    async with AsyncExitStack() as stack:
        good: WebServer = await stack.enter_async_context(web_server(answer))
        inside = await stack.enter_async_context(web_server(answer, "127.0.0.3"))
        raw = {
            handler.__name__: (await stack.enter_async_context(raw_server(handler))).url()
            for handler in (say_nothing, never_end, drip, break_off, talk_nonsense)
        }
        urls = {
            "good": good.url("/good"),
            "text": good.url("/text"),
            "unknown": good.url("/unknown"),
            "busy": good.url("/busy"),
            **raw,
            "inside": inside.url("/good"),
            "redirected": good.url(f"/inside?to={inside.url('/good')}"),
            "file": "file:///etc/passwd",
            "nowhere": "http://127.0.0.2:1/",
        }
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(run_of(system, flow, url)) for name, url in urls.items()}
        runs = {name: task.result() for name, task in tasks.items()}
        bodies = {each.path: body for each, body in zip(good.requests, good.bodies, strict=True)}
    assert {name: run["result"] for name, run in runs.items()} == {
        "good": "ok",
        "text": "ok",
        "unknown": "unknown",
        "busy": "theirs",
        "say_nothing": "late",
        "never_end": "failed",
        "drip": "late",
        "break_off": "failed",
        "talk_nonsense": "failed",
        "inside": "failed",
        "redirected": "failed",
        "file": "failed",
        "nowhere": "failed",
    }
    assert bodies["/good"] == b'{"phone": "12025550100"}'
    assert runs["good"]["variables"] == {"status": 200, "state": "open"}
    assert runs["busy"]["variables"] == {"status": 503, "state": "none"}
    assert runs["text"]["variables"] == {"status": 200}
    assert inside.requests == []
    for name, words in (("never_end", "more than"), ("inside", "127.0.0.3"), ("text", "not JSON")):
        assert any(words in problem for problem in runs[name]["problems"]), runs[name]
