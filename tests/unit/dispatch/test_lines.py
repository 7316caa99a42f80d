"""Trunks' pace as the dispatcher sees it."""

import pytest
from tests.unit.dispatch.test_runner import claimed_call

from outdial.dispatch.attempt_values import Ended
from outdial.dispatch.lines import Lines
from outdial.dispatch.routes import Routes, to_line
from outdial.domain.call import AttemptOutcome, Call
from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.domain.retry_policy import Done
from outdial.sip.digest import Credentials
from outdial.storage.trunks import Trunk
from outdial.storage.ways import Detour
from outdial.telemetry import metrics
from outdial.telephony.trunk import CallerIdMode


def trunk(trunk_id: int = 1, **changes: object) -> Trunk:
    values: dict[str, object] = {
        "id": trunk_id,
        "name": f"trunk{trunk_id}",
        "host": "192.0.2.1",
        "created_at": 1,
    }
    return Trunk(**(values | {"calls_per_second": 10.0, "max_concurrent": 2} | changes))  # type: ignore[arg-type]


def lines(*trunks: Trunk, names: dict[str, str] | None = None, most: int = 1000) -> Lines:
    made = Lines(most=most, ring_timeout_s=40.0)
    made.update(
        Routes({one.id: one for one in trunks}, {one.id: to_line(one) for one in trunks}, names=names or {}),
        0.0,
    )
    return made


def call(trunk_id: int = 1) -> Call:
    return claimed_call(trunk_id=trunk_id).call


def ended(disposition: Disposition, reason: EndReason, **changes: object) -> Ended:
    retry_after_s = changes.pop("retry_after_s", None)
    outcome = AttemptOutcome(
        disposition=disposition,
        reason=reason,
        hangup_by=HangupBy.NETWORK,
        ended_at=9,
        **({"dialing_at": 1} | changes),  # type: ignore[arg-type]
    )
    return Ended(outcome, Done(), retry_after_s)  # type: ignore[arg-type]


FAULT = ended(Disposition.CHANUNAVAIL, EndReason.REJECTED, sip_code=503)


def test_room_is_by_tokens_and_by_calls_at_a_time() -> None:
    made = lines(trunk())
    assert made.free(0.0) == {1: 1}
    made.take(call(), 0.0)
    assert made.free(0.0) == {}
    assert made.free(0.1) == {1: 1}
    made.take(call(), 0.1)
    assert made.free(5.0) == {}
    assert made.release(call(), None, 5.0)
    assert made.free(5.0) == {1: 1}
    assert not made.release(call(), None, 5.0)


def test_a_leg_to_an_agent_is_a_leg() -> None:
    made = lines(trunk(), most=3)
    woken: list[int] = []
    made.on_room = lambda: woken.append(made.legs)
    made.take(call(), 0.0)
    assert made.take_agent(1, 5.0)
    assert made.free(9.0) == {}, "it has one of the trunk's two places"
    made.note_figures(9.0)
    assert metrics.TRUNK_CALLS.values[("trunk1",)] == 2
    assert (made.legs, made.room()) == (2, 1)
    assert made.take_agent(1, 9.0)
    assert not made.take_agent(1, 9.0), "the dialer has no place; the trunk's are shared out by the database"
    made.release_agent(1)
    made.release_agent(1)
    assert woken == [2, 1]
    assert made.free(9.1) == {1: 1}


def test_who_waits_for_an_agent_goes_before_calls() -> None:
    made = lines(trunk(), most=2)
    woken: list[int] = []
    made.on_room = lambda: woken.append(made.room())
    made.take(call(), 0.0)
    with made.waiting():
        assert made.room() == 0
    assert woken == [1]
    with made.waiting():
        assert made.take_agent(1, 0.0)
    assert woken == [1], "there is no room: nobody is told"


def test_the_route_of_a_call() -> None:
    made = lines(trunk(ring_timeout_s=60), names={"12025550199": "Clinic"})
    route = made.take(call(), 0.0)
    assert (route.caller_name, route.ring_timeout_s) == ("Clinic", 40.0)
    assert lines(trunk(ring_timeout_s=20)).take(call(), 0.0).ring_timeout_s == 20


