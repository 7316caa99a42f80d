"""One leg's media as the dialer sees it: commands go to a worker, its reports become events."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from outdial.audio.clip import SILENCE_BYTES
from outdial.domain.call import MediaQuality
from outdial.sdp.agreement import AgreedMedia
from outdial.sdp.codec import CODECS
from outdial.telephony.media.events import (
    DigitReceived,
    DigitStarted,
    FirstAudioSent,
    JoinFailed,
    Latched,
    MediaEvent,
    MessageRecorded,
    PlayFinished,
    RecordingCut,
    RtpTimeout,
    WorkerLost,
)
from outdial.telephony.media.protocol import (
    AudioBegan,
    Close,
    Connect,
    Join,
    KeyDown,
    KeyPressed,
    LatchedTo,
    Leave,
    Measured,
    MessageEnded,
    NotJoined,
    NotRecorded,
    Play,
    PlayEnded,
    PressKey,
    RecordMessage,
    Report,
    Silent,
    StopMessage,
    StopPlaying,
)
from outdial.telephony.media.worker_link import WorkerLink

OnEvent = Callable[[MediaEvent], None]
"""Called from the event loop; must not block or raise."""


class Asking(Protocol):
    """Who asks workers and waits for their answers: the client."""

    def ask(self, link: WorkerLink, number: int, command: Close) -> asyncio.Future[object]:
        """Send a command that is answered; the answer is None if the worker was lost."""
        ...


class MediaStream:
    """One leg's media. Made by :meth:`MediaClient.open`; every method but :meth:`close` returns at once.

    After the worker's death all of them do nothing, ``on_event`` has had WorkerLost, and :meth:`close`
    returns the quality that was last known.
    """

    __slots__ = ("_client", "_closing", "_link", "_measured", "number", "on_event", "port")

    def __init__(self, client: Asking, link: WorkerLink, number: int, port: int, on_event: OnEvent) -> None:
        self._client = client
        self._link: WorkerLink | None = link
        self._measured: Measured | None = None
        self._closing: asyncio.Future[object] | None = None
        self.number = number
        self.port = port
        """The RTP port for SDP; RTCP is the next one."""
        self.on_event = on_event

    def connect(self, media: AgreedMedia, *, announced_event_payload_type: int | None = None) -> None:
        """Start, or redirect after a re-INVITE. Silence is sent from now on, if the direction lets us send.

        ``announced_event_payload_type`` is the telephone-event payload type of our own SDP, which the far end
        has to use towards us if its own differs (RFC 3264 §6.1). A direction without sending is hold: packets
        stop, a running clip keeps its place. Another codec than before ends what is being played.
        """
        if self._link is not None:
            self._link.send(_connect_command(self.number, media, announced_event_payload_type))

    def play(self, play_id: str, clips: Sequence[Path]) -> None:
        """Queue clip files (wire bytes of the agreed codec) behind what is being played.

        PlayFinished comes for each ``play_id``. The first packet leaves within one ptime.
        """
        if self._link is not None:
            self._link.send(Play(self.number, play_id, [str(clip) for clip in clips]))

    def stop_playing(self) -> None:
        """Stop the running play and drop the queued ones; silence follows."""
        if self._link is not None:
            self._link.send(StopPlaying(self.number))

    def record_message(self, message_id: str, path: Path, *, silence_s: float = 0.0) -> None:
        """Write what the far end says from now on into a file, as wire bytes of the agreed codec.

        Until :meth:`stop_message`, the end of the stream or, unless it is 0, ``silence_s`` in which nobody
        spoke (G.711 only; with another codec in which no packet came). MessageRecorded comes for each.
        """
        if self._link is not None:
            self._link.send(RecordMessage(self.number, message_id, str(path), silence_s))

    def stop_message(self) -> None:
        """End the message that is being recorded."""
        if self._link is not None:
            self._link.send(StopMessage(self.number))

    def join(self, room: str, *, muted: bool = False) -> None:
        """Hear, where nothing is played, the other streams of the worker that are in the room, and be heard
        there unless ``muted``. JoinFailed comes if that cannot be.
        """
        if self._link is not None:
            self._link.send(Join(self.number, room, muted))

    def leave(self) -> None:
        """Be in no room any more: silence follows."""
        if self._link is not None:
            self._link.send(Leave(self.number))

    def press(self, digit: str, duration_ms: int) -> None:
        """Send a digit as telephone-event (RFC 4733), where nothing is played and the far end takes them."""
        if self._link is not None:
            self._link.send(PressKey(self.number, digit, duration_ms))

    async def close(self) -> MediaQuality:
        """Say BYE by RTCP, free the ports, return the quality. Idempotent; bounded by the reply timeout."""
        if self._link is not None:
            if self._closing is None:
                self._closing = self._client.ask(self._link, self.number, Close(self.number))
            await asyncio.shield(self._closing)
        return self.quality

    @property
    def quality(self) -> MediaQuality:
        """As of half a minute ago, at most; final after :meth:`close`."""
        if self._measured is None:
            return MediaQuality()
        _, sent, received, lost, jitter, remote_loss, remote_jitter, round_trip, mos = self._measured
        return MediaQuality(
            packets_sent=sent,
            packets_received=received,
            packets_lost=lost,
            jitter_ms=jitter,
            remote_loss=remote_loss,
            remote_jitter_ms=remote_jitter,
            round_trip_ms=round_trip,
            mos=mos,
        )

    def take(self, report: Report) -> None:
        """A report of the worker about this stream; called by the client."""
        match report:
            case Measured():
                self._measured = report
            case AudioBegan(_, at):
                self.on_event(FirstAudioSent(at))
            case PlayEnded(_, play_id, played_ms, completed, problem):
                self.on_event(PlayFinished(play_id, played_ms, completed, problem))
            case KeyDown(_, digit):
                self.on_event(DigitStarted(digit))
            case KeyPressed(_, digit, duration_ms):
                self.on_event(DigitReceived(digit, duration_ms))
            case LatchedTo(_, address, port):
                self.on_event(Latched(address, port))
            case MessageEnded(_, message_id, duration_ms, by_silence, problem):
                self.on_event(MessageRecorded(message_id, duration_ms, by_silence, problem))
            case NotRecorded(_, recorded_ms, problem):
                self.on_event(RecordingCut(recorded_ms, problem))
            case NotJoined(_, problem):
                self.on_event(JoinFailed(problem))
            case Silent():
                self.on_event(RtpTimeout())
            case _:
                pass

    @property
    def link(self) -> WorkerLink | None:
        """The worker that it lives in, None once it is lost."""
        return self._link

    def detach(self, *, tell: bool) -> WorkerLink | None:
        """Part from the worker; called by the client."""
        link, self._link = self._link, None
        if tell:
            self.on_event(WorkerLost())
        return link


def _connect_command(number: int, media: AgreedMedia, announced_event_payload_type: int | None) -> Connect:
    """Tell what is sent as agreed, and of what comes all that can be understood.

    Far ends answer with several codecs and send any of them (RFC 3264 §6.1), or with no telephone-event, and
    send the one that we announced.
    """
    audio = {media.payload_type, media.codec.payload_type}
    events = {media.telephone_event_payload_type, announced_event_payload_type} - audio
    others = [codec for codec in CODECS if codec.payload_type not in audio | events]
    return Connect(
        stream=number,
        address=media.remote_address,
        port=media.remote_port,
        rtcp_address=media.remote_rtcp_address,
        rtcp_port=media.remote_rtcp_port,
        codec=media.codec.name,
        payload_type=media.payload_type,
        accepted_payload_types=sorted(audio),
        silence=SILENCE_BYTES[media.codec.name],
        ptime_ms=media.ptime_ms,
        event_payload_types=sorted(each for each in events if each is not None),
        event_rate=media.telephone_event_rate,
        may_send=media.direction.sends,
        may_receive=media.direction.receives,
        event_sent_as=media.telephone_event_payload_type,
        other_codecs={codec.name: codec.payload_type for codec in others},
    )
