"""Addresses in answers: absolute where the server knows how others reach it (`api.public_url`).

A context variable, as the time zone is: rows are made far from where the settings are known.
"""

from contextvars import ContextVar

_base: ContextVar[str] = ContextVar("outdial_base", default="")


def use_base(url: str) -> None:
    """Let addresses of this request begin with `url`, which has no slash at its end; empty: with a path."""
    _base.set(url)


def link(path: str) -> str:
    """The address of a path of this server."""
    return f"{_base.get()}{path}"