def test_when_a_claim_may_bring_something() -> None:
    made = lines(trunk(1), trunk(2, max_concurrent=1), trunk(3, calls_per_second=2.0))
    # nothing is due and all have room: only a wake-up brings something
    assert made.next_free_in(0.0, {}) is None
    assert made.next_free_in(0.0, {1: 7.0}) == 7.0
    assert made.next_free_in(0.0, {1: -3.0}) == 0.0
    made.take(call(2), 0.0)  # full: only the end of its call helps
    assert made.next_free_in(0.0, {2: -1.0}) is None
    made.take(call(3), 0.0)  # has spent its token: what is due there is not known before it has another
    assert made.next_free_in(0.0, {}) == pytest.approx(0.5)
    assert made.next_free_in(0.0, {3: 2.0}) == pytest.approx(2.0)


def test_a_trunk_that_fails_again_and_again_is_held() -> None:
    made = lines(trunk(max_concurrent=10))
    for _ in range(3):
        made.take(call(), 0.0)
        made.release(call(), FAULT, 1.0)
    assert made.free(1.5) == {}
    assert made.free(2.5) == {1: 1}


@pytest.mark.parametrize(
    "good",
    [
        ended(Disposition.ANSWER, EndReason.COMPLETED),
        ended(Disposition.BUSY, EndReason.REJECTED),
        ended(Disposition.CONGESTION, EndReason.REJECTED),
        ended(Disposition.CHANUNAVAIL, EndReason.REJECTED, ringing_at=2),
    ],
)
def test_what_shows_that_the_trunk_works_ends_the_count(good: Ended) -> None:
    made = lines(trunk(max_concurrent=10))
    for report in (FAULT, FAULT, good, FAULT, FAULT):
        made.take(call(), 0.0)
        made.release(call(), report, 1.0)
    assert made.free(1.5) == {1: 1}


@pytest.mark.parametrize(
    "neither",
    [
        None,
        ended(Disposition.CANCEL, EndReason.CANCELLED),
        ended(Disposition.CANCEL, EndReason.CANCELLED, dialing_at=None),
        ended(Disposition.CHANUNAVAIL, EndReason.SOUND_MISSING, dialing_at=None),
        ended(Disposition.CHANUNAVAIL, EndReason.NO_MEDIA_PORT),
    ],
)
def test_what_says_nothing_about_the_trunk(neither: Ended | None) -> None:
    made = lines(trunk(max_concurrent=10))
    for report in (FAULT, FAULT, neither, FAULT):
        made.take(call(), 0.0)
        made.release(call(), report, 1.0)
    assert made.free(1.5) == {}


def test_a_trunk_may_ask_for_a_rest() -> None:
    made = lines(trunk())
    made.take(call(), 0.0)
    made.release(call(), ended(Disposition.CHANUNAVAIL, EndReason.REJECTED, retry_after_s=20), 1.0)
    assert made.free(20.5) == {}
    assert made.free(21.5) == {1: 1}


def test_a_disabled_trunk_takes_nothing_and_its_calls_may_end() -> None:
    made = lines(trunk(1), trunk(2))
    made.take(call(2), 0.0)
    made.update(Routes({1: trunk(1)}, {1: to_line(trunk(1))}), 1.0)
    assert made.free(1.0) == {1: 1}
    made.release(call(2), None, 1.0)


def test_a_stored_trunk_becomes_a_line() -> None:
    line = to_line(
        trunk(
            port=5080,
            username="user",
            password="secret",
            auth_username="login",
            dial_prefix="+",
            caller_id_mode="remote_party_id",
            headers={"X-A": "1"},
            addresses=("198.51.100.0/24",),
            codecs=("G722",),
        )
    )
    assert line.credentials == Credentials("login", "secret")
    assert line.caller_id_mode is CallerIdMode.REMOTE_PARTY_ID
    assert (line.port, line.dial_prefix, line.codecs) == (5080, "+", ("G722",))
    assert line.headers == (("X-A", "1"),)
    assert line.addresses == ("198.51.100.0/24",)
    assert to_line(trunk()).credentials is None
    assert to_line(trunk(username="user")).credentials == Credentials("user", "")


def test_a_trunk_that_is_held_says_for_how_long_and_why() -> None:
    made = lines(trunk(max_concurrent=10))
    refused = ended(
        Disposition.CHANUNAVAIL, EndReason.REJECTED, sip_code=503, sip_reason="Service Unavailable"
    )
    for _ in range(3):
        assert made.take_holds() == {}
        made.take(call(), 10.0)
        made.release(call(), refused, 10.0)
    assert made.take_holds() == {1: (1.0, "it refuses them: SIP 503 Service Unavailable")}
    assert made.take_holds() == {}, "each is told once"
    made.take(call(), 12.0)
    made.release(call(), ended(Disposition.CHANUNAVAIL, EndReason.NO_RESPONSE), 12.0)
    assert made.take_holds() == {1: (2.0, "it does not answer")}
    made.take(call(), 20.0)
    made.release(call(), ended(Disposition.BUSY, EndReason.REJECTED), 20.0)
    assert made.take_holds() == {1: None}


