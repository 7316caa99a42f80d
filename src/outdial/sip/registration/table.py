"""The states of one registration, as a table (RFC 3261 §10.2)."""

from enum import Enum

from outdial.sip.state_table import StateTable


class RegistrationState(Enum):
    """Whether the registrar knows our address, and what is under way."""

    UNREGISTERED = "Unregistered"
    REGISTERING = "Registering"
    WAITING = "Waiting to register again"
    REGISTERED = "Registered"
    REFRESHING = "Refreshing"
    RETRYING = "Registered, waiting to refresh again"
    LEAVING = "Leaving after the answer"
    REMOVING = "Removing"
    ENDED = "Ended"


class RegistrationInput(Enum):
    """What can happen to a registration."""

    START = "wanted now"
    LOCATED = "addresses found"
    UNLOCATED = "no address found"
    GRANTED = "2xx"
    CHALLENGE = "401 or 407"
    TOO_BRIEF = "423"
    NEXT_ADDRESS = "503 or no answer, another address is left"
    UNAVAILABLE = "5xx or no answer"
    REFUSED = "any other failure"
    REFRESH_DUE = "refresh timer"
    RETRY_DUE = "retry timer"
    LAPSED = "expiry"
    STOP = "asked to leave"


class RegistrationAction(Enum):
    """What a registration does on a transition."""

    LOCATE = "ask for addresses"
    SEND = "send REGISTER"
    TRY_NEXT = "send REGISTER to the next address"
    KEEP = "start the refresh timer"
    LOSE = "forget the expiry"
    BACK_OFF = "start the retry timer"
    REMOVE = "send REGISTER with Expires: 0"
    REPORT = "report"
    END = "stop the timers"


_S, _I, _A = RegistrationState, RegistrationInput, RegistrationAction
_REMOVED = (_S.ENDED, (_A.END, _A.REPORT))

