"""The ordered collection of headers."""

import pytest

from outdial.errors import SipParseError
from outdial.sip.headers.names import KNOWN, identify
from outdial.sip.message import Headers


def test_names_are_compared_without_case_in_either_form() -> None:
    headers = Headers([("v", "1"), ("CALL-ID", "2"), ("X-own", "3")])
    assert headers.get("VIA") == headers.get("via") == headers.get("V") == "1"
    assert headers.get("i") == headers.get("call-ID") == "2"
    assert headers.get("x-OWN") == "3"
    assert headers.get("To") is None
    assert headers.get("To", "nobody") == "nobody"
    assert "t" not in headers
    assert "V" in headers


def test_known_names_are_written_as_usual_and_others_as_given() -> None:
    headers = Headers([("v", "1"), ("CSEQ", "2"), ("www-authenticate", "3"), ("x-oWn", "4")])
    assert headers.items() == [("Via", "1"), ("CSeq", "2"), ("WWW-Authenticate", "3"), ("x-oWn", "4")]


@pytest.mark.parametrize(
    ("short", "usual"),
    [("v", "Via"), ("f", "From"), ("t", "To"), ("i", "Call-ID"), ("m", "Contact"),
     ("l", "Content-Length"), ("c", "Content-Type"), ("e", "Content-Encoding"), ("s", "Subject"),
     ("k", "Supported"), ("o", "Event"), ("r", "Refer-To"), ("b", "Referred-By"), ("u", "Allow-Events"),
     ("x", "Session-Expires"), ("y", "Identity"), ("a", "Accept-Contact"), ("j", "Reject-Contact"),
     ("d", "Request-Disposition")],
)  # fmt: skip
def test_compact_forms(short: str, usual: str) -> None:
    assert KNOWN[short] == KNOWN[short.upper()] == KNOWN[usual] == (usual.lower(), usual)


def test_lists_are_split_and_other_headers_are_not() -> None:
    headers = Headers(
        [
            ("Supported", "timer, 100rel"),
            ("k", ",replaces,"),
            ("Require", ""),
            ("WWW-Authenticate", 'Digest realm="a", nonce="b"'),
            ("Date", "Sat, 15 Oct 2005 04:44:56 GMT"),
            ("Subject", "one, two"),
            ("Route", '<sip:a;x=1,2>, "b, c" <sip:b>'),
            ("Route", "<sip:c>"),
        ]
    )
    assert headers.get_all("Supported") == ["timer", "100rel", "replaces"]
    assert headers.get_all("Require") == []
    assert headers.get_all("WWW-Authenticate") == ['Digest realm="a", nonce="b"']
    assert headers.get_all("Date") == ["Sat, 15 Oct 2005 04:44:56 GMT"]
    assert headers.get_all("s") == ["one, two"]
    assert headers.get_all("Route") == ["<sip:a;x=1,2>", '"b, c" <sip:b>', "<sip:c>"]
    assert headers.get_all("Via") == []


def test_set_keeps_the_place_of_the_first_and_drops_the_others() -> None:
    headers = Headers([("X-A", "1"), ("X-B", "2"), ("X-C", "3"), ("X-B", "4")])
    headers.set("X-B", "5")
    headers.set("X-A", "0")
    headers.set("X-D", "6")
    assert headers.items() == [("X-A", "0"), ("X-B", "5"), ("X-C", "3"), ("X-D", "6")]


def test_remove_drops_every_value() -> None:
    headers = Headers([("X-B", "1"), ("X-A", "2"), ("x-b", "3")])
    headers.remove("X-B")
    headers.remove("missing")
    assert headers.items() == [("X-A", "2")]
    assert len(headers) == 1


def test_add_first_goes_before_all() -> None:
    headers = Headers([("Via", "old")])
    headers.add_first("v", "new")
    assert headers.get_all("Via") == ["new", "old"]


def test_a_copy_is_independent() -> None:
    headers = Headers([("CSeq", "1")])
    headers.parsed("CSeq", int)
    twin = headers.copy()
    twin.set("CSeq", "2")
    assert (headers.get("CSeq"), twin.get("CSeq")) == ("1", "2")
    assert (headers.parsed("CSeq", int), twin.parsed("CSeq", int)) == (1, 2)


def test_equality_is_of_names_values_and_order() -> None:
    headers = Headers([("v", "1"), ("x-a", "2")])
    assert headers == Headers([("Via", "1"), ("X-A", "2")])
    assert headers != Headers([("X-A", "2"), ("Via", "1")])
    assert headers != [("Via", "1")]
    with pytest.raises(TypeError):
        hash(headers)


def test_it_shows_itself() -> None:
    assert repr(Headers([("v", "1")])) == "Headers([('Via', '1')])"


def test_parsed_says_what_is_missing() -> None:
    with pytest.raises(SipParseError, match="the message has no RSeq header"):
        Headers().parsed("RSeq", int)


def test_a_spaced_name_is_known() -> None:
    assert identify(" To\t") == ("to", "To")
    assert identify("X-Own ") == ("x-own", "X-Own")
    assert identify("not a token") is None