@pytest.mark.parametrize(
    ("sip_reason", "why"),
    [
        (None, "it cannot be reached"),
        ("the name 'x' cannot be resolved: no", "it cannot be reached: the name 'x' cannot be resolved: no"),
    ],
)
def test_a_trunk_that_cannot_be_reached_is_held_with_what_is_known(sip_reason: str | None, why: str) -> None:
    made = lines(trunk(max_concurrent=10))
    for _ in range(3):
        made.take(call(), 10.0)
        made.release(
            call(),
            ended(Disposition.CHANUNAVAIL, EndReason.TRANSPORT_FAILED, sip_reason=sip_reason),
            10.0,
        )
    assert made.take_holds() == {1: (1.0, why)}


def test_a_silent_trunk_says_so_until_it_answers() -> None:
    made = lines(trunk())
    made.set_silent(1, again_in_s=92.0)
    assert made.take_holds() == {1: (92.0, "it does not answer OPTIONS")}
    assert made.free(10.0) == {}
    made.set_silent(1, again_in_s=None)
    assert made.take_holds() == {1: None}


class TestSeveralTrunks:
    """Bridge 918068280000 goes by 1, then 2, then 3."""

    NUMBER = claimed_call().call.bridge

    def made(self, *off: int) -> Lines:
        made = lines()
        on = [trunk(each) for each in (1, 2, 3) if each not in off]
        made.update(
            Routes(
                {one.id: one for one in on},
                {one.id: to_line(one) for one in on},
                trunk_names={each: f"trunk{each}" for each in (1, 2, 3)},
                ways={self.NUMBER: (1, 2, 3), "1": (2, 1)},
            ),
            0.0,
        )
        return made

    def fail(self, made: Lines, trunk_id: int, *, times: int = 3) -> None:
        for _ in range(times):
            made.take(call(trunk_id), 1.0)
            made.release(call(trunk_id), FAULT, 1.0)

    def test_no_detour_while_the_first_takes_calls(self) -> None:
        assert self.made().detours(1.0) == {}
        assert self.made().take(call(1), 1.0).detour is None

    def test_what_waits_for_a_closed_trunk_goes_by_the_first_open_one(self) -> None:
        made = self.made()
        self.fail(made, 1)
        assert made.detours(1.5) == {2: [Detour(1, frozenset({self.NUMBER, "1"}))]}
        self.fail(made, 2)
        assert made.detours(1.5) == {
            3: [Detour(1, frozenset({self.NUMBER})), Detour(2, frozenset({self.NUMBER}))]
        }
        assert made.detours(2.5) == {}, "the holds are over: each is tried again"

    def test_switched_off_and_silent_are_closed_too(self) -> None:
        assert self.made(1).detours(1.0) == {2: [Detour(1, frozenset({self.NUMBER, "1"}))]}
        made = self.made()
        made.set_silent(1, again_in_s=30.0)
        assert made.detours(1.0) == {2: [Detour(1, frozenset({self.NUMBER, "1"}))]}
        assert made.take(call(2), 1.0).detour == (
            "It went by the trunk trunk2, not by trunk1: it does not answer OPTIONS."
        )

    def test_where_none_is_open_they_wait(self) -> None:
        assert self.made(1, 2, 3).detours(1.0) == {}

    def test_while_one_call_tries_the_first_again_the_others_go_by_the_second(self) -> None:
        made = self.made()
        self.fail(made, 1)
        route = made.take(call(1), 2.0)
        assert made.detours(30.0) == {2: [Detour(1, frozenset({self.NUMBER, "1"}))]}
        woken: list[bool] = []
        made.on_room = lambda: woken.append(True)
        made.take_holds()
        route.on_taken()
        assert made.detours(30.0) == {}
        assert woken
        assert made.take_holds() == {1: None}
        route.on_taken()
        assert made.take_holds() == {}

    def test_why_it_was_not_the_first(self) -> None:
        made = self.made()
        assert made.take(call(2), 1.0).detour == (
            "It went by the trunk trunk2, not by trunk1: it took no call just before."
        )
        self.fail(made, 1)
        assert made.take(call(3), 1.0).detour == (
            "It went by the trunk trunk3, not by trunk1: it refuses them: SIP 503."
        )
