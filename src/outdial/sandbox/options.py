"""What the simulated phone network can be told."""

from dataclasses import dataclass
from pathlib import Path

USERNAME = "outdial"
PASSWORD = "sandbox"  # noqa: S105 - documented, so that a trunk to the sandbox can be set up
"""What the phones that want digest ask for."""


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """Options of :class:`outdial.sandbox.network.SandboxNetwork`."""

    recordings_dir: Path
    """Where phones write what they heard: ``heard.jsonl`` and a wav file for each answered call."""
    bind_address: str = "127.0.0.1"
    """IPv4 address of its SIP and RTP sockets."""
    port: int = 5070
    """UDP port of its SIP socket; 0 takes a free one."""
    rtp_port_min: int = 30_000
    rtp_port_max: int = 39_999
    """Ports of the phones: RTP on even ones, RTCP on the next."""
    phones_file: Path | None = None
    """A TOML file with further phones."""
    record: bool = True
    """Whether phones keep what they heard; off for long runs with many calls."""
    keep_recordings: int = 1_000
    """How many wav files are kept; the oldest are deleted."""
