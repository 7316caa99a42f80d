"""A prompt: what is to be said, in which voice, with pauses and repetitions.

Its key is that of its content, so that a prompt is rendered once however many calls play it; its address,
`speech:<key>`, stands wherever the URL of an audio file can stand.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

SCHEME = "speech:"
MOST_PARTS = 200
LONGEST_PAUSE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What is said. Two equal prompts sound the same."""

    voice: str
    """Id of a voice: `pico:en-US`."""
    revision: str = "1"
    """Of the voice's engine, see `speech.engine`."""
    parts: tuple[str | int, ...]
    """Texts, and pauses in milliseconds, in order."""
    tries: int = 1
    """How often all of it is said."""
    delay_ms: int = 0
    """The pause between one time and the next."""

    @property
    def key(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @property
    def address(self) -> str:
        """What stands for it in the place of a URL."""
        return f"{SCHEME}{self.key}"

    @property
    def texts(self) -> Iterator[str]:
        """The texts among the parts."""
        return (part for part in self.parts if isinstance(part, str))

    def to_json(self) -> str:
        """The prompt as text, always the same for the same prompt."""
        fields = {
            "delay_ms": self.delay_ms,
            "parts": self.parts,
            "revision": self.revision,
            "tries": self.tries,
            "voice": self.voice,
        }
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Prompt":
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        return cls(**{**fields, "parts": tuple(fields["parts"])})


def is_prompt(address: str) -> bool:
    """Tell the address of a prompt from a URL."""
    return address.startswith(SCHEME)


def key_of(address: str) -> str:
    """The key in the address of a prompt."""
    return address.removeprefix(SCHEME)
