"""The trace of an attempt: what it shows, what it must not show, and where it ends."""

import pytest

from outdial.telephony.trace import MAX_ENTRIES, MAX_MESSAGE_CHARACTERS, Trace

PEER = ("192.0.2.9", 5060)


def trace() -> Trace:
    return Trace(lambda: 1_700_000_000_123)


def test_a_request_and_its_response() -> None:
    wanted = trace()

    wanted.message(True, b"INVITE sip:1@h SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n", PEER, 0.0)
    wanted.message(False, b"SIP/2.0 180 Ringing\r\nVia: x\r\ncseq : 1 INVITE\r\n\r\n", PEER, 0.0)

    sent, received = wanted.take()
    assert (sent["direction"], sent["summary"]) == ("sent", "INVITE sip:1@h")
    assert (received["direction"], received["summary"]) == ("received", "180 Ringing (INVITE)")
    assert sent["peer"] == "192.0.2.9:5060"
    assert sent["at"] == 1_700_000_000_123
    assert wanted.take() == []


def test_a_response_without_a_method() -> None:
    wanted = trace()
    wanted.message(False, b"SIP/2.0 200 OK\r\nVia: x\r\n\r\n", PEER, 0.0)
    assert wanted.take()[0]["summary"] == "200 OK"


@pytest.mark.parametrize(
    "name", ["Authorization", "Proxy-Authorization", "PROXY-AUTHORIZATION ", "aUTHORIZATION"]
)
def test_credentials_are_blanked_however_the_header_is_spelt(name: str) -> None:
    text = (
        f'BYE sip:1@h SIP/2.0\r\n{name}: Digest username="u", response="5ec2e7", cnonce="c0ff", nc=1\r\n\r\n'
    )
    wanted = trace()

    wanted.message(True, text.encode(), PEER, 0.0)

    shown = wanted.take()[0]["text"]
    assert "5ec2e7" not in shown
    assert "c0ff" not in shown
    assert 'username="u"' in shown


@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("Content-Type: application/dtmf-relay", "Signal=7\r\nDuration=160\r\n"),
        ("c: APPLICATION/DTMF", "7"),
        ("Content-Type: application/dtmf-relay", "\r\nSignal=7"),
    ],
)
def test_a_key_by_info_is_in_no_message(content_type: str, body: str, line_end: str) -> None:
    """The leg notes it, or a dot where it is masked; a copy of the message may come when it is so no more."""
    text = f"INFO sip:1@h SIP/2.0\r\nCSeq: 1 INFO\r\n{content_type}\r\n\r\n{body}"
    wanted = trace()
    wanted.message(False, text.replace("\r\n", line_end).encode(), PEER, 0.0)
    (entry,) = wanted.take()
    assert (entry["summary"], "7" in entry["text"]) == ("INFO sip:1@h", False)
    assert content_type in entry["text"]


@pytest.mark.parametrize("before", [b"", b"\r\n\r\n", b"\0"])
def test_a_message_without_its_empty_line_tells_no_key_either(before: bytes) -> None:
    wanted = trace()
    wanted.message(False, before + b"INFO\tsip:1@h SIP/2.0\nc: application/dtmf-relay\nSignal=7", PEER, 0.0)
    assert "7" not in wanted.take()[0]["text"]


def test_an_info_about_something_else_is_shown() -> None:
    wanted = trace()
    wanted.message(False, b"INFO sip:1@h SIP/2.0\r\nc: text/plain\r\n\r\nSignal=7", PEER, 0.0)
    assert wanted.take()[0]["text"].endswith("Signal=7")


def test_a_long_message_and_a_long_trace_are_cut() -> None:
    wanted = trace()
    for _ in range(MAX_ENTRIES + 5):
        wanted.message(True, b"INFO sip:1@h SIP/2.0\r\n" + b"x" * MAX_MESSAGE_CHARACTERS, PEER, 0.0)

    entries = wanted.take()

    assert len(entries) == MAX_ENTRIES
    assert len(entries[0]["text"]) == MAX_MESSAGE_CHARACTERS
    assert entries[-1]["direction"] == "note"
    assert "cut" in entries[-1]["summary"]
