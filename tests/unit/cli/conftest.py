import asyncio
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from tests.helpers.http_api import Api, running_api

from outdial.cli.main import main


@dataclass
class Result:
    """What a command left behind."""

    status: int
    out: str
    err: str


Outdial = Callable[..., Result]


@pytest.fixture
def outdial(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Outdial:
    """Runs a command line in a folder and an environment of its own."""
    for name in [name for name in os.environ if name.startswith("OUTDIAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OUTDIAL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["outdial", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capsys.readouterr()
        return Result(int(caught.value.code or 0), out, err)

    return run


class ApiInThread:
    """An API beside the test: commands have event loops of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.api: Api | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        async with running_api(self._folder) as api:
            self.api = api
            self._ready.set()
            await self._stop.wait()

    def __enter__(self) -> "ApiInThread":
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def run(self, query: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Run a query on the API's database."""
        assert self.api is not None
        assert self._loop is not None
        work = self.api.database.run(query, *arguments, **named)
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


@pytest.fixture
def api_server(tmp_path: Path, outdial: Outdial, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiInThread]:
    """A running API whose address and token are in the environment."""
    folder = tmp_path / "api"
    folder.mkdir()
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(io.StringIO()))
    with ApiInThread(folder) as server:
        assert server.api is not None
        monkeypatch.setenv("OUTDIAL_URL", server.api.url)
        monkeypatch.setenv("OUTDIAL_TOKEN", server.api.token)
        yield server
    structlog.reset_defaults()
