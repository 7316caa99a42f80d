"""Every magic number against Outdial's own caller: what the phone does, when, and what it leaves behind."""

import pytest
from tests.helpers.sip_link import CALLEE, CALLER, header
from tests.unit.sandbox.calls import RIGHT_CREDENTIALS, UNIX_MS, Call

from outdial.sandbox.heard import Heard
from outdial.sandbox.magic_numbers import MAGIC_NUMBERS
from outdial.sandbox.phone import DigitsBy, Phone
from outdial.sdp.direction import Direction
from outdial.sip.digest import Credentials, authorize
from outdial.sip.headers.challenge import Challenge
from outdial.sip.message import Request
from outdial.sip.session.events import (
    Answered,
    EndCause,
    Ended,
    Failed,
    FailureCause,
    InfoReceived,
    MediaChanged,
    Progress,
)

STRANGER = (
    ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx"),
    ("From", "<sip:x@y>;tag=1"),
    ("To", "<sip:z@y>"),
    ("Call-ID", "strange"),
    ("CSeq", "1 INVITE"),
)


def kinds(call: Call) -> list[type]:
    return [type(event) for _, event in call.events]


def test_a_normal_phone_rings_answers_and_waits_for_the_caller():
    call = Call("00").hang_up_at(3.0)
    assert kinds(call) == [Progress, Answered, Ended]
    assert call.from_phone("SIP/2.0 180") == [0.07]
    assert call.from_phone("SIP/2.0 200")[0] == 0.52
    assert call.lines[0].log == [(0.52, "connect sendrecv")]
    assert call.heard == [
        Heard(
            number="12025550100",
            caller="12025550199",
            call_id="call-1@192.0.2.1",
            outcome="answered",
            invited_at=UNIX_MS + 20,
            answered_after_ms=500,
            ended_by="caller",
            duration_ms=2_500,
            codec="PCMU",
            packets=7,
        )
    ]
    assert call.audio == [b"audio"]
    assert call.lines[0].closed
    assert call.clean


@pytest.mark.parametrize(
    ("user", "digits"),
    [
        ("49301234567", "49301234567"),
        ("+1%20(202)%20555-0100", "12025550100"),
        ("%2B12025550177", "12025550177"),
        ("12025550100;npdi", "12025550100"),
        ("%2331%2312025550100", "3112025550100"),
    ],
)
def test_any_number_is_answered_however_it_is_written(user, digits):
    call = Call(number=user).hang_up_at(3.0)
    assert Answered in kinds(call)
    assert [heard.number for heard in call.heard] == [digits]


@pytest.mark.parametrize(
    ("last", "status", "q850", "retry_after_s"),
    [
        ("02", 486, None, None),
        ("03", 603, None, None),
        ("05", 404, None, None),
        ("06", 503, None, 5),
        ("24", 480, None, None),
        ("28", 410, None, None),
        ("29", 480, 17, None),
        ("30", 503, 34, None),
        ("32", 302, None, None),
        ("39", 500, None, None),
    ],
)
def test_refusals(last, status, q850, retry_after_s):
    call = Call(last).run()
    assert isinstance(call.last, Failed)
    assert (call.last.cause, call.last.status) == (FailureCause.REJECTED, status)
    assert (call.last.q850, call.last.retry_after_s) == (q850, retry_after_s)
    assert [(heard.outcome, heard.code) for heard in call.heard] == [("refused", status)]
    assert call.lines[0].log == []
    assert call.clean


def test_a_redirection_names_the_new_number():
    call = Call("32").run()
    assert isinstance(call.last, Failed)
    assert "12025550100" in call.last.contacts[0]


def test_a_phone_that_rings_for_ever_is_given_up():
    call = Call("04", ring_timeout_s=20).run()
    assert call.last == Failed(FailureCause.RING_TIMEOUT, 487, "Request Terminated")
    assert [(heard.outcome, heard.ended_by) for heard in call.heard] == [("cancelled", None)]
    assert call.clean


def test_early_media_is_spoken_before_the_answer():
    call = Call("07").hang_up_at(4.0)
    assert call.events[0][1] == Progress(183, "Session Progress", early_media=True)
    assert call.lines[0].log[0] == (0.22, "connect sendrecv")
    assert call.heard[0].answered_after_ms == 2_000


def test_ringing_may_follow_early_media():
    call = Call("23").hang_up_at(3.0)
    assert [event.status for _, event in call.events if isinstance(event, Progress)] == [183, 180]
    assert Answered in kinds(call)


