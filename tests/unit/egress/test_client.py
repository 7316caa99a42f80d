"""The client against real servers on loopback: 127.0.0.2 is allowed here, everything else is not."""

import asyncio
import gzip
import re
import socket
import ssl
import subprocess
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from tests.helpers.web_server import raw_server, web_server

from outdial.egress.allow_list import AllowList
from outdial.egress.client import EgressClient
from outdial.egress.message import EgressOptions, EgressRequest
from outdial.errors import (
    EgressBadAnswer,
    EgressRefused,
    EgressTimeout,
    EgressTooLarge,
    EgressUnreachable,
)

MB = 1024 * 1024


class Names(AbstractResolver):
    """Gives the next list of addresses of a name with each look-up; the last one stays."""

    def __init__(self, **names: list[list[str]]) -> None:
        self.names = {f"{name}.test": answers for name, answers in names.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        answers = self.names[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=each,
                port=port,
                family=socket.AF_INET6 if ":" in each else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for each in addresses
        ]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def a_client(
    *allow: str, resolver: AbstractResolver | None = None, **options: float
) -> AsyncIterator[EgressClient]:
    allowed = AllowList.parse(allow or ["127.0.0.2"])
    async with EgressClient(EgressOptions(allow=allowed, **options), resolver=resolver) as client:  # type: ignore[arg-type]
        yield client


async def hello(request: web.Request) -> web.StreamResponse:
    return web.Response(text="hello", headers={"ETag": '"1"', "Set-Cookie": "a=b"})


async def test_a_plain_answer(tmp_path: Path) -> None:
    async with web_server(hello) as server, a_client() as client:
        answer = await client.fetch(EgressRequest(url=server.url("/a?b=c#d")), most_bytes=100)
        assert (answer.status, answer.body, answer.truncated) == (200, b"hello", False)
        assert answer.headers["etag"] == '"1"'
        file = tmp_path / "file"
        downloaded = await client.download(EgressRequest(url=server.url("/")), file, most_bytes=100)
        assert file.read_bytes() == b"hello"
        assert (downloaded.size, downloaded.body) == (5, b"")
        request = server.requests[0]
        assert request.path_qs == "/a?b=c"
        assert request.headers["Accept-Encoding"] == "identity"


async def test_no_cookies_are_kept() -> None:
    names = Names(site=[["127.0.0.2"]])
    async with web_server(hello) as server, a_client(resolver=names) as client:
        for _ in range(2):
            await client.fetch(EgressRequest(url=server.url(host="site.test")), most_bytes=9)
        assert "Cookie" not in server.requests[1].headers


async def test_a_post_with_headers_and_the_first_bytes_of_its_answer() -> None:
    async def long(request: web.Request) -> web.StreamResponse:
        return web.Response(status=503, body=b"x" * MB)

    async with web_server(long) as server, a_client() as client:
        request = EgressRequest(
            url=server.url("/hook"), method="POST", headers={"X-Mine": "1"}, body=b'{"id":1}'
        )
        answer = await client.fetch(request, most_bytes=10)
        assert (answer.status, answer.body, answer.truncated) == (503, b"x" * 10, True)
        assert server.requests[0].method == "POST"
        assert server.requests[0].headers["X-Mine"] == "1"
        assert server.bodies == [b'{"id":1}']


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "x"},
        {"content-length": "1"},
        {"Transfer-Encoding": "chunked"},
        {"A": "b\r\nC: d"},
        {"A b": "c"},
    ],
)
async def test_headers_that_could_break_the_message(headers: dict[str, str]) -> None:
    async with a_client() as client:
        with pytest.raises(EgressRefused, match=re.escape(next(iter(headers)))):
            await client.fetch(EgressRequest(url="http://127.0.0.2/", headers=headers), most_bytes=1)


SPELLINGS = [
    "127.0.0.1",
    "localhost",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
    "0177.0.0.1",
    "127.0.0.1.",
    "１２７.0.0.1",
    "0.0.0.0",
    "0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:7f00:1::]",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[::1%25lo]",
    "100.64.0.1",
    "10.0.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "me:you@127.0.0.1",
    "127.0.0.2@127.0.0.1",
]


@pytest.mark.parametrize("host", SPELLINGS)
async def test_no_spelling_of_a_private_address_is_asked(host: str) -> None:
    async with web_server(hello, "0.0.0.0") as server, a_client(connect_s=2) as client:
        with pytest.raises(
            EgressRefused, match=r"^\S+ is refused: it(s name leads to an address that)? \w+ .*\.$"
        ):
            await client.fetch(EgressRequest(url=server.url(host=host)), most_bytes=1)
        assert server.requests == []


