"""How a session asks for session descriptions without knowing what is in them (RFC 3264 belongs to `sdp`)."""

from typing import Protocol


class MediaNegotiator(Protocol):
    """The media side of one session; every method raises SdpError for a body that cannot be used."""

    def offer(self) -> bytes:
        """Return our offer; the same one again while nothing changed."""
        ...

    def accept_answer(self, body: bytes) -> None:
        """Take the answer to our last offer."""
        ...

    def answer(self, offer: bytes) -> bytes:
        """Take the far end's offer and return our answer."""
        ...
