"""What happens to an outgoing call attempt: one table, from the INVITE until it is up or over.

RFC 3261 §13.2 and §9.1, and RFC 3263 §4.3 for the next address. The session that runs it is in `calling`.
"""

from enum import Enum

from outdial.sip.state_table import StateTable


class State(Enum):
    """Where an outgoing call attempt stands."""

    CALLING = "Calling"
    """INVITE sent, nothing heard."""
    PROCEEDING = "Proceeding"
    """A provisional response came, so a CANCEL is allowed."""
    CANCEL_PENDING = "Cancel pending"
    """We want to give up, but §9.1 forbids CANCEL before a provisional response."""
    CANCELLING = "Cancelling"
    """CANCEL sent, the final response is due."""
    ANSWERED = "Answered"
    ENDED = "Ended"


class Input(Enum):
    """What can happen to an outgoing call attempt."""

    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    UNUSABLE_SUCCESS = "2xx with media that we cannot use"
    CHALLENGE = "401 or 407 that we can answer"
    TOO_BRIEF = "422"
    FAILURE = "other failure"
    NO_RESPONSE = "Timer B or transport error"
    NEXT_ADDRESS = "503, Timer B or transport error, and another address is left"
    HANG_UP = "hang up or ring timeout"
    GIVE_UP = "no final response after CANCEL"
    BYE = "BYE of a far end whose answer was lost"


class Action(Enum):
    """What an outgoing call attempt does on a transition."""

    REPORT_PROGRESS = "report progress"
    ACCEPT = "send ACK, establish the session"
    AUTHENTICATE = "send INVITE with credentials"
    LENGTHEN = "send INVITE with a longer session interval"
    TRY_NEXT = "send INVITE to the next address"
    CANCEL = "send CANCEL"
    REFUSE = "send ACK and BYE, report cancelled"
    REFUSE_MEDIA = "send ACK and BYE, report incompatible media"
    END_FORK = "send ACK and BYE"
    ABANDON = "wait for the INVITE no more"
    REPORT_FAILURE = "report the failure"
    REPORT_NO_RESPONSE = "report no response"
    REPORT_CANCELLED = "report cancelled"
    REPORT_HUNG_UP = "report hung up by the far end"
    REPORT_PICKED_UP = "report cancelled, and picked up"


_S, _I, _A = State, Input, Action
_TAKEN_LATE = (_I.SUCCESS, _I.PROVISIONAL, _I.GIVE_UP)

