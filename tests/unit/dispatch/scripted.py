"""A phone network that does what the test says, and a clock that the test sets."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outdial.dispatch.phones import Phone
from outdial.domain.call import MediaQuality
from outdial.domain.disposition import EndReason, HangupBy
from outdial.errors import BlobsUnavailable
from outdial.sip.registration.status import RegistrationStatus
from outdial.telephony.leg_values import (
    Answered,
    LegEnd,
    LegRequest,
    MessageResult,
    NotAnswered,
    PlayResult,
)
from outdial.telephony.media.events import RecordingCut
from outdial.telephony.trunk import Trunk

PICKED_UP = Answered("PCMA", 20)
BUSY = NotAnswered(reason=EndReason.REJECTED, hangup_by=HangupBy.CALLEE, sip_code=486, sip_reason="Busy Here")
QUALITY = MediaQuality(packets_sent=50)


@dataclass
class ScriptedTracer:
    entries: list[dict[str, Any]] = field(default_factory=list)

    def take(self) -> list[dict[str, Any]]:
        taken, self.entries = self.entries, []
        return taken

    def give_back(self, entries: list[dict[str, Any]]) -> None:
        self.entries = [*entries, *self.entries]


class ScriptedPhone:
    """Waits at each step until the test lets it go on; hanging up ends whatever it waits for."""

    def __init__(self, request: LegRequest, tracer: ScriptedTracer) -> None:
        loop = asyncio.get_running_loop()
        self.request = request
        self.tracer = tracer
        self.digits = ""
        self.recording_cut: RecordingCut | None = None
        self.on_ringing: Callable[[], None] | None = None
        self.on_late_answer: Callable[[], None] | None = None
        self.on_digit: Callable[[str], None] | None = None
        self.on_key_down: Callable[[str], None] | None = None
        self.on_join_failed: Callable[[str], None] | None = None
        self.masked = False
        self.room: str | None = None
        self.keys = ""
        self.ended: asyncio.Future[LegEnd] = loop.create_future()
        self.dialed: asyncio.Future[Answered | NotAnswered] = loop.create_future()
        self.dialing = asyncio.Event()
        self.playing = asyncio.Event()
        self.played: asyncio.Future[PlayResult] = loop.create_future()
        self.clips: list[Path] = []
        self.hung_up: EndReason | None = None
        self.closed = False
        self.fault: Exception | None = None

    async def dial(self) -> Answered | NotAnswered:
        self.dialing.set()
        self.tracer.entries.append({"at": 1, "summary": "INVITE"})
        if self.fault is not None:
            raise self.fault
        return await self.dialed

    async def play(self, clips: Sequence[Path]) -> PlayResult:
        self.clips += clips
        self.playing.set()
        return await self.played

    def stop_playing(self) -> None:
        if self.playing.is_set() and not self.played.done():
            self.played.set_result(PlayResult(500, completed=False))

    def mask_digits(self, *, masked: bool) -> None:
        self.masked = masked

    async def record_message(self, path: Path, *, silence_s: float = 0.0) -> MessageResult:
        path.write_bytes(b"message")
        return MessageResult(1_000, by_silence=silence_s > 0)

    def stop_message(self) -> None:
        pass

    def send_key(self, digit: str) -> None:
        self.keys += digit

    def join(self, room: str, *, muted: bool = False) -> None:
        self.room = room

    def is_beside(self, other: object) -> bool:
        return True

    def leave(self) -> None:
        self.room = None

    def hang_up(self, reason: EndReason = EndReason.COMPLETED) -> None:
        self.end(reason, HangupBy.SYSTEM)

    async def close(self) -> MediaQuality:
        self.closed = True
        self.tracer.entries.append({"at": 2, "summary": "BYE"})
        return QUALITY

    def ring(self) -> None:
        assert self.on_ringing is not None
        self.on_ringing()

    def answer(self) -> None:
        self.dialed.set_result(PICKED_UP)

    def press(self, digit: str) -> None:
        self.digits += digit
        if self.on_digit is not None:
            self.on_digit(digit)

    def finish_playing(self, played_ms: int = 1000, *, completed: bool = True) -> None:
        self.played.set_result(PlayResult(played_ms, completed))

    def end(self, reason: EndReason, hangup_by: HangupBy) -> None:
        if self.ended.done():
            return
        if hangup_by is HangupBy.SYSTEM:
            self.hung_up = reason
        self.ended.set_result(LegEnd(reason=reason, hangup_by=hangup_by))
        if not self.dialed.done():
            self.dialed.set_result(NotAnswered(reason=reason, hangup_by=hangup_by, sip_code=487))
        if not self.played.done():
            self.played.set_result(PlayResult(500, completed=False))


class ScriptedNetwork:
    """`on_phone` may prepare each new phone, for instance to answer at once."""

    def __init__(self) -> None:
        self.phones: list[ScriptedPhone] = []
        self.new = asyncio.Condition()
        self.trusted: tuple[Trunk, ...] = ()
        self.answering = True
        self.asked: list[str] = []
        self.bindings: list[ScriptedBinding] = []
        self.on_phone: Callable[[ScriptedPhone], None] = lambda phone: None

    def new_phone(
        self, request: LegRequest, *, beside: Phone | None = None
    ) -> tuple[ScriptedPhone, ScriptedTracer]:
        tracer = ScriptedTracer()
        phone = ScriptedPhone(request, tracer)
        self.phones.append(phone)
        self.on_phone(phone)
        return phone, tracer

    async def trust(self, trunks: Iterable[Trunk]) -> None:
        self.trusted = tuple(trunks)

    async def answers(self, trunk: Trunk) -> bool:
        self.asked.append(trunk.name)
        return self.answering

    def register(self, trunk: Trunk, on_status: Callable[[RegistrationStatus], None]) -> "ScriptedBinding":
        self.bindings.append(ScriptedBinding(trunk, on_status))
        return self.bindings[-1]


class ScriptedBinding:
    """Says what the test says."""

    def __init__(self, trunk: Trunk, on_status: Callable[[RegistrationStatus], None]) -> None:
        self.trunk = trunk
        self.on_status = on_status
        self.renewals = 0
        self.kept = asyncio.Event()
        self.stopped = False
        self.confirms = True
        """Whether the trunk confirms in time that it forgets us."""
        self.fault: Exception | None = None

    async def keep(self) -> None:
        self.kept.set()
        if self.fault is not None:
            raise self.fault
        await asyncio.get_running_loop().create_future()

    def renew(self) -> None:
        self.renewals += 1

    async def stop(self, *, wait_s: float) -> None:
        await asyncio.sleep(0)
        self.stopped = True
        if self.confirms:
            self.on_status(RegistrationStatus(ended=True))


class AnyClip:
    """Every sound exists but `missing`."""

    async def find(self, sound_id: str, codec: str) -> Path | None:
        return None if sound_id == "missing" else Path(f"/clips/{sound_id}/{codec}.clip")


class BlobStore:
    """A blob store that is away, or is there again; it has every sound but `missing`."""

    def __init__(self) -> None:
        self.away = True
        self.asked: list[tuple[str, str]] = []

    async def find(self, sound_id: str, codec: str) -> Path | None:
        self.asked.append((sound_id, codec))
        if self.away:
            raise BlobsUnavailable("no route to host")
        return None if sound_id == "missing" else Path("/clip")


@dataclass
class HandClock:
    """Unix milliseconds, moved by hand."""

    now: int = 1_000_000

    def __call__(self) -> int:
        return self.now


def answering_at_once(phone: ScriptedPhone) -> None:
    phone.answer()
    phone.finish_playing()
