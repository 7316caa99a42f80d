"""Names that an endpoint does not know: of a body they are answered as `warnings`, of a query refused.

An endpoint knows what its own description says, so there is no second list that could differ from it. A name
in a body may be one that a caller sends to everybody: refusing it would break them, saying nothing would let
`intervall=5` dial without retries. A filter that is not known would show, or delete, more than was asked for.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute

from outdial.api.errors import invalid
from outdial.api.notes import note

_EVERYWHERE = frozenset({"access_token"})
"""Query parameters of every endpoint."""
_FILTERING = frozenset({"GET", "HEAD", "DELETE"})
_SHOWN = 40
_NEAR = 0.7
"""So that `stauts` is near to status, and `number` not to name."""
_MOST_NAMED = 20


def check_query(request: Request) -> None:
    """Look at the names in the address. Raises ApiError 422 where they choose what is shown or deleted."""
    query = request.query_params
    if not query:
        return
    in_query, in_body = _known(request.scope["route"])
    unknown = [name for name in query if name not in in_query]
    if request.method not in _FILTERING:
        note(_about(unknown, lambda name: _misplaced(name, in_body)))
        return
    wrong = _about(unknown, lambda name: _unknown(name, in_query))
    for name in in_query.intersection(query):
        if len(query.getlist(name)) > 1:
            wrong[name] = [f"{name} was sent {len(query.getlist(name))} times; send it once."]
        elif request.method == "DELETE" and not query[name].strip():
            wrong[name] = [f"{name} is empty: give it a value, or leave it out to delete without it."]
    if wrong:
        raise invalid(wrong)


def check_body(request: Request, body: Mapping[str, Any]) -> None:
    """Note the names in a body that the endpoint does not read."""
    _, known = _known(request.scope["route"])
    outer = {name.partition(".")[0] for name in known}
    unknown = []
    for name, value in body.items():
        if name in known:
            continue
        if name in outer and isinstance(value, Mapping):
            unknown += [inner for each in value if (inner := f"{name}.{each}") not in known]
        else:
            unknown.append(name)
    note(_about(unknown, lambda name: _unknown(name, known)))


def _known(route: APIRoute) -> tuple[frozenset[str], frozenset[str]]:
    """The names that an endpoint reads from its query and from its body."""
    extra = route.openapi_extra or {}
    in_query = {each["name"] for each in extra.get("parameters", ()) if each["in"] == "query"}
    in_body = {
        name
        for content in extra.get("requestBody", {}).get("content", {}).values()
        for name in content["schema"]["properties"]
    }
    return frozenset(in_query) | _EVERYWHERE, frozenset(in_body)


def _about(names: Sequence[str], sentence: Callable[[str], str]) -> dict[str, list[str]]:
    """A sentence for each name, as `errors` have them; of very many for the first."""
    found = {name[:_SHOWN]: [sentence(name[:_SHOWN])] for name in names[:_MOST_NAMED]}
    more = len(names) - _MOST_NAMED
    return found | ({"…": [f"{more} more names are not known here."]} if more > 0 else {})


def _unknown(name: str, known: Iterable[str]) -> str:
    meant = {_plain(each): each for each in known if each not in _EVERYWHERE}
    near = get_close_matches(_plain(name), meant, n=1, cutoff=_NEAR)
    if near:
        return f"{name} is not known here; did you mean {meant[near[0]]}?"
    return f"{name} is not known here{'; known are ' if meant else ''}{', '.join(sorted(meant.values()))}."


def _plain(name: str) -> str:
    return name.casefold().replace("-", "_")


def _misplaced(name: str, in_body: frozenset[str]) -> str:
    if name in in_body:
        return f"{name} was not read from the address: send it in the body."
    return _unknown(name, in_body)