@pytest.mark.parametrize(("last", "keys"), [("08", "1"), ("09", "42#"), ("41", "5")])
def test_keys_are_pressed_a_second_after_the_ack(last, keys):
    call = Call(last).hang_up_at(4.0)
    assert (1.56, f"press {keys}") in call.lines[0].log


def test_keys_by_info():
    call = Call("25").hang_up_at(3.0)
    assert InfoReceived("application/dtmf-relay", b"Signal=7\r\nDuration=100\r\n") in [
        event for _, event in call.events
    ]
    assert all("press" not in entry for _, entry in call.lines[0].log)
    assert call.clean


def test_several_keys_by_info_keep_their_order_and_pauses():
    call = Call(phone=Phone(number="1", digits="4#", digits_by=DigitsBy.INFO)).hang_up_at(3.0)
    pressed = [(at, event.body[7:8]) for at, event in call.events if isinstance(event, InfoReceived)]
    assert pressed == [(1.58, b"4"), (1.78, b"#")]


def test_an_info_of_the_caller_is_answered():
    call = Call("00").run(until=1.0)
    info = call.session.established.dialog.request("INFO")
    info.headers.add("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKinfo")
    call.switchboard.receive(info.to_bytes(), CALLER, 1.0)
    assert [data[:11] for data, _ in call.switchboard.take_datagrams()] == [b"SIP/2.0 200"]


@pytest.mark.parametrize(
    ("last", "codec", "ptime_ms"),
    [("10", "G722", 20), ("21", "PCMA", 20), ("11", "PCMU", 30), ("37", "PCMU", 10), ("38", "PCMU", 60)],
)
def test_the_phone_decides_codec_and_packet_time(last, codec, ptime_ms):
    call = Call(last).hang_up_at(2.0)
    agreed = call.negotiator.agreed
    assert agreed is not None
    assert (agreed.codec.name, agreed.ptime_ms) == (codec, ptime_ms)
    assert call.lines[0].agreed is not None
    assert call.lines[0].agreed.codec.name == codec
    assert call.heard[0].codec == codec


@pytest.mark.parametrize(("last", "status"), [("12", 401), ("13", 407)])
def test_digest_is_wanted_for_invite_bye_and_reinvite(last, status):
    call = Call(last).hang_up_at(4.0)
    assert kinds(call)[-1] is Ended
    assert call.heard[0].ended_by == "caller"
    assert call.heard[0].outcome == "answered"
    challenged = call.from_phone(f"SIP/2.0 {status}")
    assert len(challenged) == (1 if last == "12" else 2)  # the stale nonce costs the BYE a second round
    assert call.clean


def test_the_stale_nonce_is_said_to_be_stale():
    call = Call("13").hang_up_at(4.0)
    challenges = [
        data
        for _, source, _, data in call.network.wire
        if source == CALLEE and data.startswith(b"SIP/2.0 407")
    ]
    assert ["stale=true" in (header(data, "Proxy-Authenticate") or "") for data in challenges] == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    "credentials", [None, Credentials("outdial", "wrong"), Credentials("wrong", "sandbox")]
)
def test_wrong_credentials_are_refused(credentials):
    call = Call("12", credentials=credentials).run()
    assert isinstance(call.last, Failed)
    assert call.last.cause is FailureCause.AUTHENTICATION_FAILED
    assert call.heard == []
    assert call.clean


def test_a_phone_may_refuse_any_credentials():
    call = Call("31").run()
    assert isinstance(call.last, Failed)
    assert call.last.cause is FailureCause.AUTHENTICATION_FAILED


@pytest.mark.parametrize(
    ("nonce_count", "uri", "status"),
    [(2, None, 200), (1, None, 401), (2, "sip:other@192.0.2.2", 401)],
    ids=["as it should be", "a nonce count that was used", "another uri"],
)
def test_a_careless_caller_is_challenged(nonce_count, uri, status):
    call = Call("12").run(until=1.0)
    challenge = next(data for _, _, _, data in call.network.wire if data.startswith(b"SIP/2.0 401"))
    dialog = call.session.established.dialog
    bye = dialog.request("BYE")
    authorization = authorize(
        [Challenge.parse(header(challenge, "WWW-Authenticate"))],
        RIGHT_CREDENTIALS,
        method="BYE",
        uri=uri or bye.uri,
        nonce_count=nonce_count,
        cnonce="c",
    )
    bye.headers.add("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKcareless")
    bye.headers.add(*authorization)
    call.switchboard.receive(bye.to_bytes(), CALLER, 1.0)
    assert [data[:11] for data, _ in call.switchboard.take_datagrams()] == [f"SIP/2.0 {status}".encode()]


