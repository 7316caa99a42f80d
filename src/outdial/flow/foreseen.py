"""What a call will certainly say if it says it: prompts whose words are known before anybody is dialled.

A text can be spoken, and a file fetched, before the dial if none of its variables is set on the way. Of a
text in which a variable is spoken in its own way, ``Your code is {{otp@digits}}``, the words around it can.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, assert_never

from outdial.errors import InvalidInput
from outdial.flow.declarations import with_defaults
from outdial.flow.definition import Library
from outdial.flow.lint import variables_set
from outdial.flow.prompt_template import (
    BeepPart,
    LanguagePart,
    PausePart,
    PromptTemplate,
    SoundPart,
    TextPart,
    UrlPart,
)
from outdial.flow.speakable import Beep, Item, Pause
from outdial.flow.templates import SPEAK_AS, Template, variables_of
from outdial.flow.values import Variables

_MOST = 200
"""Items of one call; more are made when they are wanted, as those are that cannot be foreseen."""
_Plain = TextPart | SoundPart | UrlPart | PausePart | BeepPart
_OF_THE_MOMENT = frozenset({"start_at", "date", "unixtime"})


def foreseen(library: Library, variables: Variables) -> tuple[Item, ...]:
    """What is to be spoken or fetched in any of the flows, each once; ``variables`` are the call's."""
    changing = _OF_THE_MOMENT.union(*(variables_set(flow) for flow in library.flows.values()))
    found: dict[Item, None] = {}
    for flow in library.flows.values():
        known = with_defaults(flow.variables, variables)
        begins_in = flow.language_meant(known.get("language"))
        languages = flow.languages if "language" in changing else (begins_in,)

        def render(text: Template, known: Variables = known) -> str:
            try:
                return text.render(known)
            except InvalidInput:  # noted for the author when its turn comes
                return ""

        for node in flow.nodes.values():
            for prompt in _prompts(node.step):
                for language in languages:
                    parts = tuple(each for each in _parts(prompt, language) if not _names(each) & changing)
                    items = PromptTemplate(parts).render(render, language, flow.voice_in(language))
                    found |= {item: None for item in items if not isinstance(item, Beep | Pause)}
                if len(found) >= _MOST:
                    return tuple(found)[:_MOST]
    return tuple(found)


def _prompts(value: Any) -> Iterator[PromptTemplate]:
    """All prompts among the settings of a step."""
    match value:
        case PromptTemplate():
            yield value
        case Mapping():
            for each in value.values():
                yield from _prompts(each)
        case tuple():
            for each in value:
                yield from _prompts(each)
        case _ if dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                yield from _prompts(getattr(value, field.name))
        case _:
            return


def _parts(prompt: PromptTemplate, language: str) -> Iterator[_Plain]:
    """The parts that are played in a language."""
    for part in prompt.parts:
        if isinstance(part, LanguagePart):
            chosen = part.by_language.get(language) or next(iter(part.by_language.values()))
            yield from _parts(chosen, language)
        else:
            yield part


def _names(part: _Plain) -> set[str]:
    """The variables on which the words of a part rest."""
    match part:
        case TextPart(text=text):
            return variables_of(Template(SPEAK_AS.sub("", text.source)))
        case SoundPart(sound=text) | UrlPart(url=text):
            return variables_of(text)
        case PausePart() | BeepPart():
            return set()
        case _:
            assert_never(part)
