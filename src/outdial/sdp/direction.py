"""Who may send (RFC 3264 §5.1, §6.1)."""

from enum import StrEnum


class Direction(StrEnum):
    """A direction attribute, seen from the side that writes it."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @classmethod
    def of(cls, *, send: bool, receive: bool) -> "Direction":
        """Return the direction that allows just that."""
        if send:
            return cls.SENDRECV if receive else cls.SENDONLY
        return cls.RECVONLY if receive else cls.INACTIVE

    @property
    def sends(self) -> bool:
        """Whether the writer may send."""
        return self is Direction.SENDRECV or self is Direction.SENDONLY

    @property
    def receives(self) -> bool:
        """Whether the writer may receive."""
        return self is Direction.SENDRECV or self is Direction.RECVONLY

    def reversed(self) -> "Direction":
        """Return the same stream seen from the other side."""
        return Direction.of(send=self.receives, receive=self.sends)

    def limited_to(self, other: "Direction") -> "Direction":
        """Return what both allow."""
        return Direction.of(send=self.sends and other.sends, receive=self.receives and other.receives)
