"""What dispatching needs from telephony, as protocols, so that a test can script a leg."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import structlog

from outdial.domain.call import MediaQuality
from outdial.domain.disposition import EndReason
from outdial.sip.registration.status import RegistrationStatus
from outdial.sip.transport import Address
from outdial.telephony.leg import Leg
from outdial.telephony.leg_values import (
    Answered,
    LegEnd,
    LegRequest,
    MessageResult,
    NotAnswered,
    PlayResult,
)
from outdial.telephony.media.client import MediaClient
from outdial.telephony.media.events import RecordingCut
from outdial.telephony.registration import TrunkRegistration
from outdial.telephony.trace import Trace
from outdial.telephony.trunk import Trunk
from outdial.telephony.user_agent import UserAgent

_log = structlog.get_logger(__name__)


class Phone(Protocol):
    """One leg. `telephony.leg.Leg` is one; its docstrings hold."""

    digits: str
    recording_cut: RecordingCut | None
    on_ringing: Callable[[], None] | None
    on_late_answer: Callable[[], None] | None
    on_digit: Callable[[str], None] | None
    on_key_down: Callable[[str], None] | None
    on_join_failed: Callable[[str], None] | None
    ended: "asyncio.Future[LegEnd]"

    async def dial(self) -> Answered | NotAnswered:
        """Call, and wait for the answer or its absence."""
        ...

    async def play(self, clips: Sequence[Path]) -> PlayResult:
        """Play clips to their end or the leg's."""
        ...

    def stop_playing(self) -> None:
        """Stop what is played, at once."""
        ...

    def mask_digits(self, *, masked: bool) -> None:
        """Keep the keys from now on out of records, or no longer."""
        ...

    async def record_message(self, path: Path, *, silence_s: float = 0.0) -> MessageResult:
        """Record until `stop_message`, silence or the end."""
        ...

    def stop_message(self) -> None:
        """End the message that is being recorded."""
        ...

    def send_key(self, digit: str) -> None:
        """Let the far end hear a key, as if it were pressed here."""
        ...

    def join(self, room: str, *, muted: bool = False) -> None:
        """Hear the other legs in a room, and be heard there."""
        ...

    def leave(self) -> None:
        """Be in no room any more."""
        ...

    def is_beside(self, other: "Phone") -> bool:
        """Whether the two can be in one room."""
        ...

    def hang_up(self, reason: EndReason = EndReason.COMPLETED) -> None:
        """End it wherever it is; the first end counts."""
        ...

    async def close(self) -> MediaQuality:
        """Free what it holds."""
        ...


class Tracer(Protocol):
    """What an attempt leaves for its trace. `telephony.trace.Trace` is one."""

    def take(self) -> list[dict[str, Any]]:
        """Return the entries since the last call."""
        ...

    def give_back(self, entries: list[dict[str, Any]]) -> None:
        """Keep entries that could not be stored for the next `take`."""
        ...


class Binding(Protocol):
    """Our address at a trunk. `telephony.registration.TrunkRegistration` is one; its docstrings hold."""

    async def keep(self) -> None:
        """Register, and stay so; until cancelled or stopped."""
        ...

    def renew(self) -> None:
        """Register again at once."""
        ...

    async def stop(self, *, wait_s: float) -> None:
        """Take our address back, and wait that long for the trunk to confirm it."""
        ...


class PhoneNetwork(Protocol):
    """Where legs come from."""

    def new_phone(self, request: LegRequest, *, beside: Phone | None = None) -> tuple[Phone, Tracer]:
        """Return a leg that has not dialled yet, and where its trace gathers.

        It can be joined to `beside`, which is of this network.
        """
        ...

    async def trust(self, trunks: Iterable[Trunk]) -> None:
        """Answer these trunks' addresses from now on, and no others."""
        ...

    async def answers(self, trunk: Trunk) -> bool:
        """Tell whether a trunk answers OPTIONS, with whatever status; waits up to 32 s."""
        ...

    def register(self, trunk: Trunk, on_status: Callable[[RegistrationStatus], None]) -> Binding:
        """Return a registration that has sent nothing yet."""
        ...


class SipNetwork:
    """Legs of a user agent and a media client, both started by whoever owns them."""

    def __init__(self, user_agent: UserAgent, media: MediaClient, clock: Callable[[], int]) -> None:
        self._user_agent = user_agent
        self._media = media
        self._clock = clock

    def new_phone(self, request: LegRequest, *, beside: Phone | None = None) -> tuple[Phone, Tracer]:
        """Return a leg over SIP."""
        trace = Trace(self._clock)
        other = beside if isinstance(beside, Leg) else None
        return Leg(self._user_agent, self._media, request, trace, beside=other), trace

    async def trust(self, trunks: Iterable[Trunk]) -> None:
        """Replace the known addresses; a host that cannot be resolved now is learnt with its next call."""
        located: list[tuple[Trunk, tuple[Address, ...]]] = []
        for trunk in trunks:
            try:
                located.append((trunk, await self._user_agent.locate(trunk)))
            except OSError as error:
                _log.warning("trunk_not_located", trunk=trunk.name, host=trunk.host, error=str(error))
                located.append((trunk, ()))
        # Without a pause in between, so that no request of a running call is taken for a stranger's.
        self._user_agent.distrust_all()
        for trunk, addresses in located:
            self._user_agent.trust(trunk, addresses)

    async def answers(self, trunk: Trunk) -> bool:
        """Send OPTIONS; a host that cannot be resolved or reached does not answer."""
        try:
            return (await self._user_agent.check(trunk)).status is not None
        except OSError:
            return False

    def register(self, trunk: Trunk, on_status: Callable[[RegistrationStatus], None]) -> Binding:
        """Return a registration over SIP."""
        return TrunkRegistration(self._user_agent, trunk, on_status)
