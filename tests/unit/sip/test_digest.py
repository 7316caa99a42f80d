"""Digest authentication: the vectors of the RFCs, the choice among challenges, the server's side."""

from dataclasses import replace
from hashlib import md5

import pytest

from outdial.errors import SipParseError
from outdial.sip.digest import Credentials, authorize, check, choose, is_answerable, make_challenge
from outdial.sip.headers.challenge import Challenge
from outdial.sip.headers.credentials import DigestCredentials

MUFASA = Credentials("Mufasa", "Circle Of Life")


def answer(
    challenge: Challenge,
    credentials: Credentials = MUFASA,
    *,
    method: str = "INVITE",
    uri: str = "sip:b@host",
    nonce_count: int = 1,
    cnonce: str = "0a4f113b",
    body: bytes = b"",
) -> DigestCredentials:
    _, value = authorize(
        [challenge], credentials, method=method, uri=uri, nonce_count=nonce_count, cnonce=cnonce, body=body
    )
    return DigestCredentials.parse(value)


def test_the_example_of_rfc_2617() -> None:
    challenge = Challenge.parse(
        'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    header, value = authorize(
        [challenge], MUFASA, method="GET", uri="/dir/index.html", nonce_count=1, cnonce="0a4f113b"
    )
    assert header == "Authorization"
    assert value == (
        'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'uri="/dir/index.html", response="6629fae49393a05397450978507c4ef1", algorithm=MD5, '
        'cnonce="0a4f113b", qop=auth, nc=00000001, opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )


def test_the_corrected_example_of_rfc_2069_without_qop() -> None:
    challenge = Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093")
    given = answer(challenge, Credentials("Mufasa", "CircleOfLife"), method="GET", uri="/dir/index.html")
    assert given.response == "1949323746fe6a43ef61f9606e7febea"
    assert (given.qop, given.nonce_count, given.cnonce) == (None, None, None)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616(algorithm: str, response: str) -> None:
    challenge = Challenge.parse(
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    given = answer(
        challenge,
        Credentials("Mufasa", "Circle of Life"),
        method="GET",
        uri="/dir/index.html",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert given.response == response


def test_the_corrected_example_of_rfc_7616_with_sha_512_256() -> None:
    # Erratum 4897: the RFC's own figure was computed with SHA-512, cut short.
    challenge = Challenge(
        "api@example.org", "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", "SHA-512-256", ("auth",)
    )
    given = answer(
        challenge,
        Credentials("J\u00e4s\u00f8n Doe", "Secret, or not?"),
        method="GET",
        uri="/doe.json",
        cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
    )
    assert given.response == "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"


def test_md5_sess_hashes_the_nonces_into_the_secret() -> None:
    def hexdigest(text: str) -> str:
        return md5(text.encode()).hexdigest()

    given = answer(make_challenge("r", "n", algorithm="MD5-sess"))
    secret = hexdigest(f"{hexdigest('Mufasa:r:Circle Of Life')}:n:0a4f113b")
    assert given.response == hexdigest(f"{secret}:n:00000001:0a4f113b:auth:{hexdigest('INVITE:sip:b@host')}")


def test_md5_sess_without_qop_still_names_its_cnonce() -> None:
    given = answer(make_challenge("r", "n", algorithm="md5-SESS", qop=()))
    assert (given.cnonce, given.qop, given.nonce_count) == ("0a4f113b", None, None)
    assert check(given, "INVITE", "Circle Of Life")
    assert not check(replace(given, cnonce=None), "INVITE", "Circle Of Life")


def test_auth_int_covers_the_body_and_is_used_only_where_it_is_insisted_on() -> None:
    given = answer(make_challenge("r", "n", qop=("auth-int",)), body=b"v=0")
    assert given.qop == "auth-int"
    assert check(given, "INVITE", "Circle Of Life", b"v=0")
    assert not check(given, "INVITE", "Circle Of Life", b"v=1")
    assert answer(make_challenge("r", "n", qop=("auth-int", "auth"))).qop == "auth"


@pytest.mark.parametrize(
    "algorithm", ["MD5", "md5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "sha-512-256-sess"]
)
@pytest.mark.parametrize("qop", [(), ("auth",), ("auth", "auth-int")])
def test_both_sides_agree(algorithm: str, qop: tuple[str, ...]) -> None:
    challenge = Challenge.parse(
        str(make_challenge("our realm", 'no"nce', algorithm=algorithm, qop=qop, opaque="o"))
    )
    given = answer(challenge, nonce_count=255)
    assert given.algorithm == algorithm
    assert given.opaque == "o"
    assert given.nonce == 'no"nce'
    assert given.nonce_count == (255 if qop else None)
    assert check(given, "INVITE", "Circle Of Life")
    assert not check(given, "BYE", "Circle Of Life")
    assert not check(given, "INVITE", "wrong")
    assert not check(replace(given, nonce="other"), "INVITE", "Circle Of Life")


def test_a_nonce_is_used_again_with_a_higher_count() -> None:
    challenge = make_challenge("r", "n")
    first, second = answer(challenge, nonce_count=1), answer(challenge, nonce_count=2)
    assert (first.nonce_count, second.nonce_count) == (1, 2)
    assert first.response != second.response
    assert check(second, "INVITE", "Circle Of Life")


def test_the_strongest_challenge_is_answered() -> None:
    weak, strong = make_challenge("r", "a"), make_challenge("r", "b", algorithm="SHA-256", proxy=True)
    strongest = make_challenge("r", "c", algorithm="SHA-512-256")
    unknown = make_challenge("r", "d", algorithm="SHA3-512")
    assert choose([weak, strong, unknown]) is strong
    assert choose([weak, strong, strongest]) is strongest
    header, value = authorize([weak, strong], MUFASA, method="BYE", uri="sip:x", nonce_count=1, cnonce="c")
    assert header == "Proxy-Authorization"
    assert DigestCredentials.parse(value).nonce == "b"


def test_of_equals_the_first_is_answered() -> None:
    first, second = make_challenge("r", "a"), make_challenge("r", "b", algorithm="MD5-sess")
    assert choose([first, second]) is first


def test_what_cannot_be_answered_is_said() -> None:
    with pytest.raises(SipParseError) as caught:
        choose(
            [make_challenge("r", "n", algorithm="AKAv1-MD5"), make_challenge("r", "n", qop=("token", "x"))]
        )
    assert str(caught.value) == (
        "the far end asks for AKAv1-MD5 with qop auth, MD5 with qop token or x; we can answer SHA-512-256, "
        "SHA-256 and MD5, each also as -sess, with qop auth, auth-int or absent"
    )
    with pytest.raises(SipParseError, match="asks for no Digest that can be read"):
        choose([])
    assert not is_answerable(make_challenge("r", "n", algorithm="SHA3-512"))


def test_answers_that_prove_nothing() -> None:
    given = answer(make_challenge("r", "n"))
    assert not check(replace(given, algorithm="SHA3-512"), "INVITE", "Circle Of Life")
    assert not check(replace(given, qop="token"), "INVITE", "Circle Of Life")
    written_out = answer(make_challenge("r", "n"), cnonce="None")
    assert not check(replace(written_out, cnonce=None), "INVITE", "Circle Of Life")
    assert not check(replace(given, nonce_count=None), "INVITE", "Circle Of Life")
    assert not check(replace(given, response="ü"), "INVITE", "Circle Of Life")


def test_a_password_does_not_show() -> None:
    assert "Circle" not in repr(MUFASA)


def test_challenges_are_read() -> None:
    challenge = Challenge.parse(
        'DIGEST Realm="a, b",NONCE="x", stale=TRUE ,qop="auth",algorithm=SHA-256,domain="sip:a",junk'
    )
    assert challenge == Challenge("a, b", "x", "SHA-256", ("auth",), None, stale=True)
    assert Challenge.parse(str(challenge)) == challenge
    plain = Challenge.parse("Digest realm=r,nonce=n,qop=,algorithm=,realm=again", proxy=True)
    assert plain == Challenge("r", "n", proxy=True)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no authentication scheme in ''"),
        ("Digest", "no authentication scheme in 'Digest'"),
        ("Basic realm=x", "authentication scheme Basic is not supported, only Digest"),
        ("Digest realm=x", "a Digest challenge without realm or nonce"),
        ("Digest nonce=x", "a Digest challenge without realm or nonce"),
    ],
)
def test_unreadable_challenges(text: str, complaint: str) -> None:
    with pytest.raises(SipParseError) as caught:
        Challenge.parse(text)
    assert str(caught.value) == complaint
    assert Challenge.parse_all([text, "Digest realm=r,nonce=n"]) == [Challenge("r", "n")]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Basic YWJj x", "authentication scheme Basic is not supported, only Digest"),
        ("Digest username=u, realm=r", "Digest credentials without nonce, uri, response"),
        ("Digest username=u,realm=r,nonce=n,uri=x,response=y,nc=xyz", "not a nonce count: 'xyz'"),
        ("Digest username=u,realm=r,nonce=n,uri=x,response=y,nc=123456789", "not a nonce count: '123456789'"),
    ],
)
def test_unreadable_credentials(text: str, complaint: str) -> None:
    with pytest.raises(SipParseError) as caught:
        DigestCredentials.parse(text)
    assert str(caught.value) == complaint


def test_credentials_survive_being_written() -> None:
    given = DigestCredentials('u"x', "r", "n", "sip:b", "ab", "SHA-256", "auth", 1, "c", "o")
    assert DigestCredentials.parse(str(given)) == given
