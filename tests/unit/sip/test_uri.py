"""URIs."""

import pytest

from outdial.errors import SipParseError
from outdial.sip.uri import SipUri, escape_user


@pytest.mark.parametrize(
    ("text", "scheme", "user", "host", "port"),
    [
        ("sip:host", "sip", None, "host", None),
        ("SIPS:alice@host:5061", "sips", "alice", "host", 5061),
        (" sip:alice:secret@host ", "sip", "alice:secret", "host", None),
        ("sip:@host", "sip", "", "host", None),
        ("sip:a;p=1?q@host;lr", "sip", "a;p=1?q", "host", None),
        ("sip:user@domain@proxy;x=a@b", "sip", "user@domain", "proxy", None),
        ("sip:host_1.example:5060", "sip", None, "host_1.example", 5060),
        ("sip:[2001:db8::1]:5060;transport=UDP", "sip", None, "[2001:db8::1]", 5060),
        ("sip:+12025550100;phone-context=x@h?a=b", "sip", "+12025550100;phone-context=x", "h", None),
        ("tel:+12025550100;ext=1", "tel", "+12025550100", "", None),
        ("urn:service:sos", "urn", "service:sos", "", None),
    ],
)
def test_uris_are_read(text: str, scheme: str, user: str | None, host: str, port: int | None) -> None:
    uri = SipUri.parse(text)
    assert (uri.scheme, uri.user, uri.host, uri.port) == (scheme, user, host, port)
    assert str(uri) == text.strip().replace("SIPS", "sips")


@pytest.mark.parametrize(
    "text",
    ["", "host", "sip:", "sip:@", "sips:a@", "sip:a b@c d", ":x", "1x:y", "sip:h:port", "sip:<a@b>", "x:<a>"],
)
def test_what_is_no_uri_is_refused(text: str) -> None:
    with pytest.raises(SipParseError, match="not a URI"):
        SipUri.parse(text)


def test_a_port_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SipParseError, match="port 99999 does not exist"):
        SipUri.parse("sip:h:99999")


def test_parameters_and_headers_are_kept_apart() -> None:
    uri = SipUri.parse("sip:a@h;Transport=UDP;lr?Subject=x;y&Route=z")
    assert uri.transport == "udp"
    assert uri.parameters.has("LR")
    assert uri.headers == "Subject=x;y&Route=z"
    assert SipUri.parse("sip:a@h").transport is None


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("12025550100", "12025550100"), ("+1;x", "+1;x"), ("a b", "a%20b"), ("a@b", "a%40b"), ("a>b", "a%3Eb"),
     ("a:b", "a%3Ab"), ("ü", "%C3%BC"), ("x\r\n", "x%0D%0A"), ("#1", "%231"), ("100%", "100%25"), ("", "")],
)  # fmt: skip
def test_users_are_escaped(text: str, escaped: str) -> None:
    assert escape_user(text) == escaped
    assert SipUri("sip", escaped, "h").user_text == text


def test_a_uri_is_built_for_a_user_name_from_elsewhere() -> None:
    assert str(SipUri.for_user("a>;tag=x@evil", "host", 5070)) == "sip:a%3E;tag=x%40evil@host:5070"


def test_escapes_that_are_not_utf8_are_latin1() -> None:
    assert SipUri("sip", "%FC", "h").user_text == "ü"
    assert SipUri("sip", "50%", "h").user_text == "50%"
    assert SipUri("sip", "я%41", "h").user_text == "яA"
    assert SipUri("sip", None, "h").user_text == ""
