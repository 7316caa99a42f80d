"""What holds a queued call is said in one sentence, by callstatus and by the trace."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.helpers.http_api import BRIDGE, START_MS, Api
from tests.storage.world import switch_trunk

from outdial.domain.call import AttemptOutcome, NewCall
from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.domain.retry_policy import Retry
from outdial.storage import (
    accounts,
    attempts,
    bridges,
    calls,
    claims,
    giving_back,
    leases,
    paces,
    pauses,
    trunks,
)
from outdial.storage.paces import Hold
from outdial.storage.pauses import PauseKind

HOUR_MS = 3_600_000
REQUEST = "70fa87e0-9df9-4327-bc80-a561c48703d8"
ITS_TURN = "Waits for its turn to be dialled."
NOT_TAKEN = (
    "Waits to be taken by a dialer: no limit of its account, bridge or trunk holds it. The dialers have as"
    " many calls as they may, or are starting, stuck or gone."
)


async def queue(api: Api, number: int = 1, **changes: Any) -> str:
    values = {
        "id": f"{REQUEST}:{number}",
        "account_id": api.account_id,
        "bridge": BRIDGE,
        "trunk_id": api.trunk_id,
        "to": "918867135000",
        "submitted_at": api.clock.now,
        "due_at": api.clock.now,
        "sound_id": "sound",
        "name": "spring",
    }
    call = NewCall(**(values | changes))  # type: ignore[arg-type]
    await api.database.run(calls.insert_calls, [call])
    return call.id


async def dialer(api: Api) -> None:
    until = START_MS + 10**9
    await api.database.run(leases.register, "d", host="h", pid=1, now=START_MS, lease_until=until)


async def explanation(api: Api, call_id: str) -> str:
    _, status = await api.call("GET", f"outgoing/callstatus?id={call_id}")
    _, trace = await api.call("GET", f"outgoing/trace?id={call_id}")
    sentence: str = status["data"]["explanation"]
    assert trace["data"]["explanation"] == sentence
    return sentence


async def _pause_account(api: Api) -> None:
    await api.database.run(accounts.pause, api.account_id, now=START_MS)


async def _pause_bridge(api: Api) -> None:
    await api.database.run(bridges.pause, BRIDGE, now=START_MS)


async def _pause_campaign(api: Api) -> None:
    this: tuple[Any, ...] = (api.database, api.account_id, PauseKind.CAMPAIGN, "spring")
    await pauses.pause(*this, request=None, now=START_MS)


async def _pause_request(api: Api) -> None:
    this: tuple[Any, ...] = (api.database, api.account_id, PauseKind.REQUEST, REQUEST)
    await pauses.pause(*this, request=None, now=START_MS)


async def _close_the_window(api: Api) -> None:
    changed = {"calling_window": "daily 16:00-18:00; zone account"}
    await api.database.run(accounts.update, api.account_id, changed)


async def _switch_off(api: Api) -> None:
    await api.database.run(switch_trunk, api.trunk_id, enabled=False)


async def _hold(api: Api) -> None:
    hold = Hold(START_MS + 9_000, "it refuses them: SIP 503 Service Unavailable")
    await api.database.run(paces.note_hold, api.trunk_id, hold, now=START_MS)


@pytest.mark.parametrize("closed", [_switch_off, _hold])
async def test_a_call_that_goes_by_another_trunk_does_not_wait_for_the_first(
    api: Api, closed: Callable[[Api], Any]
) -> None:
    other = trunks.NewTrunk(name="other", host="192.0.2.2", max_concurrent=7)
    second = await api.database.run(trunks.insert, other, now=1)
    bridge = await api.database.read(bridges.get_by_number, BRIDGE)
    assert bridge is not None
    await api.database.run(bridges.update, bridge.id, {"further_trunk_ids": (second.id,)})
    await dialer(api)
    call_id = await queue(api)
    await closed(api)
    assert await explanation(api, call_id) == ITS_TURN
    await api.database.run(switch_trunk, second.id, enabled=False)
    assert (await explanation(api, call_id)).startswith("Waits")
    assert await explanation(api, call_id) != ITS_TURN


SINCE = "is paused since 2019-08-16 15:09:51."


async def test_times_are_the_account_s_own(api: Api) -> None:
    await api.database.run(accounts.update, api.account_id, {"time_zone": "Asia/Kolkata"})
    call_id = await queue(api, due_at=START_MS + 9_000)
    assert await explanation(api, call_id) == "Waits for its time, 2019-08-16 20:40:00."


@pytest.mark.parametrize(
    ("hold", "sentence"),
    [
        (_pause_account, f"Waits: the account {SINCE}"),
        (_pause_bridge, f"Waits: the bridge {BRIDGE} {SINCE}"),
        (_pause_campaign, f"Waits: the campaign 'spring' {SINCE}"),
        (_pause_request, f"Waits: its request {SINCE}"),
        (_close_the_window, "Waits for its calling window, which opens at 2019-08-16 16:00:00."),
        (_switch_off, "Waits: the trunk of its bridge is switched off."),
        (
            _hold,
            "Waits for its trunk, which takes no calls just now (it refuses them: SIP 503 Service"
            " Unavailable); it is tried again at 2019-08-16 15:10:00.",
        ),
    ],
)
async def test_what_holds_a_call_is_said(api: Api, hold: Callable[[Api], Any], sentence: str) -> None:
    await dialer(api)
    call_id = await queue(api)
    assert await explanation(api, call_id) == ITS_TURN
    await hold(api)
    assert await explanation(api, call_id) == sentence


async def test_a_hold_that_is_over_is_not_said(api: Api) -> None:
    await dialer(api)
    call_id = await queue(api)
    await api.database.run(paces.note_hold, api.trunk_id, Hold(START_MS, "it does not answer"), now=START_MS)
    assert await explanation(api, call_id) == ITS_TURN
    await api.database.run(paces.note_hold, api.trunk_id, Hold(START_MS + 1, "it is silent"), now=START_MS)
    assert await explanation(api, call_id) != ITS_TURN
    await api.database.run(paces.note_hold, api.trunk_id, None, now=START_MS)
    assert await explanation(api, call_id) == ITS_TURN


async def test_a_call_without_a_dialer_says_so(api: Api) -> None:
    assert await explanation(api, await queue(api)) == "Waits for a dialer: none is running."


async def test_a_call_whose_time_is_over_does_not_say_that_it_will_be_dialled(api: Api) -> None:
    """Only a dialer ends it; until one runs, it is not done."""
    call_id = await queue(api, expires_at=START_MS + 5_000)
    assert await explanation(api, call_id) == "Waits for a dialer: none is running."
    api.clock.now += 5_000
    over = "The time until which it was to be dialled is over: it is not dialled, and ends"
    assert await explanation(api, call_id) == f"{over} as soon as a dialer runs."
    await _pause_account(api)
    await dialer(api)
    assert await explanation(api, call_id) == f"{over} in a moment."


async def test_a_call_that_ends_before_its_window_opens_says_so(api: Api) -> None:
    await _close_the_window(api)
    call_id = await queue(api, expires_at=START_MS + 5_000)
    assert await explanation(api, call_id) == (
        "Its calling window opens at 2019-08-16 16:00:00, when its time is over (2019-08-16 15:09:56): it"
        " will not be dialled."
    )


async def test_a_call_that_was_given_back_says_why(api: Api) -> None:
    await dialer(api)
    call_id = await queue(api)
    run = api.database.run
    found = await run(claims.claim_due, dialer_id="d", now=START_MS, limit=1, free_by_trunk={api.trunk_id: 1})
    away = "Waits for its sounds: the store where they are kept cannot be reached just now."
    until = START_MS + 9_000
    await run(giving_back.release, found.calls[0].lease, now=START_MS, due_at=until, why=away)
    assert await explanation(api, call_id) == f"{away} It is tried again at 2019-08-16 15:10:00."
    _, answer = await api.call("GET", f"outgoing/trace?id={call_id}")
    assert answer["data"]["explanation"].startswith(away)
    api.clock.now = until
    assert await explanation(api, call_id) == ITS_TURN


async def test_a_call_that_is_scheduled_says_when(api: Api) -> None:
    call_id = await queue(api, due_at=START_MS + 9_000)
    assert await explanation(api, call_id) == "Waits for its time, 2019-08-16 15:10:00."


@pytest.mark.parametrize(
    ("of", "name"),
    [("account", "the account"), ("bridge", "its bridge"), ("trunk", "the trunk of its bridge")],
)
async def test_a_limit_that_is_reached_is_said(api: Api, of: str, name: str) -> None:
    run = api.database.run
    await dialer(api)
    limits: dict[str, Any] = {"calls_per_second": 2.0, "max_concurrent": 1}
    if of == "account":
        await run(accounts.limit, api.account_id, **limits)
    elif of == "bridge":
        await run(bridges.limit, BRIDGE, **limits)
    else:
        await run(trunks.update, api.trunk_id, trunks.NewTrunk(name="t", host="192.0.2.1", **limits))
    call_id = await queue(api, 2, due_at=START_MS - 1_000)
    slow = f"Waits for its turn: {name} may start 2 calls a second."
    assert await explanation(api, call_id) == slow
    await queue(api, 1, due_at=START_MS - 2_000)
    await run(claims.claim_due, dialer_id="d", now=START_MS, limit=1, free_by_trunk={api.trunk_id: 1})
    full = f"Waits for a place: {name} has 1 calls in progress, as many as it may."
    assert await explanation(api, call_id) == full


async def test_a_call_that_no_dialer_takes_is_not_said_to_wait_behind_others(api: Api) -> None:
    """A dialer that was killed has its lease for a while, and there is nobody else in the queue."""
    await dialer(api)
    call_id = await queue(api, 1, due_at=START_MS - 5_000)
    assert await explanation(api, call_id) == NOT_TAKEN


async def test_calls_that_a_full_dialer_does_not_take_are_not_said_to_wait_for_a_rate(api: Api) -> None:
    """It has as many legs as `dispatch.max_concurrent`: nothing starts, though the trunk may."""
    await dialer(api)
    await api.database.run(
        trunks.update, api.trunk_id, trunks.NewTrunk(name="t", host="192.0.2.1", calls_per_second=2.0)
    )
    await queue(api, 1, due_at=START_MS - 3_000)
    await api.database.run(
        claims.claim_due, dialer_id="d", now=START_MS - 3_000, limit=1, free_by_trunk={api.trunk_id: 1}
    )
    for number in (2, 3):
        await queue(api, number, due_at=START_MS - 2_900)
    last = await queue(api, 4, due_at=START_MS - 2_800)
    assert await explanation(api, last) == NOT_TAKEN
    await api.database.run(
        claims.claim_due, dialer_id="d", now=START_MS - 500, limit=1, free_by_trunk={api.trunk_id: 1}
    )
    assert (
        await explanation(api, last)
        == "Waits for its turn: the trunk of its bridge may start 2 calls a second."
    )


async def test_a_call_that_waits_for_its_retry_says_what_the_last_try_came_to(api: Api) -> None:
    run = api.database.run
    await dialer(api)
    call_id = await queue(api, retries=1, interval_minutes=5)
    found = await run(claims.claim_due, dialer_id="d", now=START_MS, limit=1, free_by_trunk={api.trunk_id: 1})
    busy = AttemptOutcome(
        disposition=Disposition.BUSY,
        reason=EndReason.REJECTED,
        hangup_by=HangupBy.CALLEE,
        ended_at=START_MS,
        sip_code=486,
    )
    retry = Retry(START_MS + 300_000, spends_attempt=True)
    assert await run(attempts.finish, found.calls[0].lease, busy, retry, now=START_MS)
    await _switch_off(api)
    waits = "Waits to be tried again at 2019-08-16 15:14:51. The last try: The callee was busy (SIP 486)."
    assert await explanation(api, call_id) == waits
    api.clock.now += 300_000
    assert await explanation(api, call_id) == "Waits: the trunk of its bridge is switched off."
