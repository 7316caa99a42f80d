"""What a call costs: a rate by the longest prefix, charged in started pulses.

Money is in units (ten-thousandths of the currency, see money.py). A rate is copied onto the call when the
call is accepted, so that a change of the rate card never changes what was promised.
"""

from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_PREFIX = 15
"""E.164 numbers have at most fifteen digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The price of calls to all numbers that begin with `prefix`."""

    prefix: str
    """Digits."""
    first_pulse_s: int
    """The first started pulse, at least 1 s."""
    next_pulse_s: int
    """Each further one, at least 1 s."""
    first_price: int
    """Units for the first pulse."""
    next_price: int
    """Units for each further one."""
    connection_fee: int = 0
    """Units, once, for an answered call."""

    def __post_init__(self) -> None:
        """Raises ValueError for what could not be charged."""
        if min(self.first_pulse_s, self.next_pulse_s) < 1:
            raise ValueError("a pulse lasts at least a second")
        if min(self.first_price, self.next_price, self.connection_fee) < 0:
            raise ValueError("a price is never negative")

    @property
    def is_free(self) -> bool:
        """However long the call is, it costs nothing."""
        return self.first_price == self.next_price == self.connection_fee == 0

    def next_pulses(self, talk_ms: int) -> int:
        """Return how many pulses were started after the first one."""
        return max(0, -(-(talk_ms - self.first_pulse_s * 1000) // (self.next_pulse_s * 1000)))

    def billed_ms(self, talk_ms: int) -> int:
        """Return the talk time in whole started pulses; 0 for a call that was not answered."""
        if talk_ms <= 0:
            return 0
        return 1000 * (self.first_pulse_s + self.next_pulses(talk_ms) * self.next_pulse_s)

    def charge(self, talk_ms: int) -> int:
        """Return the units for `talk_ms` of talk; 0 for a call that was not answered."""
        if talk_ms <= 0:
            return 0
        return self.connection_fee + self.first_price + self.next_pulses(talk_ms) * self.next_price

    def affordable_ms(self, units: int) -> int | None:
        """Return the longest talk that `units` pay for: 0 if not even the first pulse, None if any talk."""
        left = units - self.connection_fee - self.first_price
        if left < 0:
            return 0
        if self.next_price == 0:
            return None
        return 1000 * (self.first_pulse_s + left // self.next_price * self.next_pulse_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What an attempt cost."""

    charge: int = 0
    """Units."""
    pulse_s: int = 0
    """The pulse after the first; 0 where nothing was priced."""
    billed_ms: int = 0
    """Talk time in whole started pulses; 0 where nothing was priced."""


NOTHING = Bill()


def bill(rate: Rate | None, *, answered: bool, talk_ms: int, most: int | None = None) -> Bill:
    """Return what an attempt costs: nothing before an answer, after it at least the first pulse.

    `most` is what was reserved for it, in units: more is never charged, whatever a clock did.
    """
    if rate is None:
        return NOTHING
    if not answered:
        return Bill(pulse_s=rate.next_pulse_s)
    talked = max(1, talk_ms)
    charge = rate.charge(talked)
    return Bill(
        charge=charge if most is None else min(charge, most),
        pulse_s=rate.next_pulse_s,
        billed_ms=rate.billed_ms(talked),
    )


def longest_match(rates: Mapping[str, Rate], number: str) -> Rate | None:
    """Return the rate with the longest prefix of `number`; `rates` has them by their prefix."""
    for length in range(min(len(number), LONGEST_PREFIX), 0, -1):
        found = rates.get(number[:length])
        if found is not None:
            return found
    return None


CUT_EARLIER_MS = 300
"""A BYE goes out this much before the paid time is over, so that it does not start the next pulse."""
AROUND_MS = 2_000
"""Of talk beside the announcement: from the answer to its first word, after its last, and what is cut."""


def longest_talk_ms(rate: Rate | None, reserved: int) -> int | None:
    """Return for how long a call may talk on what was reserved for it; None: as long as it likes."""
    if rate is None or reserved == 0:
        return None
    paid = rate.affordable_ms(reserved)
    return None if paid is None else max(0, paid - CUT_EARLIER_MS)
