"""Requests to customers' URLs: redirects by hand, so that each hop passes the guard; every bound enforced."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from multidict import CIMultiDict
from yarl import URL

from outdial.egress.content import decoder_for
from outdial.egress.guard import AddressRefused, Guard, GuardedResolver, SystemResolver
from outdial.egress.message import Answer, EgressOptions, EgressRequest, check_headers
from outdial.egress.sinks import FileSink, HeadSink, Sink
from outdial.egress.urls import Target, parse_target
from outdial.errors import (
    EgressBadAnswer,
    EgressError,
    EgressRefused,
    EgressTimeout,
    EgressTooLarge,
    EgressUnreachable,
)

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SECRET_HEADERS = frozenset({"authorization", "cookie"})
"""Not sent to another origin that the first one redirects to."""
_IDLE_S = 15.0
"""How long a connection is kept for the next request to the same host."""


class EgressClient:
    """Asks URLs that customers gave. `start` and `stop` are idempotent.

    Two pools of connections: one for hosts that the operator named in the allow-list, one behind the guard
    for all others. Neither has cookies, and proxies of the environment are not used: a proxy would resolve
    names where the guard does not see it.
    """

    def __init__(
        self, options: EgressOptions | None = None, *, resolver: AbstractResolver | None = None
    ) -> None:
        self._options = options or EgressOptions()
        self._guard = Guard(self._options.allow)
        self._resolver = resolver
        self._sessions: tuple[aiohttp.ClientSession, aiohttp.ClientSession] | None = None

    async def start(self) -> None:
        """Open the pools."""
        if self._sessions is None:
            resolver = self._resolver or SystemResolver()
            guarded = aiohttp.TCPConnector(
                resolver=GuardedResolver(self._guard, resolver),
                socket_factory=self._guard.socket_for,
                use_dns_cache=False,
                limit=0,  # whoever asks decides how much at once, and for whom
                keepalive_timeout=_IDLE_S,
            )
            trusted = aiohttp.TCPConnector(
                resolver=resolver, use_dns_cache=False, limit=0, keepalive_timeout=_IDLE_S
            )
            self._sessions = (self._session(guarded), self._session(trusted))

    async def stop(self) -> None:
        """Close all connections."""
        sessions, self._sessions = self._sessions, None
        for session in sessions or ():
            await session.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def fetch(self, request: EgressRequest, *, most_bytes: int) -> Answer:
        """Send a request and read at most `most_bytes` of the answer's body; the rest is not waited for.

        Any status is an answer. Raises EgressError.
        """
        sink = HeadSink(most_bytes)
        answer = await self._exchange(request, sink)
        return sink.complete(answer)

    async def download(self, request: EgressRequest, file: Path, *, most_bytes: int) -> Answer:
        """Send a request and write the body of a 2xx answer to `file`, which is made or emptied.

        The body of any other answer is not read. Raises EgressTooLarge for more than `most_bytes`, and other
        EgressErrors; what `file` holds then is of no use.
        """
        async with FileSink(file, most_bytes) as sink:
            answer = await self._exchange(request, sink)
            await sink.flush()
        return sink.complete(answer)

    def _session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            max_line_size=self._options.max_header_bytes,
            max_field_size=self._options.max_header_bytes,
            headers={"User-Agent": self._options.user_agent, "Accept": "*/*", "Accept-Encoding": "identity"},
        )

    async def _exchange(self, request: EgressRequest, sink: Sink) -> Answer:
        check_headers(request.headers)
        target = parse_target(request.url)
        total_s = self._options.total_s if request.total_s is None else request.total_s
        try:
            async with asyncio.timeout(total_s):
                return await self._follow(request, target, sink)
        except TimeoutError:
            what = "send all of its answer" if sink.began else "answer"
            raise EgressTimeout(f"{target.host} did not {what} within {total_s:g} seconds.") from None

    async def _follow(self, request: EgressRequest, first: Target, sink: Sink) -> Answer:
        target = first
        for _ in range(self._options.max_redirects + 1):
            self._guard.check(target)
            async with self._send(request, target, first) as response:
                location = response.headers.get("Location")
                follows = request.follow_redirects and request.method == "GET"
                if response.status not in _REDIRECTS or location is None or not follows:
                    return await _read(response, target.host, sink)
                target = _redirected(target, location)
        raise EgressBadAnswer(f"{first.host} redirects more than {self._options.max_redirects} times.")

    @asynccontextmanager
    async def _send(
        self, request: EgressRequest, target: Target, first: Target
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._sessions is None:
            raise EgressUnreachable("The client for customers' URLs is not running.")
        try:
            response = await self._sessions[self._guard.trusts(target)].request(
                request.method,
                target.url,
                headers=_headers(request, target, first),
                data=request.body,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=None, connect=self._options.connect_s, sock_connect=self._options.connect_s
                ),
            )
            try:
                yield response
            finally:
                # Not `release`, which would read the rest of a small body that nobody wants.
                if response.content.at_eof():
                    response.release()
                else:
                    response.close()
        except aiohttp.ClientError as error:
            raise self._explained(error, target.host) from error

    def _explained(self, error: aiohttp.ClientError, host: str) -> EgressError:
        """Translate the library's errors; its words may hold the whole URL."""
        cause = getattr(error, "os_error", None)
        if isinstance(cause, AddressRefused):
            return EgressRefused(f"{host} is refused: {cause}, and only public addresses are asked.")
        match error:
            case aiohttp.ServerTimeoutError():
                within = self._options.connect_s
                return EgressTimeout(f"{host} could not be connected to within {within:g} seconds.")
            case aiohttp.ClientConnectorDNSError():
                unknown = isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME
                why = "there is no such name" if unknown else "its name could not be resolved"
                return EgressUnreachable(f"{host} could not be found: {why}.")
            case aiohttp.ClientConnectorCertificateError():
                return EgressBadAnswer(f"{host} has no certificate that is valid for this name.")
            case aiohttp.ClientSSLError():
                return EgressBadAnswer(f"{host} does not speak TLS as it should.")
            case aiohttp.ClientConnectorError():
                return EgressUnreachable(f"{host} could not be connected to.")
            case aiohttp.ClientResponseError():
                return EgressBadAnswer(f"{host} sent something that is not a proper HTTP answer.")
            case aiohttp.InvalidURL():
                return EgressRefused(f"{host} is not a host that can be asked.")
            case _:
                return EgressUnreachable(f"{host} broke the connection off.")