REGISTRATION: StateTable[RegistrationState, RegistrationInput, RegistrationAction] = StateTable(
    name="registration",
    states=RegistrationState,
    inputs=RegistrationInput,
    transitions={
        (_S.UNREGISTERED, _I.START): (_S.REGISTERING, (_A.LOCATE,)),
        (_S.UNREGISTERED, _I.STOP): _REMOVED,
        (_S.REGISTERING, _I.LOCATED): (_S.REGISTERING, (_A.SEND,)),
        (_S.REGISTERING, _I.UNLOCATED): (_S.WAITING, (_A.BACK_OFF, _A.REPORT)),
        (_S.REGISTERING, _I.GRANTED): (_S.REGISTERED, (_A.KEEP, _A.REPORT)),
        (_S.REGISTERING, _I.CHALLENGE): (_S.REGISTERING, (_A.SEND,)),
        (_S.REGISTERING, _I.TOO_BRIEF): (_S.REGISTERING, (_A.SEND,)),
        (_S.REGISTERING, _I.NEXT_ADDRESS): (_S.REGISTERING, (_A.TRY_NEXT,)),
        (_S.REGISTERING, _I.UNAVAILABLE): (_S.WAITING, (_A.BACK_OFF, _A.REPORT)),
        (_S.REGISTERING, _I.REFUSED): (_S.WAITING, (_A.BACK_OFF, _A.REPORT)),
        # §10.2: no REGISTER before the last one has its final response; what it granted is removed then.
        (_S.REGISTERING, _I.STOP): (_S.LEAVING, ()),
        (_S.WAITING, _I.START): (_S.REGISTERING, (_A.LOCATE,)),
        (_S.WAITING, _I.RETRY_DUE): (_S.REGISTERING, (_A.LOCATE,)),
        (_S.WAITING, _I.STOP): _REMOVED,
        (_S.REGISTERED, _I.START): (_S.REFRESHING, (_A.LOCATE,)),
        (_S.REGISTERED, _I.REFRESH_DUE): (_S.REFRESHING, (_A.LOCATE,)),
        (_S.REGISTERED, _I.STOP): (_S.REMOVING, (_A.REMOVE,)),
        (_S.REFRESHING, _I.LOCATED): (_S.REFRESHING, (_A.SEND,)),
        # A registrar that is away for a moment still knows us until what it granted is over.
        (_S.REFRESHING, _I.UNLOCATED): (_S.RETRYING, (_A.BACK_OFF, _A.REPORT)),
        (_S.REFRESHING, _I.GRANTED): (_S.REGISTERED, (_A.KEEP, _A.REPORT)),
        (_S.REFRESHING, _I.CHALLENGE): (_S.REFRESHING, (_A.SEND,)),
        (_S.REFRESHING, _I.TOO_BRIEF): (_S.REFRESHING, (_A.SEND,)),
        (_S.REFRESHING, _I.NEXT_ADDRESS): (_S.REFRESHING, (_A.TRY_NEXT,)),
        (_S.REFRESHING, _I.UNAVAILABLE): (_S.RETRYING, (_A.BACK_OFF, _A.REPORT)),
        (_S.REFRESHING, _I.REFUSED): (_S.WAITING, (_A.LOSE, _A.BACK_OFF, _A.REPORT)),
        (_S.REFRESHING, _I.LAPSED): (_S.REGISTERING, (_A.LOSE, _A.REPORT)),
        (_S.REFRESHING, _I.STOP): (_S.LEAVING, ()),
        (_S.RETRYING, _I.START): (_S.REFRESHING, (_A.LOCATE,)),
        (_S.RETRYING, _I.RETRY_DUE): (_S.REFRESHING, (_A.LOCATE,)),
        (_S.RETRYING, _I.LAPSED): (_S.WAITING, (_A.LOSE, _A.REPORT)),
        (_S.RETRYING, _I.STOP): (_S.REMOVING, (_A.REMOVE,)),
        (_S.LEAVING, _I.LOCATED): (_S.REMOVING, (_A.REMOVE,)),
        (_S.LEAVING, _I.UNLOCATED): _REMOVED,
        (_S.LEAVING, _I.GRANTED): (_S.REMOVING, (_A.REMOVE,)),
        (_S.LEAVING, _I.CHALLENGE): (_S.REMOVING, (_A.REMOVE,)),
        (_S.LEAVING, _I.TOO_BRIEF): (_S.REMOVING, (_A.REMOVE,)),
        (_S.LEAVING, _I.NEXT_ADDRESS): _REMOVED,
        (_S.LEAVING, _I.UNAVAILABLE): _REMOVED,
        (_S.LEAVING, _I.REFUSED): _REMOVED,
        (_S.REMOVING, _I.GRANTED): _REMOVED,
        (_S.REMOVING, _I.CHALLENGE): (_S.REMOVING, (_A.REMOVE,)),
        (_S.REMOVING, _I.TOO_BRIEF): _REMOVED,
        (_S.REMOVING, _I.NEXT_ADDRESS): _REMOVED,
        (_S.REMOVING, _I.UNAVAILABLE): _REMOVED,
        (_S.REMOVING, _I.REFUSED): _REMOVED,
    },
    ignored=frozenset(
        {
            # Timers that were stopped, and answers where nothing was asked.
            *((_S.UNREGISTERED, each) for each in _I if each not in (_I.START, _I.STOP)),
            *((_S.WAITING, each) for each in _I if each not in (_I.START, _I.RETRY_DUE, _I.STOP)),
            # It is under way, or its expiry was forgotten.
            *((_S.REGISTERING, each) for each in (_I.START, _I.REFRESH_DUE, _I.RETRY_DUE, _I.LAPSED)),
            *((_S.REFRESHING, each) for each in (_I.START, _I.REFRESH_DUE, _I.RETRY_DUE)),
            # The refresh comes long before the expiry.
            *((_S.REGISTERED, each) for each in _I if each not in (_I.START, _I.REFRESH_DUE, _I.STOP)),
            *((_S.RETRYING, each) for each in _I if each not in (_I.START, _I.RETRY_DUE, _I.LAPSED, _I.STOP)),
            # Nothing keeps us any more.
            *(
                (state, each)
                for state in (_S.LEAVING, _S.REMOVING)
                for each in (_I.START, _I.REFRESH_DUE, _I.RETRY_DUE, _I.LAPSED, _I.STOP)
            ),
            (_S.REMOVING, _I.LOCATED),
            (_S.REMOVING, _I.UNLOCATED),
        }
    ),
    final=_S.ENDED,
)
"""A registration from its start to its removal."""
