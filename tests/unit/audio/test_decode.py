"""Uploads of every format become clips; whatever else is uploaded is refused with a sentence, at a bounded
price."""

import asyncio
import io
import subprocess
import sys
import wave

import numpy as np
import pytest
from tests.unit.audio.files import RECIPES, encode_file, murmur, rate_of, silent_flac

from outdial.audio.clip import CODECS, SAMPLE_RATES, clip_file_name
from outdial.audio.compare import correlate
from outdial.audio.decode import DecodeLimits, prepare_sound
from outdial.audio.samples import welcome_mp3
from outdial.audio.wire import decode_wire
from outdial.errors import AudioTooLong, UndecodableAudio


@pytest.fixture
def prepare(tmp_path):
    async def run(content: bytes, **limits):
        source = tmp_path / "upload"
        source.write_bytes(content)
        return await prepare_sound(source, tmp_path / "sound", DecodeLimits(**limits))

    return run


@pytest.fixture
def clips(tmp_path):
    return lambda: {
        codec: (tmp_path / "sound" / clip_file_name(codec)).read_bytes()
        for codec in CODECS
        if (tmp_path / "sound" / clip_file_name(codec)).exists()
    }


def wav(pcm: np.ndarray, rate: int = 8_000, channels: int = 1) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm.astype("<i2").tobytes())
    return content.getvalue()


@pytest.mark.parametrize("recipe", RECIPES)
async def test_every_format_becomes_the_same_sound_in_every_codec(recipe, prepare, clips):
    info = await prepare(encode_file(murmur(2.0, rate_of(recipe)), recipe))
    assert 1_990 <= info.duration_ms <= 2_080
    for codec, wire in clips().items():
        assert len(wire) == info.duration_ms * 8
        rate = SAMPLE_RATES[codec]
        found = correlate(decode_wire(wire, codec), murmur(2.0, rate), rate)
        # AMR at 12.2 kbit/s is a model of a voice, and what it makes of noise is only like it.
        assert found.peak > (0.5 if recipe == "amr" else 0.95)
        # Encoder delay is cut where the container declares it; this AAC encoder's 1,024 samples stay.
        assert abs(found.lag_ms) < (30 if info.codec == "aac" else 15)
    assert len(clips()) == 3


async def test_what_came_in_is_described(prepare):
    info = await prepare(encode_file(murmur(0.5, 48_000), "ogg", channels=2))
    assert (info.container, info.codec, info.sample_rate, info.channels) == ("ogg", "opus", 48_000, 2)


async def test_the_welcome_sound_is_short_and_small(prepare):
    assert len(welcome_mp3()) < 60_000
    info = await prepare(welcome_mp3())
    assert 4_000 <= info.duration_ms <= 6_000


async def test_levels_are_left_alone_and_two_channels_become_their_average(prepare, clips):
    tone = (8_000 * np.sin(2 * np.pi * 500 * np.arange(8_000) / 8_000)).astype(np.int16)
    await prepare(wav(np.column_stack([tone, np.zeros_like(tone)]), channels=2))
    left_only = decode_wire(clips()["PCMU"], "PCMU").astype(float)
    await prepare(wav(tone))
    alone = decode_wire(clips()["PCMU"], "PCMU").astype(float)
    assert np.abs(alone).max() == pytest.approx(8_000, rel=0.03)
    assert np.abs(left_only).max() == pytest.approx(4_000, rel=0.03)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "this file is empty"),
        (b"This is not music.\n" * 50, r"\(the file starts like text\)"),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", "a playlist"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "a playlist"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "wav file is damaged or cut off"),
        (b"OggS" + bytes(200), "ogg file"),
        (b"\x00\x00\x00\x18ftypM4A " + bytes(100), "m4a file"),
        (b"\x1aE\xdf\xa3" + bytes(100), "webm file"),
    ],
)
async def test_what_is_no_sound_is_refused_in_a_sentence(content, sentence, prepare, clips):
    with pytest.raises(UndecodableAudio, match=sentence) as refusal:
        await prepare(content)
    assert "upload mp3, wav, ogg, m4a or flac" in str(refusal.value)
    assert clips() == {}


@pytest.mark.parametrize("recipe", ["ac3 in mp4", "ac3 in wav", "wavpack in webm"])
async def test_codecs_that_are_not_listed_are_not_decoded(recipe, prepare, clips, monkeypatch):
    codec, container = recipe.split(" in ")
    muxer = {"mp4": "mp4", "wav": "wav", "webm": "matroska"}[container]
    monkeypatch.setitem(RECIPES, recipe, (muxer, codec, 48_000, "fltp" if codec == "ac3" else "s16p", None))
    content = encode_file(murmur(0.5, 48_000), recipe)
    with pytest.raises(UndecodableAudio, match=f"is encoded as {codec}, which is not taken; upload mp3"):
        await prepare(content)
    assert clips() == {}


