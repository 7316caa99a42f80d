"""Being registered: a real endpoint and a scripted registrar over a link in memory, in virtual time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from tests.helpers.sip_link import Network, header, tokens

from outdial.sip.digest import Credentials, check, make_challenge
from outdial.sip.endpoint import Endpoint
from outdial.sip.headers.credentials import DigestCredentials
from outdial.sip.message import Request
from outdial.sip.parser import parse_message
from outdial.sip.registration.pauses import retry_after_s
from outdial.sip.registration.registration import Account, Located, Registration
from outdial.sip.registration.status import RegistrationProblem as Problem
from outdial.sip.registration.status import RegistrationStatus
from outdial.sip.registration.table import RegistrationState as State
from outdial.sip.responses import build_response
from outdial.sip.server_transaction import ServerTransaction
from outdial.sip.uri import SipUri

US = ("192.0.2.1", 5060)
REGISTRAR, SECOND = ("192.0.2.2", 5060), ("192.0.2.3", 5060)
PASSWORD = "the carrier's secret"
LOGIN = Credentials("1234567", PASSWORD)

Answer = tuple[int, list[tuple[str, str]]]
Answers = Callable[[Request], Answer]


def keeps(seconds: int, *others: str) -> Answers:
    """Keep what is asked to be kept, for `seconds`, behind what others registered."""

    def answer(request: Request) -> Answer:
        own = (request.headers.get("Contact") or "").partition(";")[0]
        listed = [*others, *([f"{own};expires={seconds}"] if request.headers.get("Expires") != "0" else [])]
        return 200, [("Contact", ", ".join(listed))] if listed else []

    return answer


def says(status: int, *headers: tuple[str, str]) -> Answers:
    return lambda _: (status, list(headers))


def asks_first(then: Answers, *, nonce: str = "n1", algorithm: str = "MD5", proxy: bool = False) -> Answers:
    """Want the password, for this nonce."""
    challenge = make_challenge("carrier", nonce, algorithm=algorithm, proxy=proxy)
    asking = ("Proxy-Authenticate" if proxy else "WWW-Authenticate", str(challenge))

    def answer(request: Request) -> Answer:
        for value in request.headers.get_all("Proxy-Authorization" if proxy else "Authorization"):
            given = DigestCredentials.parse(value)
            if given.nonce == nonce and check(given, "REGISTER", PASSWORD):
                return then(request)
        return (407 if proxy else 401), [asking]

    return answer


@dataclass
class World:
    """Us, a registrar at one or two addresses, and everything that was told."""

    network: Network = field(default_factory=Network)
    answers: dict[tuple[str, int], Iterator[Answers] | Answers] = field(default_factory=dict)
    told: list[RegistrationStatus] = field(default_factory=list)
    heard: list[tuple[str, bool]] = field(default_factory=list)
    destinations: tuple[tuple[str, int], ...] = (REGISTRAR,)
    ours: tuple[str, int] = US
    unlocated: str | None = None
    random: float = 1.0
    expires_s: int = 300
    credentials: Credentials | None = LOGIN

    def __post_init__(self) -> None:
        self.endpoint = Endpoint(US, tokens("us"))
        self.network.attach(US, self.endpoint)
        account = Account(
            registrar=SipUri("sip", None, "carrier.example"),
            user="1234567",
            expires_s=self.expires_s,
            credentials=self.credentials,
        )
        self.registration: Registration = self.endpoint.register(account, self, lambda: self.random)

    def registrar(self, *answers: Answers, at: tuple[str, int] = REGISTRAR) -> "World":
        """Give the answers in turn, the last one for ever."""
        left = list(answers)

        def on_register(transaction: ServerTransaction, now: float) -> None:
            transaction.respond(build_response(transaction.request, transaction.source, 100), now)
            answer = left.pop(0) if len(left) > 1 else left[0]
            status, headers = answer(transaction.request)
            response = build_response(
                transaction.request, transaction.source, status, to_tag="far", headers=headers
            )
            transaction.respond(response, now)

        self.network.attach(at, Endpoint(at, tokens(at[0]), on_register=on_register))
        return self

    def locate(self) -> None:
        def answer(now: float) -> None:
            if self.unlocated is None:
                self.registration.located(Located(self.destinations, self.ours), now)
            else:
                self.registration.unlocated(self.unlocated, now)

        self.network.schedule(self.network.now, answer)

    def on_status(self, status: RegistrationStatus) -> None:
        self.told.append(status)

    def on_address(self, address: tuple[str, int], *, answers: bool) -> None:
        self.heard.append((address[0], answers))

    def start(self, until: float = 10.0) -> "World":
        self.registration.start(self.network.now)
        return self.run(until)

    def run(self, until: float) -> "World":
        self.network.run(until=until)
        return self

    def stop(self, until: float) -> "World":
        self.registration.stop(self.network.now)
        return self.run(until)

    @property
    def sent(self) -> list[tuple[float, tuple[str, int], bytes]]:
        """Every REGISTER of ours, retransmissions once: time, destination, bytes."""
        found: dict[bytes, tuple[float, tuple[str, int]]] = {}
        for at, source, destination, data in self.network.wire:
            if source == US and data.startswith(b"REGISTER "):
                found.setdefault(data, (at, destination))
        return [(at, destination, data) for data, (at, destination) in found.items()]

    @property
    def times(self) -> list[float]:
        return [round(at, 2) for at, _, _ in self.sent]

    def values(self, name: str) -> list[str | None]:
        return [header(data, name) for _, _, data in self.sent]


def test_what_is_sent() -> None:
    world = World().registrar(keeps(300)).start()
    (_, destination, data) = world.sent[0]
    request = parse_message(data)
    assert isinstance(request, Request)
    assert destination == REGISTRAR
    assert request.uri == "sip:carrier.example"
    assert request.headers.get("To") == "<sip:1234567@carrier.example>"
    assert str(request.from_).startswith("<sip:1234567@carrier.example>;tag=")
    assert request.headers.get("Contact") == "<sip:1234567@192.0.2.1:5060>;expires=300"
    assert request.headers.get("Expires") == "300"
    assert request.top_via.host == "192.0.2.1"
    (told,) = world.told
    assert (told.registered, told.contact) == (True, "sip:1234567@192.0.2.1:5060")
    assert told.until == pytest.approx(300.04)
    assert world.heard == [("192.0.2.2", True)]


def test_the_address_that_we_are_seen_at_is_registered() -> None:
    """Behind NAT it is another one than the socket's."""
    world = World(ours=("203.0.113.7", 5080)).registrar(keeps(300)).start()
    assert world.values("Contact") == ["<sip:1234567@203.0.113.7:5080>;expires=300"]
    assert "203.0.113.7:5080" in (world.values("Via")[0] or "")


