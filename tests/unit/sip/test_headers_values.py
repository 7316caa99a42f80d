"""One header each: what is read, what is refused, what is written."""

import pytest

from outdial.errors import LocalProtocolError, SipParseError
from outdial.sip.headers.content_type import ContentType
from outdial.sip.headers.cseq import CSeq
from outdial.sip.headers.name_addr import NameAddr
from outdial.sip.headers.reason import Reason
from outdial.sip.headers.retry_after import RetryAfter
from outdial.sip.headers.session_expires import Refresher, SessionExpires, parse_min_se
from outdial.sip.headers.text import end_of_quoted, quote, split_outside_quotes, unquote
from outdial.sip.headers.via import Via
from outdial.sip.parameters import Parameters
from outdial.sip.uri import SipUri


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("SIP/2.0/UDP 192.0.2.1", "SIP/2.0/UDP 192.0.2.1"),
        ("sip/2.0/udp a_b.example:5060;branch=z9hG4bK1", "SIP/2.0/UDP a_b.example:5060;branch=z9hG4bK1"),
        (" SIP / 2.0 / TLS  [2001:db8::1] : 5061 ; rport ", "SIP/2.0/TLS [2001:db8::1]:5061;rport"),
        ("SIP/2.0/WSS df7jal23ls0d.invalid;alias;;x", "SIP/2.0/WSS df7jal23ls0d.invalid;alias;x"),
    ],
)
def test_via_is_read(text: str, written: str) -> None:
    assert str(Via.parse(text)) == written


@pytest.mark.parametrize(
    "text",
    ["", "SIP/2.0/UDP", "SIP/2.0/UDP ", "HTTP/1.1/TCP a", "SIP/2.0 a", "SIP/2.0/UDP a b", ";",
     "SIP/2.0/UDP a:port", "SIP/2.0/UDP 2001:db8::1"],
)  # fmt: skip
def test_what_is_no_via_is_refused(text: str) -> None:
    with pytest.raises(SipParseError, match="not a Via"):
        Via.parse(text)


def test_a_port_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SipParseError, match="port 65536 does not exist"):
        Via.parse("SIP/2.0/UDP a:65536")


def test_the_routing_parameters_of_a_via() -> None:
    via = Via.parse("SIP/2.0/UDP 10.0.0.1;Rport=5080;RECEIVED=192.0.2.4;Branch=z9")
    assert (via.branch, via.received, via.rport) == ("z9", "192.0.2.4", 5080)
    assert Via.parse("SIP/2.0/UDP a;rport").rport is None
    assert Via.parse("SIP/2.0/UDP a").rport is None
    assert [Via.parse(f"SIP/2.0/UDP a;rport={odd}").rport for odd in ("x", "٣", "123456")] == [
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("text", "name", "uri", "tag"),
    [
        ("sip:a@b", "", "sip:a@b", None),
        ("sip:a@b;tag=1", "", "sip:a@b", "1"),
        ("sip:a;x=y@b;tag=1", "", "sip:a;x=y@b", "1"),
        ("<sip:a@b;lr>;TAG=1", "", "sip:a@b;lr", "1"),
        ("Bob <sip:a@b>", "Bob", "sip:a@b", None),
        ("Bob<sip:a@b> ; tag = 1", "Bob", "sip:a@b", "1"),
        ('"Bob, \\"the\\" <b>; \\\\" <sip:a@b>;tag=1', 'Bob, "the" <b>; \\', "sip:a@b", "1"),
        ('"" <sip:a@b>', "", "sip:a@b", None),
        ("<tel:+1-202-555-0100;phone-context=x>;tag=1", "", "tel:+1-202-555-0100;phone-context=x", "1"),
        (
            "Anonymous <sip:anonymous@anonymous.invalid>;tag=",
            "Anonymous",
            "sip:anonymous@anonymous.invalid",
            None,
        ),
        ("<sip:[2001:db8::1]:5060>", "", "sip:[2001:db8::1]:5060", None),
    ],
)
def test_addresses_are_read(text: str, name: str, uri: str, tag: str | None) -> None:
    address = NameAddr.parse(text)
    assert (address.display_name, str(address.uri), address.tag) == (name, uri, tag)