def test_a_phone_hangs_up_by_itself():
    call = Call("01").run()
    assert call.last == Ended(EndCause.FAR_END_HUNG_UP)
    assert call.heard[0].ended_by == "phone"
    assert call.heard[0].duration_ms == 3_040  # three seconds after the ACK
    assert call.clean


def test_a_phone_says_why_it_hangs_up():
    call = Call("42").run()
    assert call.last == Ended(EndCause.FAR_END_HUNG_UP, q850=16)


def test_a_lost_bye_is_sent_again():
    call = Call("14").run()
    assert call.last == Ended(EndCause.FAR_END_HUNG_UP)
    assert call.from_phone("BYE") == [3.06]  # 2 s after the ACK and T1 later; the first copy never got out
    assert call.clean


def test_lost_acks_make_the_phone_repeat_its_200():
    call = Call("15").hang_up_at(5.0)
    assert call.from_phone("SIP/2.0 200")[:3] == [0.52, 1.02, 2.02]
    assert len(call.at_phone("ACK")) == 3
    assert kinds(call) == [Progress, Answered, Ended]
    assert call.heard[0].outcome == "answered"
    assert call.clean


def test_a_caller_that_never_acknowledges_is_hung_up():
    call = Call(phone=Phone(number="1", lost_acks=1_000)).run()
    assert call.heard[0].outcome == "unacknowledged"
    assert call.heard[0].ended_by == "network"
    assert call.from_phone("BYE")
    assert call.clean


def test_a_lost_invite_is_repeated():
    call = Call("34").hang_up_at(3.0)
    assert call.at_phone("INVITE") == [0.0, 0.5]
    assert call.heard[0].outcome == "answered"


def test_a_dead_phone_never_answers():
    call = Call("35").run()
    assert call.last == Failed(FailureCause.NO_RESPONSE)
    assert call.heard == []
    assert call.clean


def test_hold_and_back():
    call = Call("17").run(until=2.0)
    assert call.negotiator.agreed is not None
    assert call.negotiator.agreed.direction is Direction.RECVONLY
    call.hang_up_at(4.0)
    assert call.negotiator.agreed.direction is Direction.SENDRECV
    assert kinds(call) == [Progress, Answered, MediaChanged, MediaChanged, Ended]
    directions = [entry for _, entry in call.lines[0].log]
    assert directions == ["connect sendrecv", "connect sendonly", "connect sendrecv"]
    assert call.clean


def test_each_phone_is_announced_when_it_is_called():
    call = Call("04").run(2.0)
    assert [(heard.number, heard.call_id, heard.outcome) for heard in call.called] == [
        ("12025550104", "call-1@192.0.2.1", "")
    ]
    assert call.heard == []
    assert [heard.call_id for heard in Call("19").run(0.1).called] == [
        "call-1@192.0.2.1",
        "call-1@192.0.2.1+1",
    ]
    assert len(Call("12").hang_up_at(3.0).called) == 1  # the challenged INVITE reached nobody


def test_one_of_two_forks_is_kept_and_the_other_hung_up():
    call = Call("19").hang_up_at(3.0)
    assert kinds(call).count(Answered) == 1
    assert len(call.heard) == 2
    assert min(heard.duration_ms or 0 for heard in call.heard) < 1_000
    assert {heard.call_id for heard in call.heard} == {"call-1@192.0.2.1", "call-1@192.0.2.1+1"}
    assert {heard.ended_by for heard in call.heard} == {"caller"}
    assert call.clean


def test_all_forks_are_cancelled_together():
    call = Call(phone=Phone(number="1", forks=3, answer_after_s=None), ring_timeout_s=5).run()
    assert isinstance(call.last, Failed)
    assert [heard.outcome for heard in call.heard] == ["cancelled"] * 3
    assert call.clean


def test_a_short_session_interval_is_refused_and_lengthened():
    call = Call("20").hang_up_at(4.0)
    assert len(call.from_phone("SIP/2.0 422")) == 1
    assert kinds(call) == [Progress, Answered, MediaChanged, Ended]
    assert call.clean


