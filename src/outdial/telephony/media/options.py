"""What can be set about media."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaOptions:
    """Durations end in ``_s`` and are seconds."""

    bind_address: str = "127.0.0.1"
    """IPv4 address of the RTP and RTCP sockets."""
    port_min: int = 10_000
    """First port of the range; RTP takes the even port of a pair, RTCP the odd one above it."""
    port_max: int = 20_000
    """Last port of the range."""
    workers: int = 1
    """Processes."""
    fill_to: int = 500
    """A worker gets so many streams before the next one gets any, because ticks cost 7 % of a core for one
    stream as for all. Beyond that, the next stream goes to the worker that has the fewest."""
    rtp_timeout_s: float = 30.0
    """A leg that should receive and hears nothing for this long reports it, once."""
    quarantine_s: float = 5.0
    """How long a port rests after its leg: late packets of the old call must not reach a new one."""
    latch_window_s: float = 0.5
    """How long after latching to another source the address from the SDP may still claim the leg."""
    rtcp_interval_s: float = 5.0
    """Mean time between reports (RFC 3550 §6.2)."""
    dscp: int = 46
    """DiffServ code point of RTP and RTCP: Expedited Forwarding (RFC 3246)."""
    clip_cache_bytes: int = 256 * 1024 * 1024
    """Bound on the audio that one worker keeps in memory."""
    reply_timeout_s: float = 5.0
    """A worker that does not answer for this long is stuck, and is killed and replaced."""
    restart_delay_s: float = 0.1
    """Wait before a dead worker is started again; doubles with each death in a row."""
    restart_delay_max_s: float = 5.0
