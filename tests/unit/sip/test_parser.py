"""Reading datagrams: the shapes of the field, each kept in tests/wire/sip, and single tolerances."""

from pathlib import Path

import pytest

from outdial.errors import KeepAlive, SipParseError
from outdial.sip.headers.challenge import Challenge
from outdial.sip.headers.name_addr import NameAddr
from outdial.sip.headers.reason import Reason
from outdial.sip.headers.session_expires import Refresher, SessionExpires
from outdial.sip.message import Request, Response
from outdial.sip.parser import parse_message

WIRE = Path(__file__).parents[2] / "wire" / "sip"


def read(name: str) -> Request | Response:
    return parse_message((WIRE / f"{name}.dat").read_bytes())


def build(*lines: str, start: str = "OPTIONS sip:a@b SIP/2.0", body: str = "", end: str = "\r\n") -> bytes:
    return end.join([start, *lines, "", body]).encode()


def test_asterisk_answers() -> None:
    message = read("asterisk-200-invite")
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (200, "OK")
    assert message.call_id == "7c0a2b@192.0.2.10"
    assert str(message.cseq) == "1 INVITE"
    assert message.top_via.branch == "z9hG4bKPj3f1c"
    assert (message.top_via.received, message.top_via.rport) == ("192.0.2.10", 5060)
    assert message.from_.tag == "9fxced76sl"
    assert message.to.tag == "2d0d6b3e-8f1a"
    assert str(message.contact) == "<sip:203.0.113.7:5060>"
    assert "UPDATE" in message.headers.get_all("Allow")
    assert message.sdp.startswith(b"v=0\r\n")


def test_freeswitch_sends_early_media() -> None:
    message = read("freeswitch-183")
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (183, "Session Progress")
    assert message.contact is not None
    assert message.contact.uri.transport == "udp"
    party = NameAddr.parse(message.headers.get_all("Remote-Party-ID")[0])
    assert party.parameters.get("screen") == "no"


def test_kamailio_record_routes() -> None:
    message = read("kamailio-200-record-routed")
    routes = [NameAddr.parse(value) for value in message.headers.get_all("Record-Route")]
    assert [route.uri.host for route in routes] == ["203.0.113.30", "203.0.113.31", "203.0.113.32"]
    assert all(route.uri.parameters.has("lr") for route in routes)
    assert routes[1].uri.parameters.get("lr") == "on"
    assert message.contact is not None
    assert message.contact.uri.parameters.get("alias") == "203.0.113.99~1024~1"
    assert (
        message.contact.parameters.get("+sip.instance") == "<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"
    )
    expires = SessionExpires.parse(message.headers.get("x") or "")
    assert (expires.seconds, expires.refresher) == (1800, Refresher.UAC)


def test_kamailio_challenges_twice() -> None:
    message = read("kamailio-407")
    challenges = Challenge.parse_all(message.headers.get_all("Proxy-Authenticate"), proxy=True)
    assert [challenge.algorithm for challenge in challenges] == ["SHA-256", "MD5"]
    assert [challenge.qop for challenge in challenges] == [("auth", "auth-int"), ("auth",)]
    assert not any(challenge.stale for challenge in challenges)


def test_a_bad_border_controller_is_understood() -> None:
    message = read("bad-sbc-200")
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (200, "")
    assert message.top_via.branch == "z9hG4bKbad"
    assert message.top_via.parameters.has("rport")
    assert message.top_via.rport is None
    assert message.from_.display_name == 'Kunde, Müller; GmbH <"A">'
    assert message.from_.uri.scheme == "sip"
    assert message.from_.uri.host == "sip_trunk.example"
    assert message.from_.uri.transport == "udp"
    assert message.from_.tag == "9fx"
    assert message.to.tag == "as58f3b7c1"
    assert (message.cseq.number, message.cseq.method) == (1, "INVITE")
    assert message.headers.get_all("Supported") == []
    assert message.headers.get("Subject") == ""
    assert "X Broken Name" not in message.headers
    assert message.sdp.startswith(b"v=0\n")