class TestRefresh:
    def test_at_half_of_what_was_granted_and_never_after_it(self) -> None:
        world = World(random=0.0).registrar(keeps(120)).start(until=300)
        assert world.times == [0.0, 60.04, 120.08, 180.12, 240.16]
        assert [each.registered for each in world.told] == [True] * 5

    def test_earlier_by_chance(self) -> None:
        assert World(random=1.0).registrar(keeps(120)).start(until=100).times == [0.0, 48.04, 96.08]

    def test_one_call_id_and_a_growing_cseq(self) -> None:
        world = World().registrar(keeps(120)).start(until=100)
        assert len(set(world.values("Call-ID"))) == 1
        assert world.values("CSeq") == ["1 REGISTER", "2 REGISTER", "3 REGISTER"]

    @pytest.mark.parametrize(
        "other", ["<sip:1234567@192.0.2.9:5060>;expires=30", "<sip:7@192.0.2.1:5060>;expires=30", "<;>"]
    )
    def test_the_time_of_our_address_counts_and_not_the_first_one(self, other: str) -> None:
        """Several dialers are registered for one account, and the registrar lists them all."""
        assert World(random=0.0).registrar(keeps(200, other)).start(until=150).times == [0.0, 100.04]

    @pytest.mark.parametrize(
        ("contact", "header_s", "refresh_at"),
        [
            ("<sip:1234567@192.0.2.1>;expires=120", None, 60.04),
            ("<sip:1234567@192.0.2.1:5060;transport=udp>;q=1;expires=120", None, 60.04),
            ("sip:1234567@192.0.2.1:5060;expires=120", None, 60.04),
            ("<sip:1234567@192.0.2.1:5060>", "120", 60.04),
            ("<sip:1234567@198.51.100.1:4711>;expires=120, <sip:x@198.51.100.2>;expires=80", None, 40.04),
            (None, "120", 60.04),
            (None, None, 150.04),
            ("<sip:1234567@192.0.2.1:5060>;expires=3600", None, 150.04),
            ("<sip:1234567@192.0.2.1:5060>;expires=soon", None, 150.04),
            ("<sip:1234567@192.0.2.1:5060>;expires=1", None, 10.04),
        ],
    )
    def test_how_registrars_say_it(
        self, contact: str | None, header_s: str | None, refresh_at: float
    ) -> None:
        given = [("Contact", contact), ("Expires", header_s)]
        headers = [(name, value) for name, value in given if value is not None]
        world = World(random=0.0).registrar(says(200, *headers)).start(until=refresh_at + 0.01)
        assert world.times == [0.0, refresh_at]

    def test_an_address_that_is_kept_for_no_time_is_not_registered(self) -> None:
        world = World().registrar(says(200, ("Contact", "<sip:1234567@192.0.2.1>;expires=0"))).start()
        assert (world.told[-1].registered, world.told[-1].problem) == (False, Problem.NOT_KEPT)

    def test_a_changed_address_is_registered_at_once(self) -> None:
        world = World().registrar(keeps(300)).start()
        world.ours = ("192.0.2.77", 5060)
        world.start(until=20)
        assert world.values("Contact")[-1] == "<sip:1234567@192.0.2.77:5060>;expires=300"
        assert world.times == [0.0, 10.0]
        assert world.told[-1].contact == "sip:1234567@192.0.2.77:5060"

    def test_it_leaves_no_timer_behind(self) -> None:
        world = World().registrar(keeps(60)).start(until=10_000)
        assert len(world.endpoint.wire.timers) <= 3