def _headers(request: EgressRequest, target: Target, first: Target) -> CIMultiDict[str]:
    headers = CIMultiDict(request.headers)
    authorization = target.authorization
    if target.origin == first.origin:
        authorization = authorization or first.authorization
    else:
        for name in _SECRET_HEADERS:
            headers.popall(name, None)
    if authorization is not None:
        headers.setdefault("Authorization", authorization)
    return headers


async def _read(response: aiohttp.ClientResponse, host: str, sink: Sink) -> Answer:
    """Feed the body to the sink until it is complete or the sink has enough."""
    answer = Answer(status=response.status, reason=response.reason or "", headers=response.headers)
    sink.begin(answer)
    if not sink.wants_more:
        return answer
    declared = response.content_length
    if declared is not None and declared > sink.most_bytes and sink.refuses_more:
        raise too_large(host, sink.most_bytes)
    decoder = decoder_for(response.headers.get("Content-Encoding", ""), host)
    sent = 0
    async for chunk in response.content.iter_any():
        sent += len(chunk)
        for piece in decoder.decode(chunk):
            if not await sink.write(piece):
                if sink.refuses_more:
                    raise too_large(host, sink.most_bytes)
                return answer
        # A body that grows by compression is bounded as well.
        if sent > sink.most_bytes and sink.refuses_more:
            raise too_large(host, sink.most_bytes)
    decoder.finish()
    return answer


def too_large(host: str, most_bytes: int) -> EgressTooLarge:
    """The error for an answer over `most_bytes`."""
    shown = f"{most_bytes / (1024 * 1024):g} MB" if most_bytes >= 1024 * 1024 else f"{most_bytes} bytes"
    return EgressTooLarge(f"{host} sent more than the {shown} that are accepted.")


def _redirected(target: Target, location: str) -> Target:
    try:
        text = str(target.url.join(URL(location)))
        following = parse_target(text)
    except ValueError:
        raise EgressBadAnswer(f"{target.host} redirects to something that is not a URL.") from None
    except EgressRefused as error:
        raise EgressRefused(f"{target.host} redirects to a URL that is refused: {error}") from None
    if target.url.scheme == "https" and following.url.scheme != "https":
        # Whoever gave an https URL asked for what nobody on the way can change.
        raise EgressRefused(f"{target.host} redirects from https to http, which is not followed.")
    return following
