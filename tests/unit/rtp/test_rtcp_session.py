"""Two sessions that report to each other."""

import pytest

from outdial.errors import RtpParseError
from outdial.rtp.reception import Reception
from outdial.rtp.rtcp import Goodbye, ReceiverReport, SenderReport, SourceDescription, parse_compound
from outdial.rtp.rtcp_session import RtcpSession, Sent

NOW = 1_700_000_000.0


def heard(ssrc: int, *sequence_numbers: int) -> Reception:
    reception = Reception(8000)
    for index, sequence_number in enumerate(sequence_numbers):
        reception.receive(ssrc, sequence_number, index * 160, index * 0.02)
    return reception


def test_a_sender_reports_its_clock_and_counts() -> None:
    session = RtcpSession(1, "cname", 8000, first_sequence=10)
    report, description = parse_compound(session.report(Sent(160, 5, 800), Reception(8000), NOW))
    assert isinstance(report, SenderReport)
    assert (report.ssrc, report.rtp_timestamp, report.packet_count, report.octet_count) == (1, 160, 5, 800)
    assert report.ntp >> 32 == int(NOW) + 2_208_988_800
    assert report.blocks == ()
    assert description == SourceDescription(1, "cname")


def test_who_sends_nothing_reports_what_it_hears() -> None:
    session = RtcpSession(1, "cname", 8000, first_sequence=10)
    report, _ = parse_compound(session.report(None, heard(9, 100, 101, 103), NOW))
    assert isinstance(report, ReceiverReport)
    (block,) = report.blocks
    assert (block.ssrc, block.fraction_lost, block.packets_lost, block.highest_sequence) == (9, 64, 1, 103)
    assert (block.last_sr, block.delay_since_last_sr) == (0, 0)


def test_goodbye_goes_with_the_last_report() -> None:
    session = RtcpSession(1, "cname", 8000, first_sequence=10)
    packets = parse_compound(session.report(None, Reception(8000), NOW, goodbye=True))
    assert packets[-1] == Goodbye((1,))


def test_loss_jitter_and_round_trip_come_from_the_far_ends_report() -> None:
    here = RtcpSession(1, "here", 8000, first_sequence=100)
    there = RtcpSession(2, "there", 8000, first_sequence=0)
    there.receive(here.report(Sent(0, 4, 640), Reception(8000), NOW), NOW + 0.040)
    here.receive(there.report(Sent(0, 1, 160), heard(1, 100, 101, 103), NOW + 1.040), NOW + 1.070)
    assert here.round_trip_s == pytest.approx(0.070, abs=0.001)
    assert here.remote_loss == 0.25
    assert here.remote_jitter_s == pytest.approx(0.0, abs=0.001)


def test_a_report_about_somebody_else_says_nothing() -> None:
    here = RtcpSession(1, "here", 8000, first_sequence=100)
    there = RtcpSession(2, "there", 8000, first_sequence=0)
    here.receive(there.report(None, heard(99, 1, 2), NOW), NOW)
    assert (here.remote_loss, here.remote_jitter_s, here.round_trip_s) == (None, None, None)


def test_a_report_from_before_our_first_packet_has_no_loss() -> None:
    here = RtcpSession(1, "here", 8000, first_sequence=100)
    there = RtcpSession(2, "there", 8000, first_sequence=0)
    here.receive(there.report(None, heard(1, 50), NOW), NOW)
    assert here.remote_loss is None


def test_more_loss_than_packets_is_all_of_them_and_copies_are_none() -> None:
    here = RtcpSession(1, "here", 8000, first_sequence=100)
    there = RtcpSession(2, "there", 8000, first_sequence=0)
    here.receive(there.report(None, heard(1, 90, 110), NOW), NOW)
    assert here.remote_loss == 1.0
    here.receive(there.report(None, heard(1, 100, 100, 101), NOW), NOW)
    assert here.remote_loss == 0.0


def test_only_a_growing_packet_count_shows_that_media_is_sent() -> None:
    here = RtcpSession(1, "here", 8000, first_sequence=100)
    there = RtcpSession(2, "there", 8000, first_sequence=0)
    assert not here.receive(there.report(None, Reception(8000), NOW), NOW)
    assert here.receive(there.report(Sent(0, 5, 800), Reception(8000), NOW), NOW)
    assert not here.receive(there.report(Sent(0, 5, 800), Reception(8000), NOW), NOW)
    assert here.receive(there.report(Sent(0, 6, 960), Reception(8000), NOW), NOW)


def test_what_is_no_rtcp_is_a_parse_error() -> None:
    with pytest.raises(RtpParseError):
        RtcpSession(1, "here", 8000, first_sequence=0).receive(b"hello", NOW)
