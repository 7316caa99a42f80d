"""One spelling for each URL, and every spelling of an address understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.egress.urls import LONGEST_URL, normalised, parse_target
from outdial.errors import EgressRefused


@pytest.mark.parametrize(
    ("text", "host", "port", "url"),
    [
        ("http://Example.COM", "example.com", 80, "http://example.com"),
        ("HTTPS://example.com:8443/a b".replace(" ", "%20"), "example.com", 8443, None),
        ("https://example.com/a?b=c#d", "example.com", 443, "https://example.com/a?b=c"),
        ("http://example.com./a.mp3", "example.com", 80, None),
        (
            "http://bücher.example/ä.mp3",
            "xn--bcher-kva.example",
            80,
            "http://xn--bcher-kva.example/%C3%A4.mp3",
        ),
        ("http://[2A00::0001]:80/", "2a00::1", 80, "http://[2a00::1]/"),
    ],
)
def test_reading(text: str, host: str, port: int, url: str | None) -> None:
    target = parse_target(text)
    assert (target.host, target.port) == (host, port)
    if url is not None:
        assert str(target.url) == url


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0x7f.0.0.1", "127.0.0.1"),
        ("0177.0.0.01", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("１２７.0.0.1", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("169.16689662", "169.254.169.254"),
        ("[::1]", "::1"),
        ("[0:0:0:0:0:0:0:1]", "::1"),
        ("[::ffff:127.0.0.1]", "::ffff:7f00:1"),
        ("[::FFFF:7F00:1]", "::ffff:7f00:1"),
    ],
)
def test_every_spelling_of_an_address_becomes_the_usual_one(host: str, address: str) -> None:
    target = parse_target(f"http://{host}/x")
    assert str(target.address) == address
    assert target.url.host == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "ftp://example.com/a.mp3",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "//example.com/a",
        "http://",
        "http:///a",
        "http://:80/",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http://example.com:x/",
        "http://exa mple.com/",
        "http://example.com/a\r\nHost: b",
        "http://example.com/\x00",
        "http://[::1",
        "http://256.1.1.1/",
        "http://1.2.3.4.5/",
        "http://0x/",
        "http://example.99/",
        "http://08.8.8.8/",
        f"http://example.com/{'a' * LONGEST_URL}",
        f"http://{'a' * 300}:{'b' * LONGEST_URL}@example.com/",
    ],
)
def test_what_is_no_url_for_us_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(EgressRefused, match=r"^\S.* .*\.$"):
        normalised(text)


def test_credentials_are_sent_and_not_shown() -> None:
    target = parse_target("https://me:s3cret@example.com/a.mp3?token=hush")
    assert target.authorization == "Basic bWU6czNjcmV0"
    assert "s3cret" not in repr(target)
    assert target.shown == "https://example.com/a.mp3"
    assert normalised("https://me:s3cret@example.com/a#b") == "https://me:s3cret@example.com/a"
    assert parse_target("http://good.example@192.0.2.1/").host == "192.0.2.1"


@given(st.text(max_size=40), st.sampled_from(["", "http://", "https://", "http://[", "http://127."]))
def test_nothing_but_our_error(text: str, prefix: str) -> None:
    try:
        once = normalised(prefix + text)
    except EgressRefused:
        return
    assert normalised(once) == once
    assert once.isascii()
