"""Session timers (RFC 4028): a call that nobody hangs up must end some day, also when a BYE was lost.

Whoever is the refresher repeats a re-INVITE or UPDATE at half the interval; who is not, hangs up shortly
before the interval ends without one.
"""

from collections.abc import Callable
from enum import Enum

from outdial.errors import SipParseError
from outdial.sip.headers.session_expires import Refresher, SessionExpires, parse_min_se
from outdial.sip.message import Message, Request, Response
from outdial.sip.timers import Timer, TimerQueue

_MAX_LENGTHENINGS = 3
"""A far end that asks for a longer interval each time would be asked for ever."""
_SHORTEST_REFRESH_S = 10
"""Whatever a 2xx says, in seconds: §4 calls 90 the least, and 0 would be an endless loop."""


class SessionTimerKind(Enum):
    """The two timers."""

    REFRESH = "refresh"
    EXPIRY = "expiry"


def offer_session_timer(interval_s: int, min_se_s: int) -> list[tuple[str, str]]:
    """Return the headers with which a request asks for a session timer (§7.1); none for interval 0."""
    if not interval_s:
        return []
    return [("Session-Expires", str(interval_s)), ("Min-SE", str(min_se_s))]


def minimum_of(message: Message) -> int | None:
    """Return Min-SE in seconds (§5), None when it is missing or unreadable."""
    value = message.headers.get("Min-SE")
    if value is None:
        return None
    try:
        return parse_min_se(value)
    except SipParseError:
        return None


def expires_of(message: Message) -> SessionExpires | None:
    """Return Session-Expires (§4), None when it is missing or unreadable."""
    value = message.headers.get("Session-Expires")
    if value is None:
        return None
    try:
        return SessionExpires.parse(value)
    except SipParseError:
        return None


class SessionTimer:
    """The timers of one established session; `on_refresh` and `on_expiry` say what to do when they run."""

    def __init__(
        self,
        timers: TimerQueue,
        min_se_s: int,
        on_refresh: Callable[[float], None],
        on_expiry: Callable[[float], None],
    ) -> None:
        self._timers = timers
        self._on_refresh = on_refresh
        self._on_expiry = on_expiry
        self._refresh: Timer | None = None
        self._expiry: Timer | None = None
        self.interval_s = 0
        self.min_se_s = min_se_s
        self.we_refresh = False
        self._lengthenings = 0

    def agree_as_caller(self, response: Response, now: float) -> None:
        """Take the 2xx of a request of ours (§7.2): it says who refreshes, `uac` being us."""
        expires = expires_of(response)
        if expires is None:
            self.stop()
        else:
            self._start(expires.seconds, we_refresh=expires.refresher is not Refresher.UAS, now=now)

    def agree_as_answerer(self, request: Request, now: float) -> list[tuple[str, str]]:
        """Take a request of the far end (§9) and return the headers of our 2xx.

        The far end's choice of refresher stands; without one it refreshes, because it asked. If it knows no
        timers, a proxy has asked, and we refresh.
        """
        expires = expires_of(request)
        if expires is None:
            self.stop()
            return []
        knows = any(option.lower() == "timer" for option in request.headers.get_all("Supported"))
        refresher = expires.refresher or (Refresher.UAC if knows else Refresher.UAS)
        self._start(expires.seconds, we_refresh=refresher is Refresher.UAS, now=now)
        agreed = ("Session-Expires", f"{expires.seconds};refresher={refresher}")
        return [("Require", "timer"), agreed] if knows or refresher is Refresher.UAC else [agreed]

    def refuses(self, request: Request) -> bool:
        """Whether the far end asks for an interval below our minimum: 422 is due (§9)."""
        expires = expires_of(request)
        return expires is not None and expires.seconds < self.min_se_s

    def refresh_headers(self) -> list[tuple[str, str]]:
        """Return the headers of a refresh of ours (§7.4), keeping the roles as they are."""
        if not self.interval_s:
            return []
        refresher = "uac" if self.we_refresh else "uas"
        return [
            ("Session-Expires", f"{self.interval_s};refresher={refresher}"),
            ("Min-SE", str(self.min_se_s)),
        ]

    def lengthen(self, response: Response) -> bool:
        """Take a 422 to a refresh; True if a longer interval should be tried."""
        wanted = minimum_of(response)
        if wanted is None or wanted <= self.min_se_s or self._lengthenings >= _MAX_LENGTHENINGS:
            return False
        self._lengthenings += 1
        self.min_se_s = wanted
        self.interval_s = max(self.interval_s, wanted)
        return True

    def refresh_again(self, now: float) -> None:
        """Take the refusal of a refresh: try again after half of the time that is left, if it is enough."""
        if self._expiry is None or not self.we_refresh:
            return
        again_at = now + max((self._expiry.at - now) / 2, _SHORTEST_REFRESH_S)
        if again_at < self._expiry.at:
            self._timers.cancel(self._refresh)
            self._refresh = self._timers.start(again_at, self, SessionTimerKind.REFRESH)

    def stop(self) -> None:
        """Disarm both timers."""
        self._timers.cancel(self._refresh)
        self._timers.cancel(self._expiry)
        self._refresh = self._expiry = None

    def on_timer(self, kind: object, now: float) -> None:
        """Take one of the two timers."""
        if kind is SessionTimerKind.REFRESH:
            self._on_refresh(now)
        else:
            self._on_expiry(now)

    def _start(self, interval_s: int, *, we_refresh: bool, now: float) -> None:
        """Arm the timers.

        An interval below the minimum that we announced, which the far end must not choose (§9), is kept by
        refreshing, but does not end the call.
        """
        self.stop()
        self.interval_s, self.we_refresh = interval_s, we_refresh
        if we_refresh:
            refresh_s = max(interval_s / 2, _SHORTEST_REFRESH_S)
            self._refresh = self._timers.start(now + refresh_s, self, SessionTimerKind.REFRESH)
        # §10: hang up min(32 s, a third of the interval) before the end.
        expiry_s = max(interval_s, self.min_se_s)
        margin = min(32.0, expiry_s / 3)
        self._expiry = self._timers.start(now + expiry_s - margin, self, SessionTimerKind.EXPIRY)
