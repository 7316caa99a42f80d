"""The trace of one attempt: each SIP message and each media event with its time, bounded.

An entry is a JSON object: `at` (Unix milliseconds), `direction` (`sent`, `received` or `note`), `summary`
(one line), and for messages `peer` (`address:port`) and `text` (the whole message, secrets blanked).
"""

import re
from collections.abc import Callable
from typing import Any

from outdial.sip.transport import Address

MAX_ENTRIES = 200
MAX_MESSAGE_CHARACTERS = 4000

_SECRETS = re.compile(r"(?im)^((?:proxy-)?authorization\s*:\s*)(.*)$")
_METHOD = re.compile(r"(?i)\ncseq\s*:\s*\d+\s+(\S+)")
_RESPONSE = re.compile(r'(?i)(response|cnonce)\s*=\s*"[^"]*"')

_LINE_END = re.compile(r"[\r\n]")
_INFO = re.compile(r"[\s\0]*INFO\s")
_BODY = re.compile(r"(?is)(\r?\n\r?\n|\n\s*signal\s*=).*")
"""Of an INFO that tells a key: what follows the empty line, or says the key where there is none."""

Entry = dict[str, Any]


class Trace:
    """Entries wait here until `take` hands them to whoever stores them."""

    def __init__(self, clock: Callable[[], int]) -> None:
        """`clock` returns Unix milliseconds."""
        self._clock = clock
        self._waiting: list[Entry] = []
        self._count = 0

    def message(self, sent: bool, data: bytes, peer: Address, _now: float) -> None:
        """Note a SIP message."""
        text = data.decode("utf-8", "replace")
        self._add(
            {
                "at": self._clock(),
                "direction": "sent" if sent else "received",
                "peer": f"{peer[0]}:{peer[1]}",
                "summary": _summary(text),
                "text": _without_secrets(text[:MAX_MESSAGE_CHARACTERS]),
            }
        )

    def note(self, summary: str) -> None:
        """Note what is no message: an event of media or of the call."""
        self._add({"at": self._clock(), "direction": "note", "summary": summary})

    def take(self) -> list[Entry]:
        """Return the entries since the last call and forget them."""
        taken, self._waiting = self._waiting, []
        return taken

    def give_back(self, entries: list[Entry]) -> None:
        """Keep entries that could not be stored for the next `take`."""
        self._waiting = [*entries, *self._waiting]

    def _add(self, entry: Entry) -> None:
        self._count += 1
        if self._count < MAX_ENTRIES:
            self._waiting.append(entry)
        elif self._count == MAX_ENTRIES:
            entry = {
                "at": entry["at"],
                "direction": "note",
                "summary": f"trace cut after {MAX_ENTRIES} entries",
            }
            self._waiting.append(entry)


def _summary(text: str) -> str:
    """Return a request's method and URI, or a response's status, reason and method."""
    first = _LINE_END.split(text.lstrip("\r\n\0"), maxsplit=1)[0]
    if not first.startswith("SIP/2.0 "):
        return first.removesuffix(" SIP/2.0")
    match = _METHOD.search(text)
    return f"{first[8:]} ({match.group(1)})" if match else first[8:]


def _without_secrets(text: str) -> str:
    if _INFO.match(text) and "dtmf" in text.lower():
        # The leg notes the key, or a dot where it is masked.
        text = _BODY.sub(r"\1…", text)
    # Few messages carry credentials, and looking for the word is ten times as fast as the expression.
    return _SECRETS.sub(_blank, text) if "authorization" in text.lower() else text


def _blank(match: re.Match[str]) -> str:
    return match.group(1) + _RESPONSE.sub(r'\1="…"', match.group(2))
