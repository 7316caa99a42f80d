"""Outdial's caller and the simulated network on a link in memory, in virtual time."""

from dataclasses import dataclass, field, replace

from tests.helpers.sip_link import CALLEE, CALLER, Network, tokens

from outdial.errors import NoFreePort
from outdial.sandbox.heard import Heard
from outdial.sandbox.magic_numbers import MAGIC_NUMBERS, PREFIX
from outdial.sandbox.options import PASSWORD, USERNAME
from outdial.sandbox.phone import Phone
from outdial.sandbox.switchboard import Switchboard
from outdial.sdp.negotiation import AgreedMedia, LocalMedia
from outdial.sip.digest import Credentials
from outdial.sip.endpoint import Endpoint
from outdial.sip.session.calling import OutgoingCall
from outdial.sip.session.context import SessionContext, SessionTimerPolicy
from outdial.sip.session.events import Event
from outdial.telephony.negotiation import LegNegotiator

RIGHT_CREDENTIALS = Credentials(USERNAME, PASSWORD)
UNIX_MS = 1_800_000_000_000


@dataclass
class FakeLine:
    """A line that notes what it is told."""

    network: Network
    log: list[tuple[float, str]] = field(default_factory=list)
    agreed: AgreedMedia | None = None
    port: int = 30_000
    closed: bool = False
    last_heard_at: float | None = None

    def connect(self, agreed: AgreedMedia) -> None:
        self.agreed = agreed
        self.log.append((round(self.network.now, 2), f"connect {agreed.direction.value}"))

    def press(self, digits: str) -> None:
        self.log.append((round(self.network.now, 2), f"press {digits}"))

    def hear(self, heard: Heard, answered_at: float | None) -> tuple[Heard, bytes]:
        assert not self.closed
        return replace(heard, packets=7), b"audio"

    def close(self) -> None:
        self.closed = True


class Call:
    """One call from Outdial's side to a phone of the sandbox."""

    def __init__(
        self,
        last_digits: str = "00",
        *,
        phone: Phone | None = None,
        number: str | None = None,
        credentials: Credentials | None = RIGHT_CREDENTIALS,
        no_ports: bool = False,
        session_interval_s: int = 1_800,
        ring_timeout_s: float = 60.0,
    ) -> None:
        self.network = Network()
        self.lines: list[FakeLine] = []
        self.heard: list[Heard] = []
        self.called: list[Heard] = []
        self.audio: list[bytes] = []
        self.no_ports = no_ports
        self.switchboard = Switchboard(
            CALLEE,
            {phone.number: phone} if phone else MAGIC_NUMBERS,
            new_token=tokens("phones"),
            unix_ms=lambda: UNIX_MS + round(self.network.now * 1_000),
            open_line=self._open_line,
            on_over=self._on_over,
            on_call=self.called.append,
        )
        self.caller = Endpoint(CALLER, tokens("caller"))
        self.network.attach(CALLER, self.caller)
        self.network.attach(CALLEE, self.switchboard)
        self.events: list[tuple[float, Event]] = []
        self.negotiator = LegNegotiator(LocalMedia(address=CALLER[0], port=10_000, session_id=1))
        context = SessionContext(
            layer=self.caller.layer,
            new_token=self.caller.new_token,
            negotiator=self.negotiator,
            on_event=lambda event: self.events.append((round(self.network.now, 2), event)),
            contact="<sip:12025550199@192.0.2.1:5060>",
            credentials=credentials,
            session_timer=SessionTimerPolicy(interval_s=session_interval_s),
        )
        number = number or (phone.number if phone else PREFIX + last_digits)
        call = OutgoingCall(
            uri=f"sip:{number}@192.0.2.2",
            from_="<sip:12025550199@192.0.2.1>",
            to=f"<sip:{number}@192.0.2.2>",
            destinations=(CALLEE,),
            call_id="call-1@192.0.2.1",
            ring_timeout_s=ring_timeout_s,
        )
        self.session = self.caller.call(context, call)
        self.session.start(0.0)

    def _open_line(self, phone: Phone) -> FakeLine:
        if self.no_ports and len(self.lines) + 1 >= phone.forks:
            raise NoFreePort("none")
        self.lines.append(FakeLine(self.network))
        return self.lines[-1]

    def _on_over(self, heard: Heard, audio: bytes) -> None:
        self.heard.append(heard)
        self.audio.append(audio)

    def run(self, until: float | None = None) -> "Call":
        self.network.run(until)
        return self

    def hang_up_at(self, time: float) -> "Call":
        """Hang up at a virtual time, then run until nothing is left to happen."""
        self.network.run(until=time)
        self.session.hang_up(time)
        return self.run()

    @property
    def last(self) -> Event:
        return self.events[-1][1]

    def at_phone(self, method: str) -> list[float]:
        """When requests of this method left the caller."""
        return [round(at, 2) for at in self.network.sent(f"{method} ", CALLER)]

    def from_phone(self, start: str) -> list[float]:
        """When messages that start like this left the phones and were not lost."""
        return [round(at, 2) for at in self.network.sent(start, CALLEE)]

    @property
    def clean(self) -> bool:
        """Whether neither side has kept anything."""
        return self.caller.idle and self.switchboard.endpoint.idle and not self.switchboard.calls
