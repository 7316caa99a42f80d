"""How prompts are read out of a definition; what they look like says ``prompt_template``."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from outdial.flow.kinds import Flag, Kind, Plain, Schema, Seconds, Templated, shown
from outdial.flow.problem import Place
from outdial.flow.prompt_template import (
    HOWS,
    BeepPart,
    LanguagePart,
    Part,
    PausePart,
    PromptTemplate,
    SoundPart,
    TextPart,
    UrlPart,
    marked,
)
from outdial.flow.templates import SPEAK_AS, Template, check

LANGUAGE = r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2}|-[0-9]{3})?"
"""BCP 47 as far as speech needs it: language, script, region."""

LANGUAGE_KIND = Plain(LANGUAGE, "a language such as en or en-US")
_MOST_PARTS = 50
_LONGEST_PAUSE_S = 60.0


class SpokenText:
    """A text to be spoken, with the suffixes that say how."""

    _text = Templated()

    def read(self, value: object, place: Place) -> Template:
        """A template that can be rendered, before and after its suffixes are marked."""
        if not isinstance(value, str) or "@" not in value:
            return self._text.read(value, place)
        for found in SPEAK_AS.finditer(value):
            if found["how"] not in HOWS:
                place.note(f"cannot be spoken as @{found['how']}; there are {', '.join(HOWS)}")
                return Template("")
        problem = check(marked(Template(value)).source)
        if problem is not None:
            place.note(problem)
            return Template("")
        return Template(value)

    def schema(self) -> Schema:
        """A string."""
        return self._text.schema()


class PromptKind:
    """What the callee hears: a part or a list of parts."""

    def read(self, value: object, place: Place) -> PromptTemplate:
        """The prompt."""
        if not isinstance(value, list):
            return PromptTemplate(self._part(value, place))
        if not 1 <= len(value) <= _MOST_PARTS:
            place.note(f"must be a list of 1 to {_MOST_PARTS} parts, not of {len(value)}")
            return PromptTemplate()
        parts = [self._part(each, place.member(index)) for index, each in enumerate(value)]
        return PromptTemplate(tuple(part for each in parts for part in each))

    def schema(self) -> Schema:
        """A reference to the definition that all prompts share."""
        return {"$ref": "#/$defs/prompt"}

    def _part(self, value: object, place: Place) -> tuple[Part, ...]:
        if isinstance(value, str):
            return (TextPart(SPOKEN_TEXT.read(value, place)),)
        kinds = [name for name in _PARTS if isinstance(value, Mapping) and name in value]
        if len(kinds) != 1 or not isinstance(value, Mapping):
            place.note(f"must be a text, or an object with one of {', '.join(_PARTS)}, not {shown(value)}")
            return ()
        members, make = _PARTS[kinds[0]]
        unknown = [name for name in value if name not in members]
        if unknown:
            place.note(f"has {shown(unknown[0])}, which is unknown; it may have {', '.join(members)}")
            return ()
        return (make({name: members[name].read(each, place.member(name)) for name, each in value.items()}),)


class _ByLanguage:
    """Prompts by language."""

    def read(self, value: object, place: Place) -> dict[str, PromptTemplate]:
        if not isinstance(value, Mapping) or not value:
            place.note(f"must be an object with a prompt for each language, not {shown(value)}")
            return {"en": PromptTemplate()}
        for name in value:
            if not isinstance(name, str) or not re.fullmatch(LANGUAGE, name):
                place.note(f"must have languages such as en or en-US as names, not {shown(name)}")
                return {"en": PromptTemplate()}
        if (place.field or "").count("by_language") > 1:
            place.note("must not be by language again")
            return {"en": PromptTemplate()}
        return {name: PROMPT.read(each, place.member(name)) for name, each in value.items()}

    def schema(self) -> Schema:
        return {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": f"^(?:{LANGUAGE})$"},
            "additionalProperties": PROMPT.schema(),
        }


SPOKEN_TEXT = SpokenText()
PROMPT = PromptKind()

_PARTS: Mapping[str, tuple[Mapping[str, Kind], Callable[[dict[str, Any]], Part]]] = {
    "text": (
        {"text": SPOKEN_TEXT, "language": LANGUAGE_KIND, "voice": Plain()},
        lambda read: TextPart(**read),
    ),
    "sound": ({"sound": Templated()}, lambda read: SoundPart(**read)),
    "url": ({"url": Templated()}, lambda read: UrlPart(**read)),
    "pause": ({"pause": Seconds(0.01, _LONGEST_PAUSE_S)}, lambda read: PausePart(read["pause"])),
    "beep": ({"beep": Flag()}, lambda read: BeepPart()),
    "by_language": ({"by_language": _ByLanguage()}, lambda read: LanguagePart(**read)),
}


_MEANINGS = {
    "text": "What is spoken, with variables such as `{{name}}`, `{{otp@digits}}` or `{{due@date}}`.",
    "language": "The language of the text, if it is not that of the call.",
    "voice": "The id of a voice; `outdial voices` lists them.",
    "sound": "The id of a stored sound.",
    "url": "The address of an audio file, `http` or `https`.",
    "pause": "So many seconds of silence.",
    "beep": "A tone.",
    "by_language": "For each language of the flow a prompt.",
}


def prompt_schema() -> Schema:
    """The definition of a prompt."""
    parts = [
        {
            "type": "object",
            "properties": {
                name: {**kind.schema(), "description": _MEANINGS[name]} for name, kind in members.items()
            },
            "required": [required],
            "additionalProperties": False,
        }
        for required, (members, _) in _PARTS.items()
    ]
    part = {"anyOf": [{"type": "string", "minLength": 1}, *parts]}
    return {
        "description": "What the callee hears: a part or a list of parts.",
        "examples": ["Hello {{name}}.", ["Your code is {{otp@digits}}.", {"pause": 0.5}]],
        "anyOf": [*part["anyOf"], {"type": "array", "items": part, "minItems": 1, "maxItems": _MOST_PARTS}],
    }
