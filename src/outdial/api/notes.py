"""What an answer says beside its data: warnings, in the shape of `errors`.

A context variable, as the time zone is: answers are made far from where a request is read.
"""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from types import MappingProxyType

_warnings: ContextVar[Mapping[str, Sequence[str]]] = ContextVar(
    "outdial_warnings", default=MappingProxyType({})
)


def begin() -> None:
    """A request begins: nothing is said about it yet."""
    _warnings.set({})


def note(sentences: Mapping[str, Sequence[str]]) -> None:
    """Add sentences by the name of the parameter that they are about."""
    if sentences:
        _warnings.set({**_warnings.get(), **sentences})


def warnings() -> dict[str, Mapping[str, Sequence[str]]]:
    """`{"warnings": …}` for an answer, empty when there is nothing to say."""
    found = _warnings.get()
    return {"warnings": found} if found else {}
