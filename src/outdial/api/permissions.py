"""Which scope each endpoint needs: one table, so that one look shows who may do what.

The longest prefix decides. An endpoint below none of them is an administrator's: what was forgotten here is
closed, not open.
"""

from collections.abc import Mapping

from outdial.domain.scope import Scope

PREFIX = "/api/v1"

_READING = frozenset({"GET", "HEAD"})

NEEDED: Mapping[str, tuple[Scope | None, Scope | None]] = {
    "/account": (None, None),
    "/admin": (Scope.ADMIN, Scope.ADMIN),
    "/auth/me": (None, None),
    "/auth/tokens": (Scope.TOKENS, Scope.TOKENS),
    "/developer": (Scope.WEBHOOKS, Scope.WEBHOOKS),
    "/flows": (Scope.FLOWS, Scope.FLOWS),
    "/outgoing": (Scope.CALLS_READ, Scope.CALLS),
    "/outgoing/suppressions": (Scope.SUPPRESSIONS, Scope.SUPPRESSIONS),
    "/voice": (Scope.REPORTS, Scope.REPORTS),
    "/voice/bridges": (None, Scope.ADMIN),
    "/voice/pricing": (None, Scope.ADMIN),
    # What was said cannot be said again: who only reads reports does not delete it.
    "/voice/recordings": (Scope.REPORTS, Scope.ACCOUNT),
    "/voice/sounds": (Scope.SOUNDS, Scope.SOUNDS),
    "/voice/voices": (None, Scope.ADMIN),
}
"""Prefix of a path below /api/v1 → the scope to read, the scope to write; None: any token will do."""


def needed_scope(method: str, path: str) -> Scope | None:
    """The scope that a token needs for `method` on `path`, which begins with /api/v1; None: any token will
    do.
    """
    rest = path.removeprefix(PREFIX)
    matching = [prefix for prefix in NEEDED if rest == prefix or rest.startswith(f"{prefix}/")]
    if not matching:
        return Scope.ADMIN
    to_read, to_write = NEEDED[max(matching, key=len)]
    return to_read if method in _READING else to_write
