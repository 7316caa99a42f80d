"""How a call probably sounded: the E-model of ITU-T G.107, simplified to what RTCP can know.

``R = R0 - Id - Ie_eff`` with R0 = 93.2 (all other G.107 defaults), Id for delay in the two-piece form of
Cole and Rosenbluth ("Voice over IP Performance Monitoring", 2001), and Ie_eff for random loss with the
figures of G.711 with packet loss concealment (G.113 appendix I). A wideband codec is judged on the same
narrow-band scale: the estimate says what the network did to the sound, not how rich it was.
"""

_BASIC = 93.2
_LOSS_ROBUSTNESS = 25.1
"""Bpl of G.711 with concealment, random loss (G.113 table I.2)."""
_NOTICED_DELAY_MS = 177.3


def estimated_mos(*, loss: float, delay_ms: float) -> float:
    """Mean opinion score, 1.0 to about 4.4.

    ``loss`` is the fraction of packets that the listener missed, 0 to 1; ``delay_ms`` the one-way delay from
    mouth to ear, jitter buffer included.
    """
    delay = 0.024 * delay_ms + 0.11 * max(0.0, delay_ms - _NOTICED_DELAY_MS)
    percent = 100 * loss
    return mos_of_rating(_BASIC - delay - 95 * percent / (percent + _LOSS_ROBUSTNESS))


def mos_of_rating(rating: float) -> float:
    """The score of a transmission rating R (G.107 annex B)."""
    if rating <= 0:
        return 1.0
    rating = min(rating, 100.0)
    return max(1.0, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6)


def playout_delay_ms(*, round_trip_ms: float | None, jitter_ms: float | None, ptime_ms: int) -> float:
    """One-way delay as far as RTCP tells: half the round trip, one packet, and a jitter buffer of twice the
    jitter, at least 40 ms.
    """
    return (round_trip_ms or 0.0) / 2 + ptime_ms + max(40.0, 2 * (jitter_ms or 0.0))