async def test_a_wav_without_samples_holds_no_sound(prepare):
    with pytest.raises(UndecodableAudio, match="holds no sound"):
        await prepare(wav(np.zeros(0)))


async def test_a_cut_off_mp3_plays_as_far_as_it_goes(prepare):
    whole = encode_file(murmur(2.0, 44_100), "mp3")
    info = await prepare(whole[: len(whole) // 2])
    assert 800 <= info.duration_ms <= 1_200


async def test_a_cut_off_m4a_has_lost_its_index_and_is_refused(prepare):
    whole = encode_file(murmur(2.0, 44_100), "m4a")
    with pytest.raises(UndecodableAudio, match="damaged or cut off"):
        await prepare(whole[: len(whole) // 2])


async def test_a_flac_of_rubbish_is_refused(prepare):
    header = encode_file(murmur(0.5, 16_000), "flac")[:200]
    with pytest.raises(UndecodableAudio):
        await prepare(header + np.random.default_rng(1).bytes(50_000))


@pytest.fixture(scope="module")
def hour_of_silence() -> bytes:
    return silent_flac(hours=1)


async def test_an_hour_of_silence_in_a_few_kilobytes_is_refused(hour_of_silence, prepare, clips):
    assert len(hour_of_silence) < 8_000
    with pytest.raises(AudioTooLong, match="longer than 60 seconds"):
        await prepare(hour_of_silence, max_duration_ms=60_000, cpu_seconds=2)
    assert clips() == {}


async def test_a_sound_exactly_as_long_as_allowed_is_taken(prepare):
    info = await prepare(wav(murmur(1.0, 8_000)), max_duration_ms=1_000)
    assert info.duration_ms == 1_000


async def test_the_processor_limit_kills_the_child(hour_of_silence, prepare, clips):
    with pytest.raises(UndecodableAudio, match="processor time"):
        await prepare(hour_of_silence, max_duration_ms=10**9, cpu_seconds=1)
    assert clips() == {}


async def test_the_memory_limit_ends_the_child(hour_of_silence, prepare, clips):
    with pytest.raises(UndecodableAudio, match=r"memory|broke down"):
        await prepare(hour_of_silence, max_duration_ms=10**9, memory_bytes=350 << 20)
    assert clips() == {}


async def test_the_wall_time_kills_the_child(prepare, clips):
    with pytest.raises(UndecodableAudio, match=r"within 0\.001 seconds"):
        await prepare(wav(murmur(1.0, 8_000)), wall_seconds=0.001)
    assert clips() == {}


async def test_cancelling_leaves_neither_child_nor_clip(prepare, clips):
    async with asyncio.timeout(10):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await prepare(wav(murmur(1.0, 8_000)))
    assert clips() == {}


async def test_a_full_disk_is_not_the_fault_of_the_sound(tmp_path):
    source = tmp_path / "source"
    source.write_bytes(wav(murmur(1.0, 8_000)))
    (tmp_path / "PCMA.clip").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        await prepare_sound(source, tmp_path)


async def test_a_missing_upload_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        await prepare_sound(tmp_path / "missing", tmp_path / "sound")


def test_the_confined_child_can_open_nothing():
    """RLIMIT_NOFILE is what stands between a demuxer's bug and /etc/passwd or the network."""
    attempt = """
import socket
from outdial.audio.decode_process import _confine
_confine(1 << 30, 5, 1000)
for opening in (lambda: open("/etc/passwd"), socket.socket):
    try:
        opening()
    except OSError as error:
        print(error.errno)
"""
    run = subprocess.run([sys.executable, "-c", attempt], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["24", "24"]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("damage", ["holes", "shuffled", "head", "bits"])
async def test_damaged_files_are_decoded_or_refused(recipe, damage, prepare, clips):
    random = np.random.default_rng(list(RECIPES).index(recipe))
    content = bytearray(encode_file(murmur(1.0, rate_of(recipe)), recipe))
    match damage:
        case "holes":
            for start in random.integers(0, len(content), 5):
                content[start : start + 50] = bytes(len(content[start : start + 50]))
        case "shuffled":
            middle = len(content) // 2
            content = content[:200] + content[middle:] + content[200:middle]
        case "head":
            for place in random.integers(8, 120, 10):
                content[place] = random.integers(256)
        case "bits":
            for place in random.integers(0, len(content), 40):
                content[place] ^= 1 << random.integers(8)
    try:
        info = await prepare(bytes(content), max_duration_ms=20_000, cpu_seconds=5)
    except (UndecodableAudio, AudioTooLong):
        assert clips() == {}
    else:
        assert {len(wire) for wire in clips().values()} == {info.duration_ms * 8}
