"""Bodies from the outside: nothing but our own error may come out, whatever goes in."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.api.bodies import _from_form, _from_json, nest
from outdial.api.errors import ApiError
from outdial.api.multipart import FileTarget, boundary_of, read_multipart
from outdial.api.send_request import read_send_request
from outdial.egress.allow_list import AllowList
from outdial.egress.guard import Guard

NOW = 1_795_700_000_000


@contextmanager
def suppress_only(*statuses: int) -> Iterator[None]:
    """Let an ApiError with one of these statuses pass, and nothing else."""
    try:
        yield
    except ApiError as error:
        if error.status not in statuses:
            raise


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("a", "1")], {"a": "1"}),
        ([("a", "1"), ("a", "2"), ("a", "3")], {"a": ["1", "2", "3"]}),
        ([("a[]", "1")], {"a": ["1"]}),
        ([("a[]", "1"), ("a[]", "2")], {"a": ["1", "2"]}),
        ([("v[x]", "1"), ("v[y]", "2")], {"v": {"x": "1", "y": "2"}}),
        ([("v", "1"), ("v[y]", "2")], {"v": "1"}),
        ([("v[y]", "2"), ("v", "1")], {"v": {"y": "2"}}),
        ([("v[y][z]", "2")], {"v[y][z]": "2"}),
        ([("", "2")], {"": "2"}),
    ],
)
def test_names_with_brackets_nest(pairs: list[tuple[str, str]], expected: dict[str, Any]) -> None:
    assert nest(pairs) == expected


def test_an_empty_value_is_a_value() -> None:
    assert _from_form(b"body=&name=x") == {"body": "", "name": "x"}


names = st.one_of(
    st.text(max_size=5),
    st.sampled_from(
        ["to", "to[]", "bridge", "audio", "variables[otp]", "variables[]", "variables", "interval"]
    ),
)


@given(st.lists(st.tuples(names, st.text(max_size=20)), max_size=8))
def test_any_form_is_a_request_or_an_error_of_ours(pairs: list[tuple[str, str]]) -> None:
    _, wrong = read_send_request(
        {**nest(pairs), "interval": "7"}, most_recipients=5, guard=Guard(AllowList()), now=NOW
    )
    assert "interval" in wrong
    assert all(sentence for each in wrong.values() for sentence in each)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("to", "bridge", "audio", "ivr_id", "interval", "variables", "name", "webhook_id"), json_values
        ),
    )
)
def test_any_json_is_a_request_or_an_error_of_ours(body: dict[str, Any]) -> None:
    wanted, wrong = read_send_request(body, most_recipients=5, guard=Guard(AllowList()), now=NOW)
    assert wrong or wanted.to


@given(st.binary(max_size=200))
def test_any_bytes_are_a_form_or_an_error_of_ours(body: bytes) -> None:
    for read in (_from_form, _from_json):
        with suppress_only(400):
            assert isinstance(read(body), dict)


async def _chunks(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


PART = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'


@given(
    noise=st.binary(max_size=80),
    position=st.integers(0, 120),
    size=st.integers(1, 50),
)
async def test_any_multipart_is_read_or_an_error_of_ours(noise: bytes, position: int, size: int) -> None:
    whole = (
        PART % (b"name", b"", b"value") + PART % (b"audio", b'; filename="x.wav"', b"12345") + b"--b--\r\n"
    )
    body = whole[:position] + noise + whole[position:]
    target = FileTarget("audio", Path("/dev/null"), 1000)
    with suppress_only(400, 413, 422):
        form = await read_multipart(_chunks(body, size), b"b", file=target)
        assert all(isinstance(value, str) for _, value in form.fields)


@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_a_multipart_body_in_any_pieces(tmp_path: Path, size: int) -> None:
    body = (
        PART % (b"name", b"", "Grüße".encode())
        + PART % (b"audio", b'; filename="a b.wav"\r\nContent-Type: audio/wav', b"\r\n--b\r-\x00\xff")
        + PART % (b"empty", b"", b"")
        + b"--b--\r\n"
    )
    target = FileTarget("audio", tmp_path / "file", 1000)
    form = await read_multipart(_chunks(body, size), b"b", file=target)
    assert form.fields == [("name", "Grüße"), ("empty", "")]
    assert (form.file_name, form.file_bytes) == ("a b.wav", 9)
    assert target.path.read_bytes() == b"\r\n--b\r-\x00\xff"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (PART % (b"audio", b'; filename="x"', b"x" * 1001) + b"--b--\r\n", 413),
        (PART % (b"name", b"", b"x" * 65_537) + b"--b--\r\n", 413),
        (b"".join(PART % (b"n", b"", b"") for _ in range(101)) + b"--b--\r\n", 413),
        (b"--b\r\nX: " + b"y" * 9000 + b"\r\n\r\n\r\n--b--\r\n", 400),
        (PART % (b"name", b"", b"\xff") + b"--b--\r\n", 400),
        (PART % (b"name", b"", b"cut off"), 400),
        (b"nothing of the kind", 400),
    ],
)
async def test_multipart_bounds(tmp_path: Path, body: bytes, status: int) -> None:
    target = FileTarget("audio", tmp_path / "file", 1000)
    with pytest.raises(ApiError) as caught:
        await read_multipart(_chunks(body, 4096), b"b", file=target)
    assert caught.value.status == status


def test_a_boundary_is_needed() -> None:
    assert boundary_of('multipart/form-data; boundary="a b"') == b"a b"
    for wrong in ("multipart/form-data", "multipart/form-data; boundary=", ""):
        with pytest.raises(ApiError, match="boundary"):
            boundary_of(wrong)
