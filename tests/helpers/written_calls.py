"""Calls of an API under test, and the rows that a dialer would write of them."""

from outdial.domain.call import AttemptOutcome, ClaimedCall, MediaQuality, NewCall
from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.domain.retry_policy import RetryDecision
from outdial.storage import attempts, claims, leases
from tests.helpers.http_api import BRIDGE, START_MS, Api

CALL_ID = "70fa87e0-9df9-4327-bc80-a561c48703d8:1"
DIALER = "dialer-1"
ANSWERED = AttemptOutcome(
    disposition=Disposition.ANSWER,
    reason=EndReason.COMPLETED,
    hangup_by=HangupBy.SYSTEM,
    dialing_at=START_MS + 100,
    ringing_at=START_MS + 200,
    answered_at=START_MS + 3_300,
    ended_at=START_MS + 22_200,
    sip_call_id="abc",
    sip_code=200,
    sip_reason="OK",
    dtmf="42#",
    codec="PCMA",
    ptime_ms=20,
    played_ms=18_500,
    quality=MediaQuality(packets_sent=945, jitter_ms=0.5, mos=4.4),
)


def new_call(api: Api, call_id: str = CALL_ID, **changes: object) -> NewCall:
    values: dict[str, object] = {
        "id": call_id,
        "account_id": api.account_id,
        "bridge": BRIDGE,
        "trunk_id": api.trunk_id,
        "to": "918867135000",
        "iso": "IN",
        "submitted_at": START_MS,
        "due_at": START_MS,
        "sound_id": "39888925-718e-43bb-a8b1-d4a3e1f0c2b7",
        "name": "campaign",
        "customid": "order 7",
        "retries": 1,
        "interval_minutes": 5,
    }
    return NewCall(**(values | changes))  # type: ignore[arg-type]


async def claim(api: Api) -> ClaimedCall:
    """Claim the one call that is due."""
    now = api.clock()
    alive = await api.database.read(leases.alive, now=now)
    if DIALER not in alive:
        await api.database.run(
            leases.register, DIALER, host="h", pid=1, now=now, lease_until=now + 10_000_000
        )
    found = await api.database.run(
        claims.claim_due, dialer_id=DIALER, now=now, limit=10, free_by_trunk={api.trunk_id: 10}
    )
    (claimed,) = found.calls
    return claimed


async def finish(api: Api, claimed: ClaimedCall, outcome: AttemptOutcome, decision: RetryDecision) -> None:
    now = outcome.ended_at
    assert await api.database.run(attempts.mark_dialing, claimed.lease, now=now)
    assert await api.database.run(attempts.finish, claimed.lease, outcome, decision, now=now)
