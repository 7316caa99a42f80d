"""What a flow asks of the world. Each is done in order; the flow then waits for events.

An action with an id is answered by an event with the same id, once. Ids are unique in one run of a flow. An
event that comes late, for something the flow no longer waits for, is ignored; so nothing has to be undone but
what would be heard or would cost: the engine cancels timers, and stops what a step started, by actions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from outdial.flow.speakable import Prompt


@dataclass(frozen=True, slots=True)
class Play:
    """Play a prompt once, then answer with ``PlayFinished`` or ``PlayFailed``.

    A play that still runs is stopped first: it is then finished, and not completed.
    """

    play_id: str
    prompt: Prompt
    barge_in: bool = False
    """Stop at once when a key goes down. The key itself still comes as a ``DigitPressed``."""


@dataclass(frozen=True, slots=True)
class StopPlay:
    """Stop what is playing. It answers with ``PlayFinished``, not completed."""

    play_id: str


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Answer with ``TimerFired`` after a while, unless it is cancelled before. Several may run."""

    timer_id: str
    after_ms: int


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Forget a timer; one that has fired already is no error."""

    timer_id: str


@dataclass(frozen=True, slots=True)
class MaskDigits:
    """From here on (``masked``), or from here on no longer, are pressed keys a secret: they go to the flow
    but into no record, trace or log; each counts there as ``•``."""

    masked: bool


@dataclass(frozen=True, slots=True)
class Record:
    """Record what the callee says until ``StopRecording`` or silence; answer with ``RecordingFinished``."""

    recording_id: str
    silence_ms: int | None = None
    """Stop by itself after so much silence; None: however silent."""


@dataclass(frozen=True, slots=True)
class StopRecording:
    """End a recording. It answers with ``RecordingFinished``."""

    recording_id: str


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """Send a request through the egress guard; answer with ``HttpAnswered`` or ``HttpFailed``."""

    request_id: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    url: str
    headers: Mapping[str, str]
    body: str | None
    """UTF-8; its type is in the headers."""
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class Connect:
    """Call somebody else and join the two legs.

    Answer with ``ConnectAnswered`` when they hear each other, and with ``ConnectEnded`` when it is over,
    however it went. The callee stays on the line when the other one hangs up.
    """

    connect_id: str
    to: tuple[str, ...]
    """Whom to call: digits with country code, or the names of agents."""
    strategy: Literal["sequential", "parallel"]
    """One after the other; or all at once, and the first who answers has it."""
    ring_timeout_ms: int
    """For each of them."""
    caller_id: str | None
    """The number that they see; None: the bridge of this call."""
    whisper: Prompt
    """What they alone hear before the legs are joined."""
    meanwhile: Prompt
    """What the callee hears again and again until then; empty: a ringing tone."""
    record: bool
    """Record both sides while they talk."""
    max_ms: int | None
    """Part them after so long; None: never."""


@dataclass(frozen=True, slots=True)
class StopConnect:
    """Stop dialling, or part the two legs and hang up the other. It answers with ``ConnectEnded``."""

    connect_id: str


@dataclass(frozen=True, slots=True)
class JoinConference:
    """Put the callee into a room with others; answer with ``ConferenceLeft`` when that is over."""

    conference_id: str
    room: str
    """Rooms are of an account: the same name in another account is another room."""
    moderator: bool
    """The room is over when the last moderator goes."""
    wait_for_moderator: bool
    """Hear and say nothing until a moderator has come."""
    muted: bool
    music: Prompt
    """What is heard again and again by whom nobody else is with; empty: silence."""
    most: int
    """How many it holds; whoever comes later leaves at once, as ``full``."""


@dataclass(frozen=True, slots=True)
class LeaveConference:
    """Take the callee out again. It answers with ``ConferenceLeft``."""

    conference_id: str


@dataclass(frozen=True, slots=True)
class OptOut:
    """Add the callee to the unsubscribers. Nothing is answered."""

    type: Literal["all", "tag", "sender", "service"]
    value: str
    """The tag or service of those types; empty otherwise."""


@dataclass(frozen=True, slots=True)
class SendEvent:
    """Send a webhook event about this call. Nothing is answered."""

    name: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RequestCallback:
    """Make a new call to the same callee at a time, after this one is over; answer with ``CallbackSet``."""

    callback_id: str
    at: int
    """Unix milliseconds."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the leg. The last action of a run; nothing needs to be answered."""

    result: str
    """How the flow ended, for the record: a word of the flow's author, or one of ``state.py``."""


Action = (
    Play
    | StopPlay
    | StartTimer
    | CancelTimer
    | MaskDigits
    | Record
    | StopRecording
    | HttpRequest
    | Connect
    | StopConnect
    | JoinConference
    | LeaveConference
    | OptOut
    | SendEvent
    | RequestCallback
    | HangUp
)
