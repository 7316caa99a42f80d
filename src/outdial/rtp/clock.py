"""RTP and NTP time: timestamps, unwrapped counters, NTP fixed point, when the next RTCP report is due."""

_NTP_EPOCH_OFFSET_S = 2_208_988_800
"""Seconds from 1900, where NTP time starts, to 1970 (RFC 3550 §4)."""


def ntp_from_unix(unix_seconds: float) -> int:
    """The 64-bit NTP timestamp (32.32 fixed point) of a Unix time."""
    return int((unix_seconds + _NTP_EPOCH_OFFSET_S) * (1 << 32)) & 0xFFFF_FFFF_FFFF_FFFF


def middle_32(ntp: int) -> int:
    """The middle 32 bits of an NTP timestamp: 16.16 seconds, what LSR holds (RFC 3550 §6.4.1)."""
    return ntp >> 16 & 0xFFFF_FFFF


def short_ntp(seconds: float) -> int:
    """A duration as 16.16 fixed point, what DLSR holds; clipped to the field."""
    return min(max(0, int(seconds * 65_536)), 0xFFFF_FFFF)


def round_trip_s(*, arrival: int, last_sr: int, delay_since_last_sr: int) -> float | None:
    """Round trip time from a report block (RFC 3550 §6.4.1), all three as 16.16 fixed point.

    None if the far end has seen no sender report yet, or its figures make the result negative or above a
    minute, which only clocks that jump and broken implementations do.
    """
    if not last_sr:
        return None
    round_trip = signed_32(arrival - last_sr - delay_since_last_sr) / 65_536
    return round_trip if 0 <= round_trip < 60 else None


def signed_32(difference: int) -> int:
    """The difference of two 32-bit counters as the nearest signed number."""
    return (difference + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000


def signed_16(difference: int) -> int:
    """The difference of two 16-bit counters as the nearest signed number."""
    return (difference + 0x8000 & 0xFFFF) - 0x8000


def report_interval_s(mean_s: float, chance: float) -> float:
    """When to send the next RTCP report: 0.5 to 1.5 times the mean (RFC 3550 §6.3.1), so that many legs
    do not report in step. ``chance`` is a random number from 0 to 1.
    """
    return mean_s * (0.5 + chance)
