"""`/metrics`: what all processes of this machine count, as Prometheus reads it."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response

from outdial.api.context import context_of
from outdial.api.documentation import errors
from outdial.api.errors import ApiError
from outdial.telemetry import metrics
from outdial.telemetry.exposition import CONTENT_TYPE, render

router = APIRouter(tags=["health"])

_EXAMPLE = (
    "# HELP outdial_dials_total Attempts whose INVITE was sent; its rate is the CPS.\n"
    "# TYPE outdial_dials_total counter\n"
    'outdial_dials_total{trunk="carrier"} 1042.0\n'
)


_OK: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "All metrics of this machine's processes, in the text format of Prometheus.",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses=_OK | errors(403, 404),
)
async def read_metrics(request: Request) -> Response:
    """Answer with all metrics; docs/reference/metrics.md says what each of them means.

    By default only for requests from this machine that no proxy passed on; `metrics.allow` and
    `metrics.token` let others in.
    """
    reader = context_of(request).metrics
    if reader is None:
        raise ApiError(404, "This server keeps no metrics.")
    client = None if request.client is None else request.client.host
    if not reader.access.allows(client, request.headers):
        raise ApiError(403, "You may not read the metrics: metrics.allow and metrics.token say who may.")
    snapshots = await reader.gather()
    return Response(
        await asyncio.to_thread(render, metrics.CATALOGUE, snapshots), headers={"Content-Type": CONTENT_TYPE}
    )
