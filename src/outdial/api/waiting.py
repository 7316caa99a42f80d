"""What a queued call waits for, as one sentence: the first of all reasons that hold it."""

from dataclasses import dataclass

import sqlalchemy as sa

from outdial.api.answers import family_time
from outdial.api.explanation import waits_for_audio, waits_for_speech
from outdial.domain.call import Call
from outdial.domain.pace_ledger import Limits
from outdial.domain.prompt import is_prompt
from outdial.egress.urls import parse_target
from outdial.storage import (
    accounts,
    audio_urls,
    bridges,
    dial,
    leases,
    paces,
    pauses,
    trunks,
    ways,
)
from outdial.storage.accounts import Account
from outdial.storage.bridges import Bridge
from outdial.storage.pauses import PauseKind
from outdial.storage.trunks import Trunk

_ITS_TURN_MS = 1_000
"""A call that has been due for less is on its way."""


@dataclass(frozen=True, slots=True)
class _Limited:
    """Something that limits calls, and how a sentence names it."""

    name: str
    kind: str
    thing_id: int
    key: int | str
    """What its calls name it by."""
    limits: Limits


def waits_for(conn: sa.Connection, call: Call, *, now: int) -> str | None:
    """Say what holds a queued call; None where nothing does but its turn, or its time to be tried again."""
    account = accounts.get(conn, call.account_id)
    bridge = bridges.get_by_number(conn, call.bridge)
    trunk = trunks.get(conn, call.trunk_id)
    if account is None or trunk is None:
        return None
    if call.expires_at is not None and call.expires_at <= now:
        when = "in a moment" if leases.alive(conn, now=now) else "as soon as a dialer runs"
        return f"The time until which it was to be dialled is over: it is not dialled, and ends {when}."
    held = (
        _pause(conn, call, account, bridge)
        or _audio(conn, call, now)
        or _held(call, now)
        or _time(call, account, now)
    )
    if held is not None or call.due_at > now:
        return held
    if bridge is not None and trunk.id in bridge.ways:
        trunk = _way(conn, bridge, now) or trunk
    return _trunk(conn, trunk, now) or _limit(conn, call, _limits(account, bridge, trunk), now)


def _pause(conn: sa.Connection, call: Call, account: Account, bridge: Bridge | None) -> str | None:
    if account.paused_at is not None:
        return f"Waits: the account is paused since {family_time(account.paused_at)}."
    if bridge is not None and bridge.paused_at is not None:
        return f"Waits: the bridge {bridge.number} is paused since {family_time(bridge.paused_at)}."
    pause = pauses.holding(conn, call.account_id, campaign=call.name, call_id=call.id)
    if pause is None:
        return None
    what = f"the campaign {call.name!r}" if pause.kind is PauseKind.CAMPAIGN else "its request"
    return f"Waits: {what} is paused since {family_time(pause.paused_at)}."


def _audio(conn: sa.Connection, call: Call, now: int) -> str | None:
    if call.audio_url is None:
        return None
    known = audio_urls.look(conn, call.audio_url, now=now)
    if not isinstance(known, audio_urls.Busy):
        return None
    if is_prompt(call.audio_url):
        return waits_for_speech(known.problem)
    return waits_for_audio(parse_target(call.audio_url).host, known.problem)


def _held(call: Call, now: int) -> str | None:
    if call.held_why is None or call.due_at <= now:
        return None
    return f"{call.held_why} It is tried again at {family_time(call.due_at)}."


def _time(call: Call, account: Account, now: int) -> str | None:
    window = call.calling_window or account.calling_window
    if window is not None and dial.opening(window, now, to=call.to, time_zone=account.time_zone) > now:
        at = dial.opening(window, max(now, call.due_at), to=call.to, time_zone=account.time_zone)
        if call.expires_at is not None and call.expires_at <= at:
            return (
                f"Its calling window opens at {family_time(at)}, when its time is over"
                f" ({family_time(call.expires_at)}): it will not be dialled."
            )
        return f"Waits for its calling window, which opens at {family_time(at)}."
    if call.due_at > now and call.attempts_started == 0 and call.callback_of is None:
        return f"Waits for its time, {family_time(call.due_at)}."
    return None


def _way(conn: sa.Connection, bridge: Bridge, now: int) -> Trunk | None:
    """Return the first trunk of a bridge that takes calls."""
    up = ways.up_of(conn, bridge.ways, now=now)
    best = next((each for each in bridge.ways if each in up), None)
    return None if best is None else trunks.get(conn, best)


def _trunk(conn: sa.Connection, trunk: Trunk, now: int) -> str | None:
    if not leases.alive(conn, now=now):
        return "Waits for a dialer: none is running."
    if not trunk.enabled:
        return "Waits: the trunk of its bridge is switched off."
    held = paces.held(conn, trunk.id, now=now)
    if held is None:
        return None
    return (
        f"Waits for its trunk, which takes no calls just now ({held.why}); it is tried again at"
        f" {family_time(held.until)}."
    )


def _limits(account: Account, bridge: Bridge | None, trunk: Trunk) -> list[_Limited]:
    limited = [
        _Limited(
            "the account",
            paces.ACCOUNT,
            account.id,
            account.id,
            Limits(account.calls_per_second, account.max_concurrent),
        ),
        _Limited(
            "the trunk of its bridge",
            paces.TRUNK,
            trunk.id,
            trunk.id,
            Limits(trunk.calls_per_second, trunk.max_concurrent),
        ),
    ]
    if bridge is not None:
        limits = Limits(bridge.calls_per_second, bridge.max_concurrent)
        limited.insert(1, _Limited("its bridge", paces.BRIDGE, bridge.id, bridge.number, limits))
    return limited


def _limit(conn: sa.Connection, call: Call, limited: list[_Limited], now: int) -> str | None:
    if call.due_at > now - _ITS_TURN_MS:
        return None
    for each in limited:
        most = each.limits.max_concurrent
        if most is not None and paces.active(conn, each.kind, each.key) >= most:
            return f"Waits for a place: {each.name} has {most} calls in progress, as many as it may."
    rate, slowest = min(
        (
            (each.limits.calls_per_second, each)
            for each in limited
            if each.limits.calls_per_second is not None
        ),
        key=lambda each: each[0],
    )
    started = paces.last_start(conn, slowest.kind, slowest.thing_id) or 0
    if max(call.due_at, started) < now - _ITS_TURN_MS - 1_000 / rate:
        return (
            "Waits to be taken by a dialer: no limit of its account, bridge or trunk holds it. The dialers"
            " have as many calls as they may, or are starting, stuck or gone."
        )
    return f"Waits for its turn: {slowest.name} may start {rate:g} calls a second."
