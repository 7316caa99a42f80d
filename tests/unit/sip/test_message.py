"""Requests and responses as values."""

import pytest

from outdial.errors import LocalProtocolError, SipParseError
from outdial.sip.message import Headers, Request, Response
from outdial.sip.parser import parse_message


def test_a_request_is_written() -> None:
    request = Request("INVITE", "sip:b@host", Headers([("Via", "SIP/2.0/UDP a"), ("X-Own", "1")]), b"v=0")
    assert request.to_bytes() == (
        b"INVITE sip:b@host SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nX-Own: 1\r\nContent-Length: 3\r\n\r\nv=0"
    )


def test_a_response_is_written() -> None:
    assert Response(180, "Ringing").to_bytes() == b"SIP/2.0 180 Ringing\r\nContent-Length: 0\r\n\r\n"


def test_a_wrong_content_length_is_replaced() -> None:
    response = Response(200, "OK", Headers([("l", "99"), ("To", "<sip:a@b>")]), b"ab")
    assert response.to_bytes() == b"SIP/2.0 200 OK\r\nTo: <sip:a@b>\r\nContent-Length: 2\r\n\r\nab"


def test_text_is_written_as_utf8() -> None:
    assert "От: x".encode() not in Response(200, "OK").to_bytes()
    assert "Subject: Grüße".encode() in Response(200, "OK", Headers([("s", "Grüße")])).to_bytes()


@pytest.mark.parametrize("smuggled", ["a\r\nVia: evil", "a\nb", "a\rb", "\n", "\r\n\r\n"])
def test_line_breaks_in_values_are_refused(smuggled: str) -> None:
    with pytest.raises(LocalProtocolError, match="cannot hold a line break"):
        Request("BYE", "sip:a@b", Headers([("Subject", smuggled)])).to_bytes()
    with pytest.raises(LocalProtocolError, match="cannot hold a line break"):
        Response(200, smuggled).to_bytes()
    with pytest.raises(LocalProtocolError):
        Request("BYE", f"sip:{smuggled}@b").to_bytes()
    with pytest.raises(LocalProtocolError):
        Request(f"BYE{smuggled}", "sip:a@b").to_bytes()


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "bücher"])
def test_names_that_are_no_tokens_are_refused(name: str) -> None:
    with pytest.raises(LocalProtocolError, match="cannot be a header name"):
        Headers([(name, "x")])


@pytest.mark.parametrize("uri", ["", "sip:a b@c", " "])
def test_a_request_uri_that_would_break_its_line_is_refused(uri: str) -> None:
    with pytest.raises(LocalProtocolError, match="cannot be a Request-URI"):
        Request("BYE", uri).to_bytes()


@pytest.mark.parametrize("method", ["", "IN VITE", "ÄNDERN"])
def test_a_method_that_is_no_token_is_refused(method: str) -> None:
    with pytest.raises(LocalProtocolError, match="cannot be a method"):
        Request(method, "sip:a@b").to_bytes()


@pytest.mark.parametrize("status", [0, 99, 700, -200])
def test_a_status_out_of_range_is_refused(status: int) -> None:
    with pytest.raises(LocalProtocolError, match="cannot be a status code"):
        Response(status, "x").to_bytes()


def test_properties_follow_the_headers() -> None:
    request = Request(
        "BYE", "sip:a@b", Headers([("CSeq", "1 BYE"), ("To", "<sip:a@b>"), ("Via", "SIP/2.0/UDP h")])
    )
    assert request.cseq.number == 1
    assert request.cseq is request.cseq
    request.headers.set("CSeq", "2 BYE")
    assert request.cseq.number == 2
    assert request.to.tag is None
    request.headers.set("t", "<sip:a@b>;tag=x")
    assert request.to.tag == "x"
    assert request.top_via.host == "h"
    request.headers.add_first("v", "SIP/2.0/UDP new")
    assert request.top_via.host == "new"
    request.headers.remove("Via")
    with pytest.raises(SipParseError, match="the message has no Via header"):
        _ = request.top_via


def test_the_first_of_a_list_is_the_top() -> None:
    request = Request("BYE", "sip:a@b", Headers([("Via", 'SIP/2.0/UDP one;x="a,b", SIP/2.0/UDP two')]))
    assert request.top_via.host == "one"
    assert request.top_via.parameters.get("x") == "a,b"


def test_a_missing_contact_is_none_and_a_garbled_one_an_error() -> None:
    request = Request("BYE", "sip:a@b", Headers([("Contact", "")]))
    assert request.contact is None
    request.headers.set("Contact", "<sip:")
    with pytest.raises(SipParseError, match="closing bracket"):
        _ = request.contact


def test_the_wildcard_contact_is_read() -> None:
    message = parse_message(b"REGISTER sip:a SIP/2.0\r\nContact: *\r\nExpires: 0\r\n\r\n")
    assert message.contact is not None
    assert message.contact.is_wildcard


def test_the_request_uri_is_read_on_demand() -> None:
    assert Request("BYE", "sip:a@b:5070;lr").request_uri.port == 5070
    with pytest.raises(SipParseError, match="not a URI"):
        _ = Request("BYE", "nonsense").request_uri


@pytest.mark.parametrize(
    ("content_type", "body", "sdp"),
    [
        ("application/sdp", b"v=0", b"v=0"),
        ("Application/SDP ; charset=utf-8", b"v=0", b"v=0"),
        (None, b"v=0", b"v=0"),
        ("nonsense", b"v=0", b"v=0"),
        ("text/plain", b"v=0", b""),
        ("application/sdp", b"", b""),
        ("multipart/mixed", b"--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--", b""),
        ("multipart/mixed;boundary=b", b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--", b""),
    ],
)
def test_the_session_description_of_a_body(content_type: str | None, body: bytes, sdp: bytes) -> None:
    headers = Headers([("Content-Type", content_type)] if content_type else [])
    assert Response(200, "OK", headers, body).sdp == sdp


def test_the_session_description_beside_an_isup_message() -> None:
    body = (
        b"--unique-1\r\nContent-Type: application/ISUP;version=nxv3\r\n\r\n\x01\x02\r\n"
        b"--unique-1\r\ncontent-type:application/sdp\r\nContent-Disposition: session\r\n\r\nv=0\r\ns=-"
        b"\r\n--unique-1--\r\n"
    )
    headers = Headers([("c", 'multipart/mixed; boundary="unique-1"')])
    assert Request("INVITE", "sip:a@b", headers, body).sdp.split() == [b"v=0", b"s=-"]
