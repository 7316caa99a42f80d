"""What `developer/webhooks` is asked for, validated: sentences for everything that is wrong."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from outdial.api.endpoint_checks import EndpointChecks
from outdial.api.errors import invalid
from outdial.errors import InvalidInput

METHODS = ("GET", "POST", "PUT")
BODY_FORMATS = ("json", "form")

_LONGEST_NAME = 255
_LONGEST_URI = 2048
_LONGEST_SECRET = 255
_LONGEST_BODY = 16 * 1024
_MOST_HEADERS = 20
_LONGEST_HEADER = 2048


def read_webhook_request(
    body: Mapping[str, Any], checks: EndpointChecks, *, is_new: bool, body_format: str = "json"
) -> dict[str, Any]:
    """Return the fields of a webhook that a request sets, by their names in storage.

    Of a new one name and uri are wanted; a change may leave anything out. `body_format` is what it has
    already. Beside storage's fields there may be `secret` and `status` (0 or 1). Raises ApiError 422.
    """
    return _Reader(body, checks, body_format).read(is_new=is_new)


class _Reader:
    """Collects all that is wrong, so that a caller mends it in one go."""

    def __init__(self, body: Mapping[str, Any], checks: EndpointChecks, body_format: str) -> None:
        self._body = body
        self._checks = checks
        self._body_format = body_format
        self._errors: dict[str, list[str]] = {}
        self._values: dict[str, Any] = {}

    def read(self, *, is_new: bool) -> dict[str, Any]:
        self._text("name", most=_LONGEST_NAME, required=is_new)
        self._text("uri", most=_LONGEST_URI, required=is_new, check=self._checks.check_uri)
        self._choice("method", METHODS, str.upper)
        self._choice("body_format", BODY_FORMATS, str.lower)
        self._text("secret", most=_LONGEST_SECRET, check=self._checks.check_secret)
        self._choice("status", ("0", "1"), str)
        self._headers()
        self._content()
        if self._errors:
            raise invalid(self._errors)
        return self._values

    def _wrong(self, name: str, sentence: str) -> None:
        self._errors.setdefault(name, []).append(sentence)

    def _text(
        self, name: str, *, most: int, required: bool = False, check: Callable[[str], None] | None = None
    ) -> None:
        value = self._body.get(name)
        if value is not None and not isinstance(value, str):
            self._wrong(name, f"{name} should be a single text.")
            return
        text = (value or "").strip()
        if not text:
            if required or (value is not None and name in ("name", "uri")):
                self._wrong(name, f"{name} is missing.")
            return
        if len(text) > most:
            self._wrong(name, f"{name} is {len(text)} characters long; {most} are accepted.")
        elif "\x00" in text:
            self._wrong(name, f"{name} holds a NUL character.")
        elif self._passes(name, check, text):
            self._values[name] = text

    def _passes(self, name: str, check: Callable[..., None] | None, *arguments: object) -> bool:
        try:
            if check is not None:
                check(*arguments)
        except InvalidInput as error:
            self._wrong(name, str(error))
            return False
        return True

    def _choice(self, name: str, choices: tuple[str, ...], spell: Callable[[str], str]) -> None:
        value = self._body.get(name)
        if value is None or value == "":
            return
        spelled = spell(str(value)).strip() if isinstance(value, str | int) else ""
        if spelled not in choices:
            self._wrong(name, f"{name} should be one of {', '.join(choices)}, not {str(value)[:40]!r}.")
        else:
            self._values[name] = spelled

    def _headers(self) -> None:
        value = self._body.get("headers")
        if value is None:
            return
        if isinstance(value, str):
            value = {} if not value.strip() else _json_or_none(value)
        if not isinstance(value, dict):
            self._wrong("headers", "headers should be a mapping, as in headers[X-Team]=billing.")
            return
        headers = {str(name).strip(): str(text).strip() for name, text in value.items()}
        if len(headers) > _MOST_HEADERS:
            self._wrong("headers", f"There are {len(headers)} headers; {_MOST_HEADERS} are accepted.")
        elif any(len(text) > _LONGEST_HEADER for text in headers.values()):
            self._wrong("headers", f"A header has at most {_LONGEST_HEADER} characters.")
        elif self._passes("headers", self._checks.check_headers, headers):
            self._values["headers"] = headers

    def _content(self) -> None:
        if "body" not in self._body:
            return
        value = self._body["body"]
        if isinstance(value, dict):
            value = json.dumps(value, ensure_ascii=False)
        text = value.strip() if isinstance(value, str) else ""
        if not text:
            self._values["body"] = None
        elif len(text) > _LONGEST_BODY:
            self._wrong("body", f"body is {len(text)} characters long; {_LONGEST_BODY} are accepted.")
        else:
            body_format = self._values.get("body_format", self._body_format)
            if self._passes("body", self._checks.check_body, text, body_format):
                self._values["body"] = text


def _json_or_none(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
