"""A phone of the simulated network, as a script: when it rings, how it answers, what it does on the call."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Voice(StrEnum):
    """What a phone sends while nobody presses keys."""

    MURMUR = "murmur"
    """Speech-like noise of its own: every number has another one, so that a recording proves who spoke."""
    SILENCE = "silence"
    """Packets of silence."""
    ECHO = "echo"
    """What it hears, packet by packet."""
    NOTHING = "nothing"
    """No RTP at all."""


class DigitsBy(StrEnum):
    """How pressed keys travel."""

    RTP = "rtp"
    """telephone-event (RFC 4733)."""
    INFO = "info"
    """SIP INFO with application/dtmf-relay."""


def _seconds(default: float | None, help_: str) -> Any:
    return field(default=default, metadata={"help": help_, "minimum": 0, "maximum": 86_400})


def _number(default: int | None, minimum: int, maximum: int, help_: str) -> Any:
    return field(default=default, metadata={"help": help_, "minimum": minimum, "maximum": maximum})


def _choice(default: Any, choices: tuple[Any, ...], help_: str) -> Any:
    return field(default=default, metadata={"help": help_, "choices": choices})


def _flag(help_: str) -> Any:
    return field(default=False, metadata={"help": help_})


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """One phone. Every field but the number is a line that a TOML file may set; ``metadata`` documents it.

    Times before the answer count from the INVITE, times on the call from the ACK of the 200.
    """

    number: str = field(metadata={"help": "Digits with country code."})
    description: str = field(default="", metadata={"help": "One line for people."})

    ring_after_s: float | None = _seconds(0.05, "When 180 Ringing is sent.")
    ring_again_after_s: float | None = _seconds(None, "When a second 180 is sent.")
    early_media_after_s: float | None = _seconds(
        None, "When 183 with SDP is sent and the phone speaks early."
    )
    answer_after_s: float | None = _seconds(0.5, "When 200 is sent, or `code`.")
    code: int | None = _number(None, 300, 699, "Refuse with this status in place of answering.")
    retry_after_s: int | None = _number(None, 0, 86_400, "Retry-After of a refusal.")
    q850: int | None = _number(None, 1, 127, "Q.850 cause in the Reason of a refusal or of the phone's BYE.")
    redirect_to: str = field(default="", metadata={"help": "Contact of a 3xx refusal, a SIP URI."})
    forks: int = _number(1, 1, 5, "How many phones answer: each sends a 200 with a tag of its own.")

    challenge: int | None = _choice(None, (401, 407), "Wants digest: INVITE, BYE, re-INVITE and the rest.")
    algorithm: str = _choice("MD5", ("MD5", "SHA-256"), "Algorithm of the challenge.")
    stale: bool = _flag("In the dialog the nonce of the INVITE is stale.")
    refuses_credentials: bool = _flag("Challenges again whatever the credentials.")
    min_se_s: int | None = _number(None, 90, 86_400, "Refuses shorter session intervals with 422.")

    codecs: tuple[str, ...] = _choice(
        ("PCMU", "PCMA", "G722"), ("PCMU", "PCMA", "G722", "G729"), "What it understands, a list."
    )
    forces_codec: str = _choice("", ("", "G729"), "Answers with this codec, offered or not.")
    ptime_ms: int = _number(20, 10, 60, "Packet time that its SDP asks for.")
    voice: Voice = _choice(Voice.MURMUR, tuple(Voice), "What it sends.")  # noqa: RUF009 - a field, not shared
    behind_nat: bool = _flag("Its SDP names a port that it does not use: whoever calls must latch.")

    digits: str = field(default="", metadata={"help": "Keys that it presses: 0 to 9, *, #, A to D."})
    digits_after_s: float = _seconds(1.0, "When it presses the first key.")
    digit_ms: int = _number(100, 40, 10_000, "How long each key is down.")
    digit_gap_ms: int = _number(100, 20, 10_000, "Pause between keys.")
    digits_by: DigitsBy = _choice(DigitsBy.RTP, tuple(DigitsBy), "How keys travel.")  # noqa: RUF009 - a field

    hold_after_s: float | None = _seconds(None, "When it re-INVITEs to hold.")
    hold_for_s: float = _seconds(1.0, "How long it holds; then it re-INVITEs back.")
    refresh_after_s: float | None = _seconds(None, "When it re-INVITEs and changes nothing.")
    hang_up_after_s: float | None = _seconds(None, "When it hangs up by itself.")

    gives_up_after_s: float | None = _seconds(
        30.0, "Hangs up when RTP that it heard has stopped for so long, on hold excepted."
    )

    lost_invites: int = _number(0, 0, 1_000, "How many INVITEs are lost on the way to it.")
    lost_acks: int = _number(0, 0, 1_000, "How many ACKs are lost on the way to it.")
    lost_byes: int = _number(0, 0, 1_000, "How many of its BYEs are lost.")
