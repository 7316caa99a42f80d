"""Digest authentication, both sides (RFC 3261 §22, RFC 7616, RFC 8760).

Of several challenges the strongest that we know is answered, whatever their order: a downgrade costs more
than a preference. `auth` is preferred to `auth-int`, which breaks where a proxy touches the SDP.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from outdial.errors import SipParseError
from outdial.sip.headers.challenge import Challenge
from outdial.sip.headers.credentials import DigestCredentials

_HASHES = {"sha-512-256": "sha512_256", "sha-256": "sha256", "md5": "md5"}
"""Strongest first. MD5 is what carriers use; whoever reads it on the wire has the call anyway."""

_SESSION_SUFFIX = "-sess"
_QOPS = ("auth", "auth-int")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to a trunk."""

    username: str
    password: str = field(repr=False)


def is_answerable(challenge: Challenge) -> bool:
    """Say whether we know the algorithm and one of the qop options."""
    return _base_algorithm(challenge.algorithm) in _HASHES and (
        not challenge.qop or any(option in _QOPS for option in challenge.qop)
    )


def choose(challenges: Iterable[Challenge]) -> Challenge:
    """Return the strongest challenge that can be answered, the first of equals.

    Raises `SipParseError` with what was asked and what we can answer.
    """
    challenges = list(challenges)
    usable = [challenge for challenge in challenges if is_answerable(challenge)]
    if not usable:
        asked = ", ".join(
            f"{challenge.algorithm} with qop {' or '.join(challenge.qop) or 'absent'}"
            for challenge in challenges
        )
        raise SipParseError(
            f"the far end asks for {asked or 'no Digest that can be read'}; we can answer SHA-512-256, "
            "SHA-256 and MD5, each also as -sess, with qop auth, auth-int or absent"
        )
    strongest_first = list(_HASHES)
    return min(usable, key=lambda challenge: strongest_first.index(_base_algorithm(challenge.algorithm)))


def authorize(
    challenges: Iterable[Challenge],
    credentials: Credentials,
    *,
    method: str,
    uri: str,
    nonce_count: int,
    cnonce: str,
    body: bytes = b"",
) -> tuple[str, str]:
    """Answer the strongest of `challenges`: return the header's name and value.

    `uri` is the Request-URI as text; `nonce_count` is 1 for a new nonce and grows with each use of it;
    `body` is hashed only where the challenge insists on `auth-int`. Raises `SipParseError` when none can be
    answered.
    """
    challenge = choose(challenges)
    qop = next((option for option in _QOPS if option in challenge.qop), None)
    needs_cnonce = qop is not None or _is_session(challenge.algorithm)
    unsigned = DigestCredentials(
        username=credentials.username,
        realm=challenge.realm,
        nonce=challenge.nonce,
        uri=uri,
        response="",
        algorithm=challenge.algorithm,
        qop=qop,
        nonce_count=nonce_count if qop is not None else None,
        cnonce=cnonce if needs_cnonce else None,
        opaque=challenge.opaque,
    )
    answer = unsigned.with_response(_response(unsigned, method, credentials.password, body))
    return "Proxy-Authorization" if challenge.proxy else "Authorization", str(answer)


def make_challenge(
    realm: str,
    nonce: str,
    *,
    algorithm: str = "MD5",
    qop: tuple[str, ...] = ("auth",),
    opaque: str | None = None,
    stale: bool = False,
    proxy: bool = False,
) -> Challenge:
    """Return the challenge of a server; `str()` of it is the header's value."""
    return Challenge(realm, nonce, algorithm, qop, opaque, stale, proxy)


def check(answer: DigestCredentials, method: str, password: str, body: bytes = b"") -> bool:
    """Say whether `answer` proves the password, for the server's side.

    Whether the nonce is one that was given out, is fresh and was not used with this count before is the
    server's to know. False too for an algorithm or qop that we do not know, or a qop without its cnonce.
    """
    if _base_algorithm(answer.algorithm) not in _HASHES or answer.qop not in {None, *_QOPS}:
        return False
    needs_cnonce = answer.qop is not None or _is_session(answer.algorithm)
    if (needs_cnonce and answer.cnonce is None) or (answer.qop is not None and answer.nonce_count is None):
        return False
    expected = _response(answer, method, password, body)
    return hmac.compare_digest(expected.encode(), answer.response.encode())


def _base_algorithm(algorithm: str) -> str:
    return algorithm.lower().removesuffix(_SESSION_SUFFIX)


def _is_session(algorithm: str) -> bool:
    return algorithm.lower().endswith(_SESSION_SUFFIX)


def _response(answer: DigestCredentials, method: str, password: str, body: bytes) -> str:
    """Compute the request digest, RFC 7616 §3.4.1 to §3.4.3."""
    name = _HASHES[_base_algorithm(answer.algorithm)]

    def digest(data: str | bytes) -> str:
        return hashlib.new(
            name, data.encode() if isinstance(data, str) else data, usedforsecurity=False
        ).hexdigest()

    secret = digest(f"{answer.username}:{answer.realm}:{password}")
    if _is_session(answer.algorithm):
        secret = digest(f"{secret}:{answer.nonce}:{answer.cnonce}")
    request = f"{method}:{answer.uri}"
    if answer.qop == "auth-int":
        request = f"{request}:{digest(body)}"
    if answer.qop is None:
        return digest(f"{secret}:{answer.nonce}:{digest(request)}")
    return digest(
        f"{secret}:{answer.nonce}:{answer.nonce_count:08x}:{answer.cnonce}:{answer.qop}:{digest(request)}"
    )
