"""What a session tells its owner."""

from dataclasses import dataclass
from enum import Enum

from outdial.sip.transport import Address


class FailureCause(Enum):
    """Why a call attempt did not come up."""

    REJECTED = "rejected"
    """A final response of 300 or above; the status says which."""
    NO_RESPONSE = "no response"
    """Nothing came back at all (Timer B)."""
    TRANSPORT_FAILED = "transport failed"
    """The network refused to carry the INVITE."""
    AUTHENTICATION_FAILED = "authentication failed"
    """Challenged without credentials, or again after giving them."""
    CANCELLED = "cancelled"
    """We were asked to give up before an answer."""
    RING_TIMEOUT = "ring timeout"
    """We gave up because nobody answered in time."""
    HUNG_UP = "hung up by the far end"
    """A BYE came where no answer had come: all of its 2xx were lost."""
    INCOMPATIBLE_MEDIA = "incompatible media"
    """Answered with a session description that we cannot use."""


class EndCause(Enum):
    """Why an established session ended."""

    HUNG_UP = "hung up by us"
    FAR_END_HUNG_UP = "hung up by the far end"
    DIALOG_GONE = "the far end no longer knows the dialog"
    EXPIRED = "session timer expired"
    NOT_ACKNOWLEDGED = "our 2xx was never acknowledged"


@dataclass(frozen=True, slots=True)
class Progress:
    """A provisional response of 180 or above, with or without early media."""

    status: int
    reason: str
    early_media: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """The far end picked up, and the media is agreed; the ACK has been sent."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt is over without a conversation."""

    cause: FailureCause
    status: int | None = None
    reason: str = ""
    q850: int | None = None
    """ISDN cause from a Reason header (RFC 3326)."""
    retry_after_s: int | None = None
    contacts: tuple[str, ...] = ()
    """Where a 3xx points."""
    picked_up: bool = False
    """Whether the far end answered all the same: a 2xx crossed our CANCEL, its media was unusable, or it was
    lost."""


@dataclass(frozen=True, slots=True)
class NextAddress:
    """The INVITE was sent to the next address, because one took no call (RFC 3263 §4.3)."""

    failed: Address
    failure: Failed
    address: Address


@dataclass(frozen=True, slots=True)
class Ended:
    """An established session is over."""

    cause: EndCause
    q850: int | None = None


@dataclass(frozen=True, slots=True)
class MediaChanged:
    """A re-INVITE or UPDATE changed what was agreed; the negotiator holds the new state."""


@dataclass(frozen=True, slots=True)
class InfoReceived:
    """An INFO arrived (RFC 2976), for instance a digit as `application/dtmf-relay`."""

    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class AnsweredLate:
    """A 2xx came after the attempt had failed; it was acknowledged and hung up. Somebody picked up."""


Event = Progress | NextAddress | Answered | AnsweredLate | Failed | Ended | MediaChanged | InfoReceived
