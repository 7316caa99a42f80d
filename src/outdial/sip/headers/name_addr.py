"""The address headers: From, To, Contact, Route, Record-Route, P-Asserted-Identity … (RFC 3261 §20.10)."""

from dataclasses import dataclass, field
from typing import Self

from outdial.errors import SipParseError
from outdial.sip.headers.text import end_of_quoted, quote, unquote
from outdial.sip.parameters import NO_PARAMETERS, Parameters
from outdial.sip.uri import WILDCARD, SipUri


@dataclass(frozen=True, slots=True)
class NameAddr:
    """A display name, a URI and the header's parameters. Written with angle brackets always."""

    display_name: str
    """Without quotes and escapes, `""` without one."""
    uri: SipUri
    parameters: Parameters = field(default=NO_PARAMETERS)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `"Name" <uri>;params`, `uri;params` or `*`. Raises `SipParseError`.

        Without brackets the parameters belong to the header (§20). A display name may hold what it likes,
        an unclosed quote too: the tag behind it decides which call this is.
        """
        text = text.strip()
        search_from = max(end_of_quoted(text, 0), 0) if text.startswith('"') else 0
        opening = text.find("<", search_from)
        if opening < 0:
            return cls._parse_bare(text)
        closing = text.find(">", opening)
        if closing < 0:
            raise SipParseError(f"an address without its closing bracket: {text!r}")
        uri = SipUri.parse(text[opening + 1 : closing])
        _, _, parameters = text[closing + 1 :].partition(";")
        return cls(
            unquote(text[:opening].strip()),
            uri,
            Parameters.parse(parameters) if parameters else NO_PARAMETERS,
        )

    @classmethod
    def _parse_bare(cls, text: str) -> Self:
        if text == "*":
            return cls("", WILDCARD)
        semicolon = text.find(";", text.find("@") + 1)
        if semicolon < 0:
            return cls("", SipUri.parse(text))
        return cls("", SipUri.parse(text[:semicolon]), Parameters.parse(text[semicolon + 1 :]))

    @property
    def tag(self) -> str | None:
        """The dialog tag, None without one."""
        return self.parameters.get("tag") or None

    @property
    def is_wildcard(self) -> bool:
        """Whether this is `Contact: *`."""
        return self.uri.is_wildcard

    def __str__(self) -> str:
        if self.uri.is_wildcard:
            return "*"
        name = f"{quote(self.display_name)} " if self.display_name else ""
        return f"{name}<{self.uri}>{self.parameters}"
