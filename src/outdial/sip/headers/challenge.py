"""WWW-Authenticate and Proxy-Authenticate (RFC 3261 §22, RFC 8760)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from outdial.errors import SipParseError
from outdial.sip.headers.auth_params import parse_auth_params
from outdial.sip.headers.text import quote


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the far end wants to see proven."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    """As it came; MD5 when left out."""
    qop: tuple[str, ...] = ()
    """Lower case, in order; empty with a server of RFC 2069."""
    opaque: str | None = None
    stale: bool = False
    """The nonce was too old, the password was right: try again with the new nonce, without asking anybody."""
    proxy: bool = False
    """Whether this came as Proxy-Authenticate, in a 407."""

    @classmethod
    def parse(cls, text: str, *, proxy: bool = False) -> Self:
        """Read one Digest challenge. Raises `SipParseError`, also for another scheme."""
        scheme, found = parse_auth_params(text)
        if scheme.lower() != "digest":
            raise SipParseError(f"authentication scheme {scheme} is not supported, only Digest")
        if "realm" not in found or "nonce" not in found:
            raise SipParseError("a Digest challenge without realm or nonce")
        return cls(
            realm=found["realm"],
            nonce=found["nonce"],
            algorithm=found.get("algorithm") or "MD5",
            qop=tuple(
                option for piece in found.get("qop", "").split(",") if (option := piece.strip().lower())
            ),
            opaque=found.get("opaque"),
            stale=found.get("stale", "").lower() == "true",
            proxy=proxy,
        )

    @classmethod
    def parse_all(cls, values: Iterable[str], *, proxy: bool = False) -> list[Self]:
        """Read every Digest challenge that can be read, in order; those of other schemes are left out."""
        challenges: list[Self] = []
        for value in values:
            try:
                challenges.append(cls.parse(value, proxy=proxy))
            except SipParseError:
                continue
        return challenges

    def __str__(self) -> str:
        parts = [f"realm={quote(self.realm)}", f"nonce={quote(self.nonce)}", f"algorithm={self.algorithm}"]
        if self.qop:
            parts.append(f"qop={quote(','.join(self.qop))}")
        if self.opaque is not None:
            parts.append(f"opaque={quote(self.opaque)}")
        if self.stale:
            parts.append("stale=true")
        return "Digest " + ", ".join(parts)
