"""The container is chosen by us: every format we take is known by its start, and nothing else is tried."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.audio.files import RECIPES, encode_file, murmur, rate_of

from outdial.audio.sniff import describe, sniff_container

CONTAINERS = {
    "mp3": "mp3",
    "wav": "wav",
    "alaw.wav": "wav",
    "ogg": "ogg",
    "m4a": "mov",
    "aac": "aac",
    "flac": "flac",
    "amr": "amr",
    "webm": "matroska",
    "aiff": "aiff",
}


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_format_is_known_by_its_start(recipe):
    content = encode_file(murmur(0.5, rate_of(recipe)), recipe)
    assert sniff_container(content[:65_536]) == CONTAINERS[recipe]


MP3_FRAMES = encode_file(murmur(0.5, 44_100), "mp3")
ID3 = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)


def bare_frames() -> bytes:
    return MP3_FRAMES[MP3_FRAMES.index(b"\xff\xfb") :]


def test_an_mp3_needs_no_tag_and_may_start_with_rubbish():
    assert sniff_container(bare_frames()) == "mp3"
    assert sniff_container(b"\x00" * 100 + bare_frames()) == "mp3"


def test_what_follows_an_id3_tag_decides():
    assert sniff_container(ID3 + b"fLaC\x00\x00") == "flac"
    assert sniff_container(ID3 + b"\xff\xf1\x50\x80") == "aac"
    assert sniff_container(ID3 + b"#EXTM3U\nhttp://example.com/a.mp3\n") is None


def test_a_tag_longer_than_the_head_is_taken_for_an_mp3():
    assert sniff_container(b"ID3\x04\x00\x00\x00\x7f\x7f\x7f" + bytes(1_000)) == "mp3"


@pytest.mark.parametrize(
    "header", [b"\xff\xfb\x00\x00", b"\xff\xfb\xf0\x00", b"\xff\xfb\x9c\x00", b"\xff\xeb\x90\x00"]
)
def test_impossible_mpeg_headers_are_not_mp3(header):
    assert sniff_container(header + bytes(2_000)) is None


def test_a_lone_sync_word_is_not_an_mp3():
    assert sniff_container(b"\xff\xfb\x90\x00" + bytes(2_000)) is None


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"Dear all, please find", "text"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\nhttp://169.254.169.254/", "a playlist, which only names other files"),
        (b"\xef\xbb\xbfffconcat version 1.0\nfile /etc/passwd\n", "a playlist, which only names other files"),
        (b"\n<html>", "a web page or XML"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"%PDF-1.7", "a PDF document"),
        (b"PK\x03\x04", "a zip archive"),
        (b"RIFF\x00\x00\x00\x00AVI ", "a RIFF file that is not a wav"),
        (b"\x00\x00\x00\x00", "zeros"),
        (b"\x93\x12\xf0\x88", "no format that is known here"),
    ],
)
def test_other_files_are_refused_and_described(head, words):
    assert sniff_container(head) is None
    assert describe(head) == words


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda tail: b"ID3" + tail))
def test_any_bytes_are_sniffed_and_described(head):
    assert sniff_container(head) in {*CONTAINERS.values(), "caf", None}
    assert isinstance(describe(head), str)


@given(st.binary(max_size=400))
def test_mpeg_headers_anywhere_never_break_the_search(tail):
    sniff_container(b"\xff\xfb" + tail)
    sniff_container(b"\xff\xf3\x90" + tail)
