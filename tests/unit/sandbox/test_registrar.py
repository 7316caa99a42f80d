"""The sandbox's registrar: strict about the password, and it forgets what lapsed."""

import pytest
from tests.helpers.sip_link import tokens

from outdial.sandbox.options import PASSWORD, USERNAME
from outdial.sandbox.registrar import LONGEST_S, SHORTEST_S, Registrar
from outdial.sip.digest import Credentials, authorize
from outdial.sip.headers.challenge import Challenge
from outdial.sip.message import Headers, Request

LOGIN = Credentials(USERNAME, PASSWORD)
OURS, OTHER = "sip:a@192.0.2.1:5060", "sip:a@192.0.2.2:5060"


def ask(
    registrar: Registrar,
    *contacts: str,
    expires: str | None = None,
    now: float = 0.0,
    login: Credentials | None = LOGIN,
    nonce: str | None = None,
) -> tuple[int, dict[str, str], list[str]]:
    request = Request("REGISTER", "sip:sandbox", Headers([("Contact", each) for each in contacts]))
    if expires is not None:
        request.headers.add("Expires", expires)
    if login is not None:
        challenge = Challenge("sandbox", nonce or registrar._nonce, qop=("auth",))
        request.headers.add(
            *authorize([challenge], login, method="REGISTER", uri=request.uri, nonce_count=1, cnonce="c")
        )
    status, headers = registrar._answer(request, now)
    return status, dict(headers), [value for name, value in headers if name == "Contact"]


@pytest.fixture
def registrar() -> Registrar:
    return Registrar(tokens("registrar"))


def test_addresses_are_kept_until_they_lapse_or_are_removed(registrar: Registrar) -> None:
    assert ask(registrar, f"<{OURS}>;expires=300")[2] == [f"<{OURS}>;expires=300"]
    both = [f"<{OURS}>;expires=200", f"<{OTHER}>;expires={LONGEST_S}"]
    assert ask(registrar, f"<{OTHER}>", expires="99999", now=100.0)[2] == both
    assert ask(registrar, f"<{OTHER}>;expires=0", now=200.0)[2] == [f"<{OURS}>;expires=100"]
    assert ask(registrar, now=301.0)[::2] == (200, [])


def test_the_password_is_wanted(registrar: Registrar) -> None:
    status, headers, _ = ask(registrar, f"<{OURS}>", login=None)
    assert status == 401
    assert "stale" not in headers["WWW-Authenticate"]
    status, headers, _ = ask(registrar, f"<{OURS}>", nonce="old")
    assert status == 401
    assert "stale=true" in headers["WWW-Authenticate"]
    for wrong in (Credentials(USERNAME, "x"), Credentials("x", PASSWORD)):
        assert ask(registrar, f"<{OURS}>", login=wrong)[0] == 403
    assert registrar.bindings == {}


def test_too_brief(registrar: Registrar) -> None:
    status, headers, _ = ask(registrar, f"<{OURS}>", expires="59")
    assert (status, headers) == (423, {"Min-Expires": str(SHORTEST_S)})


def test_nonsense(registrar: Registrar) -> None:
    assert ask(registrar, "nonsense")[0] == 400
    request = Request("REGISTER", "sip:sandbox", Headers([("Authorization", "Basic x")]))
    assert registrar._answer(request, 0.0)[0] == 401
    assert ask(registrar, f"<{OURS}>;expires=soon")[2] == [f"<{OURS}>;expires={LONGEST_S}"]
