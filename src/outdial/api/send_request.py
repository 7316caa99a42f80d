"""What `outgoing/send` asks for, validated: names, bounds and sentences for everything that is wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from outdial.api.fields import whole_number
from outdial.api.recipients import Recipients, Refused, read_recipients
from outdial.api.times import read_time
from outdial.domain.calling_window import LONGEST as LONGEST_WINDOW
from outdial.domain.calling_window import CallingWindow
from outdial.domain.phone_number import PhoneNumber
from outdial.egress.guard import Guard
from outdial.egress.urls import LONGEST_URL, normalised, parse_target
from outdial.errors import EgressRefused, InvalidInput

INTERVALS = (0, 5, 15, 30, 45, 60)
"""Minutes between tries, as on the page."""
MOST_RETRIES = 10

_LONGEST_TEXT = 255
_MOST_MINUTES = 366 * 24 * 60
_FARTHEST_MS = _MOST_MINUTES * 60_000
_MOST_DIGITS = 18
_MOST_VARIABLE_CHARACTERS = 8192
_MOST_VARIABLES = 100
_BRIDGE_PUNCTUATION = re.compile(r"[\s().+-]")
_URL = re.compile(r"(?i)https?://")
_LIKE_A_URL = re.compile(r"://|^(?i:www)\.|/")

_NO_AUDIO = (
    "audio is missing: the id of a sound, as POST /api/v1/voice/sounds answers, or the URL of one"
    " (http or https); or ivr_id, the id of a flow."
)
_BOTH = "ivr_id and audio were both sent: a call runs a flow or plays a sound."


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRequest:
    """What a request asks for; `to` has no duplicates and keeps the order in which the numbers came."""

    bridge: str
    to: list[PhoneNumber]
    """At least one, of a request that is right."""
    refused: list[Refused] = field(default_factory=list)
    """What stood among them and is no number."""
    sound_id: str | None = None
    """Exactly one of this and `audio_url` is set, unless a text is spoken in place of audio."""
    flow_id: int | None = None
    """In place of audio: what the callee meets."""
    audio_url: str | None = None
    """In the spelling of `egress.urls.normalised`."""
    name: str = ""
    interval_minutes: int = 0
    retries: int | None = None
    """None: as many as the server's settings say."""
    calling_window: str | None = None
    """As `domain.calling_window` reads it; None: as the account says."""
    schedule: int | None = None
    """Not before, Unix milliseconds."""
    expires_at: int | None = None
    """Not at or after, Unix milliseconds."""
    customid: str = ""
    customid1: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    webhook_id: int | None = None


def read_send_request(
    body: Mapping[str, Any], *, most_recipients: int, guard: Guard, now: int, with_audio: bool = True
) -> tuple[SendRequest, dict[str, list[str]]]:
    """The request in `body`, without what is wrong in it, and sentences by the names of wrong parameters.

    `guard` judges an audio URL whose host is an address; names are resolved when the audio is fetched.
    Without `with_audio` there is none to be named: something else is played. `now` is Unix milliseconds.
    """
    return _Reader(body, most_recipients, guard, now).read(with_audio=with_audio)


