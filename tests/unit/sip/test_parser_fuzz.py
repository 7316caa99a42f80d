"""Whatever arrives: nothing but our own errors comes out, and what was read can be written."""

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outdial.errors import SipParseError
from outdial.sip.digest import choose
from outdial.sip.headers.challenge import Challenge
from outdial.sip.headers.content_type import ContentType, find_sdp
from outdial.sip.headers.credentials import DigestCredentials
from outdial.sip.headers.cseq import CSeq
from outdial.sip.headers.name_addr import NameAddr
from outdial.sip.headers.reason import Reason
from outdial.sip.headers.retry_after import RetryAfter
from outdial.sip.headers.session_expires import SessionExpires, parse_min_se
from outdial.sip.headers.text import quote, split_outside_quotes, unquote
from outdial.sip.headers.via import Via
from outdial.sip.message import Message, Request
from outdial.sip.parameters import Parameters
from outdial.sip.parser import parse_message
from outdial.sip.uri import SipUri, escape_user

PIECES = st.sampled_from(
    ["sip:", "sips:", "tel:", "alice", "@", "192.0.2.1", "[2001:db8::1]", "host_1", ":", "5060", "99999",
     ";", "=", ",", '"', "\\", "<", ">", "*", "?", " ", "\t", "tag", "branch", "z9hG4bK", "lr",
     "SIP/2.0/UDP ", "SIP/2.0", "/", "INVITE", "1", "2147483648", "4294967296", "Digest ", 'realm="r"',
     'nonce="n"', "qop", "auth", "nc", "cause", "Q.850", "é", "\x00", "\x0b", "²", "٣", "application/sdp",
     "multipart/mixed", "boundary=b", "refresher=uac"]
)  # fmt: skip
VALUES = st.lists(PIECES, max_size=16).map("".join) | st.text(max_size=60)
NAMES = st.sampled_from(
    ["Via", "v", "From", "f", "To :", "t", "Call-ID", "i", "CSeq", "Contact", "m", "Record-Route",
     "Content-Length", "l", "Subject", "s", "X-Own", "Content-Type", "Bad Name", ""]
)  # fmt: skip
ENDS = st.sampled_from(["\r\n", "\n", "\r\n ", "\r", "\r\n\r\n"])
STARTS = st.sampled_from(
    ["SIP/2.0 200 OK", "SIP/2.0 404", "INVITE sip:a@b SIP/2.0", " BYE  x  sip/2.0 ", "SIP/2.0 1"]
)
MESSAGES = st.builds(
    lambda start, lines, body, charset: (
        (start + "\r\n" + "".join(f"{name}:{value}{end}" for name, value, end in lines)).encode(
            charset, "replace"
        )
        + b"\r\n"
        + body
    ),
    STARTS,
    st.lists(st.tuples(NAMES, VALUES, ENDS), max_size=8),
    st.binary(max_size=40),
    st.sampled_from(["utf-8", "latin-1"]),
)


def touch(message: Message) -> None:
    """Ask for every property; each may say that its header is unreadable and nothing else."""
    for name in ("call_id", "cseq", "from_", "to", "top_via", "contact", "sdp", "request_uri"):
        if hasattr(type(message), name):
            try:
                getattr(message, name)
            except SipParseError:
                continue


@given(st.binary(max_size=300) | MESSAGES)
@example(b"SIP/2.0 200 \xff\r\n\r\n")
def test_no_datagram_raises_anything_else_and_what_was_read_can_be_written(datagram: bytes) -> None:
    try:
        message = parse_message(datagram)
    except SipParseError:
        return
    touch(message)
    again = parse_message(message.to_bytes())
    assert again.body == message.body
    assert again.headers.get("Content-Length") == str(len(message.body))
    for copy in (message, again):
        copy.headers.remove("Content-Length")
    assert again == message
    touch(again)


PARSERS: list[Callable[[str], object]] = [
    Via.parse,
    NameAddr.parse,
    CSeq.parse,
    SipUri.parse,
    Parameters.parse,
    Reason.parse,
    RetryAfter.parse,
    SessionExpires.parse,
    Challenge.parse,
    DigestCredentials.parse,
    ContentType.parse,
]


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__self__.__name__)
@given(text=VALUES)
def test_no_value_raises_anything_else_and_what_was_read_is_read_again(
    parse: Callable[[str], object], text: str
) -> None:
    try:
        value = parse(text)
    except SipParseError:
        return
    assert parse(str(value)) == value


@given(VALUES)
def test_min_se_raises_nothing_else(text: str) -> None:
    try:
        assert parse_min_se(text) >= 0
    except SipParseError:
        return


@given(VALUES, st.binary(max_size=60))
def test_finding_sdp_never_raises(content_type: str, body: bytes) -> None:
    assert isinstance(find_sdp(content_type, body), bytes)


@given(st.lists(VALUES, max_size=4))
def test_choosing_a_challenge_raises_nothing_else(values: list[str]) -> None:
    challenges = Challenge.parse_all([f"Digest realm=r,nonce=n,{value}" for value in values])
    try:
        assert choose(challenges) in challenges
    except SipParseError:
        return


@given(st.text(max_size=40))
def test_quoting_is_reversible(text: str) -> None:
    assert unquote(quote(text)) == text


@given(st.text(max_size=40), st.text(max_size=10))
def test_a_quoted_string_hides_its_separators(text: str, rest: str) -> None:
    assert split_outside_quotes(f"{quote(text)},{rest}", ",")[0] == quote(text)


@given(VALUES)
def test_splitting_loses_nothing(text: str) -> None:
    assert ",".join(split_outside_quotes(text, ",")) == text


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_an_escaped_user_cannot_leave_its_place(text: str) -> None:
    uri = SipUri.parse(f"sip:{escape_user(text)}@host;x=y")
    assert (uri.user_text, uri.host) == (text, "host")
    message = parse_message(Request("BYE", str(uri)).to_bytes())
    assert isinstance(message, Request)
    assert message.uri == str(uri)
