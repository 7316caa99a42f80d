"""Whether and when a call is dialled again after an attempt ended.

One budget a call: `retries` further attempts at the callee. A fault of the trunk (or of ours) that
reached nobody does not spend it; it is tried again on its own short, bounded ladder, so that a call can
neither spin nor wait for ever behind a trunk that refuses it.
"""

from dataclasses import dataclass

from outdial.domain.call import AttemptOutcome
from outdial.domain.disposition import DECLINED_CODES, Disposition, EndReason
from outdial.domain.q850 import CALL_REJECTED, is_about_the_callee

TRUNK_FAULT_DELAYS_MS = (1_000, 5_000, 15_000)
"""The wait before each redial after a trunk fault. A longer outage is the business of the trunk's own
back-off (`domain.pacing`), which keeps calls queued instead of using them up."""

_MINUTE_MS = 60_000

_FINAL = frozenset({Disposition.ANSWER, Disposition.CANCEL, Disposition.CONGESTION})

_NOT_MENDED_BY_A_REDIAL = frozenset(
    {EndReason.SOUND_MISSING, EndReason.AUDIO_UNAVAILABLE, EndReason.INTERRUPTED, EndReason.NO_CREDIT}
)


@dataclass(frozen=True, slots=True)
class Retry:
    """The call is queued again."""

    due_at: int
    """When it may be dialled, Unix milliseconds."""
    spends_attempt: bool
    """Whether the attempt that ended counts against the call's budget; if not, it was a trunk fault."""


@dataclass(frozen=True, slots=True)
class Done:
    """The call is over: the attempt's outcome is the call's."""


RetryDecision = Retry | Done


_NO_WAY_IN = frozenset({EndReason.NO_RESPONSE, EndReason.TRANSPORT_FAILED, EndReason.AUTHENTICATION_FAILED})
_ACCOUNT_CODES = frozenset({401, 402, 403, 407})
"""What a carrier says about us, not about the callee."""


def may_go_elsewhere(outcome: AttemptOutcome) -> bool:
    """Whether an attempt may be made again at once by another trunk: this one took no call.

    Never once anything but 100 Trying came, for a phone may have rung; never where the answer is, or may be,
    the callee's own (4xx, 6xx, 3xx, a Q.850 cause), who would be asked again what they have refused.
    """
    if outcome.disposition is not Disposition.CHANUNAVAIL or outcome.ringing_at is not None:
        return False
    if outcome.reason in _NO_WAY_IN:
        return True
    if outcome.reason is not EndReason.REJECTED or outcome.sip_code is None:
        return False
    if is_about_the_callee(outcome.q850):
        return False
    return outcome.sip_code in _ACCOUNT_CODES or 500 <= outcome.sip_code < 600


def decide(
    disposition: Disposition,
    reason: EndReason,
    sip_code: int | None,
    *,
    q850: int | None = None,
    rang: bool,
    attempts_spent: int,
    trunk_faults: int,
    retries: int,
    interval_minutes: int,
    ended_at: int,
    trunk_fault_delays_ms: tuple[int, ...] = TRUNK_FAULT_DELAYS_MS,
) -> RetryDecision:
    """Decide about the next attempt.

    `attempts_spent` and `trunk_faults` count the earlier attempts of this call, without the one that just
    ended at `ended_at` (Unix milliseconds). The clock of a retry starts there, not when the call was
    accepted. An answer, a cancel, a callee who declined and a number that does not exist are final. A trunk
    fault after the phone rang counts as an attempt, because the callee noticed it. A call that our own
    shutdown cut before it was answered is treated like a trunk fault.
    """
    if reason in _NOT_MENDED_BY_A_REDIAL:
        return Done()
    ours = reason is EndReason.SHUTDOWN and disposition is Disposition.CANCEL
    if (ours or disposition is Disposition.CHANUNAVAIL) and not rang:
        if trunk_faults >= len(trunk_fault_delays_ms):
            return Done()
        return Retry(due_at=ended_at + trunk_fault_delays_ms[trunk_faults], spends_attempt=False)
    final = sip_code in DECLINED_CODES or q850 == CALL_REJECTED or (disposition in _FINAL and not ours)
    if final or attempts_spent >= retries:
        return Done()
    return Retry(due_at=ended_at + interval_minutes * _MINUTE_MS, spends_attempt=True)
