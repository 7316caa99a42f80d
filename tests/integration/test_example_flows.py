"""The examples of the documentation as real calls: phones press keys, and the flows end as the pages say.

Phones of the simulated network press at their own pace, whatever is being said; and so do phones that share
nothing with us: sipp, which sends keys by INFO, and baresip, which sends them as telephone-event.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from aiohttp import web
from tests.helpers.baresip import Baresip
from tests.helpers.poll import WITHIN_S
from tests.helpers.sipp import Sipp
from tests.helpers.sound import melody
from tests.helpers.system import BRIDGE, System
from tests.helpers.web_server import web_server

from outdial.storage import bridges, suppressions, trunks
from outdial.supervisor.first_start import default_account
from outdial.supervisor.parts import wall_clock_ms

pytestmark = pytest.mark.timeout(300)

FLOWS = Path(__file__).parents[2] / "examples" / "flows"
CALLEE = "12025550100"
AGENT = "12025550160"
ALWAYS_OPEN = [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}]


@dataclass(frozen=True)
class Example:
    """One call to an example, and how it ends."""

    flow: str
    keys: str
    """Pressed by the callee, `gap` seconds apart, the first two seconds after the answer."""
    path: tuple[str, ...]
    result: str
    variables: dict[str, str] = field(default_factory=dict)
    collected: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    gap: float = 6.0
    """Enough for a text to be spoken that nobody has heard yet."""


EXAMPLES = [
    Example("otp", "2", ("greeting", "code", "heard"), "success", {"otp": "4711"}),
    Example("otp", "1", ("greeting", "code", "repeat", "last", "heard"), "success", {"otp": "4711"}),
    Example(
        "appointment_reminder",
        "221",
        ("reminder", "ask_cancel", "reminder", "confirmed", "thanks", "success"),
        "success",
        {"day": "2026-03-05", "time": "09:30", "practice": "the clinic"},
    ),
    Example(
        "appointment_reminder",
        "3",
        ("reminder", "moved", "moved_result"),
        "move",
        tags=("wants_another_day",),
    ),
    Example(
        "emergency_broadcast",
        "1",
        ("warning", "acknowledged", "is_team", "thanks", "success"),
        "success",
        {"message": "The dam may break.", "incident": "9"},
    ),
    Example(
        "emergency_broadcast",
        "1*",
        ("warning", "acknowledged", "is_team", "room", "success"),
        "success",
        {"message": "The dam may break.", "incident": "9", "team": "yes"},
    ),
    Example(
        "survey",
        "51",
        ("intro", "satisfaction", "again", "yes", "how_content", "thanks", "success"),
        "success",
        collected={"satisfaction": 5, "again": True},
    ),
    Example(
        "survey",
        "12#",
        ("intro", "satisfaction", "again", "no", "how_content", "comment", "thanks", "success"),
        "success",
        collected={"satisfaction": 1, "again": False},
        gap=9.0,
    ),
    Example(
        "payment_reminder",
        "1",
        ("lookup", "paid", "remind", "promised", "promised_result"),
        "success",
        {"invoice": "7", "amount": "12.5", "status_url": "open"},
        tags=("promised",),
    ),
    Example(
        "payment_reminder",
        "",
        ("lookup", "paid", "paid_already"),
        "paid",
        {"invoice": "7", "amount": "12.5", "status_url": "paid"},
    ),
    Example(
        "payment_reminder",
        "2",
        ("lookup", "remind", "hours", "agent", "talked"),
        "success",
        {"invoice": "7", "amount": "12.5", "agents": AGENT},
        collected={"agent": AGENT},
    ),
    Example(
        "payment_reminder", "9", ("lookup", "remind", "opt_out", "opted_out"), "opted_out", {"invoice": "7"}
    ),
]


OVER_THE_WIRE = {
    ("otp", "1"),
    ("appointment_reminder", "3"),
    ("emergency_broadcast", "1*"),
    ("survey", "51"),
    ("payment_reminder", "2"),
}
"""Flow and keys: one call to each flow by phones that share nothing with us."""


def number_of(position: int) -> str:
    return f"1202555{2000 + position}"


def phones() -> str:
    tables = [f"[phones.{AGENT}]\nlike = '12025550101'\nhang_up_after_s = 12.0"]
    for position, example in enumerate(EXAMPLES):
        tables.append(
            f"[phones.{number_of(position)}]\nlike = '12025550100'\n"
            f"digits = '{example.keys}'\ndigits_after_s = 2.0\ndigit_gap_ms = {round(example.gap * 1_000)}"
        )
    return "\n".join(tables)


async def ok(system: System, method: str, path: str, **arguments: Any) -> Any:
    status, answer = await system.request(method, path, **arguments)
    assert status == 200, answer
    return answer["data"]


async def publish(system: System, name: str) -> int:
    """Publish an example; its agents have no closing time here."""
    document = json.loads((FLOWS / f"{name}.json").read_text())
    if "hours" in document["nodes"]:
        document["nodes"]["hours"]["settings"]["hours"] = ALWAYS_OPEN
    flow = await ok(system, "POST", "flows", json={"name": name, "document": document})
    await ok(system, "POST", f"flows/{flow['id']}/publish", json={})
    return int(flow["id"])


async def call(
    system: System, flow: int, to: str, variables: dict[str, str], *, bridge: str = BRIDGE
) -> dict[str, Any]:
    """Call somebody into a flow; how the call ended."""
    form = {"bridge": bridge, "to": to, "ivr_id": str(flow)}
    form |= {f"variables[{name}]": value for name, value in variables.items()}
    [row] = await ok(system, "POST", "outgoing/send", data=form)
    return dict(await system.done(row["id"]))


@pytest.fixture
async def system(tmp_path: Path, sqlite_url: str) -> AsyncIterator[System]:
    settings = {"egress.allow": '["127.0.0.2"]'}
    async with System(tmp_path, sqlite_url, phones=phones(), settings=settings) as running:
        await running.start()
        yield running


async def test_every_example_ends_as_its_page_says(system: System) -> None:
    async def is_paid(request: web.Request) -> web.Response:
        return web.json_response({"state": request.path.strip("/")})

    flows = {name: await publish(system, name) for name in sorted({each.flow for each in EXAMPLES})}
    async with web_server(is_paid) as shop, asyncio.TaskGroup() as group:
        calls = []
        for position, example in enumerate(EXAMPLES):
            variables = dict(example.variables)
            if "status_url" in variables:
                variables["status_url"] = shop.url(f"/{variables['status_url']}")
            work = call(system, flows[example.flow], number_of(position), variables)
            calls.append(group.create_task(work))
    for position, (example, task) in enumerate(zip(EXAMPLES, calls, strict=True)):
        check(example, task.result())
        if example.result == "opted_out":
            number = number_of(position)
            assert system.read(suppressions.blocking, 1, number, bridge=BRIDGE, tag="") is not None


async def test_every_example_with_keys_that_sipp_sends_by_info(system: System, tmp_path: Path) -> None:
    async def one(example: Example, position: int) -> None:
        if len(example.keys) == 1:
            scenario, keywords = "presses_a_key", {"key": example.keys, "agent": AGENT}
        else:
            scenario, keywords = "presses_keys", dict(zip(("first", "second"), example.keys, strict=True))
        calls = 2 if "agent" in example.path else 1
        async with Sipp(scenario, tmp_path, keywords=keywords, calls=calls) as far:
            status = await call_over(system, far, example, position)
            await far.passed()
        check(example, status)
        assert status["dtmf"] == example.keys

    await side_by_side(one)


@pytest.mark.baresip
async def test_every_example_with_keys_that_baresip_sends_as_telephone_events(
    system: System, tmp_path: Path
) -> None:
    async def one(example: Example, position: int) -> None:
        folder = tmp_path / f"baresip-{position}"
        folder.mkdir()
        speech = melody(60, 8000)
        phone = Baresip(folder, codecs=["PCMA"], speech=speech, rate=8000, user=CALLEE, others=[AGENT])
        async with phone, asyncio.TaskGroup() as group:
            calling = group.create_task(call_over(system, phone, example, position))
            await phone.event("CALL_ESTABLISHED", within_s=WITHIN_S)  # texts are spoken before the dial
            for count, key in enumerate(example.keys):
                await asyncio.sleep(example.gap if count else 2)  # a person, listening
                await phone.command("sndcode", key)
            if "agent" in example.path:
                await phone.event("CALL_ESTABLISHED")
                await asyncio.sleep(10)
                await phone.use(AGENT)
                await phone.command("hangup")
            status = await calling
        check(example, status)
        assert status["dtmf"] == example.keys
        assert np.abs(phone.heard()).max() > 1_000, "it has heard the flow"

    await side_by_side(one)


async def side_by_side(one: Callable[[Example, int], Coroutine[Any, Any, None]]) -> None:
    """One call to each flow: they share nothing but the server."""
    chosen = [example for example in EXAMPLES if (example.flow, example.keys) in OVER_THE_WIRE]
    assert {example.flow for example in chosen} == {file.stem for file in FLOWS.glob("*.json")}
    async with asyncio.TaskGroup() as group:
        for position, example in enumerate(chosen):
            group.create_task(one(example, position))


async def call_over(system: System, far: Sipp | Baresip, example: Example, position: int) -> dict[str, Any]:
    """Call a phone of a trunk of its own into an example; how the call ended."""
    bridge = f"1202555{3000 + position}"

    def add(conn: sa.Connection) -> None:
        new = trunks.NewTrunk(name=bridge, host=far.host, port=far.port)
        trunk, now = trunks.insert(conn, new, now=wall_clock_ms()), wall_clock_ms()
        account = default_account(conn)
        bridges.insert(conn, number=bridge, account_id=account.id, trunk_id=trunk.id, now=now)

    await system.write(add)
    flow = await publish(system, example.flow)
    return await call(system, flow, CALLEE, example.variables, bridge=bridge)


def check(example: Example, status: dict[str, Any]) -> None:
    assert status["status"] == "ANSWER", (example, status)
    run = status["attempts"][0]["flow"]
    assert tuple(step["node"] for step in run["path"]) == example.path, [
        (s["node"], s["exit"], s["entered_at"][-8:], s["seconds"]) for s in run["path"]
    ] + [status["dtmf"], status["attempts"][0]["answered_at"]]
    assert run["result"] == example.result
    assert example.collected.items() <= run["variables"].items()
    assert tuple(run["tags"]) == example.tags
