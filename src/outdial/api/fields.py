"""Read the parameters of a request one by one, and collect all that is wrong with them.

Form bodies have texts only, JSON has numbers and booleans, too: both mean the same. What a request leaves out
is not among the values, so that a change leaves it as it is.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from outdial.api.errors import invalid
from outdial.errors import InvalidInput

_LONGEST_TEXT = 255
_MOST_ITEMS = 50
_SHOWN = 40
_FLAGS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


def whole_number(text: str, low: int, high: int) -> int | None:
    """The whole number from `low` to `high` that a text is; None for any other text."""
    if not (text.isascii() and text.isdigit() and len(text) <= _SHOWN):
        return None
    value = int(text)
    return value if low <= value <= high else None


def as_list(value: Any) -> Any:
    """A list that a form wrote with numbers, `to[0]=…&to[1]=…`, as a list; anything else as it is."""
    if isinstance(value, dict) and value and list(value) == [str(at) for at in range(len(value))]:
        return list(value.values())
    return value


class Fields:
    """The parameters of one request; `values` has those that were given and are right."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body
        self._errors: dict[str, list[str]] = {}
        self.values: dict[str, Any] = {}

    def done(self) -> dict[str, Any]:
        """Return the values. Raises ApiError 422 with a sentence for each that is wrong."""
        if self._errors:
            raise invalid(self._errors)
        return self.values

    def wrong(self, name: str, sentence: str) -> None:
        """Say that a parameter is wrong."""
        self._errors.setdefault(name, []).append(sentence)

    def text(
        self,
        name: str,
        *,
        required: bool = False,
        empty: Any = ...,
        most: int = _LONGEST_TEXT,
        check: Callable[[str], Any] | None = None,
    ) -> None:
        """One line of text; `empty` is what an empty one means, unset: it may not be empty.

        `check` returns the value for it, or raises InvalidInput or ValueError with a sentence.
        """
        value = self._scalar(name)
        if value is None:
            if required and name not in self._errors:
                self.wrong(name, f"{name} is missing.")
            return
        if not value:
            if empty is ...:
                self.wrong(name, f"{name} should not be empty.")
            else:
                self.values[name] = empty
        elif len(value) > most:
            self.wrong(name, f"{name} is {len(value)} characters long; {most} are accepted.")
        elif any(each < " " or each == "\x7f" for each in value):
            self.wrong(name, f"{name} should be one line, without control characters.")
        else:
            self._keep(name, value, check)

    def whole(
        self, name: str, low: int, high: int, *, required: bool = False, optional: bool = False
    ) -> None:
        """A whole number from `low` to `high`; an `optional` one may be empty: None."""
        if optional and self._is_empty(name):
            self.values[name] = None
            return
        self._number(name, int, low, high, f"a whole number from {low} to {high}", required=required)

    def number(self, name: str, low: float, high: float, *, optional: bool = False) -> None:
        """A number from `low` to `high`; an `optional` one may be empty: None."""
        if optional and self._is_empty(name):
            self.values[name] = None
            return
        self._number(name, float, low, high, f"a number from {low:g} to {high:g}", required=False)

    def flag(self, name: str) -> None:
        """True or false: also 1 and 0, yes and no, on and off."""
        value = self._scalar(name)
        if value is None:
            return
        found = _FLAGS.get(value.lower())
        if found is None:
            self.wrong(name, f"{name} should be 1 or 0, not {value[:_SHOWN]!r}.")
        else:
            self.values[name] = found

    def choice(self, name: str, choices: Sequence[str]) -> None:
        """One of `choices`."""
        value = self._scalar(name)
        if value is None:
            return
        if value.lower() in choices:
            self.values[name] = value.lower()
        else:
            self.wrong(name, f"{name} should be one of {', '.join(choices)}, not {value[:_SHOWN]!r}.")

    def texts(self, name: str, check: Callable[[str], str], *, most: int = _MOST_ITEMS) -> None:
        """Several texts: a list, or one text with commas between."""
        value = as_list(self._body.get(name))
        if value is None:
            return
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(each, str) for each in parts):
            self.wrong(name, f"{name} should be a list of texts, or one text with commas between.")
            return
        wanted = [each.strip() for each in parts if each.strip()]
        if len(wanted) > most:
            self.wrong(name, f"{name} holds {len(wanted)} values; {most} are accepted.")
            return
        self._keep(name, wanted, lambda texts: tuple(dict.fromkeys(check(each) for each in texts)))

    def wholes(self, name: str, low: int, high: int, *, most: int) -> None:
        """Several whole numbers from `low` to `high`, each once: a list, or a text with commas between."""
        value = as_list(self._body.get(name))
        if value is None:
            return
        parts = value if isinstance(value, list) else str(value).split(",")
        texts = [str(each).strip() for each in parts if str(each).strip()]
        found = [whole_number(each, low, high) for each in texts]
        if len(texts) > most:
            self.wrong(name, f"{name} holds {len(texts)} values; {most} are accepted.")
        for text, number in zip(texts, found, strict=True):
            if number is None:
                self.wrong(
                    name, f"{name} should be whole numbers from {low} to {high}, not {text[:_SHOWN]!r}."
                )
        self.values[name] = tuple(dict.fromkeys(each for each in found if each is not None))

    def mapping(
        self, name: str, check: Callable[[str, str], tuple[str, str]], *, most: int = _MOST_ITEMS
    ) -> None:
        """Texts by name: `headers[X-Account]=7`, or a JSON object."""
        value = self._body.get(name)
        if value is None:
            return
        if value == "":
            value = {}
        if not isinstance(value, dict) or any(isinstance(each, dict | list) for each in value.values()):
            self.wrong(name, f"{name} should be a mapping, as in {name}[X-Account]=7.")
        elif len(value) > most:
            self.wrong(name, f"{name} holds {len(value)} values; {most} are accepted.")
        else:
            self._keep(name, value, lambda items: dict(check(str(each), str(items[each])) for each in items))

    def _number(
        self, name: str, kind: Callable[[str], Any], low: float, high: float, expected: str, *, required: bool
    ) -> None:
        text = self._scalar(name)
        if text is None:
            if required and name not in self._errors:
                self.wrong(name, f"{name} is missing: {expected}.")
            return
        try:
            value = kind(text) if len(text) <= _SHOWN and text.isascii() else None
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            self.wrong(name, f"{name} should be {expected}, not {text[:_SHOWN]!r}.")
        else:
            self.values[name] = value

    def _is_empty(self, name: str) -> bool:
        return self._body.get(name, ...) in (None, "")

    def _scalar(self, name: str) -> str | None:
        """A single value as text; None if it was not given or is no single value."""
        value = self._body.get(name, ...)
        if value is ...:
            return None
        if isinstance(value, dict | list):
            self.wrong(name, f"{name} should be a single value.")
            return None
        if value is None:
            return ""
        return ("1" if value else "0") if isinstance(value, bool) else str(value).strip()

    def _keep(self, name: str, value: Any, check: Callable[[Any], Any] | None) -> None:
        try:
            self.values[name] = value if check is None else check(value)
        except (InvalidInput, ValueError) as error:
            self.wrong(name, str(error))
