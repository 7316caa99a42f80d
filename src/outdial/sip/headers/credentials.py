"""Authorization and Proxy-Authorization (RFC 3261 §22, RFC 7616 §3.4)."""

import re
from dataclasses import dataclass, replace
from typing import Self

from outdial.errors import SipParseError
from outdial.sip.headers.auth_params import parse_auth_params
from outdial.sip.headers.text import quote

_REQUIRED = ("username", "realm", "nonce", "uri", "response")
_NONCE_COUNT = re.compile(r"[0-9A-Fa-f]{1,8}")


@dataclass(frozen=True, slots=True)
class DigestCredentials:
    """The answer to a challenge."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    """Lower-case hexadecimal."""
    algorithm: str = "MD5"
    qop: str | None = None
    nonce_count: int | None = None
    """Comes with qop."""
    cnonce: str | None = None
    """Comes with qop, and with the -sess algorithms."""
    opaque: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one Digest answer. Raises `SipParseError`."""
        scheme, found = parse_auth_params(text)
        if scheme.lower() != "digest":
            raise SipParseError(f"authentication scheme {scheme} is not supported, only Digest")
        missing = [name for name in _REQUIRED if name not in found]
        if missing:
            raise SipParseError(f"Digest credentials without {', '.join(missing)}")
        count = found.get("nc")
        if count is not None and _NONCE_COUNT.fullmatch(count) is None:
            raise SipParseError(f"not a nonce count: {count!r}")
        return cls(
            username=found["username"],
            realm=found["realm"],
            nonce=found["nonce"],
            uri=found["uri"],
            response=found["response"].lower(),
            algorithm=found.get("algorithm") or "MD5",
            qop=found["qop"].lower() if found.get("qop") else None,
            nonce_count=int(count, 16) if count else None,
            cnonce=found.get("cnonce"),
            opaque=found.get("opaque"),
        )

    def with_response(self, response: str) -> "DigestCredentials":
        """Return a copy with the computed response."""
        return replace(self, response=response)

    def __str__(self) -> str:
        parts = [
            f"username={quote(self.username)}",
            f"realm={quote(self.realm)}",
            f"nonce={quote(self.nonce)}",
            f"uri={quote(self.uri)}",
            f'response="{self.response}"',
            f"algorithm={self.algorithm}",
        ]
        if self.cnonce is not None:
            parts.append(f"cnonce={quote(self.cnonce)}")
        if self.qop is not None:
            parts.append(f"qop={self.qop}")
        if self.nonce_count is not None:
            parts.append(f"nc={self.nonce_count:08x}")
        if self.opaque is not None:
            parts.append(f"opaque={quote(self.opaque)}")
        return "Digest " + ", ".join(parts)
