"""Our side of a call to a real far end: a user agent, media (real, or none), and legs."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from outdial.domain.call import MediaQuality
from outdial.sdp.agreement import AgreedMedia
from outdial.sip.timers import TimerValues
from outdial.telephony.leg import Leg
from outdial.telephony.leg_values import Answered, LegEnd, LegRequest, NotAnswered
from outdial.telephony.media.client import MediaClient
from outdial.telephony.media.events import MediaEvent, PlayFinished
from outdial.telephony.trace import Entry, Trace
from outdial.telephony.trunk import Trunk
from outdial.telephony.user_agent import UserAgent, UserAgentOptions
from tests.helpers.sipp import Sipp

PATIENT = TimerValues(t1=4.0)
"""No retransmission of ours on a busy machine: a scenario counts every message."""


class Brief(TimerValues):
    """Nothing is sent twice, and yet 64*T1 are over soon; both in seconds of the caller's clock."""

    @property
    def transaction_timeout(self) -> float:
        return self.t1 / 10


BOUND_S = 20.0
"""How long anything that a test waits for may take. Nothing should come near it."""

CALLEE = "12025550100"
CALLER = "918068000000"


class SilentStream:
    """A leg's media without any: it notes what it is told."""

    def __init__(self, media: "SilentMedia", port: int, on_event: Callable[[MediaEvent], None]) -> None:
        self._media = media
        self.port = port
        self.on_event = on_event
        self.connected: list[AgreedMedia] = []

    def connect(self, media: AgreedMedia, *, announced_event_payload_type: int | None = None) -> None:
        self.connected.append(media)

    def play(self, play_id: str, clips: Sequence[Path]) -> None:
        self.on_event(PlayFinished(play_id, 0, completed=True))

    def stop_playing(self) -> None:
        pass

    def stop_message(self) -> None:
        pass

    async def close(self) -> MediaQuality:
        self._media.open_streams.discard(self)
        return MediaQuality()


class SilentMedia:
    """In the place of a MediaClient, where a test is about signalling alone: it hands out ports."""

    def __init__(self) -> None:
        self.last: SilentStream | None = None
        self.open_streams: set[SilentStream] = set()
        self._opened = 0

    async def open(
        self,
        on_event: Callable[[MediaEvent], None],
        *,
        record_to: Path | None = None,
        beside: SilentStream | None = None,
        gathered: bool = False,
    ) -> SilentStream:
        self._opened += 1
        stream = self.last = SilentStream(self, 40_000 + 2 * (self._opened % 1000), on_event)
        self.open_streams.add(stream)
        return stream


class FastClock:
    """An event loop whose clock runs faster, so that minutes of a protocol pass in a second."""

    def __init__(self, loop: asyncio.AbstractEventLoop, speed: float) -> None:
        self._loop = loop
        self._speed = speed

    def time(self) -> float:
        return self._loop.time() * self._speed

    def call_at(self, when: float, callback: Callable[[], None]) -> "FastTimer":
        return FastTimer(self._loop.call_at(when / self._speed, callback), when)


class FastTimer:
    """What `FastClock.call_at` returns."""

    def __init__(self, handle: asyncio.TimerHandle, when: float) -> None:
        self._handle = handle
        self._when = when
        self.cancel, self.cancelled = handle.cancel, handle.cancelled

    def when(self) -> float:
        return self._when


class Caller:
    """A started user agent and the legs that it made; leaving it hangs up whatever is left."""

    def __init__(
        self,
        *,
        timer_values: TimerValues = PATIENT,
        media: MediaClient | None = None,
        speed: float = 1.0,
        **options: Any,
    ) -> None:
        """`options` are those of `UserAgentOptions`; `speed` is that of the protocol's clock."""
        self._speed = speed
        self.user_agent = UserAgent(
            UserAgentOptions(
                **{"bind_address": "127.0.0.1", "port": 0, "timer_values": timer_values, **options}
            )
        )
        self.silence = SilentMedia()
        self._media: Any = media or self.silence
        self._legs: list[Leg] = []

    async def __aenter__(self) -> Self:
        await self.user_agent.start()
        if self._speed != 1.0:
            fast: Any = FastClock(asyncio.get_running_loop(), self._speed)
            self.user_agent._loop = fast
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for leg in self._legs:
            await leg.close()
        if isinstance(error, Exception):
            error.add_note("\n".join(line for leg in self._legs for line in ladder(leg.trace.take())))
        await self.user_agent.stop(wait_s=0)

    def leg(
        self,
        far_end: Sipp | tuple[str, int],
        *,
        to: str = CALLEE,
        caller_name: str = "",
        ring_timeout_s: float = 60.0,
        record_to: Path | None = None,
        max_talk_s: float | None = None,
        trunk_ring_timeout_s: float = 60.0,
        beside: Leg | None = None,
        **trunk: Any,
    ) -> Leg:
        """A leg to `far_end`; `trunk` are further fields of `Trunk`."""
        host, port = far_end if isinstance(far_end, tuple) else (far_end.host, far_end.port)
        request = LegRequest(
            trunk=Trunk(name="far", host=host, port=port, ring_timeout_s=trunk_ring_timeout_s, **trunk),
            caller_number=CALLER,
            caller_name=caller_name,
            to=to,
            sip_call_id=f"call{len(self._legs)}@test",
            ring_timeout_s=ring_timeout_s,
            record_to=record_to,
            max_talk_s=max_talk_s,
        )
        leg = Leg(self.user_agent, self._media, request, Trace(lambda: 0), beside=beside)
        self._legs.append(leg)
        return leg

    @property
    def stream(self) -> SilentStream:
        """The media of the last leg, where there is none."""
        assert self.silence.last is not None
        return self.silence.last


async def dial(leg: Leg) -> Answered | NotAnswered:
    """Dial, bounded."""
    return await asyncio.wait_for(leg.dial(), BOUND_S)


async def answered(leg: Leg) -> Answered:
    """Dial, and insist on an answer."""
    result = await dial(leg)
    assert isinstance(result, Answered), result
    return result


async def refused(leg: Leg) -> NotAnswered:
    """Dial, and insist that there is no answer."""
    result = await dial(leg)
    assert isinstance(result, NotAnswered), result
    return result


async def end_of(leg: Leg) -> LegEnd:
    """Wait for the end of an answered leg, bounded."""
    return await asyncio.wait_for(asyncio.shield(leg.ended), BOUND_S)


async def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something that a real process will do; fails with `what` when it does not."""
    deadline = asyncio.get_running_loop().time() + BOUND_S
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"waited {BOUND_S} s for {what}"
        await asyncio.sleep(0.005)


def ladder(entries: list[Entry]) -> list[str]:
    """A trace as `> INVITE sip:…`, `< 200 OK (INVITE)` and `. note`."""
    marks = {"sent": ">", "received": "<", "note": "."}
    return [f"{marks[entry['direction']]} {entry['summary']}" for entry in entries]


async def digits_of(leg: Leg, count: int) -> None:
    """Wait until so many keys were heard."""
    await until(lambda: len(leg.digits) == count, "the digit")