class _Reader:
    """Reads one request and collects all that is wrong with it, so that a caller mends it in one go."""

    def __init__(self, body: Mapping[str, Any], most_recipients: int, guard: Guard, now: int) -> None:
        self._body = body
        self._now = now
        self._guard = guard
        self._most_recipients = most_recipients
        self._errors: dict[str, list[str]] = {}

    def read(self, *, with_audio: bool) -> tuple[SendRequest, dict[str, list[str]]]:
        flow_id = self._flow_id() if with_audio else None
        sound_id, audio_url = self._audio() if with_audio and flow_id is None else (None, None)
        schedule = self._time("schedule")
        bridge, recipients = self._bridge(), self._recipients()
        request = SendRequest(
            bridge=bridge,
            to=recipients.numbers,
            refused=recipients.refused,
            sound_id=sound_id,
            flow_id=flow_id,
            audio_url=audio_url,
            name=self._text("name"),
            interval_minutes=self._interval(),
            retries=self._retries(),
            calling_window=self._calling_window(),
            schedule=schedule,
            expires_at=self._expires_at(schedule),
            customid=self._text("customid"),
            customid1=self._text("customid1"),
            variables=self._variables(),
            webhook_id=self._webhook_id(),
        )
        return request, self._errors

    def _wrong(self, name: str, sentence: str) -> None:
        self._errors.setdefault(name, []).append(sentence)

    def _text(self, name: str, *, most: int = _LONGEST_TEXT) -> str:
        value = self._body.get(name)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self._wrong(name, f"{name} should be a single text.")
            return ""
        text = str(value).strip()
        if len(text) > most:
            self._wrong(name, f"{name} is {len(text)} characters long; {most} are accepted.")
            return ""
        if "\x00" in text:
            self._wrong(name, f"{name} holds a NUL character.")
            return ""
        return text

    def _bridge(self) -> str:
        bridge = _BRIDGE_PUNCTUATION.sub("", self._text("bridge"))
        if not bridge and "bridge" not in self._errors:
            self._wrong("bridge", "bridge is missing: the number to call from, as in bridge=918068280000.")
        return bridge

    def _recipients(self) -> Recipients:
        recipients = read_recipients(self._body.get("to"), most=self._most_recipients)
        if recipients.wrong:
            self._errors["to"] = recipients.wrong
        return recipients

    def _audio(self) -> tuple[str | None, str | None]:
        """The id of a sound, or a URL."""
        if "ivr_id" in self._errors or "flow_id" in self._errors:
            return None, None
        # The page's third example sends `audio==http://…`: one leading "=" is not part of the value.
        audio = self._text("audio", most=LONGEST_URL + 1).removeprefix("=").strip()
        if "audio" in self._errors:
            return None, None
        if not audio:
            self._wrong("audio", _NO_AUDIO)
            return None, None
        if _URL.match(audio):
            return None, self._audio_url(audio)
        try:
            return str(UUID(audio)), None
        except ValueError:
            self._wrong(
                "audio", unknown_address(audio) if _LIKE_A_URL.search(audio) else unknown_sound(audio)
            )
            return None, None

    def _flow_id(self) -> int | None:
        """The id of a flow under either of its names; None if there is none."""
        text, synonym = self._text("ivr_id"), self._text("flow_id")
        if text and synonym and text != synonym:
            self._wrong(
                "flow_id", f"flow_id is the same as ivr_id, but {synonym[:40]!r} is not {text[:40]!r}."
            )
            return None
        text = text or synonym
        if not text:
            return None
        if self._text("audio", most=LONGEST_URL + 1):
            self._wrong("ivr_id", _BOTH)
        elif not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
            self._wrong("ivr_id", f"There is no flow {text[:40]!r}; GET /api/v1/flows lists all of them.")
        else:
            return int(text)
        return None

    def _audio_url(self, text: str) -> str | None:
        try:
            url = normalised(text)
            self._guard.check(parse_target(url))
        except EgressRefused as error:
            self._wrong("audio", str(error))
            return None
        return url

    def _interval(self) -> int:
        text = self._text("interval")
        if not text:
            return 0
        if text not in {str(each) for each in INTERVALS}:
            expected = ", ".join(str(each) for each in INTERVALS)
            self._wrong("interval", f"interval should be one of {expected} (minutes), not {text[:40]!r}.")
            return 0
        return int(text)

    def _retries(self) -> int | None:
        text = self._text("retries")
        if not text:
            return None
        retries = whole_number(text, 0, MOST_RETRIES)
        if retries is None:
            self._wrong(
                "retries", f"retries should be a whole number from 0 to {MOST_RETRIES}, not {text[:40]!r}."
            )
            return None
        if retries and self._text("interval") in ("", "0"):
            self._wrong(
                "retries",
                f"retries={retries} needs an interval of {', '.join(map(str, INTERVALS[1:]))} minutes between"
                " two tries, as in interval=15.",
            )
        return retries

    def _calling_window(self) -> str | None:
        text = self._text("calling_window", most=LONGEST_WINDOW)
        if not text:
            return None
        try:
            CallingWindow.parse(text)
        except InvalidInput as error:
            self._wrong("calling_window", str(error))
        return text

    def _time(self, name: str) -> int | None:
        text = self._text(name)
        if not text:
            return None
        try:
            at = read_time(name, text)
        except ValueError as error:
            self._wrong(name, str(error))
            return None
        if at > self._now + _FARTHEST_MS:
            self._wrong(name, f"{name} is more than a year ahead: {text[:40]!r}.")
        return at

    def _expires_at(self, schedule: int | None) -> int | None:
        at, minutes = self._time("expires_at"), self._text("valid_for")
        first = self._now if schedule is None else max(self._now, schedule)
        if not minutes:
            if at is not None and at <= first:
                before = "now" if schedule is None else "schedule"
                self._wrong(
                    "expires_at",
                    f"expires_at should be later than {before}, not {self._text('expires_at')[:40]!r}: nobody"
                    " would be called.",
                )
            return at
        if self._text("expires_at"):
            self._wrong("valid_for", "valid_for and expires_at were both sent: one of them says until when.")
        elif (valid := whole_number(minutes, 1, _MOST_MINUTES)) is None:
            self._wrong(
                "valid_for",
                f"valid_for should be a whole number of minutes from 1 to {_MOST_MINUTES}, not"
                f" {minutes[:40]!r}.",
            )
        else:
            return first + valid * 60_000
        return None

    def _webhook_id(self) -> int | None:
        text = self._text("webhook_id")
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
            self._wrong("webhook_id", unknown_webhook(text))
            return None
        return int(text)

    def _variables(self) -> Mapping[str, str]:
        value = self._body.get("variables") or {}
        if not isinstance(value, dict):
            self._wrong("variables", "variables should be a mapping, as in variables[otp]=1234.")
            return {}
        if len(value) > _MOST_VARIABLES:
            self._wrong("variables", f"There are {len(value)} variables; {_MOST_VARIABLES} are accepted.")
            return {}
        result = {}
        for name, inner in value.items():
            if isinstance(inner, dict | list) or inner is None:
                self._wrong("variables", f"The variable {str(name)[:40]!r} should be a single text.")
            else:
                result[str(name)] = str(inner)
        held = sum(len(name) + len(text) for name, text in result.items())
        if held > _MOST_VARIABLE_CHARACTERS:
            # Every recipient's row holds them: what is small once is large ten thousand times.
            sentence = f"The variables hold {held} characters; {_MOST_VARIABLE_CHARACTERS} are accepted."
            self._wrong("variables", sentence)
        return result


def unknown_sound(sound_id: str) -> str:
    """The sentence for a sound that does not exist."""
    return f"There is no sound {sound_id[:60]!r}; GET /api/v1/voice/sounds lists all of them."


def unknown_address(text: str) -> str:
    """The sentence for an address that is none."""
    return f"The address of audio must start with http:// or https://, not {text[:60]!r}."


def unknown_webhook(webhook_id: object) -> str:
    """The sentence for a webhook that does not exist."""
    return f"There is no webhook {str(webhook_id)[:40]}; GET /api/v1/developer/webhooks lists all of them."
