"""The application: all endpoints, the shape of every error, one log line a request."""

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from outdial.api import (
    account_balance,
    account_tokens,
    admin_accounts,
    admin_audit,
    admin_bridges,
    admin_rates,
    admin_trunks,
    developer_deliveries,
    developer_subscriptions,
    developer_webhooks,
    docs_page,
    documentation,
    errors,
    flow_catalogue,
    flow_checks,
    flow_exchange,
    flow_preview,
    flow_results,
    flows,
    health,
    metrics,
    outgoing_callstatus,
    outgoing_cancel,
    outgoing_pauses,
    outgoing_send,
    outgoing_suppressions,
    outgoing_trace,
    outgoing_tts,
    voice_bridges,
    voice_calls,
    voice_pricing,
    voice_recordings,
    voice_sounds,
    voice_voices,
)
from outdial.api.access_log import AccessLog
from outdial.api.context import ApiContext
from outdial.api.envelope import Envelope
from outdial.api.permissions import PREFIX, needed_scope


def create_app(context: ApiContext) -> ASGIApp:
    """The ASGI application that serves `context`."""
    return AccessLog(Envelope(create_api(context)))


def create_api(context: ApiContext | None = None) -> FastAPI:
    """The endpoints without the access log; without a context only their description can be used."""
    app = FastAPI(
        title="Outdial",
        version=version("outdial"),
        summary="One HTTP request becomes a real phone call.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.context = context
    errors.install(app)
    app.include_router(docs_page.router)
    app.include_router(health.router)
    app.include_router(metrics.router)
    for resource in (
        outgoing_send,
        outgoing_tts,
        outgoing_callstatus,
        outgoing_trace,
        outgoing_cancel,
        outgoing_pauses,
        outgoing_suppressions,
        voice_calls,
        voice_bridges,
        voice_recordings,
        voice_sounds,
        voice_voices,
        voice_pricing,
        account_balance,
        flow_catalogue,
        flow_preview,
        flows,
        flow_checks,
        flow_exchange,
        flow_results,
        developer_webhooks,
        developer_deliveries,
        developer_subscriptions,
        account_tokens,
        admin_accounts,
        admin_trunks,
        admin_bridges,
        admin_rates,
        admin_audit,
    ):
        app.include_router(resource.router, prefix=PREFIX)
    _describe(app)
    return app


def _describe(app: FastAPI) -> None:
    """Add what the endpoints' signatures do not say: they read their bodies and tokens by hand."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = documentation.with_nulls(generate())
            components = schema.setdefault("components", {})
            for kind, entries in documentation.COMPONENTS.items():
                components.setdefault(kind, {}).update(entries)
            for path, methods in schema["paths"].items():
                if path.startswith(PREFIX):
                    for method, operation in methods.items():
                        scope = needed_scope(method.upper(), path)
                        roles = [] if scope is None else [scope.value]
                        operation["security"] = [{"bearer": roles}, {"access_token": roles}]
                        for status, answer in documentation.errors(401, 403, 422, 429, 503).items():
                            operation["responses"].setdefault(str(status), answer)
                        if method != "get":
                            operation["responses"].setdefault("507", documentation.errors(507)[507])
                        if "requestBody" in operation:
                            documentation.with_warnings(operation)
                            for status, answer in documentation.errors(400, 408, 413, 415).items():
                                operation["responses"].setdefault(str(status), answer)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way that the framework documents
