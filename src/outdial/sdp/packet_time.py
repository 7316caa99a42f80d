"""How much audio goes into one packet: ptime and maxptime (RFC 4566 §6)."""

import re

from outdial.sdp.description import MediaDescription, SessionDescription

MIN_PTIME_MS = 10
MAX_PTIME_MS = 60
_MILLISECONDS = re.compile(r"([0-9]{1,6})(?:\.[0-9]*)?")


def agree_packet_time(
    description: SessionDescription, media: MediaDescription, default_ms: int
) -> tuple[int, list[str]]:
    """Return how many ms of audio the far end wants per packet, with a sentence for each thing that was bent.

    Without `a=ptime` it is `default_ms`. `a=maxptime` limits it, and the result is 10 to 60 ms.
    """
    remarks: list[str] = []
    wanted = _read(description.attribute_of(media, "ptime"))
    packet_time = wanted or default_ms
    longest = _read(description.attribute_of(media, "maxptime"))
    if longest and packet_time > longest:
        remarks.append(f"ptime {packet_time} ms is more than maxptime {longest} ms allows")
        packet_time = longest
    bounded = min(max(packet_time, MIN_PTIME_MS), MAX_PTIME_MS)
    if bounded != packet_time:
        remarks.append(
            f"the far end wants packets of {packet_time} ms; we send {bounded} ms, as we keep between "
            f"{MIN_PTIME_MS} and {MAX_PTIME_MS}"
        )
    return bounded, remarks


def _read(value: str | None) -> int | None:
    """Read milliseconds; whatever is no positive number counts as absent."""
    match = _MILLISECONDS.fullmatch(value or "")
    return (int(match.group(1)) or None) if match else None
