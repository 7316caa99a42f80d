"""Read the sound of one file as mono PCM at several rates at once, no further than a limit of duration.

Levels are left as they are; several channels become one by their average, so that nothing clips. Encoder
delay and padding that the container declares (mp3, m4a, opus) are cut by FFmpeg.
"""

from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType
from typing import BinaryIO, Self

import av
import numpy as np
from av import AudioFrame, AudioResampler
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError

from outdial.audio.wire import Pcm
from outdial.errors import AudioTooLong, UndecodableAudio

_SAMPLE_FORMATS = (
    "s8",
    "u8",
    "s16le",
    "s16be",
    "s24le",
    "s24be",
    "s32le",
    "s32be",
    "f32le",
    "f32be",
    "f64le",
)
_CODECS = {f"pcm_{form}" for form in (*_SAMPLE_FORMATS, "alaw", "mulaw")}
_CODECS |= {"mp2", "mp2float", "mp3", "mp3float", "aac", "alac", "flac", "vorbis", "opus", "amrnb", "amrwb"}
_CODECS |= {"adpcm_ima_wav", "adpcm_ima_qt", "adpcm_ms", "gsm", "gsm_ms", "g722"}
_ADVICE = "upload mp3, wav, ogg, m4a or flac"
# Twice the default length. Down to 8 kHz it measures -1 dB at 3.7 kHz, -43 dB at 4.1 and -86 dB at 4.2.
_RESAMPLING = {"filter_size": "64", "cutoff": "0.96"}


class PcmReader:
    """The sound in ``upload``, a seekable file in the container that FFmpeg calls ``container``.

    Raises :class:`UndecodableAudio` when the container cannot be read or holds no sound.
    """

    def __init__(self, upload: BinaryIO, container: str) -> None:
        options = {
            "protocol_whitelist": "none",
            "format_whitelist": _FORMAT_FAMILIES.get(container, container),
            "codec_whitelist": ",".join(sorted(_CODECS)),
        }
        try:
            opened = av.open(
                upload, "r", format=container, container_options=options, metadata_errors="replace"
            )
        except FFmpegError as error:
            raise UndecodableAudio(_damaged(container)) from error
        self._container: InputContainer = opened
        if not opened.streams.audio:
            opened.close()
            raise UndecodableAudio(f"this {_NAMES.get(container, container)} file holds no sound; {_ADVICE}")
        self._name = container
        self._stream = opened.streams.audio[0]
        codec = self._stream.codec_context.name
        # FFmpeg applies its own list while it looks into the file, and not to the decoder that PyAV opens.
        if codec not in _CODECS:
            opened.close()
            raise UndecodableAudio(
                f"the sound in this file is encoded as {codec}, which is not taken; {_ADVICE}"
            )
        # A thread would count against the same limits and gain nothing for one short sound.
        self._stream.codec_context.thread_count = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def describe(self) -> dict[str, object]:
        """Container, codec, sample rate and channels of the source, as the fields of ``SoundInfo``."""
        context = self._stream.codec_context
        return {
            "container": self._name,
            "codec": context.name,
            "sample_rate": context.sample_rate,
            "channels": context.channels,
        }

    def read_all(self, max_duration_ms: int, rates: tuple[int, ...]) -> dict[int, Pcm]:
        """The whole sound at each of ``rates``.

        Raises :class:`AudioTooLong` as soon as more than ``max_duration_ms`` came out,
        :class:`UndecodableAudio` when nothing came out or more of the file is damaged than sound.
        """
        chunks: dict[int, list[Pcm]] = {rate: [] for rate in rates}
        converter: _Converter | None = None
        seconds = Fraction(0)
        for frame in self._frames():
            seconds += Fraction(frame.samples, frame.sample_rate)
            if seconds * 1_000 > max_duration_ms:
                longest = f"{max_duration_ms / 1_000:g} seconds"
                raise AudioTooLong(f"this sound is longer than {longest}, the longest allowed")
            # A file may change its rate or channels in the middle (joined mp3s, chained ogg streams).
            if converter is None or not converter.takes(frame):
                if converter is not None:
                    converter.drain_into(chunks)
                converter = _Converter(frame, rates)
            converter.convert_into(chunks, frame)
        if converter is not None:
            converter.drain_into(chunks)
        pcm = {rate: np.concatenate([np.zeros(0, np.int16), *parts]) for rate, parts in chunks.items()}
        if not all(map(len, pcm.values())):
            raise UndecodableAudio(
                f"this {_NAMES.get(self._name, self._name)} file holds no sound; {_ADVICE}"
            )
        return pcm

    def _frames(self) -> Iterator[AudioFrame]:
        """Every frame that decodes; damage is skipped, as players do, until it outweighs the sound."""
        good = bad = 0
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    break
                for frame in packet.decode():
                    good += 1
                    if frame.samples and frame.sample_rate:
                        yield frame
            except InvalidDataError:
                bad += 1
                if bad > 100 + good:
                    raise UndecodableAudio(_damaged(self._name)) from None
            except FFmpegError as error:
                raise UndecodableAudio(_damaged(self._name)) from error
        if bad > good:
            raise UndecodableAudio(_damaged(self._name))


class _Converter:
    """From frames of one shape to mono PCM at several rates.

    Two steps, because two resamplers that are fed the same frame disturb each other: FFmpeg's filters may
    write into it.
    """

    def __init__(self, first: AudioFrame, rates: tuple[int, ...]) -> None:
        self._shape = _shape(first)
        self._rate = first.sample_rate
        self._to_mono = AudioResampler("s16", "mono", first.sample_rate)
        self._unchanged = [rate for rate in rates if rate == first.sample_rate]
        self._to_rate = {
            rate: AudioResampler("s16", "mono", rate, options=_RESAMPLING)
            for rate in rates
            if rate not in self._unchanged
        }

    def takes(self, frame: AudioFrame) -> bool:
        return _shape(frame) == self._shape

    def convert_into(self, chunks: dict[int, list[Pcm]], frame: AudioFrame) -> None:
        frame.pts = None  # a gap between time stamps is not made up for: only what was decoded plays
        for mono in self._to_mono.resample(frame):
            samples = _samples(mono)
            for rate in self._unchanged:
                chunks[rate].append(samples)
            for rate, resampler in self._to_rate.items():
                copy = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
                copy.sample_rate = self._rate
                chunks[rate] += [_samples(out) for out in resampler.resample(copy)]

    def drain_into(self, chunks: dict[int, list[Pcm]]) -> None:
        for rate, resampler in self._to_rate.items():
            chunks[rate] += [_samples(out) for out in resampler.resample(None)]


def _shape(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _samples(frame: AudioFrame) -> Pcm:
    return frame.to_ndarray().reshape(-1).astype(np.int16, copy=False)


def _damaged(container: str) -> str:
    return (
        f"this {_NAMES.get(container, container)} file is damaged or cut off and cannot be decoded; {_ADVICE}"
    )


_NAMES = {"mov": "m4a", "matroska": "webm"}
# FFmpeg compares a demuxer's whole name with the list, and two of ours go by several.
_FORMAT_FAMILIES = {"mov": "mov,mp4,m4a,3gp,3g2,mj2", "matroska": "matroska,webm"}
