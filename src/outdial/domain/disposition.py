"""How an attempt ended: from SIP's code and Q.850's cause to one of six words.

The raw code, reason and `hangup_by` are kept beside the word in the CDR, so nothing is lost by the mapping.
"""

from enum import StrEnum, unique

from outdial.domain.q850 import CALL_REJECTED


@unique
class Disposition(StrEnum):
    """The status of a call as the API reports it."""

    ANSWER = "ANSWER"
    """The callee picked up."""
    BUSY = "BUSY"
    """Busy, or declined."""
    NOANSWER = "NOANSWER"
    """It rang too long, or the callee's phone was unavailable."""
    CANCEL = "CANCEL"
    """We hung up before the callee picked up."""
    CONGESTION = "CONGESTION"
    """The dialled number is not recognised."""
    CHANUNAVAIL = "CHANUNAVAIL"
    """The trunk could not take the call."""


@unique
class HangupBy(StrEnum):
    """Who ended the leg."""

    SYSTEM = "system"
    """Outdial: the announcement was over, a limit was reached, the call was cancelled, or a fault of ours."""
    CALLEE = "callee"
    """The far end: a BYE, or a final failure response that speaks for the callee."""
    NETWORK = "network"
    """The trunk, or nobody: no response, no route, no RTP, an expired session."""


@unique
class EndReason(StrEnum):
    """Why an attempt ended; stored in the CDR as it is spelled here."""

    COMPLETED = "completed"
    """The announcement or flow ran to its end and we hung up."""
    CALLEE_HUNG_UP = "callee_hung_up"
    CANCELLED = "cancelled"
    """Somebody asked us to cancel the call."""
    RING_TIMEOUT = "ring_timeout"
    REJECTED = "rejected"
    """A final SIP failure response, in `sip_code`."""
    NO_RESPONSE = "no_response"
    """The INVITE transaction timed out without any response (RFC 3261 §17.1.1.2, timer B)."""
    TRANSPORT_FAILED = "transport_failed"
    """The request could not be sent: no route, name not resolved, port unreachable."""
    AUTHENTICATION_FAILED = "authentication_failed"
    """The trunk challenged us again after it had seen our credentials, or we have none."""
    INCOMPATIBLE_MEDIA = "incompatible_media"
    """The SDP answer was missing or unusable."""
    SOUND_MISSING = "sound_missing"
    """The announcement was deleted, or cannot be read."""
    AUDIO_UNAVAILABLE = "audio_unavailable"
    """What the audio URL leads to could not be fetched or is not audio; nobody was dialled."""
    NO_MEDIA_PORT = "no_media_port"
    RTP_TIMEOUT = "rtp_timeout"
    """Answered, but no RTP arrived for longer than the limit."""
    MEDIA_WORKER_LOST = "media_worker_lost"
    SESSION_EXPIRED = "session_expired"
    """The session timer ran out (RFC 4028 §10)."""
    MAX_DURATION = "max_duration"
    """The trunk's longest call was reached."""
    CREDIT_USED_UP = "credit_used_up"
    """What was reserved of a prepaid balance pays for no longer talk."""
    NO_CREDIT = "no_credit"
    """Nothing was reserved for the call and the account is prepaid by now; nobody was dialled."""
    SUPPRESSED = "suppressed"
    """The number is on a list of those that are not called; nobody was dialled."""
    EXPIRED = "expired"
    """The time until which the call was to be dialled is over; of a call, never of an attempt."""
    ANSWERED_LATE = "answered_late"
    """Somebody picked up when the try was over without an answer; of a call, never of an attempt."""
    SHUTDOWN = "shutdown"
    """The server stopped and the drain time was over."""
    INTERRUPTED = "interrupted"
    """The dialer died or lost its lease while the attempt ran; its end is unknown."""
    INTERNAL_ERROR = "internal_error"
    """A fault of ours; the log has the traceback."""


DECLINED_CODES = frozenset({603, 607, 608})
"""Declined, unwanted (RFC 8197), rejected by an intermediary for the callee (RFC 8688)."""

