"""What `outgoing/tts` asks for beside what `outgoing/send` does: a text, a voice, pauses and repetitions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from outdial.api.errors import invalid
from outdial.api.local_time import current_zone
from outdial.api.send_request import SendRequest
from outdial.domain.number_origin import NOWHERE, is_asked_by, origin_of
from outdial.domain.phone_number import PhoneNumber
from outdial.domain.prompt import LONGEST_PAUSE_MS, MOST_PARTS, Prompt
from outdial.domain.saying import language_of, say_digits, say_number
from outdial.errors import InvalidInput
from outdial.speech.engine import LONGEST_TEXT, Gender, Voice
from outdial.speech.voices import Voices
from outdial.templates import spoken
from outdial.templates.spoken import Spoken

_MOST_TRIES = 10
_LONGEST_IDENTIFIER = 40
_DEFAULT_PAUSE_S = 0.5
_LONGEST_PAUSE_S = LONGEST_PAUSE_MS / 1000
_SECONDS = re.compile(r"\d{1,4}(\.\d{1,6})?")
_GENDERS: Mapping[str, Gender] = {"female": "female", "male": "male", "neutral": "neutral"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """How the text of one request is said."""

    text: str
    """Liquid, checked."""
    voice: Voice
    revision: str
    break_identifier: str
    """What stands for a pause in the text; may be empty."""
    break_ms: int
    tries: int
    delay_ms: int

    def prompts(self, wanted: SendRequest, request_id: str, *, now: int) -> Sequence[Prompt]:
        """One prompt for each number that is called, in order. Raises ApiError 422.

        Not in the loop: a long list takes long, and where the first number comes from half a second.
        """
        if "{" not in self.text:
            return [self._prompt(self.text, {})] * len(wanted.to)
        asks = is_asked_by(self.text)
        return [
            self._prompt(
                self.text,
                {"id": f"{request_id}:{position}"} | _variables(wanted, each, now, asks=asks),
            )
            for position, each in enumerate(wanted.to, start=1)
        ]

    def _prompt(self, text: str, variables: Mapping[str, Any]) -> Prompt:
        try:
            pieces = spoken.render(text, variables)
        except InvalidInput as error:
            raise invalid({"text": [str(error)]}) from None
        said = " ".join(self._said(piece) for piece in pieces)
        parts = self._parts(said)
        if not any(isinstance(part, str) for part in parts):
            raise invalid({"text": ["text holds nothing to say once its variables are filled in."]})
        if len(said) > LONGEST_TEXT:
            raise invalid({"text": [_too_long(len(said))]})
        if len(parts) > MOST_PARTS:
            raise invalid({"text": [f"text has more than the {MOST_PARTS // 2} breaks that are accepted."]})
        return Prompt(
            voice=self.voice.id,
            revision=self.revision,
            parts=parts,
            tries=self.tries,
            delay_ms=self.delay_ms,
        )

    def _said(self, piece: str | Spoken) -> str:
        if isinstance(piece, str):
            return piece
        language = language_of(self.voice.language)
        match piece.manner:
            case "digits":
                return ", ".join(say_digits(piece.value, language))
            case "number":
                return " ".join(say_number(piece.value, language))
            case "play" | "sound":
                sentence = f"@{piece.manner} is for flows: here, text is spoken and nothing else is played."
                raise invalid({"text": [sentence]})

    def _parts(self, text: str) -> tuple[str | int, ...]:
        chunks = text.split(self.break_identifier) if self.break_identifier else [text]
        parts: list[str | int] = []
        for position, chunk in enumerate(chunks):
            if position and self.break_ms:
                parts.append(self.break_ms)
            if said := " ".join(chunk.split()):
                parts.append(said)
        return tuple(parts)


SpeechRequest = tuple[Speech | None, Mapping[str, list[str]]]
"""How a text is said, and sentences by the names of wrong parameters: one of the two."""


def read_speech(body: Mapping[str, Any], voices: Voices) -> SpeechRequest:
    """The speech in `body`, or what is wrong with it."""
    return _Reader(body, voices).read()


class _Reader:
    """Reads one request and collects all that is wrong with it."""

    def __init__(self, body: Mapping[str, Any], voices: Voices) -> None:
        self._body = body
        self._voices = voices
        self._errors: dict[str, list[str]] = {}

    def read(self) -> SpeechRequest:
        text = self._text()
        voice = self._voice()
        identifier = self._value("break.identifier")
        if len(identifier) > _LONGEST_IDENTIFIER:
            self._wrong(
                "break.identifier", f"break.identifier is over {_LONGEST_IDENTIFIER} characters long."
            )
        break_ms = self._milliseconds("break.time")
        tries = self._tries()
        delay_ms = self._milliseconds("iteration_delay")
        if self._errors or voice is None:
            return None, self._errors
        speech = Speech(
            text=text,
            voice=voice,
            revision=self._voices.revision_of(voice),
            break_identifier=identifier,
            break_ms=break_ms,
            tries=tries,
            delay_ms=delay_ms if tries > 1 else 0,
        )
        return speech, {}

    def _wrong(self, name: str, sentence: str) -> None:
        self._errors.setdefault(name, []).append(sentence)

    def _value(self, name: str) -> str:
        """A parameter under its dotted name, or inside an object: `break.time`, `break[time]`."""
        value = self._body.get(name)
        outer, _, inner = name.partition(".")
        if value is None and inner:
            nested = self._body.get(outer)
            value = nested.get(inner) if isinstance(nested, Mapping) else None
        if value is None:
            return ""
        if isinstance(value, dict | list | bool):
            self._wrong(name, f"{name} should be a single text.")
            return ""
        text = str(value)
        if "\x00" in text:
            self._wrong(name, f"{name} holds a NUL character.")
            return ""
        return text if name == "break.identifier" else text.strip()

    def _text(self) -> str:
        text = self._value("text")
        if not text and "text" not in self._errors:
            self._wrong("text", "text is missing: what is to be said, as in text=Hello {{name}}.")
        elif len(text) > LONGEST_TEXT:
            self._wrong("text", _too_long(len(text)))
        else:
            try:
                spoken.check(text)
            except InvalidInput as error:
                self._wrong("text", str(error))
        return text

    def _voice(self) -> Voice | None:
        if not self._voices.all:
            self._wrong("text", "No speech engine is set up on this server: see `speech.engines`.")
            return None
        if voice_id := self._value("voiceid"):
            voice = self._voices.get(voice_id)
            if voice is None:
                self._wrong(
                    "voiceid", f"There is no voice {voice_id[:60]!r}; GET /api/v1/voice/voices lists all."
                )
            return voice
        gender = self._gender()
        language = self._value("voice.language") or None
        voice = self._voices.choose(language, gender)
        if voice is None:
            known = ", ".join(self._voices.languages)
            self._wrong("voice.language", f"No voice speaks {(language or '')[:40]!r}; there are {known}.")
        return voice

    def _gender(self) -> Gender | None:
        text = self._value("voice.gender").lower()
        if text and text not in _GENDERS:
            self._wrong("voice.gender", f"voice.gender should be female, male or neutral, not {text[:40]!r}.")
        return _GENDERS.get(text)

    def _tries(self) -> int:
        text = self._value("iteration_tries")
        if not text:
            return 1
        if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= _MOST_TRIES):
            self._wrong(
                "iteration_tries", f"iteration_tries should be from 1 to {_MOST_TRIES}, not {text[:40]!r}."
            )
            return 1
        return int(text)

    def _milliseconds(self, name: str) -> int:
        text = self._value(name)
        if not text:
            return int(_DEFAULT_PAUSE_S * 1000)
        if not _SECONDS.fullmatch(text) or float(text) > _LONGEST_PAUSE_S:
            self._wrong(name, f"{name} should be seconds from 0 to {_LONGEST_PAUSE_S:g}, not {text[:40]!r}.")
            return 0
        return int(float(text) * 1000)


def _variables(wanted: SendRequest, number: PhoneNumber, now: int, *, asks: bool) -> dict[str, Any]:
    """What is known before a call is dialled; a variable of the call never hides one of the others.

    Where a number comes from is known to a text that `asks`.
    """
    at = datetime.fromtimestamp(now / 1000, current_zone())
    origin = origin_of(number.digits) if asks else NOWHERE
    return {
        **wanted.variables,
        "from": wanted.bridge,
        "bridge": wanted.bridge,
        "to": number.digits,
        "mobile": number.digits,
        "date": at.strftime("%Y-%m-%d"),
        "unixtime": now // 1000,
        "caller": {
            "country": number.iso,
            "provider": origin.provider,
            "region": origin.region,
            "name": wanted.variables.get("name"),
            "email": wanted.variables.get("email"),
        },
    }


def _too_long(length: int) -> str:
    return f"text is {length} characters long; {LONGEST_TEXT} are accepted."