def test_linphone_asks_over_ipv6() -> None:
    message = read("linphone-options")
    assert message.top_via.host == "[2001:db8::9:1]"
    assert message.top_via.port == 5060
    assert message.from_.uri.host == "[2001:db8::9:1]"
    assert message.headers.get_all("Accept")[2] == "application/vnd.gsma.rcs-ft-http+xml"


def test_asterisk_says_why_it_hangs_up() -> None:
    reasons = Reason.parse_all(read("asterisk-bye-reason").headers.get_all("Reason"))
    assert [(reason.protocol, reason.cause) for reason in reasons] == [("SIP", 200), ("Q.850", 16)]
    assert reasons[0].text == "Call completed; thanks, bye"
    assert [reason.is_q850 for reason in reasons] == [False, True]


def test_a_scanner_is_readable_too() -> None:
    message = read("sipvicious-options")
    assert message.headers.get("User-Agent") == "friendly-scanner"
    assert message.from_.display_name == "sipvicious"


@pytest.mark.parametrize("name", ["keep-alive-crlf", "keep-alive-double-crlf", "keep-alive-zeroes"])
def test_keep_alives_are_told_from_garbage(name: str) -> None:
    with pytest.raises(KeepAlive):
        read(name)


def test_an_empty_datagram_is_a_keep_alive() -> None:
    with pytest.raises(KeepAlive):
        parse_message(b"")


def test_a_message_may_follow_empty_lines() -> None:
    assert parse_message(b"\r\n\r\n" + build("Call-ID: x")).call_id == "x"


def test_a_message_cut_within_its_headers_is_read_as_far_as_it_came() -> None:
    message = read("truncated-in-header")
    assert message.call_id == "7c0a2b@192.0.2.10"
    assert message.body == b""
    assert "Supported" not in message.headers


def test_a_body_cut_short_is_handed_on() -> None:
    message = read("truncated-in-body")
    assert len(message.body) == int(message.headers.get("Content-Length") or 0) - 60


@pytest.mark.parametrize(
    ("datagram", "complaint"),
    [
        (b"SIP/2.", "unsupported version in the status line 'SIP/2.'"),
        (b"SIP/2.0", "not a status code in the status line 'SIP/2.0'"),
        (b"SIP/2.0 099 Low\r\n\r\n", "not a status code in the status line 'SIP/2.0 099 Low'"),
        (b"SIP/2.0 700 High\r\n\r\n", "not a status code in the status line 'SIP/2.0 700 High'"),
        ("SIP/2.0 ٢٠٠ OK\r\n\r\n".encode(), "not a status code in the status line 'SIP/2.0 ٢٠٠ OK'"),
        (b"SIP/3.0 200 OK\r\n\r\n", "unsupported version in the status line 'SIP/3.0 200 OK'"),
        (b"GET / HTTP/1.1\r\n\r\n", "unsupported version in the request line 'GET / HTTP/1.1'"),
        (b"B@D sip:a SIP/2.0\r\n\r\n", "not a method in the request line 'B@D sip:a SIP/2.0'"),
        (b"\x80\x60\x00\x01", "not a SIP start line: '\\x80`\\x00\\x01'"),
    ],
)
def test_what_is_not_sip_is_refused_with_a_sentence(datagram: bytes, complaint: str) -> None:
    with pytest.raises(SipParseError) as caught:
        parse_message(datagram)
    assert str(caught.value) == complaint
    assert not isinstance(caught.value, KeepAlive)


def test_a_start_line_cut_off_is_refused() -> None:
    with pytest.raises(SipParseError, match="unsupported version"):
        read("truncated-in-start-line")


def test_the_version_is_compared_without_case() -> None:
    assert isinstance(parse_message(b"sip/2.0 200 OK\r\n\r\n"), Response)
    assert isinstance(parse_message(b"BYE sip:a@b sip/2.0\r\n\r\n"), Request)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_may_be_lf_alone(end: str) -> None:
    message = parse_message(build("Call-ID: x", "CSeq: 1 BYE", body="v=0", end=end))
    assert (message.call_id, message.cseq.method, message.body) == ("x", "BYE", b"v=0")


