"""A disk without room: a 507 that says so, a line in the log, and everything goes on when there is room."""

import errno
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.helpers.http_api import BRIDGE, Api
from tests.unit.api.test_voice_sounds import _upload, _wav

from outdial.storage.calls import find

NUMBERS = 20
FULL = {
    "status": 507,
    "message": "The server's disk is full: nothing was stored. Try again when there is room.",
    "errors": {},
}


class Disk:
    """Of SQLite: with a limit, each new connection may use no more pages than the file has."""

    def __init__(self, api: Api) -> None:
        self.full = False
        self._database = api.database
        self._database._retry_for_s = 0.2
        assert self._database._engines is not None
        sa.event.listen(self._database._engines[0], "connect", self._limit)

    def _limit(self, connection: Any, _record: object) -> None:
        if self.full:
            connection.execute("PRAGMA max_page_count = 1")  # SQLite takes the current size for it

    async def fill(self) -> None:
        self.full = True
        await self._database.run(lambda conn: conn.exec_driver_sql("PRAGMA max_page_count = 1"))


async def test_calls_are_refused_while_the_database_has_no_room(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = (await _upload(api, _wav()))[1]["data"]["id"]
    disk = Disk(api)
    numbers = ",".join(f"1202555{number:04}" for number in range(NUMBERS))
    form = {"bridge": BRIDGE, "to": numbers, "audio": sound, "variables[note]": "x" * 900}
    await disk.fill()
    async with api.session.post(f"{api.url}/api/v1/outgoing/send", data=form, headers=api.bearer) as response:
        assert (response.status, await response.json()) == (507, FULL)
        assert response.headers["Retry-After"] == "60"
    assert await api.database.read(find, api.account_id) == []
    log = capsys.readouterr().out
    assert "disk_full" in log
    assert "database or disk is full" in log

    disk.full = False
    status, answer = await api.call("POST", "outgoing/send", data=form)
    assert (status, len(answer["data"])) == (200, NUMBERS)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
async def test_an_upload_is_refused_and_leaves_nothing(
    api: Api, number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_room(self: Path, *_: object, **__: object) -> None:
        raise OSError(number, "no room", str(self))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", no_room)
        assert await _upload(api, _wav()) == (507, FULL)
    assert "disk_full" in capsys.readouterr().out
    assert list(api.context.options.work_dir.iterdir()) == []
    assert (await api.call("GET", "voice/sounds"))[1]["data"] == []
    assert (await _upload(api, _wav()))[0] == 200


async def test_another_fault_of_the_disk_is_a_500(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error", str(self))

    monkeypatch.setattr(Path, "open", broken)
    assert (await _upload(api, _wav()))[0] == 500