@pytest.mark.parametrize("host", [*SPELLINGS, "private.test"])
async def test_no_redirect_leads_there(host: str) -> None:
    names = Names(private=[["127.0.0.1"]], localhost=[["127.0.0.1"]])
    names.names["localhost"] = [["127.0.0.1"]]
    async with web_server(hello, "127.0.0.1") as inner:

        async def redirect(request: web.Request) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": inner.url(host=host)})

        async with web_server(redirect) as server, a_client(resolver=names, connect_s=2) as client:
            with pytest.raises(EgressRefused):
                await client.fetch(EgressRequest(url=server.url()), most_bytes=1)
            assert len(server.requests) == 1
        assert inner.requests == []


async def test_a_name_that_leads_inside_only_the_second_time() -> None:
    names = Names(rebind=[["127.0.0.2"], ["127.0.0.1"]])

    async def closing(request: web.Request) -> web.StreamResponse:
        return web.Response(text="public", headers={"Connection": "close"})

    async with (
        web_server(closing) as public,
        web_server(hello, "127.0.0.1", public.port) as private,
        a_client(resolver=names) as client,
    ):
        request = EgressRequest(url=public.url(host="rebind.test"))
        assert (await client.fetch(request, most_bytes=10)).body == b"public"
        # One look-up for the check and for the connection: there is no time between them to change it.
        assert names.asked == ["rebind.test"]
        with pytest.raises(
            EgressRefused, match=r"^rebind\.test is refused: its name leads to .* a loopback address"
        ):
            await client.fetch(request, most_bytes=10)
        assert private.requests == []


async def test_a_redirect_to_a_name_that_has_changed_meanwhile() -> None:
    names = Names(rebind=[["127.0.0.2"], ["127.0.0.1"]])

    async def redirect(request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "/again", "Connection": "close"})

    async with (
        web_server(redirect) as public,
        web_server(hello, "127.0.0.1", public.port) as private,
        a_client(resolver=names) as client,
    ):
        with pytest.raises(EgressRefused, match="rebind"):
            await client.fetch(EgressRequest(url=public.url(host="rebind.test")), most_bytes=10)
        assert private.requests == []


async def test_the_socket_itself_is_guarded() -> None:
    """Were the resolver's check ever lost: the address that is connected to is looked at once more."""
    names = Names(inside=[["127.0.0.1"]])
    async with web_server(hello, "127.0.0.1") as server, a_client(resolver=names) as client:
        assert client._sessions is not None
        vars(client._sessions[0].connector)["_resolver"] = names
        with pytest.raises(EgressRefused, match="loopback"):
            await client.fetch(EgressRequest(url=server.url(host="inside.test")), most_bytes=1)
        assert server.requests == []


async def test_of_a_names_addresses_only_the_public_ones_are_asked() -> None:
    names = Names(both=[["127.0.0.1", "::1", "127.0.0.2"]])
    async with (
        web_server(hello) as public,
        web_server(hello, "127.0.0.1", public.port) as private,
        a_client(resolver=names) as client,
    ):
        await client.fetch(EgressRequest(url=public.url(host="both.test")), most_bytes=10)
        assert len(public.requests) == 1
        assert private.requests == []


async def test_a_name_on_the_allow_list_may_lead_inside() -> None:
    names = Names(media=[["127.0.0.1"]], other=[["127.0.0.1"]])
    async with (
        web_server(hello, "127.0.0.1") as server,
        a_client(f"media.test:{server.port}", resolver=names) as client,
    ):
        assert (await client.fetch(EgressRequest(url=server.url(host="media.test")), most_bytes=9)).ok
        for host in ("other.test", "127.0.0.1"):
            with pytest.raises(EgressRefused):
                await client.fetch(EgressRequest(url=server.url(host=host)), most_bytes=9)


async def test_redirects_are_followed_so_far() -> None:
    async def count_down(request: web.Request) -> web.StreamResponse:
        left = int(request.path.removeprefix("/"))
        if left == 0:
            return web.Response(text="there")
        return web.Response(status=301, headers={"Location": str(left - 1)})

    async with web_server(count_down) as server, a_client() as client:
        assert (await client.fetch(EgressRequest(url=server.url("/5")), most_bytes=9)).body == b"there"
        with pytest.raises(EgressBadAnswer, match="redirects more than 5 times"):
            await client.fetch(EgressRequest(url=server.url("/6")), most_bytes=9)
        posted = await client.fetch(EgressRequest(url=server.url("/5"), method="POST"), most_bytes=9)
        assert posted.status == 301


