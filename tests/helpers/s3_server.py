"""A small S3: PUT, GET and DELETE of objects, refusing what is not signed with the right secret.

The signature (AWS Signature Version 4) is computed here from the request as it came, independently of the
client.
"""

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from aiohttp import web

ACCESS_KEY, SECRET_KEY, REGION, BUCKET = "AKIDEXAMPLE", "a-secret-key", "eu-test-1", "outdial"


@dataclass
class S3Server:
    """What is stored, by path."""

    endpoint: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    refused: int = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        body = await request.read()
        if not _is_signed(request):
            self.refused += 1
            return _error(403, "SignatureDoesNotMatch")
        match request.method:
            case "PUT":
                self.objects[request.path] = body
                return web.Response(headers={"ETag": f'"{hashlib.md5(body).hexdigest()}"'})
            case "DELETE":
                self.objects.pop(request.path, None)
                return web.Response(status=204)
            case "GET" if request.path in self.objects:
                found = self.objects[request.path]
                etag = f'"{hashlib.md5(found).hexdigest()}"'
                modified = "Thu, 01 Jan 2026 00:00:00 GMT"
                return web.Response(body=found, headers={"ETag": etag, "Last-Modified": modified})
            case _:
                return _error(404, "NoSuchKey")


def _error(status: int, code: str) -> web.Response:
    return web.Response(
        status=status, text=f"<Error><Code>{code}</Code></Error>", content_type="application/xml"
    )


def _is_signed(request: web.Request) -> bool:
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme != "AWS4-HMAC-SHA256":
        return False
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    key, day, region, service, _ = parts["Credential"].split("/")
    names = parts["SignedHeaders"].split(";")
    canonical = "\n".join(
        (
            request.method,
            quote(request.path),
            request.query_string,
            *(f"{name}:{request.headers[name].strip()}" for name in names),
            "",
            ";".join(names),
            request.headers["x-amz-content-sha256"],
        )
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{request.headers['x-amz-date']}\n{scope}\n{digest}"
    secret = b"AWS4" + SECRET_KEY.encode()
    for each in (day, region, service, "aws4_request", to_sign):
        secret = hmac.digest(secret, each.encode(), "sha256")
    return (key, region) == (ACCESS_KEY, REGION) and hmac.compare_digest(secret.hex(), parts["Signature"])


@asynccontextmanager
async def s3_server() -> AsyncIterator[S3Server]:
    """A running server on the loopback."""
    server = S3Server()
    runner = web.AppRunner(_app(server))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.endpoint = f"http://{host}:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()


def _app(server: S3Server) -> web.Application:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    return app
