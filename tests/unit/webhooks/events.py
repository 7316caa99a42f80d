"""Events to send, without a database."""

from typing import Any

from outdial.domain.call import AttemptOutcome, Call, CallState, Cdr
from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.storage.outbox_claims import Event
from outdial.storage.webhooks import Webhook

CALL_ID = "70fa87e0-9df9-4327-bc80-a561c48703d8:1"
END_MS = 1_565_968_214_000  # 2019-08-16 15:10:14 UTC
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def webhook(**changes: Any) -> Webhook:
    values: dict[str, Any] = {
        "id": 7,
        "account_id": 1,
        "name": "crm",
        "uri": "https://example.com/calls",
        "secret": SECRET,
        "secret_as_bearer": False,
        "verification_code": "code",
        "former_secret": None,
        "former_secret_until": None,
        "verified_at": 1,
        "off_at": None,
        "off_reason": None,
        "failing_since": None,
        "not_before": 0,
        "created_at": 1,
        "updated_at": 1,
    }
    return Webhook(**(values | changes))


def call(**changes: Any) -> Call:
    values: dict[str, Any] = {
        "id": CALL_ID,
        "account_id": 1,
        "bridge": "918068280000",
        "trunk_id": 1,
        "to": "918867135000",
        "iso": "IN",
        "sound_id": "sound",
        "submitted_at": END_MS - 30_000,
        "due_at": END_MS - 30_000,
        "name": "obd_api_call",
        "state": CallState.DONE,
        "attempts_started": 1,
        "attempts_spent": 1,
        "trunk_faults": 0,
        "cancel_requested_at": None,
        "disposition": Disposition.ANSWER,
        "reason": EndReason.COMPLETED,
        "done_at": END_MS,
    }
    return Call(**(values | changes))


def cdr(**changes: Any) -> Cdr:
    values: dict[str, Any] = {
        "disposition": Disposition.ANSWER,
        "reason": EndReason.COMPLETED,
        "hangup_by": HangupBy.SYSTEM,
        "answered_at": END_MS - 18_500,
        "ended_at": END_MS,
        "sip_code": 200,
        "dtmf": "1",
    }
    return Cdr(call_id=CALL_ID, number=1, dialer_id="d", outcome=AttemptOutcome(**(values | changes)))


def event(**changes: Any) -> Event:
    values: dict[str, Any] = {
        "id": 1,
        "claim": 1,
        "webhook": webhook(),
        "call": call(),
        "cdr": cdr(),
        "sequence": 1,
        "attempts_left": 0,
        "tries": 1,
        "created_at": END_MS + 10,
        "expires_at": END_MS + 3 * 86_400_000,
        "time_zone": "UTC",
    }
    return Event(**(values | changes))