class TestDigest:
    @pytest.mark.parametrize("proxy", [False, True])
    @pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
    def test_it_is_answered_and_the_nonce_used_again(self, algorithm: str, proxy: bool) -> None:
        registrar = asks_first(keeps(120), algorithm=algorithm, proxy=proxy)
        world = World(random=0.0).registrar(registrar).start(until=100)
        assert world.times == [0.0, 0.04, 60.08]
        name = "Proxy-Authorization" if proxy else "Authorization"
        given = [DigestCredentials.parse(value) for value in world.values(name) if value]
        assert [each.nonce_count for each in given] == [1, 2]
        assert [each.uri for each in given] == ["sip:carrier.example"] * 2
        assert world.told[-1].registered

    @pytest.mark.parametrize("stale", [True, False])
    def test_a_nonce_that_is_over_costs_one_more_round(self, stale: bool) -> None:
        """Many registrars do not say `stale`."""
        fresh = says(401, ("WWW-Authenticate", str(make_challenge("carrier", "n2", stale=stale))))
        world = World(random=0.0).registrar(
            asks_first(keeps(120)),
            asks_first(keeps(120)),
            fresh,
            asks_first(keeps(120), nonce="n2"),
        )
        world.start(until=100)
        assert world.times == [0.0, 0.04, 60.08, 60.12]
        assert [each.registered for each in world.told] == [True, True]

    def test_nonces_that_are_over_are_forgotten(self) -> None:
        """A registration is kept up for years, and meets a new nonce with each refresh."""
        rounds = [asks_first(keeps(60), nonce=f"n{each // 2}") for each in range(40)]
        world = World().registrar(*rounds).start(until=600)
        assert len(world.sent) > 30
        assert len(world.registration._authenticator._nonce_counts) == 1

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_wrong_password_is_given_once_and_then_rarely(self, status: int) -> None:
        world = World(random=1.0, credentials=Credentials("1234567", "wrong"))
        registrar = asks_first(keeps(300))
        if status == 403:
            world.registrar(registrar, says(403))
        else:
            world.registrar(registrar)
        world.start(until=80)
        assert world.times[:2] == [0.0, 0.04]
        assert world.times[2] == pytest.approx(30.08)
        told = world.told[0]
        assert (told.registered, told.problem, told.status) == (False, Problem.LOGIN_REFUSED, status)
        assert told.retry_at == pytest.approx(30.08)

    def test_a_login_that_we_do_not_have(self) -> None:
        world = World(credentials=None).registrar(asks_first(keeps(300))).start()
        assert len(world.sent) == 1
        assert world.told[-1].problem is Problem.LOGIN_WANTED


class TestTooBrief:
    def test_the_minimum_is_asked_for_at_once_and_from_then_on(self) -> None:
        brief = says(423, ("Min-Expires", "1800"))
        world = World(random=0.0).registrar(brief, keeps(1800)).start(until=1000)
        assert world.values("Expires") == ["300", "1800", "1800"]
        assert world.times == [0.0, 0.04, 900.08]

    @pytest.mark.parametrize("headers", [[], [("Min-Expires", "60")], [("Min-Expires", "999999999")]])
    def test_one_that_makes_no_sense_is_a_refusal(self, headers: list[tuple[str, str]]) -> None:
        world = World().registrar(says(423, *headers)).start()
        assert len(world.sent) == 1
        assert (world.told[-1].problem, world.told[-1].status) == (Problem.REFUSED, 423)

    def test_one_that_grows_for_ever_is_given_up(self) -> None:
        growing = [says(423, ("Min-Expires", str(1000 * each))) for each in range(1, 9)]
        assert len(World().registrar(*growing).start().sent) == 4