def test_no_codec_in_common_is_488():
    call = Call("22").run()
    assert isinstance(call.last, Failed)
    assert (call.last.cause, call.last.status) == (FailureCause.REJECTED, 488)
    assert [(heard.outcome, heard.code) for heard in call.heard] == [("incompatible", 488)]
    assert call.clean


def test_no_codec_in_common_is_488_in_early_media_too():
    call = Call(phone=Phone(number="1", codecs=("G729",), early_media_after_s=0.1)).run()
    assert isinstance(call.last, Failed)
    assert call.last.status == 488
    assert call.clean


def test_a_codec_that_nobody_offered_ends_the_call():
    call = Call("26").run()
    assert isinstance(call.last, Failed)
    assert call.last.cause is FailureCause.INCOMPATIBLE_MEDIA
    assert call.last.picked_up
    assert call.clean


def test_an_answer_without_ringing():
    call = Call("33").hang_up_at(1.0)
    assert kinds(call) == [Answered, Ended]


def test_an_answer_without_a_free_port_is_503():
    call = Call("00", no_ports=True).run()
    assert isinstance(call.last, Failed)
    assert call.last.status == 503
    assert call.clean


def test_forks_without_enough_ports_give_back_those_they_had():
    call = Call("19", no_ports=True).run()
    assert isinstance(call.last, Failed)
    assert [line.closed for line in call.lines] == [True]


@pytest.mark.parametrize("when", [0.1, 2.0])
def test_switching_off_ends_every_call(when):
    call = Call("00").run(until=when)
    call.switchboard.hang_up_all(call.network.now)
    call.run()
    assert isinstance(call.last, Failed | Ended)
    assert len(call.heard) == 1
    assert call.clean


@pytest.mark.parametrize("last", sorted(number[-2:] for number in MAGIC_NUMBERS))
def test_no_phone_leaves_anything_behind(last):
    call = Call(last, ring_timeout_s=30).hang_up_at(20.0)
    assert call.clean
    assert all(line.closed for line in call.lines)


def test_strange_datagrams_do_no_harm():
    call = Call("00").run(until=1.0)
    for datagram in (
        b"",
        b"\r\n",
        b"INVITE sip:x SIP/2.0\r\n\r\n",
        b"ACK x SIP/2.0\r\n\r\n",
        b"BYE \xff",
        b"INVITE ",
    ):
        call.switchboard.receive(datagram, ("203.0.113.9", 5060), 1.0)
    call.hang_up_at(2.0)
    assert [heard.number for heard in call.heard] == ["12025550100"]


@pytest.mark.parametrize("uri", ["sip:alice@192.0.2.2", "sip:192.0.2.2", "tel:", "no"])
def test_an_invite_to_no_number_is_404(uri):
    invite = Request("INVITE", uri)
    for name, value in STRANGER:
        invite.headers.add(name, value)
    call = Call("04").run(until=1.0)
    call.switchboard.receive(invite.to_bytes(), CALLER, 1.0)
    assert [data[:11] for data, _ in call.switchboard.take_datagrams()] == [b"SIP/2.0 404"]


def test_credentials_that_cannot_be_read_are_no_credentials():
    call = Call("12", credentials=None).run(until=0.01)
    invite = Request("INVITE", "sip:12025550112@192.0.2.2")
    for name, value in (*STRANGER, ("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")):
        invite.headers.add(name, value)
    call.switchboard.receive(invite.to_bytes(), CALLER, 0.01)
    assert [data[:11] for data, _ in call.switchboard.take_datagrams()] == [b"SIP/2.0 401"]


def test_a_phone_gives_up_a_caller_whose_rtp_has_stopped():
    call = Call("00").run(until=10.0)
    call.lines[0].last_heard_at = 10.0
    call.run(until=39.9)
    assert Ended not in kinds(call)
    call.run(until=40.1)
    assert call.last == Ended(EndCause.FAR_END_HUNG_UP)
    call.run()
    assert call.clean


def test_a_phone_waits_for_a_caller_that_has_sent_nothing_yet_or_is_on_hold():
    nothing = Call("00").run(until=200.0)
    assert Ended not in kinds(nothing)
    held = Call(phone=Phone(number="1", hold_after_s=1.0, hold_for_s=300.0)).run(until=2.0)
    held.lines[0].last_heard_at = 2.0
    assert Ended not in kinds(held.run(until=200.0))
