"""What a media stream tells its leg. Times named `at` are seconds, as of `time.monotonic`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latched:
    """RTP of the far end comes from this address, and ours goes there."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class FirstAudioSent:
    """The first packet of the stream's first clip has left. Silence does not count."""

    at: float


@dataclass(frozen=True, slots=True)
class PlayFinished:
    """A play is over, and its last packet's time has passed."""

    play_id: str
    played_ms: int
    """What was sent of it, in whole packets."""
    completed: bool
    """False if it was stopped, or a clip could not be read."""
    problem: str | None = None
    """Why a clip could not be played."""


@dataclass(frozen=True, slots=True)
class DigitStarted:
    """A key went down: where a prompt may stop at once. DigitReceived follows for each."""

    digit: str


@dataclass(frozen=True, slots=True)
class DigitReceived:
    """A key press is over; exactly once for each."""

    digit: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class MessageRecorded:
    """A message is over and its file complete; exactly once for each that was begun."""

    message_id: str
    duration_ms: int
    by_silence: bool
    """It ended because nobody spoke any more."""
    problem: str | None = None
    """What the disk said; what was written until then is there."""


@dataclass(frozen=True, slots=True)
class RecordingCut:
    """The disk takes no more of what the far end says; once in a stream's life."""

    recorded_ms: int
    """What is kept of it; 0 also where the file could not be made."""
    problem: str
    """What the disk said."""


@dataclass(frozen=True, slots=True)
class JoinFailed:
    """The stream is in no room."""

    problem: str


@dataclass(frozen=True, slots=True)
class RtpTimeout:
    """The far end should send and has not for the RTP timeout; once in a stream's life."""


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """The worker died: no more audio, no more events. Its ports rest, others may be opened."""


MediaEvent = (
    Latched
    | FirstAudioSent
    | PlayFinished
    | DigitStarted
    | DigitReceived
    | MessageRecorded
    | RecordingCut
    | JoinFailed
    | RtpTimeout
    | WorkerLost
)
