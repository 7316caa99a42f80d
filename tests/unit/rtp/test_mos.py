import pytest

from outdial.rtp.mos import estimated_mos, mos_of_rating, playout_delay_ms


@pytest.mark.parametrize(
    ("rating", "score"),
    [
        (93.2, 4.41),
        (90, 4.34),
        (80, 4.03),
        (70, 3.60),
        (60, 3.10),
        (50, 2.58),
        (0, 1.0),
        (-5, 1.0),
        (100, 4.5),
        (120, 4.5),
    ],
)
def test_ratings_have_the_scores_of_g_107_annex_b(rating: float, score: float) -> None:
    assert mos_of_rating(rating) == pytest.approx(score, abs=0.01)


def test_a_clean_local_call_is_as_good_as_it_gets() -> None:
    assert estimated_mos(loss=0, delay_ms=20) == pytest.approx(4.40, abs=0.01)


@pytest.mark.parametrize(("loss", "score"), [(0.01, 4.3), (0.05, 3.9), (0.2, 2.5), (1.0, 1.2)])
def test_loss_costs_score(loss: float, score: float) -> None:
    assert estimated_mos(loss=loss, delay_ms=60) == pytest.approx(score, abs=0.2)


def test_delay_is_noticed_from_177_ms_on() -> None:
    early = estimated_mos(loss=0, delay_ms=100) - estimated_mos(loss=0, delay_ms=150)
    late = estimated_mos(loss=0, delay_ms=250) - estimated_mos(loss=0, delay_ms=300)
    assert late > 4 * early


def test_a_jitter_buffer_grows_with_jitter() -> None:
    assert playout_delay_ms(round_trip_ms=None, jitter_ms=None, ptime_ms=20) == 60
    assert playout_delay_ms(round_trip_ms=80, jitter_ms=50, ptime_ms=30) == 170