@pytest.mark.parametrize(
    "location", ["ftp://127.0.0.2/", "file:///etc/passwd", "http://[", "http://0x/", "http://b:0/"]
)
async def test_redirects_to_nowhere(location: str) -> None:
    async def redirect(request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": location})

    async with web_server(redirect) as server, a_client() as client:
        with pytest.raises((EgressRefused, EgressBadAnswer), match=r"^127\.0\.0\.2 redirects to"):
            await client.fetch(EgressRequest(url=server.url()), most_bytes=9)


async def test_credentials_stay_with_their_origin() -> None:
    async with web_server(hello) as other:

        async def redirect(request: web.Request) -> web.StreamResponse:
            location = other.url("/") if request.path == "/away" else "/away"
            return web.Response(status=302, headers={"Location": location})

        async with web_server(redirect) as server, a_client() as client:
            url = server.url("/", host="me:s3cret@127.0.0.2")
            await client.fetch(EgressRequest(url=url, headers={"X-Plain": "1"}), most_bytes=9)
            await client.fetch(
                EgressRequest(url=server.url("/away"), headers={"authorization": "Bearer hush"}), most_bytes=9
            )
        assert [each.headers.get("Authorization") for each in server.requests] == [
            "Basic bWU6czNjcmV0",
            "Basic bWU6czNjcmV0",
            "Bearer hush",
        ]
        assert [each.headers.get("Authorization") for each in other.requests] == [None, None]
        assert other.requests[0].headers["X-Plain"] == "1"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.2 that nobody has signed, with its key."""
    file = tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"]
    made += ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.2"]
    subprocess.run([*made, "-keyout", file, "-out", tmp_path / "public.pem"], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + (tmp_path / "public.pem").read_bytes())
    return file


async def test_certificates_are_checked_and_https_does_not_become_http(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def to_http(request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": str(request.url.with_scheme("http"))})

    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(certificate)
    async with web_server(to_http, tls=server_side) as server:
        async with a_client() as client:
            with pytest.raises(EgressBadAnswer, match="no certificate that is valid"):
                await client.fetch(EgressRequest(url=server.url()), most_bytes=9)
        assert server.requests == []
        # As if its authority were one that the system trusts.
        trusting = ssl.create_default_context(cafile=str(certificate))
        monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting)
        async with a_client() as client:
            with pytest.raises(EgressRefused, match="redirects from https to http"):
                await client.fetch(EgressRequest(url=server.url()), most_bytes=9)
        assert len(server.requests) == 1


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with web_server(hello, "127.0.0.1") as proxy, web_server(hello) as server, a_client() as client:
        monkeypatch.setenv("http_proxy", proxy.url())
        monkeypatch.setenv("HTTP_PROXY", proxy.url())
        await client.fetch(EgressRequest(url=server.url()), most_bytes=9)
        assert proxy.requests == []
        assert len(server.requests) == 1


async def test_a_body_of_200_mb_is_not_taken(tmp_path: Path) -> None:
    sent = 0

    async def large(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for _ in range(200):
            writer.write(bytes(MB))
            await writer.drain()
            sent += 1

    async with raw_server(large) as server, a_client() as client:
        file = tmp_path / "file"
        with pytest.raises(
            EgressTooLarge, match=r"^127\.0\.0\.2 sent more than the 5 MB that are accepted\.$"
        ):
            await client.download(EgressRequest(url=server.url()), file, most_bytes=5 * MB)
        assert file.stat().st_size <= 5 * MB
    assert sent < 50


async def test_a_declared_size_is_believed_before_anything_is_read(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def large(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
        await writer.drain()
        await asked.wait()

    async with raw_server(large) as server, a_client(total_s=30) as client:
        async with asyncio.timeout(10):
            with pytest.raises(EgressTooLarge):
                await client.download(EgressRequest(url=server.url()), tmp_path / "f", most_bytes=MB)


async def test_an_endless_body(tmp_path: Path) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            await writer.drain()

    async with raw_server(endless) as server, a_client() as client:
        with pytest.raises(EgressTooLarge):
            await client.download(EgressRequest(url=server.url()), tmp_path / "file", most_bytes=MB)
        answer = await client.fetch(EgressRequest(url=server.url()), most_bytes=100)
        assert (len(answer.body), answer.truncated) == (100, True)


async def test_a_slow_body(tmp_path: Path) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with raw_server(slow) as server, a_client(total_s=0.3) as client:
        async with asyncio.timeout(10):
            with pytest.raises(EgressTimeout, match=r"did not send all of its answer within 0\.3 seconds\.$"):
                await client.download(EgressRequest(url=server.url()), tmp_path / "file", most_bytes=2 * MB)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nA: b\r\n"])
async def test_no_answer_at_all(start: bytes) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        await reader.read()

    async with raw_server(silent) as server, a_client() as client:
        async with asyncio.timeout(10):
            with pytest.raises(EgressTimeout, match=r"did not answer within 0\.2 seconds\.$") as raised:
                await client.fetch(EgressRequest(url=server.url(), total_s=0.2), most_bytes=9)
        assert raised.value.temporary


HEADER_FLOODS = {
    "many": b"A: b\r\n",
    "long": b"A: " + b"b" * 100_000 + b"\r\n",
    "endless line": b"A" * 10_000,
    "trailers": b"A: b\r\n",
    "early answers": b"\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 x\r\n",
}


HEADS = {
    "trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n",
    "early answers": b"HTTP/1.1 103 Early Hints\r\n",
}


@pytest.mark.parametrize("kind", HEADER_FLOODS)
async def test_endless_headers(kind: str) -> None:
    async def headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEADS.get(kind, b"HTTP/1.1 200 OK\r\n"))
        while True:
            writer.write(HEADER_FLOODS[kind])
            await writer.drain()
            await asyncio.sleep(0)

    async with raw_server(headers) as server, a_client(total_s=1) as client:
        async with asyncio.timeout(20):
            with pytest.raises((EgressBadAnswer, EgressUnreachable, EgressTimeout)):
                await client.fetch(EgressRequest(url=server.url()), most_bytes=9)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_decompression_bomb(encoding: str, tmp_path: Path) -> None:
    zeros = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    bomb = b"".join(zeros.compress(bytes(MB)) for _ in range(300)) + zeros.flush()
    assert len(bomb) < MB

    async def send(request: web.Request) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": encoding})

    async with web_server(send) as server, a_client() as client:
        file = tmp_path / "file"
        with pytest.raises(EgressTooLarge):
            await client.download(EgressRequest(url=server.url()), file, most_bytes=2 * MB)
        assert file.stat().st_size <= 2 * MB
        answer = await client.fetch(EgressRequest(url=server.url()), most_bytes=100)
        assert (answer.body, answer.truncated) == (bytes(100), True)


@pytest.mark.parametrize("members", [1, 3])
async def test_what_is_stored_compressed_is_decompressed(members: int, tmp_path: Path) -> None:
    content = b"".join(bytes([each % 251]) * 997 for each in range(2000))

    async def send(request: web.Request) -> web.StreamResponse:
        body = gzip.compress(content) * members
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    async with web_server(send) as server, a_client() as client:
        file = tmp_path / "file"
        answer = await client.download(EgressRequest(url=server.url()), file, most_bytes=10 * MB)
        assert file.read_bytes() == content * members
        assert answer.size == len(content) * members


@pytest.mark.parametrize(
    ("encoding", "body", "words"),
    [
        ("br", b"abc", "although none was asked for"),
        ("gzip, gzip", b"abc", "although none was asked for"),
        ("gzip", b"abc", "cannot be decompressed"),
        ("gzip", gzip.compress(b"abc" * 100, mtime=0)[:-12], "without its end"),
    ],
)
async def test_bodies_that_cannot_be_decompressed(encoding: str, body: bytes, words: str) -> None:
    async def send(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers={"Content-Encoding": encoding})

    async with web_server(send) as server, a_client() as client:
        with pytest.raises(EgressBadAnswer, match=words):
            await client.fetch(EgressRequest(url=server.url()), most_bytes=1000)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", EgressUnreachable),
        (b"SSH-2.0-OpenSSH_9.2\r\n", EgressBadAnswer),
        (b"HTTP/1.1 two hundred\r\n\r\n", EgressBadAnswer),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", EgressUnreachable),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            (EgressBadAnswer, EgressUnreachable),
        ),
    ],
)
async def test_what_is_not_http(answer: bytes, error: type[Exception] | tuple[type[Exception], ...]) -> None:
    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    async with raw_server(send) as server, a_client() as client:
        with pytest.raises(error, match=r"^127\.0\.0\.2 .*\.$"):
            await client.fetch(EgressRequest(url=server.url()), most_bytes=1000)


async def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.2", 0)) as listener:
        port = listener.getsockname()[1]
    async with a_client(resolver=Names()) as client:
        with pytest.raises(EgressUnreachable, match="could not be connected to"):
            await client.fetch(EgressRequest(url=f"http://127.0.0.2:{port}/"), most_bytes=9)
        with pytest.raises(
            EgressUnreachable, match=r"nowhere\.test could not be found: there is no such name"
        ):
            await client.fetch(EgressRequest(url="http://nowhere.test/"), most_bytes=9)


async def test_plain_http_where_tls_was_asked_for() -> None:
    async with web_server(hello) as server, a_client() as client:
        with pytest.raises((EgressBadAnswer, EgressUnreachable)) as raised:
            await client.fetch(
                EgressRequest(url=server.url("/?token=hush").replace("http:", "https:")), most_bytes=9
            )
        assert "hush" not in str(raised.value)


async def test_a_client_that_is_not_running() -> None:
    client = EgressClient()
    with pytest.raises(EgressUnreachable):
        await client.fetch(EgressRequest(url="http://1.1.1.1/"), most_bytes=1)
    await client.start()
    await client.start()
    await client.stop()
    await client.stop()
