"""What a token may be used for."""

from collections.abc import Iterable
from enum import StrEnum


class Scope(StrEnum):
    """One permission; a token has any number of them."""

    ACCOUNT = "account"
    CALLS = "calls"
    CALLS_READ = "calls:read"
    SOUNDS = "sounds"
    FLOWS = "flows"
    WEBHOOKS = "webhooks"
    SUPPRESSIONS = "suppressions"
    REPORTS = "reports"
    TOKENS = "tokens"
    ADMIN = "admin"


MEANINGS = {
    Scope.ACCOUNT: "All of the account: every scope below but `admin`.",
    Scope.CALLS: "Send, cancel and read calls.",
    Scope.CALLS_READ: "Read calls, how they went and their traces.",
    Scope.SOUNDS: "Upload, list, play and delete sounds.",
    Scope.FLOWS: "Make, change and read flows.",
    Scope.WEBHOOKS: "Webhooks, subscriptions and the log of deliveries.",
    Scope.SUPPRESSIONS: "The list of numbers that are not called.",
    Scope.REPORTS: "The call log, recordings and reports.",
    Scope.TOKENS: "Make and revoke tokens of the account, with no more scopes than this token has.",
    Scope.ADMIN: "The whole server: accounts and their tokens, trunks, bridges, rates, the audit log.",
}
"""One line for each scope, in the order in which they are shown."""

_HELD_BY = {Scope.CALLS_READ: Scope.CALLS}
"""A scope → the larger one that contains it."""


def allows(held: Iterable[str], needed: Scope) -> bool:
    """Tell whether a token with the scopes `held` may do what `needed` stands for.

    `admin` is about the server and contains no account's scopes; `account` contains all of them.
    """
    scopes = frozenset(held)
    if needed in scopes:
        return True
    if needed is Scope.ADMIN:
        return False
    larger = _HELD_BY.get(needed)
    return Scope.ACCOUNT in scopes or (larger is not None and larger in scopes)
