"""The phones that the simulated network always has: 1 202 555 01xx, numbers that are reserved for fiction."""

from typing import Any

from outdial.sandbox.phone import DigitsBy, Phone, Voice

PREFIX = "120255501"
OWN_NUMBER = "12025550199"
"""Kept free: the number that Outdial calls from."""


def phone_of(number: str, phones: dict[str, Phone]) -> Phone:
    """The phone that answers ``number`` (digits), of ``phones`` or else a normal one that listens."""
    return phones.get(number) or Phone(number=number, description="answers and listens")


def _phone(last: str, description: str, **script: Any) -> Phone:
    return Phone(number=PREFIX + last, description=description, **script)


def _refusing(last: str, description: str, **script: Any) -> Phone:
    """A phone that the network refuses before anything rings."""
    return _phone(last, description, ring_after_s=None, answer_after_s=0.1, **script)


_ALL = (
    _phone("00", "answers and listens"),
    _phone("01", "answers, hangs up after 3 seconds", hang_up_after_s=3.0),
    _phone("02", "busy (486)", answer_after_s=0.3, code=486),
    _phone("03", "declines (603)", answer_after_s=0.3, code=603),
    _phone("04", "rings and never answers", answer_after_s=None),
    _refusing("05", "unknown number (404)", code=404),
    _refusing("06", "no capacity (503 with Retry-After: 5)", code=503, retry_after_s=5),
    _phone(
        "07",
        "early media (183 with SDP), answers after 2 seconds",
        ring_after_s=None,
        early_media_after_s=0.2,
        answer_after_s=2.0,
    ),
    _phone("08", "answers, presses 1 after 1 second", digits="1"),
    _phone("09", "answers, presses 42#", digits="42#"),
    _phone("10", "answers with G.722", codecs=("G722",)),
    _phone("11", "wants packets of 30 ms", ptime_ms=30),
    _phone(
        "12",
        "wants digest (401, MD5) for INVITE, BYE and re-INVITE; re-INVITEs",
        challenge=401,
        refresh_after_s=1.0,
    ),
    _phone(
        "13",
        "wants digest (407, SHA-256), with a stale nonce in the dialog",
        challenge=407,
        algorithm="SHA-256",
        stale=True,
    ),
    _phone(
        "14",
        "answers, hangs up after 2 seconds with a BYE whose first copy is lost",
        hang_up_after_s=2.0,
        lost_byes=1,
    ),
    _phone("15", "answers, loses the first two ACKs and so repeats its 200", lost_acks=2),
    _phone("16", "answers and never sends RTP", voice=Voice.NOTHING),
    _phone("17", "answers, holds the call after 1 second for 1 second by re-INVITE", hold_after_s=1.0),
    _phone("18", "answers late, after 8 seconds", answer_after_s=8.0),
    _phone("19", "forked: two phones answer", forks=2),
    _phone(
        "20",
        "wants session intervals of an hour or more (422), re-INVITEs after 1 second",
        min_se_s=3_600,
        refresh_after_s=1.0,
    ),
    _phone("21", "answers with PCMA only", codecs=("PCMA",)),
    _phone("22", "has no codec in common (488)", codecs=("G729",)),
    _phone(
        "23",
        "early media (183), then rings (180), then answers",
        ring_after_s=None,
        early_media_after_s=0.1,
        ring_again_after_s=0.5,
        answer_after_s=1.0,
    ),
    _phone("24", "rings, then is unavailable (480)", answer_after_s=1.0, code=480),
    _phone("25", "answers, presses 7 by SIP INFO", digits="7", digits_by=DigitsBy.INFO),
    _phone("26", "answers with a codec that nobody offered", forces_codec="G729"),
    _phone("27", "behind NAT: its RTP comes from another port than its SDP says", behind_nat=True),
    _refusing("28", "number changed (410)", code=410),
    _phone(
        "29", "busy behind a gateway (480 with Reason Q.850 cause 17)", answer_after_s=0.3, code=480, q850=17
    ),
    _refusing("30", "the network is congested (503 with Reason Q.850 cause 34)", code=503, q850=34),
    _phone("31", "refuses any credentials (401 again and again)", challenge=401, refuses_credentials=True),
    _refusing("32", "moved (302 to 12025550100)", code=302, redirect_to="sip:12025550100@sandbox.invalid"),
    _phone("33", "answers at once, without ringing", ring_after_s=None, answer_after_s=0.0),
    _phone("34", "loses the first INVITE", lost_invites=1),
    _phone("35", "is dead: never answers any INVITE", lost_invites=1_000),
    _phone("36", "answers and echoes what it hears", voice=Voice.ECHO),
    _phone("37", "wants packets of 10 ms", ptime_ms=10),
    _phone("38", "wants packets of 60 ms", ptime_ms=60),
    _refusing("39", "server error (500)", code=500),
    _phone("40", "answers and stays silent", voice=Voice.SILENCE),
    _phone(
        "41", "presses 5 for 9 seconds: longer than one telephone-event lasts", digits="5", digit_ms=9_000
    ),
    _phone(
        "42", "answers, hangs up after 2 seconds saying why (Q.850 cause 16)", hang_up_after_s=2.0, q850=16
    ),
)

MAGIC_NUMBERS = {phone.number: phone for phone in _ALL}
"""Every built-in phone by its number."""