@pytest.mark.parametrize("text", ["", "Bob", "<>", "<sip:a@b", '"Bob" sip:a@b', "<sip:>", "**", "a@b"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(SipParseError):
        NameAddr.parse(text)


def test_addresses_are_written_with_brackets_and_quotes() -> None:
    uri = SipUri("sip", "a", "b")
    assert str(NameAddr("", uri)) == "<sip:a@b>"
    tag = Parameters.of([("tag", "x")])
    assert str(NameAddr('O"Neil \\ Co', uri, tag)) == '"O\\"Neil \\\\ Co" <sip:a@b>;tag=x'


def test_the_wildcard() -> None:
    assert NameAddr.parse(" * ").is_wildcard
    assert str(NameAddr.parse("*")) == "*"
    assert not NameAddr.parse("<sip:a@b>").is_wildcard


@pytest.mark.parametrize(
    ("text", "number", "method"), [("1 INVITE", 1, "INVITE"), (" 2147483647\t ACK ", 2**31 - 1, "ACK")]
)
def test_cseq_is_read(text: str, number: int, method: str) -> None:
    cseq = CSeq.parse(text)
    assert (cseq.number, cseq.method) == (number, method)
    assert str(cseq) == f"{number} {method}"


@pytest.mark.parametrize(
    "text", ["", "1", "INVITE", "-1 INVITE", "1 INV ITE", "1INVITE", "٣ INVITE", "1 IN@VITE"]
)
def test_what_is_no_cseq_is_refused(text: str) -> None:
    with pytest.raises(SipParseError, match="not a CSeq"):
        CSeq.parse(text)


def test_a_cseq_out_of_range_is_refused() -> None:
    with pytest.raises(SipParseError, match="CSeq 2147483648 is beyond"):
        CSeq.parse("2147483648 INVITE")


@pytest.mark.parametrize(
    ("text", "seconds", "refresher", "written"),
    [
        ("1800", 1800, None, "1800"),
        ("90;refresher=uas", 90, Refresher.UAS, "90;refresher=uas"),
        (" 90 ; Refresher = UAC ; x", 90, Refresher.UAC, "90;refresher=uac"),
        ("90;refresher=nobody", 90, None, "90"),
    ],
)
def test_session_expires(text: str, seconds: int, refresher: Refresher | None, written: str) -> None:
    expires = SessionExpires.parse(text)
    assert (expires.seconds, expires.refresher, str(expires)) == (seconds, refresher, written)


def test_min_se() -> None:
    assert parse_min_se("90;x=y") == 90
    for text in ("", "soon", "-1", "12345678901"):
        with pytest.raises(SipParseError, match="not a Min-SE"):
            parse_min_se(text)
        with pytest.raises(SipParseError, match="not a Session-Expires"):
            SessionExpires.parse(text)


@pytest.mark.parametrize(
    ("text", "protocol", "cause", "words", "written"),
    [
        (
            'Q.850;cause=16;text="Normal, really"',
            "Q.850",
            16,
            "Normal, really",
            'Q.850;cause=16;text="Normal, really"',
        ),
        ("q.850 ; Cause = 34", "q.850", 34, "", "q.850;cause=34"),
        ("SIP;cause=busy", "SIP", None, "", "SIP"),
        ("SIP;cause=99999", "SIP", None, "", "SIP"),
        ("SIP;cause=٣", "SIP", None, "", "SIP"),
        ("X", "X", None, "", "X"),
    ],
)
def test_reason(text: str, protocol: str, cause: int | None, words: str, written: str) -> None:
    reason = Reason.parse(text)
    assert (reason.protocol, reason.cause, reason.text, str(reason)) == (protocol, cause, words, written)


def test_unreadable_reasons_are_left_out() -> None:
    reasons = Reason.parse_all(["Q.850;cause=16, ,;cause=1", "b@d", "q.850;cause=17"])
    assert [reason.cause for reason in reasons if reason.is_q850] == [16, 17]


@pytest.mark.parametrize(
    ("text", "seconds", "duration", "written"),
    [
        ("120", 120, None, "120"),
        (" 18000;duration=3600", 18000, 3600, "18000;duration=3600"),
        ("120 (I'm in a (long) meeting) ;duration=x", 120, None, "120"),
        ("120(busy)", 120, None, "120"),
    ],
)
def test_retry_after(text: str, seconds: int, duration: int | None, written: str) -> None:
    value = RetryAfter.parse(text)
    assert (value.seconds, value.duration, str(value)) == (seconds, duration, written)


def test_what_is_no_retry_after_is_refused() -> None:
    for text in ("", "soon", "-5", "Fri, 01 Jan 2010 16:00:00 GMT", "99999999999"):
        with pytest.raises(SipParseError, match="not a Retry-After"):
            RetryAfter.parse(text)


def test_content_type() -> None:
    kind = ContentType.parse('Multipart / Mixed; boundary="a;b"')
    assert kind.name == "multipart/mixed"
    assert kind.parameters.get("boundary") == "a;b"
    assert str(kind) == 'multipart/mixed;boundary="a;b"'
    with pytest.raises(SipParseError, match="not a Content-Type"):
        ContentType.parse("text")


def test_quoted_strings() -> None:
    assert quote("plain") == '"plain"'
    assert quote('a"b\\c') == '"a\\"b\\\\c"'
    assert unquote("plain") == "plain"
    assert unquote('"a\\"b\\\\c"') == 'a"b\\c'
    assert unquote('"open') == "open"
    assert unquote('"') == ""
    assert end_of_quoted('x"a\\"b"y', 1) == 7
    assert end_of_quoted('"open', 0) == -1
    assert end_of_quoted('"open\\"', 0) == -1


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        ('"a,b",c', ['"a,b"', "c"]),
        ("<a,b>,c", ["<a,b>", "c"]),
        ('"<",">"', ['"<"', '">"']),
        ('<a",b>,"c', ['<a",b>', '"c']),
        ('"a,b', ['"a', "b"]),
        ('"a,"b","c', ['"a,"b","c']),
        ("<a,<b", ["<a", "<b"]),
        ('"\\",", x', ['"\\","', " x"]),
    ],
)
def test_splitting_outside_quotes(text: str, pieces: list[str]) -> None:
    assert split_outside_quotes(text, ",") == pieces


def test_parameters_that_cannot_be_written_are_refused() -> None:
    with pytest.raises(LocalProtocolError):
        Parameters.of([("tag", "x\r\nVia: evil")])
