"""One trace over all processes: API, dialer and webhooks tell a collector what became of a call."""

from pathlib import Path

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.helpers.poll import until
from tests.helpers.system import BRIDGE, System
from tests.helpers.web_server import web_server

pytestmark = pytest.mark.timeout(200)

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PRESSES_42 = "12025550109"


async def _receive(request: web.Request) -> web.Response:
    """A collector, and a webhook that takes the challenge and every event."""
    if request.path == "/v1/traces":
        return web.Response(content_type="application/x-protobuf")
    given = await request.json()
    return web.json_response({"challenge": given.get("challenge")})


async def test_a_call_is_one_trace_from_the_request_to_the_webhook(tmp_path: Path, sqlite_url: str) -> None:
    async with web_server(_receive) as there:
        settings = {
            "tracing.endpoint": there.url("/v1/traces"),
            "egress.allow": '["127.0.0.2"]',
        }
        async with System(tmp_path, sqlite_url, settings=settings) as system:
            server = await system.start()
            sound = await system.add_sound(6_000)
            status, added = await system.request(
                "POST", "developer/webhooks", json={"name": "crm", "uri": there.url("/calls")}
            )
            assert (status, added["data"]["status"]) == (200, 1), added
            status, answer = await system.request(
                "POST",
                "outgoing/send",
                data={"bridge": BRIDGE, "to": PRESSES_42, "audio": sound, "webhook_id": added["data"]["id"]},
                headers={"traceparent": f"00-{TRACE}-{SPAN}-01"},
            )
            assert status == 200, answer
            ended = await system.done(answer["data"][0]["id"])
            assert ended["dtmf"] == "42#"

            async def was_told() -> bool:
                return any(request.path == "/calls" for request in there.requests[1:])

            await until(was_told, "the webhook to be told")
            await server.stop()  # what waits is told when a process ends

        asked = zip(there.requests, there.bodies, strict=True)
        exports = [body for request, body in asked if request.path == "/v1/traces"]
        spans = [
            span
            for body in exports
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        assert {span.trace_id.hex() for span in spans} == {TRACE}
        names = {span.span_id.hex(): span.name for span in spans}
        tree = {span.name: names.get(span.parent_span_id.hex(), span.parent_span_id.hex()) for span in spans}
        assert tree == {
            "accept": SPAN, "attempt": "accept", "dial": "attempt", "talk": "attempt", "webhook": "accept"
        }  # fmt: skip
        for private in (PRESSES_42, BRIDGE, "42#"):
            assert all(private.encode() not in body for body in exports)
