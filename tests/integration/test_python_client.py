"""The guide to the Python client, run block by block as one program against a real server."""

import asyncio
import base64
import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.system import System

from outdial.audio.samples import welcome_mp3
from outdial.domain.scope import Scope
from outdial.storage import tokens
from outdial.webhooks.signing import sign

pytestmark = pytest.mark.timeout(200)

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "python-client.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
async def system(tmp_path: Path, sqlite_url: str) -> AsyncIterator[System]:
    async with System(tmp_path, sqlite_url) as running:
        await running.start()
        yield running


async def test_the_guide_works_as_printed(
    system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    await system.write(
        tokens.insert,
        account_id=1,
        name="guide",
        new_secret=lambda: "the guide's token",
        now=1,
        scopes=[Scope.ACCOUNT, Scope.ADMIN],
    )
    monkeypatch.setenv("OUTDIAL_URL", system.url)
    monkeypatch.setenv("OUTDIAL_TOKEN", "the guide's token")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "welcome.mp3").write_bytes(welcome_mp3())
    program: dict[str, Any] = {}
    for number, block in enumerate(BLOCKS):
        await asyncio.to_thread(exec, compile(block, f"{GUIDE.name} block {number}", "exec"), program)

    printed = capsys.readouterr().out
    assert "123 is not called: '123'" in printed
    assert "ANSWER 42#" in printed
    assert "1 200 system" in printed
    assert f"{program['call']['id']} 12025550109 ANSWER" in printed
    assert "['There is no bridge 12025550000" in printed

    secret = "whsec_" + base64.b64encode(b"key").decode()
    event = {"attempts_left": 0, "customid": "order-4711", "status": "ANSWER", "dtmf": "1"}
    body = json.dumps(event).encode()
    signature = sign(secret, message_id="m", timestamp_s=int(time.time()), body=body)
    headers = {"webhook-id": "m", "webhook-timestamp": str(int(time.time())), "webhook-signature": signature}
    assert program["on_request"](secret, headers, body) == 200
    assert program["on_request"]("another", headers, body) == 401
    assert "order-4711 ANSWER 1" in capsys.readouterr().out
    program["outdial"].close()
