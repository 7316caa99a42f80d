"""A clip: the wire bytes of one sound in one codec, encoded once at upload so that playing is copying.

The three codecs of the public telephone network all need 64 kbit/s, which is 8 bytes per millisecond: PCMU
and PCMA take 8,000 samples of one byte, G.722 takes 16,000 samples and makes one byte of each pair (RFC 3551
section 4.5.2). So a clip can be cut into packets of any ptime without knowing which codec it holds.
"""

CODECS = ("PCMU", "PCMA", "G722")
"""The names of the codecs that a clip is made for, as SDP spells them."""

BYTES_PER_MS = 8
"""Wire bytes per millisecond, the same in every codec of :data:`CODECS`."""

SAMPLE_RATES = {"PCMU": 8_000, "PCMA": 8_000, "G722": 16_000}
"""Samples per second of the PCM behind each codec. (SDP and RTP claim 8,000 for G.722, RFC 3551 section
4.5.2.)"""

SILENCE_BYTES = {"PCMU": 0xFF, "PCMA": 0xD5, "G722": 0xFF}
"""One byte that, repeated, is silence: the idle patterns of G.711, and for G.722 the pattern that a decoder
turns into less than 60 of 32,768 whatever came before, and that disturbs the sound after it least (measured:
speech behind it correlates 0.9999 with speech from a fresh decoder; behind the encoder's own first silence
bytes, 0.96)."""


def clip_file_name(codec: str) -> str:
    """The name of a clip inside the directory of its sound, for example ``PCMU.clip``."""
    return f"{codec}.clip"


def silence(codec: str, duration_ms: int) -> bytes:
    """Wire bytes of silence in ``codec`` for ``duration_ms``; :class:`KeyError` for an unknown one."""
    return bytes((SILENCE_BYTES[codec],)) * (duration_ms * BYTES_PER_MS)