class TestFailure:
    def test_silence_is_tried_again_ever_more_rarely(self) -> None:
        world = World(random=1.0).start(until=500)
        gaps = [b - a for a, b in zip(world.times, world.times[1:], strict=False)]
        assert gaps == [pytest.approx(32.0 + pause) for pause in (4, 8, 16, 32, 64, 120)][: len(gaps)]
        assert len(gaps) > 4
        assert {each.problem for each in world.told} == {Problem.NO_ANSWER}

    def test_the_pause_is_shorter_by_chance(self) -> None:
        world = World(random=0.0).start(until=40)
        assert world.times == [0.0, 34.0]

    @pytest.mark.parametrize(
        ("failures", "refused", "wanted_s", "pauses"),
        [
            (1, False, None, (2.0, 4.0)),
            (50, False, None, (60.0, 120.0)),
            (1, True, None, (15.0, 30.0)),
            (50, True, None, (450.0, 900.0)),
            (1, False, 600, (600.0, 720.0)),
            (50, False, 1, (60.0, 120.0)),
            (1, False, 1_000_000, (3600.0, 4320.0)),
        ],
    )
    def test_pauses(
        self, failures: int, refused: bool, wanted_s: int | None, pauses: tuple[float, float]
    ) -> None:
        found = [retry_after_s(failures, refused=refused, wanted_s=wanted_s, random=each) for each in (0, 1)]
        assert tuple(found) == pytest.approx(pauses)

    def test_retry_after_is_obeyed(self) -> None:
        busy = says(503, ("Retry-After", "200"))
        world = World(random=0.0).registrar(busy, keeps(300)).start(until=250)
        assert world.times == [0.0, 200.04]
        assert [each.registered for each in world.told] == [False, True]

    def test_success_starts_the_pauses_anew(self) -> None:
        world = World(random=1.0).registrar(says(500), says(500), keeps(60), says(500), keeps(60))
        world.start(until=45)
        assert world.times == pytest.approx([0, 4.04, 12.08, 36.12, 40.16], abs=0.01)

    def test_a_lost_register_is_sent_again(self) -> None:
        lost = [True, True]
        world = World(
            network=Network(drop=lambda data, *_: data.startswith(b"REG") and bool(lost and lost.pop()))
        )
        world.registrar(keeps(300)).start()
        assert len(world.network.sent("REGISTER")) == 3
        assert world.told[-1].registered

    def test_a_lost_answer_is_sent_again(self) -> None:
        lost = [True]
        world = World(
            network=Network(drop=lambda data, *_: data.startswith(b"SIP/2.0 2") and bool(lost and lost.pop()))
        )
        world.registrar(keeps(300)).start()
        assert len(world.sent) == 1
        assert world.told[-1].registered

    def test_a_name_that_cannot_be_resolved(self) -> None:
        world = World(random=1.0, unlocated="the name cannot be resolved").registrar(keeps(300))
        world.start(until=2)
        assert (world.told[-1].problem, world.told[-1].reason) == (
            Problem.UNLOCATED,
            "the name cannot be resolved",
        )
        world.unlocated = None
        assert world.run(10).told[-1].registered

    def test_a_registrar_that_is_away_for_a_moment_still_knows_us(self) -> None:
        world = World(random=0.0).registrar(keeps(120), says(500), keeps(120)).start(until=70)
        assert [(each.registered, each.status) for each in world.told] == [
            (True, None),
            (True, 500),
            (True, None),
        ]

    def test_until_what_it_granted_is_over(self) -> None:
        away = [False]
        world = World(random=0.0, network=Network(drop=lambda *_: away[0])).registrar(keeps(120)).start()
        away[0] = True
        world.run(119)
        assert world.told[-1].registered
        world.run(121)
        assert not world.told[-1].registered
        away[0] = False
        world.run(300)
        assert world.told[-1].registered

    def test_a_refusal_of_the_refresh_counts_at_once(self) -> None:
        world = World(random=0.0).registrar(keeps(120), says(404)).start(until=61)
        assert (world.told[-1].registered, world.told[-1].status) == (False, 404)
        assert world.told[-1].until is None

    def test_started_again_while_it_waits_it_is_tried_at_once(self) -> None:
        world = World().registrar(says(404), keeps(300)).start(until=1)
        assert not world.told[-1].registered
        assert world.start(until=2).told[-1].registered