_NOT_ACCEPTABLE_CODES = frozenset({488, 606})
"""What was offered does not suit the trunk, or the callee."""

_BUSY_CODES = frozenset({486, 600}) | DECLINED_CODES
_NO_ANSWER_CODES = frozenset({408, 480})
_UNKNOWN_NUMBER_CODES = frozenset({404, 410, 484, 485, 604})

_BY_CAUSE = {
    1: Disposition.CONGESTION,  # unallocated number
    3: Disposition.CONGESTION,  # no route to destination
    17: Disposition.BUSY,
    18: Disposition.NOANSWER,  # no user responding
    19: Disposition.NOANSWER,  # user alerted, no answer
    20: Disposition.NOANSWER,  # subscriber absent
    CALL_REJECTED: Disposition.BUSY,
    22: Disposition.CONGESTION,  # number changed
    27: Disposition.NOANSWER,  # destination out of order: the callee's line, not our trunk
    28: Disposition.CONGESTION,  # invalid number format
    # From here on the network had no way to the callee (the classes "resource unavailable" and "not
    # available or implemented"); RFC 3398 §8.2.6.1 maps them to 5xx and 488.
    2: Disposition.CHANUNAVAIL,  # no route to transit network
    34: Disposition.CHANUNAVAIL,  # no circuit available
    38: Disposition.CHANUNAVAIL,  # network out of order
    41: Disposition.CHANUNAVAIL,  # temporary failure
    42: Disposition.CHANUNAVAIL,  # switching equipment congestion
    44: Disposition.CHANUNAVAIL,  # requested circuit not available
    47: Disposition.CHANUNAVAIL,  # resource unavailable
    50: Disposition.CHANUNAVAIL,  # requested facility not subscribed
    57: Disposition.CHANUNAVAIL,  # bearer capability not authorised
    58: Disposition.CHANUNAVAIL,  # bearer capability not available
    63: Disposition.CHANUNAVAIL,  # service not available
    65: Disposition.CHANUNAVAIL,  # bearer capability not implemented
    79: Disposition.CHANUNAVAIL,  # service not implemented
    88: Disposition.CHANUNAVAIL,  # incompatible destination
    102: Disposition.CHANUNAVAIL,  # recovery on timer expiry
    111: Disposition.CHANUNAVAIL,  # protocol error
}


def classify(*, answered: bool, reason: EndReason, sip_code: int | None, q850: int | None) -> Disposition:
    """Return the disposition of an attempt that ended.

    `answered` is true once a 2xx to the INVITE was seen; `q850` is the cause of a `Reason: Q.850` header
    (RFC 3326). The cause refines 3xx to 5xx, because gateways fold many causes into 480 and 503; it does not
    touch a 6xx, which is the callee's own definitive word (RFC 3261 §21.6). Causes that say nothing (16, 31,
    127 and those not listed by us) leave the decision to the code.
    """
    if answered:
        return Disposition.ANSWER
    if reason in (EndReason.CANCELLED, EndReason.SHUTDOWN, EndReason.SUPPRESSED):
        return Disposition.CANCEL
    if reason is EndReason.RING_TIMEOUT:
        return Disposition.NOANSWER
    if reason is not EndReason.REJECTED or sip_code is None:
        return Disposition.CHANUNAVAIL
    if sip_code < 600 and q850 is not None and q850 in _BY_CAUSE:
        return _BY_CAUSE[q850]
    if sip_code in _BUSY_CODES:
        return Disposition.BUSY
    if sip_code in _NO_ANSWER_CODES:
        return Disposition.NOANSWER
    if sip_code in _UNKNOWN_NUMBER_CODES:
        return Disposition.CONGESTION
    return Disposition.CHANUNAVAIL


def is_about_codecs(reason: EndReason, sip_code: int | None) -> bool:
    """Whether an attempt came to nothing because no codec suited both sides."""
    if reason is EndReason.REJECTED:
        return sip_code in _NOT_ACCEPTABLE_CODES
    return reason is EndReason.INCOMPATIBLE_MEDIA