CALLING: StateTable[State, Input, Action] = StateTable(
    name="outgoing call attempt",
    states=State,
    inputs=Input,
    transitions={
        (_S.CALLING, _I.PROVISIONAL): (_S.PROCEEDING, (_A.REPORT_PROGRESS,)),
        (_S.CALLING, _I.SUCCESS): (_S.ANSWERED, (_A.ACCEPT,)),
        (_S.CALLING, _I.UNUSABLE_SUCCESS): (_S.ENDED, (_A.REFUSE_MEDIA,)),
        (_S.CALLING, _I.CHALLENGE): (_S.CALLING, (_A.AUTHENTICATE,)),
        (_S.CALLING, _I.TOO_BRIEF): (_S.CALLING, (_A.LENGTHEN,)),
        (_S.CALLING, _I.FAILURE): (_S.ENDED, (_A.REPORT_FAILURE,)),
        (_S.CALLING, _I.NO_RESPONSE): (_S.ENDED, (_A.REPORT_NO_RESPONSE,)),
        (_S.CALLING, _I.NEXT_ADDRESS): (_S.CALLING, (_A.TRY_NEXT,)),
        (_S.CALLING, _I.HANG_UP): (_S.CANCEL_PENDING, ()),
        (_S.CALLING, _I.BYE): (_S.ENDED, (_A.ABANDON, _A.REPORT_HUNG_UP)),
        (_S.PROCEEDING, _I.PROVISIONAL): (_S.PROCEEDING, (_A.REPORT_PROGRESS,)),
        (_S.PROCEEDING, _I.SUCCESS): (_S.ANSWERED, (_A.ACCEPT,)),
        (_S.PROCEEDING, _I.UNUSABLE_SUCCESS): (_S.ENDED, (_A.REFUSE_MEDIA,)),
        (_S.PROCEEDING, _I.CHALLENGE): (_S.CALLING, (_A.AUTHENTICATE,)),
        (_S.PROCEEDING, _I.TOO_BRIEF): (_S.CALLING, (_A.LENGTHEN,)),
        (_S.PROCEEDING, _I.FAILURE): (_S.ENDED, (_A.REPORT_FAILURE,)),
        (_S.PROCEEDING, _I.NO_RESPONSE): (_S.ENDED, (_A.REPORT_NO_RESPONSE,)),
        (_S.PROCEEDING, _I.NEXT_ADDRESS): (_S.CALLING, (_A.TRY_NEXT,)),  # only 100 Trying came
        (_S.PROCEEDING, _I.HANG_UP): (_S.CANCELLING, (_A.CANCEL,)),
        (_S.PROCEEDING, _I.BYE): (_S.ENDED, (_A.ABANDON, _A.REPORT_HUNG_UP)),
        (_S.CANCEL_PENDING, _I.PROVISIONAL): (_S.CANCELLING, (_A.CANCEL,)),
        (_S.CANCEL_PENDING, _I.SUCCESS): (_S.ENDED, (_A.REFUSE,)),
        (_S.CANCEL_PENDING, _I.CHALLENGE): (_S.ENDED, (_A.REPORT_CANCELLED,)),
        (_S.CANCEL_PENDING, _I.TOO_BRIEF): (_S.ENDED, (_A.REPORT_CANCELLED,)),
        (_S.CANCEL_PENDING, _I.FAILURE): (_S.ENDED, (_A.REPORT_CANCELLED,)),
        (_S.CANCEL_PENDING, _I.NO_RESPONSE): (_S.ENDED, (_A.REPORT_NO_RESPONSE,)),
        (_S.CANCEL_PENDING, _I.NEXT_ADDRESS): (_S.ENDED, (_A.REPORT_CANCELLED,)),
        (_S.CANCEL_PENDING, _I.BYE): (_S.ENDED, (_A.ABANDON, _A.REPORT_PICKED_UP)),
        (_S.CANCELLING, _I.SUCCESS): (_S.ENDED, (_A.REFUSE,)),
        (_S.CANCELLING, _I.CHALLENGE): (_S.ENDED, (_A.REPORT_CANCELLED,)),
        (_S.CANCELLING, _I.TOO_BRIEF): (_S.ENDED, (_A.REPORT_CANCELLED,)),
        (_S.CANCELLING, _I.FAILURE): (_S.ENDED, (_A.REPORT_CANCELLED,)),
        (_S.CANCELLING, _I.NO_RESPONSE): (_S.ENDED, (_A.REPORT_CANCELLED,)),
        (_S.CANCELLING, _I.NEXT_ADDRESS): (_S.ENDED, (_A.REPORT_CANCELLED,)),
        (_S.CANCELLING, _I.BYE): (_S.ENDED, (_A.ABANDON, _A.REPORT_PICKED_UP)),
        (_S.CANCELLING, _I.GIVE_UP): (_S.ENDED, (_A.ABANDON, _A.REPORT_CANCELLED)),
        (_S.ANSWERED, _I.SUCCESS): (_S.ANSWERED, (_A.END_FORK,)),
        (_S.ENDED, _I.SUCCESS): (_S.ENDED, (_A.END_FORK,)),
        # The INVITE at another address was answered, or nobody waits any more: this phone must not ring on.
        (_S.ANSWERED, _I.PROVISIONAL): (_S.ANSWERED, (_A.CANCEL,)),
        (_S.ENDED, _I.PROVISIONAL): (_S.ENDED, (_A.CANCEL,)),
        (_S.ANSWERED, _I.GIVE_UP): (_S.ANSWERED, (_A.ABANDON,)),
        (_S.ENDED, _I.GIVE_UP): (_S.ENDED, (_A.ABANDON,)),
    },
    ignored=frozenset(
        {
            (_S.CALLING, _I.GIVE_UP),
            (_S.PROCEEDING, _I.GIVE_UP),
            (_S.CANCEL_PENDING, _I.HANG_UP),
            (_S.CANCEL_PENDING, _I.UNUSABLE_SUCCESS),  # it is hung up whatever its media
            (_S.CANCEL_PENDING, _I.GIVE_UP),
            (_S.CANCELLING, _I.PROVISIONAL),
            (_S.CANCELLING, _I.HANG_UP),
            (_S.CANCELLING, _I.UNUSABLE_SUCCESS),  # it is hung up whatever its media
            *(
                (state, symbol)
                for state in (_S.ANSWERED, _S.ENDED)
                for symbol in _I
                if symbol not in _TAKEN_LATE
            ),
        }
    ),
)
