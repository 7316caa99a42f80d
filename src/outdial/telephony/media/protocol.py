"""What the dialer and a media worker say to each other: one JSON array a line over a Unix socket.

The first element is the class name, the others are its fields in order. Both ends are the same release of the
same code, so there is no versioning. Streams are numbered by the client; a number is never used again.
"""

import json
from typing import Any, Generic, NamedTuple, TypeVar, get_args


class Configure(NamedTuple):
    """First command of a worker's life."""

    bind_address: str
    dscp: int
    rtp_timeout_s: float
    latch_window_s: float
    rtcp_interval_s: float
    clip_cache_bytes: int


class Open(NamedTuple):
    """Bind RTP to `port` and RTCP to the next one. Answered by Opened or PortUnusable."""

    stream: int
    port: int
    record_to: str | None


class Connect(NamedTuple):
    """Start a stream, or redirect it, as SDP has agreed."""

    stream: int
    address: str
    port: int
    rtcp_address: str
    rtcp_port: int
    codec: str
    payload_type: int
    """Of what we send."""
    accepted_payload_types: list[int]
    """Of audio that is taken."""
    silence: int
    """The byte that is silence in the codec."""
    ptime_ms: int
    event_payload_types: list[int]
    """Of telephone-event packets that are taken; none was agreed if it is empty."""
    event_rate: int
    may_send: bool
    may_receive: bool
    other_codecs: dict[str, int]
    """Payload types of the codecs that were not agreed on and are understood all the same."""
    event_sent_as: int | None = None
    """Payload type of telephone-event packets that we send; None if the far end takes none."""


class Play(NamedTuple):
    """Play clip files, one after the other, after what is being played."""

    stream: int
    play_id: str
    clips: list[str]


class StopPlaying(NamedTuple):
    """End the running play and those that wait, at once."""

    stream: int


class RecordMessage(NamedTuple):
    """Write what is heard from now on into `path`. Answered by MessageEnded, once, however it ends."""

    stream: int
    message_id: str
    path: str
    silence_s: float
    """End it when nobody has spoken for so long; 0: do not."""


class StopMessage(NamedTuple):
    """End the message that is being recorded, if any."""

    stream: int


class Join(NamedTuple):
    """Let the stream hear, where it plays nothing, the others in a room of this worker, and be heard there.

    Answered by NotJoined if that cannot be. A stream is in one room at most: it leaves the other one.
    """

    stream: int
    room: str
    muted: bool


class Leave(NamedTuple):
    """Leave the room, if it is in one."""

    stream: int


class PressKey(NamedTuple):
    """Send a digit as telephone-event, if the far end takes them and nothing is played."""

    stream: int
    digit: str
    duration_ms: int


class Close(NamedTuple):
    """End a stream. Answered by Closed."""

    stream: int


class AskStats(NamedTuple):
    """Answered by Stats."""

    stream: int
    """Not a stream's number, but one as unique."""


class Ready(NamedTuple):
    """The worker takes commands."""

    pid: int


class Opened(NamedTuple):
    """The ports are bound."""

    stream: int


class PortUnusable(NamedTuple):
    """The ports could not be bound: the next ones may do."""

    stream: int
    problem: str


class NotRecorded(NamedTuple):
    """The disk takes no more of the stream's recording, which ends there; once."""

    stream: int
    recorded_ms: int
    """What it has taken."""
    problem: str


class AudioBegan(NamedTuple):
    """The first packet of the stream's first clip has left."""

    stream: int
    at: float


class PlayEnded(NamedTuple):
    """A play is over; its last packet's time has passed."""

    stream: int
    play_id: str
    played_ms: int
    completed: bool
    problem: str | None


class KeyDown(NamedTuple):
    """A digit begins."""

    stream: int
    digit: str


class KeyPressed(NamedTuple):
    """A digit is over; once for each."""

    stream: int
    digit: str
    duration_ms: int


class MessageEnded(NamedTuple):
    """A message is over, and its file complete."""

    stream: int
    message_id: str
    duration_ms: int
    by_silence: bool
    """It ended because nobody spoke any more."""
    problem: str | None
    """What the disk said; what was written until then is there."""


class NotJoined(NamedTuple):
    """The stream is in no room, and why."""

    stream: int
    problem: str


class Silent(NamedTuple):
    """Nothing was heard for the RTP timeout."""

    stream: int


class LatchedTo(NamedTuple):
    """RTP goes to this address from now on."""

    stream: int
    address: str
    port: int


class Measured(NamedTuple):
    """The stream's quality so far, after our first report and some of the later ones; the fields of
    `domain.call.MediaQuality`."""

    stream: int
    packets_sent: int
    packets_received: int
    packets_lost: int
    jitter_ms: float | None
    remote_loss: float | None
    remote_jitter_ms: float | None
    round_trip_ms: float | None
    mos: float | None


class Closed(NamedTuple):
    """The stream is gone; Measured came just before."""

    stream: int


class Stats(NamedTuple):
    """A worker's figures; see `worker.Worker.stats`."""

    stream: int
    figures: dict[str, Any]


StreamCommand = Connect | Play | StopPlaying | RecordMessage | StopMessage | Join | Leave | PressKey | Close
"""What a stream that exists is told."""
Command = Configure | Open | AskStats | StreamCommand
Report = (
    Ready
    | Opened
    | PortUnusable
    | NotRecorded
    | AudioBegan
    | PlayEnded
    | KeyDown
    | KeyPressed
    | MessageEnded
    | NotJoined
    | Silent
    | LatchedTo
    | Measured
    | Closed
    | Stats
)

M = TypeVar("M", bound=Command | Report)

_CLASSES: dict[str, Any] = {message.__name__: message for message in get_args(Command | Report)}
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_decode = json.JSONDecoder().decode


def encode(message: Command | Report) -> bytes:
    """One line, its newline included."""
    return _encode([type(message).__name__, *message]).encode() + b"\n"


class LineReader(Generic[M]):
    """Cuts a byte stream into messages: commands on one side of the socket, reports on the other."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[M]:
        """The messages that are complete now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        messages = []
        for line in lines:
            name, *fields = _decode(line.decode())
            messages.append(_CLASSES[name](*fields))
        return messages
