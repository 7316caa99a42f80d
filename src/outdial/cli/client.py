"""The HTTP client of the commands: the same public API that everybody else uses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

import aiohttp

from outdial.cli.problems import CommandFailed
from outdial.supervisor import exit_codes

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8080"
_EXIT_BY_STATUS = {401: exit_codes.DENIED, 403: exit_codes.DENIED, 422: exit_codes.USAGE}
_UPLOAD_TIMEOUT = aiohttp.ClientTimeout(total=300)
_SAVE_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=5, sock_read=60)
_PART = 64 * 1024
_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=5)


class ApiClient:
    """A connection to one server with one token; an async context manager.

    Every method raises CommandFailed with the server's own sentence when the answer is an error.
    """

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/").removesuffix("/api/v1")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._has_token = bool(token)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=_TIMEOUT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, **query: str | int) -> Any:
        """GET `/api/v1/<path>`; the parsed JSON answer."""
        return await self._json("GET", path, params=query)

    async def post_form(self, path: str, form: Mapping[str, str]) -> Any:
        """POST a URL-encoded form, as the examples of the documentation do."""
        return await self._json("POST", path, data=dict(form))

    async def send_json(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """POST or PUT a JSON object."""
        return await self._json(method, path, json=dict(body))

    async def upload(self, path: str, file: Path, name: str | None) -> Any:
        """POST `file` as the multipart field `audio`."""
        try:
            content = file.open("rb")
        except OSError as error:
            raise CommandFailed(f"{file} cannot be read: {error.strerror}.", exit_codes.USAGE) from None
        with content:
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("audio", content, filename=file.name)
            if name:
                form.add_field("name", name)
            return await self._json("POST", path, data=form, timeout=_UPLOAD_TIMEOUT)

    async def save(self, path: str, out: BinaryIO, **query: str) -> int:
        """GET an answer of any length into a file; returns its bytes."""
        async with self._request("GET", path, params=query, timeout=_SAVE_TIMEOUT) as response:
            if response.status != 200:
                raise self._failure(response.status, await _read_json(response))
            size = 0
            async for part in response.content.iter_chunked(_PART):
                size += out.write(part)
            return size

    async def download(self, path: str) -> bytes:
        """GET a binary answer."""
        async with self._request("GET", path, timeout=_UPLOAD_TIMEOUT) as response:
            if response.status != 200:
                raise self._failure(response.status, await _read_json(response))
            return bytes(await response.read())

    async def delete(self, path: str) -> Any:
        """DELETE `/api/v1/<path>`."""
        return await self._json("DELETE", path)

    async def health(self) -> dict[str, Any]:
        """GET `/readyz`, which needs no token; the answer also when it says that something is wrong."""
        async with self._request("GET", "/readyz") as response:
            answer = await _read_json(response)
        return answer if isinstance(answer, dict) else {}

    async def metrics(self) -> str:
        """GET `/metrics`, which the server's own machine may without a token; the text of the answer."""
        async with self._request("GET", "/metrics") as response:
            if response.status == 200:
                return await response.text()
        if response.status in (401, 403):
            raise CommandFailed(
                "/metrics is not open to this machine: give `metrics.token` as --metrics-token, or add the"
                " machine to `metrics.allow` on the server.",
                exit_codes.DENIED,
            )
        raise CommandFailed(f"/metrics was answered with {response.status}.", exit_codes.FAILED)

    async def _json(self, method: str, path: str, **arguments: Any) -> Any:
        async with self._request(method, path, **arguments) as response:
            answer = await _read_json(response)
        if response.status != 200:
            raise self._failure(response.status, answer)
        return answer

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, **arguments: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            raise CommandFailed("The client is not open.", exit_codes.INTERNAL)
        address = path if path.startswith("/") else f"/api/v1/{path}"
        try:
            async with self._session.request(method, self.url + address, **arguments) as response:
                yield response
        except aiohttp.InvalidURL:
            raise CommandFailed(f"{self.url!r} is not the address of a server.", exit_codes.USAGE) from None
        except aiohttp.ClientConnectorError:
            raise CommandFailed(
                f"No server answers at {self.url}. Start one with `outdial serve`, or name another one with"
                " --url or OUTDIAL_URL.",
                exit_codes.UNAVAILABLE,
            ) from None
        except aiohttp.ClientError as error:
            raise CommandFailed(
                f"{self.url} broke the connection off: {str(error) or type(error).__name__}.",
                exit_codes.UNAVAILABLE,
            ) from None
        except TimeoutError:
            raise CommandFailed(f"{self.url} did not answer in time.", exit_codes.UNAVAILABLE) from None

    def _failure(self, status: int, answer: Any) -> CommandFailed:
        sentence = f"The server answered {status}."
        if isinstance(answer, dict):
            errors = answer.get("errors")
            sentences = (
                [line for each in errors.values() for line in each] if isinstance(errors, dict) else []
            )
            sentence = "\n".join(sentences) or str(answer.get("message", sentence))
        if status == 401 and not self._has_token:
            sentence = (
                "This needs a token: `outdial token create` on the server prints one;"
                " give it as OUTDIAL_TOKEN or --token."
            )
        return CommandFailed(sentence, _EXIT_BY_STATUS.get(status, exit_codes.FAILED))


async def _read_json(response: aiohttp.ClientResponse) -> Any:
    try:
        return await response.json(content_type=None)
    except ValueError:
        return None


def with_client(url: str, token: str | None, work: Callable[[ApiClient], Awaitable[T]]) -> T:
    """Run `work` with an open client in an event loop of its own."""

    async def run() -> T:
        async with ApiClient(url, token) as client:
            return await work(client)

    return asyncio.run(run())
