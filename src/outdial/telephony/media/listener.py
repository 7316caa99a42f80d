"""Who listens to the audio of a stream: its recording, a message being recorded, the others in a room."""

from typing import Protocol


class Listener(Protocol):
    """Gets the audio packets of a stream in the order of their arrival, while it is among the listeners."""

    def receive(self, ssrc: int, timestamp: int, payload: bytes, silence: int, now: float) -> None:
        """Take a packet; `silence` is the byte that is silence in its codec."""

    def close(self) -> None:
        """The stream is over."""
