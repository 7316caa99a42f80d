"""One leg's RTP and RTCP in the worker: its sockets, its direction, its reports."""

import socket
from pathlib import Path

from outdial.errors import RtpParseError
from outdial.rtp.clock import report_interval_s
from outdial.rtp.mos import estimated_mos, playout_delay_ms
from outdial.rtp.rtcp_session import RtcpSession, Sent
from outdial.telephony.media.clip_cache import BYTES_PER_MS
from outdial.telephony.media.host import Host
from outdial.telephony.media.inbound import Inbound
from outdial.telephony.media.message import Message
from outdial.telephony.media.pacing import CLOCK_PER_TICK, TICKS_PER_SECOND
from outdial.telephony.media.protocol import (
    AudioBegan,
    Connect,
    Join,
    Measured,
    MessageEnded,
    NotJoined,
    NotRecorded,
    PlayEnded,
    PressKey,
    RecordMessage,
    Silent,
)
from outdial.telephony.media.recording import FLUSH_INTERVAL_S, Recording
from outdial.telephony.media.room import CannotJoin, Member, Room
from outdial.telephony.media.sender import Sender

_CLOCK_RATE = CLOCK_PER_TICK * TICKS_PER_SECOND
_LARGEST = 2048
_NOWHERE = "0.0.0.0"  # noqa: S104 - not bound: SDP's old way to say "on hold" (RFC 3264 §8.4)
_CHANCES = 1 << 16
_LAST_PORT = 65_535
_REPORTS_A_MEASURED = 6
"""Of ours, that is half a minute."""
_WATCH_MESSAGE_S = 0.1
"""How late the end of a message by silence may be noticed."""
_TIMESTAMP_BITS = 29
"""The first timestamp is random (RFC 3550 §5.1), in the lower part of its field: see ``Sender``."""