def test_headers_with_lf_and_a_body_with_crlf_are_split_at_the_first_empty_line() -> None:
    message = parse_message(b"BYE sip:a@b SIP/2.0\nCall-ID: x\n\nfirst\r\n\r\nsecond")
    assert message.body == b"first\r\n\r\nsecond"


def test_headers_with_lf_and_an_empty_line_of_crlf() -> None:
    message = parse_message(b"BYE sip:a@b SIP/2.0\nCall-ID: x\n\r\nbody")
    assert (message.call_id, message.body) == ("x", b"body")


def test_a_cr_within_a_value_counts_as_space() -> None:
    message = parse_message(build("Subject: a\rb"))
    assert message.headers.get("Subject") == "a b"
    assert b"Subject: a b\r\n" in message.to_bytes()


@pytest.mark.parametrize("fold", ["\r\n ", "\r\n\t", " \r\n   ", "\n ", "\r\n \r\n\t"])
def test_folded_lines_are_joined(fold: str) -> None:
    message = parse_message(f"BYE sip:a@b SIP/2.0\r\nSubject: one{fold}two\r\nCall-ID: x\r\n\r\n".encode())
    assert (message.headers.get("Subject") or "").split() == ["one", "two"]
    assert message.call_id == "x"


def test_bytes_that_are_not_utf8_are_read_as_latin1() -> None:
    message = parse_message(b"BYE sip:a@b SIP/2.0\r\nFrom: M\xfcller <sip:m@b>;tag=1\r\n\r\n")
    assert message.from_.display_name == "Müller"


@pytest.mark.parametrize("length", ["", "x", "-1", "+3", "9999999999999999999999", "٣", "99"])
def test_an_unusable_content_length_takes_the_whole_body(length: str) -> None:
    assert parse_message(build(f"Content-Length: {length}", body="abcdef")).body == b"abcdef"


def test_without_a_content_length_the_datagram_is_the_limit() -> None:
    assert parse_message(build(body="abcdef")).body == b"abcdef"


def test_a_body_beyond_its_content_length_is_cut() -> None:
    assert parse_message(build("l: 3", body="abcdef")).body == b"abc"


def test_a_datagram_without_an_empty_line_has_no_body() -> None:
    message = parse_message(b"BYE sip:a@b SIP/2.0\r\nCall-ID: x\r\n")
    assert (message.call_id, message.body) == ("x", b"")


def test_lines_that_are_no_headers_are_skipped() -> None:
    message = parse_message(build("no colon", "Via", ": no name", "sp ace: x", "bücher: y", "Call-ID: x"))
    assert message.headers.items() == [("Call-ID", "x")]


BIG = 60_000


@pytest.mark.parametrize(
    "value",
    [
        '"' + '\\"' * (BIG // 2) + ",x",
        '"' + "\\a" * (BIG // 2) + '",x',
        "<," * (BIG // 2),
        '",' * (BIG // 2) + '"',
        ";" * BIG,
        "sip:" + " " * BIG + "]",
        "sip:" + "@" * BIG,
        "sip:a@h" + " " * BIG + "x",
        "SIP/2.0/UDP" + " " * BIG,
        "SIP/2.0/UDP h" + " " * BIG + "x",
        "1" * BIG + " INVITE",
    ],
    ids=lambda value: value[:12],
)
def test_hostile_values_take_linear_time(value: str) -> None:
    # With anything quadratic in it this runs into the suite's timeout.
    message = parse_message(
        build(f"From: {value}", f"To: {value}", f"Via: {value}", f"CSeq: {value}", f"m: {value}")
    )
    message.headers.get_all("Contact")
    for name in ("from_", "to", "top_via", "cseq", "contact"):
        try:
            getattr(message, name)
        except SipParseError:
            continue


def test_hostile_folds_and_header_counts_take_linear_time() -> None:
    message = parse_message(
        b"BYE sip:a@b SIP/2.0\r\nSubject:" + b" " * BIG + b"x\r\n y\r\n" + b"v:\r\n" * 15_000
    )
    assert len(message.headers) == 15_001
    message.headers.set("Via", "x")
    assert len(message.headers) == 2
