"""Secrets of a flow: variables whose values are kept nowhere, and what else would give them away.

What is made of a secret is one: that can be seen in the templates, before anything runs. What a server
answers cannot be seen there, so it is looked for the secret that the server was sent.
"""

import dataclasses
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from outdial.flow.templates import Template, variables_of
from outdial.flow.values import Value, Variables, as_text

MASK = "****"
"""What is kept in place of a value that must not be."""
_OF_CALLER = ("name", "email")
"""The variables that ``caller`` has, too."""
_DISTINCT = 4
"""Characters from which a secret is recognised within a word; a shorter one has to be a word."""


def secrets_in(value: Any, masked: Collection[str]) -> set[str]:
    """The names among ``masked`` on which a template, or anything with templates in it, rests."""
    if not masked:
        return set()
    names = {name for each in _templates(value) for name in variables_of(each)}
    if any(name.startswith("[") for name in names):  # {{ [which] }} may be any of them
        return set(masked)
    if "caller" in names:
        names.update(_OF_CALLER)
    return names.intersection(masked)


def veiled(variables: Variables, masked: Collection[str]) -> Variables:
    """The variables as records may have them: a mask in place of each secret that is not empty."""
    hidden = dict(_hidden(variables, masked))
    caller = variables.get("caller")
    if isinstance(caller, dict):
        hidden["caller"] = {**caller, **_hidden(caller, [name for name in _OF_CALLER if name in masked])}
    return {**variables, **hidden}


def gives_away(value: Value, secrets: Collection[Value]) -> bool:
    """Whether one of the secrets stands in a value."""
    wanted = _anywhere(secrets)
    return wanted is not None and any(wanted.search(each) for each in (*_texts(value), *_names(value)))


def blotted(sentence: str, secrets: Collection[Value]) -> str:
    """A sentence with a mask in place of each secret."""
    wanted = _anywhere(secrets)
    return sentence if wanted is None else wanted.sub(MASK, sentence)


def _hidden(values: Variables, names: Collection[str]) -> dict[str, Value]:
    return {name: MASK for name in names if values.get(name) not in (None, "")}


def _templates(value: Any) -> Iterator[Template]:
    match value:
        case Template():
            yield value
        case Mapping():
            for each in value.values():
                yield from _templates(each)
        case tuple():
            for each in value:
                yield from _templates(each)
        case _ if dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                yield from _templates(getattr(value, field.name))
        case _:
            return


def _texts(value: Value) -> Iterator[str]:
    """The texts in a value, numbers among them."""
    match value:
        case dict():
            for each in value.values():
                yield from _texts(each)
        case list():
            for each in value:
                yield from _texts(each)
        case _:
            yield as_text(value)


def _names(value: Value) -> Iterator[str]:
    """The names of all members in a value."""
    match value:
        case dict():
            yield from value
            for each in value.values():
                yield from _names(each)
        case list():
            for each in value:
                yield from _names(each)
        case _:
            return


def _anywhere(secrets: Collection[Value]) -> "re.Pattern[str] | None":
    """What finds any of the secrets in a text; None if there is nothing to find."""
    words = {each for secret in secrets for each in _texts(secret) if each.strip()}
    ways = [
        re.escape(word) if len(word) >= _DISTINCT else rf"(?<!\w){re.escape(word)}(?!\w)"
        for word in sorted(words, key=len, reverse=True)
    ]
    return re.compile("|".join(ways)) if ways else None