class Stream:
    """Made when the ports are bound; sends nothing before :meth:`connect`."""

    def __init__(
        self,
        number: int,
        rtp: socket.socket,
        rtcp: socket.socket,
        host: Host,
        recording: Recording | None = None,
    ) -> None:
        self.number = number
        self.rtp = rtp
        self.rtcp = rtcp
        self._host = host
        self._recording = recording
        self._agreed: Connect | None = None
        self._ssrc = host.random_bits(32)
        self.sender = Sender(
            ssrc=self._ssrc,
            sequence=host.random_bits(16),
            timestamp_offset=host.random_bits(_TIMESTAMP_BITS) - host.next_tick() * CLOCK_PER_TICK,
            load=host.clips.frames,
            events=self,
        )
        self._reports = RtcpSession(
            self._ssrc, f"{host.random_bits(64):016x}", _CLOCK_RATE, self.sender.first_sequence
        )
        self._rtcp_source: tuple[str, int] | None = None
        self._reported_packets = 0
        self._reports_until_measured = 0
        self._timed_out = False
        self._closed = False
        self.inbound = Inbound(number, rtp, host, filtered=recording is None)
        if recording is not None:
            self.inbound.add(recording)
        self._message: Message | None = None
        self._member: Member | None = None

    def connect(self, agreed: Connect) -> None:
        """Start, or redirect, as SDP agreed. Called again after each re-INVITE."""
        before, self._agreed = self._agreed, agreed
        self.inbound.connect(agreed)
        self._rtcp_source = None
        self._take_way()
        if before is not None and before.codec != agreed.codec:
            self.sender.stop_playing()
        if self._member is not None:
            self._member.pace(agreed.ptime_ms)
        self.sender.configure(agreed.payload_type, agreed.ptime_ms, agreed.silence)
        self._take_slot(before, agreed)
        if before is None:
            self._start_timers()

    def play(self, play_id: str, clips: list[str]) -> None:
        """Queue a play. The clips are read now: pacing does not wait for a disk."""
        if self._agreed is not None:
            for clip in clips:
                try:
                    self._host.clips.frames(clip, self._agreed.ptime_ms, self._agreed.silence)
                except OSError:  # reported when its turn comes
                    break
        self.sender.play(play_id, clips)

    def stop_playing(self) -> None:
        """Stop at once; silence follows."""
        self.sender.stop_playing()

    def record_message(self, command: RecordMessage) -> None:
        """Begin a message; one that is being recorded ends."""
        self.stop_message()
        codec = "" if self._agreed is None else self._agreed.codec
        try:
            message = Message(command.message_id, Path(command.path), codec, self._host.now())
        except OSError as error:
            problem = f"{command.path}: {error.strerror}"
            self._host.emit(MessageEnded(self.number, command.message_id, 0, False, problem))
            return
        self._message = message
        self.inbound.add(message)

        def watch(now: float) -> float | None:
            if self._message is not message:
                return None
            message.flush(now)
            if command.silence_s and now - message.spoken_at >= command.silence_s:
                self._end_message(by_silence=True)
                return None
            return now + _WATCH_MESSAGE_S

        self._host.timers.add(self._host.now() + _WATCH_MESSAGE_S, watch)

    def stop_message(self) -> None:
        """End the message that is being recorded, if any."""
        self._end_message(by_silence=False)

    def join(self, command: Join, room: Room) -> None:
        """Be in a room, and in no other one."""
        self.leave()
        if self._agreed is None:
            self._host.emit(NotJoined(self.number, "the leg has no media yet"))
            return
        agreed = self._agreed
        try:
            member = room.enter(agreed.codec, agreed.ptime_ms, agreed.silence, muted=command.muted)
        except CannotJoin as problem:
            self._host.emit(NotJoined(self.number, str(problem)))
            return
        self._member = member
        self.inbound.add(member)
        self.sender.idle_with(member)

    def leave(self) -> None:
        """Be in no room."""
        member, self._member = self._member, None
        if member is not None:
            self.inbound.remove(member)
            member.close()
            self.sender.idle_with(None)

    def press(self, command: PressKey) -> None:
        """Send a digit, if the far end takes telephone-event at the clock rate of the audio."""
        agreed = self._agreed
        if agreed is not None and agreed.event_sent_as is not None and agreed.event_rate == _CLOCK_RATE:
            self.sender.press(command.digit, command.duration_ms, agreed.event_sent_as)

    def close(self) -> None:
        """Say BYE by RTCP, report the last figures, close the sockets."""
        self._host.wheel.remove(self.sender)
        self.inbound.take_rest(self._host.now())
        self.leave()
        self.stop_message()
        self.sender.close()
        self.inbound.rtp_flows()
        self._send_report(goodbye=True)
        self.inbound.close()
        self._tell_not_recorded()
        self._host.emit(self.measured())
        self._closed = True
        self.rtp.close()
        self.rtcp.close()

    def rtp_readable(self, now: float) -> None:
        """Something waits on the RTP socket."""
        if self.inbound.readable(now):
            self._take_way()

    def rtcp_readable(self, now: float) -> None:
        """Something waits on the RTCP socket.

        A sender report with a new packet count is a sign of life as RTP is; a receiver report is not: it
        comes from a far end that hears us and says nothing, whose leg may time out.
        """
        try:
            datagram, source = self.rtcp.recvfrom(_LARGEST)
        except OSError:
            # An ICMP error for a report of ours: the far end has no RTCP.
            return
        agreed = self._agreed
        if agreed is None or source[0] not in (agreed.rtcp_address, self.inbound.target[0]):
            return
        try:
            sends = self._reports.receive(datagram, self._host.unix_time())
        except RtpParseError:
            return
        self._rtcp_source = source
        if sends:
            self.inbound.heard_at = now

    def measured(self) -> Measured:
        """The quality so far; the score is of what the far end heard if it says, else of what came in."""
        reception, reports = self.inbound.reception, self._reports
        heard = reception.ssrc is not None
        jitter_ms = round(reception.jitter_s * 1000, 2) if heard else None
        remote_jitter_ms = (
            None if reports.remote_jitter_s is None else round(reports.remote_jitter_s * 1000, 2)
        )
        round_trip_ms = None if reports.round_trip_s is None else round(reports.round_trip_s * 1000, 2)
        loss, jitter = reports.remote_loss, remote_jitter_ms
        if loss is None and heard:
            loss, jitter = max(0, reception.lost) / max(1, reception.expected), jitter_ms
        mos = None
        if loss is not None and self._agreed is not None:
            delay_ms = playout_delay_ms(
                round_trip_ms=round_trip_ms, jitter_ms=jitter, ptime_ms=self._agreed.ptime_ms
            )
            mos = round(estimated_mos(loss=loss, delay_ms=delay_ms), 2)
        return Measured(
            self.number,
            self.sender.packets_sent,
            reception.packets_received,
            max(0, reception.lost),
            jitter_ms,
            None if reports.remote_loss is None else round(reports.remote_loss, 5),
            remote_jitter_ms,
            round_trip_ms,
            mos,
        )

    def audio_began(self) -> None:
        """See :class:`SenderEvents`."""
        self._host.emit(AudioBegan(self.number, self._host.now()))

    def play_ended(self, play_id: str, played_ms: int, *, completed: bool, problem: str | None) -> None:
        """See :class:`SenderEvents`."""
        self._host.emit(PlayEnded(self.number, play_id, played_ms, completed, problem))

    def _end_message(self, *, by_silence: bool) -> None:
        message, self._message = self._message, None
        if message is None:
            return
        self.inbound.remove(message)
        message.close()
        self._host.emit(
            MessageEnded(self.number, message.message_id, message.duration_ms, by_silence, message.problem)
        )

    def _take_way(self) -> None:
        """Point the sender at the address that the inbound side has chosen.

        The functions made here hold the socket, not the stream, so that no reference cycle outlives it.
        """
        rtp, target = self.rtp, self.inbound.target
        if self.inbound.connected:
            self.sender.send = rtp.send
        else:
            self.sender.send = lambda packet: rtp.sendto(packet, target)

    def _take_slot(self, before: Connect | None, agreed: Connect) -> None:
        """Be in the slot wheel as long as the direction lets us send, at the right pace."""
        wheel, sender = self._host.wheel, self.sender
        may_send = agreed.may_send and agreed.address != _NOWHERE and agreed.port != 0
        if sender.slot is not None and (not may_send or before is None or before.ptime_ms != agreed.ptime_ms):
            wheel.remove(sender)
            if not may_send:
                sender.pause()
        if may_send and sender.slot is None:
            wheel.add(sender, agreed.ptime_ms, self._host.next_tick())

    def _start_timers(self) -> None:
        now, timers, config = self._host.now(), self._host.timers, self._host.config
        # The first report comes after half the time (RFC 3550 §6.2).
        timers.add(now + self._report_interval_s() / 2, self._report)
        timers.add(now + self._watch_interval_s(config.rtp_timeout_s), self._watch)
        if self._recording is not None:
            timers.add(now + FLUSH_INTERVAL_S, self._flush_recording)

    def _report_interval_s(self) -> float:
        return report_interval_s(self._host.config.rtcp_interval_s, self._host.random_bits(16) / _CHANCES)

    def _report(self, now: float) -> float | None:
        if self._closed:
            return None
        self.inbound.rtp_flows()
        self._send_report()
        # Wanted before the end only if the worker dies; each time, it would be most of what the dialer reads.
        if self._reports_until_measured == 0:
            self._reports_until_measured = _REPORTS_A_MEASURED
            self._host.emit(self.measured())
        self._reports_until_measured -= 1
        return now + self._report_interval_s()

    def _send_report(self, *, goodbye: bool = False) -> None:
        agreed = self._agreed
        if agreed is None:
            return
        packets = self.sender.packets_sent
        sent = None
        if packets != self._reported_packets:
            timestamp = self._host.next_tick() * CLOCK_PER_TICK + self.sender.timestamp_offset & 0xFFFF_FFFF
            sent = Sent(timestamp, packets, self.sender.octets_sent)
        self._reported_packets = packets
        report = self._reports.report(sent, self.inbound.reception, self._host.unix_time(), goodbye=goodbye)
        target = self._rtcp_target(agreed)
        if target[0] == _NOWHERE or not target[1]:
            return
        try:
            self.rtcp.sendto(report, target)
        except OSError as error:
            self._host.note_problem("report_not_sent", error)

    def _rtcp_target(self, agreed: Connect) -> tuple[str, int]:
        """Where its reports come from; before the first one, what SDP said, or beside its latched RTP."""
        if self._rtcp_source is not None:
            return self._rtcp_source
        address, port = self.inbound.target
        if address == agreed.address:
            return agreed.rtcp_address, agreed.rtcp_port
        return address, min(port + 1, _LAST_PORT)

    def _watch_interval_s(self, timeout_s: float) -> float:
        """How late a timeout may be noticed. Often enough to be of use, rarely enough to cost nothing."""
        return min(max(timeout_s / 10, 0.05), 5.0)

    def _watch(self, now: float) -> float | None:
        """Notice that RTP has stopped, or never began: once, and not on hold.

        On hold is whichever side may not send: who holds a call need not play music.
        """
        agreed = self._agreed
        if self._closed or self._timed_out or agreed is None:
            return None
        if self.inbound.rtp_flows() or not (agreed.may_send and agreed.may_receive):
            self.inbound.heard_at = now
        timeout_s = self._host.config.rtp_timeout_s
        if now - self.inbound.heard_at < timeout_s:
            return now + self._watch_interval_s(timeout_s)
        self._timed_out = True
        self._host.emit(Silent(self.number))
        return None

    def _flush_recording(self, now: float) -> float | None:
        if self._closed or self._recording is None:
            return None
        self._recording.flush(now)
        self._tell_not_recorded()
        return now + FLUSH_INTERVAL_S

    def _tell_not_recorded(self) -> None:
        """Once the disk has refused, it is not asked again."""
        recording = self._recording
        if recording is None or recording.problem is None:
            return
        self._recording = None
        self.inbound.remove(recording)
        recording.close()
        recorded_ms = recording.written // BYTES_PER_MS
        self._host.emit(NotRecorded(self.number, recorded_ms, recording.problem))