class TestNextAddress:
    @pytest.mark.parametrize("first", [says(503), None], ids=["503", "silence"])
    def test_the_next_address_of_the_name_is_tried(self, first: Answers | None) -> None:
        world = World(destinations=(REGISTRAR, SECOND))
        if first is not None:
            world.registrar(first)
        world.registrar(keeps(300), at=SECOND).start(until=40)
        assert [destination for _, destination, _ in world.sent] == [REGISTRAR, SECOND]
        assert world.told[-1].registered
        assert world.heard == [("192.0.2.2", False), ("192.0.2.3", True)]

    def test_a_refusal_is_the_last_word(self) -> None:
        world = World(destinations=(REGISTRAR, SECOND)).registrar(says(403)).registrar(keeps(300), at=SECOND)
        assert [destination for _, destination, _ in world.start().sent] == [REGISTRAR]

    def test_a_port_that_is_closed(self) -> None:
        world = World(destinations=(REGISTRAR, SECOND)).registrar(keeps(300), at=SECOND)
        world.start(until=0.01)
        (_, _, data) = world.sent[0]
        world.endpoint.transport_error(REGISTRAR, data, 0.01)
        assert world.run(1).told[-1].registered

    def test_each_address_may_ask_for_the_password(self) -> None:
        world = World(destinations=(REGISTRAR, SECOND))
        world.registrar(asks_first(says(503))).registrar(asks_first(keeps(300), nonce="other"), at=SECOND)
        assert world.start().told[-1].registered


class TestRemoval:
    def test_our_address_is_removed_with_the_password(self) -> None:
        world = World().registrar(asks_first(keeps(300))).start().stop(until=20)
        assert world.values("Expires") == ["300", "300", "0"]
        assert world.values("Contact")[-1] == "<sip:1234567@192.0.2.1:5060>;expires=0"
        assert world.told[-1] == RegistrationStatus(ended=True, contact="sip:1234567@192.0.2.1:5060")
        assert world.run(1000).endpoint.idle

    def test_a_stale_nonce_is_answered_once_more(self) -> None:
        stale = says(401, ("WWW-Authenticate", str(make_challenge("carrier", "n2", stale=True))))
        world = World().registrar(asks_first(keeps(300)), asks_first(keeps(300)), stale, keeps(0)).start()
        assert world.stop(until=20).values("Expires")[-2:] == ["0", "0"]
        assert world.told[-1].ended

    def test_what_is_being_registered_is_removed_after_its_answer(self) -> None:
        world = World(network=Network(delay=1.0)).registrar(keeps(300)).start(until=0.5)
        world.stop(until=1.5)
        assert world.values("Expires") == ["300"], "one REGISTER at a time"
        assert world.run(10).values("Expires") == ["300", "0"]
        assert [each.ended for each in world.told] == [True]

    def test_what_was_never_registered_is_not_removed(self) -> None:
        world = World().registrar(says(404)).start().stop(until=20)
        assert len(world.sent) == 1
        assert world.told[-1].ended

    def test_a_registrar_that_is_gone_leaves_nothing_behind(self) -> None:
        away = [False]
        world = World(network=Network(drop=lambda *_: away[0])).registrar(keeps(300)).start()
        away[0] = True
        world.stop(until=100)
        assert world.told[-1].ended
        assert world.endpoint.idle

    def test_what_is_removed_is_what_was_registered(self) -> None:
        """Stopped while a changed address is being looked for."""
        world = World().registrar(keeps(300)).start()
        world.ours = ("192.0.2.77", 5060)
        world.registration.start(world.network.now)
        world.stop(until=20)
        assert world.values("Contact")[-1] == "<sip:1234567@192.0.2.1:5060>;expires=0"
        assert world.told[-1].ended

    def test_stopped_before_it_was_started(self) -> None:
        world = World().stop(until=1)
        assert world.registration.state is State.ENDED
        assert world.start().sent == []


@pytest.mark.parametrize("seed", range(20))
def test_over_a_bad_network_it_is_registered_and_removed(seed: int) -> None:
    """A third of everything is lost, some comes twice and late; a login is wanted, and nonces go stale."""
    network = Network(seed=seed, loss=0.3, duplication=0.2, jitter=1.0)
    rounds = [asks_first(keeps(90), nonce=f"n{each // 3}") for each in range(300)]
    world = World(network=network, random=0.5).registrar(*rounds).start(until=1500)
    assert any(each.registered for each in world.told)
    assert not any(each.ended for each in world.told)
    world.stop(until=1600)
    assert world.told[-1].ended
    world.run(1700)
    assert world.endpoint.idle


def test_a_contact_that_cannot_be_read_is_passed_over() -> None:
    world = World(random=0.0).registrar(keeps(120, "nonsense", "*")).start(until=70)
    assert world.times == [0.0, 60.04]
