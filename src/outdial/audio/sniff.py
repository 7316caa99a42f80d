"""What a file starts like: the container to decode it with, or a word for what it is instead.

FFmpeg would guess the container itself, and among its 300 guesses are playlists and scripts that open further
files and URLs. So the guess is ours, from a list of containers that hold nothing but sound, and FFmpeg is
told it.
"""

_MPEG_SYNC_SEARCH = 4_096  # leading rubbish that players tolerate in front of the first MPEG frame

_NOT_AUDIO = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"#EXTM3U", "a playlist, which only names other files"),
    (b"ffconcat", "a playlist, which only names other files"),
    (b"[playlist]", "a playlist, which only names other files"),
    (b"<", "a web page or XML"),
    (b"{", "JSON"),
    (b"MThd", "MIDI, which holds notes and no sound"),
    (b"\x00", "zeros"),
)


def sniff_container(head: bytes) -> str | None:
    """FFmpeg's name of the container that ``head``, the first bytes of a file, belongs to; None if it is none
    of ours."""
    magic = head[:4]
    if magic in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if magic == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[4:8] == b"ftyp":
        return "mov"
    for prefix, name in (
        (b"OggS", "ogg"),
        (b"fLaC", "flac"),
        (b"#!AMR", "amr"),
        (b"\x1aE\xdf\xa3", "matroska"),
        (b"caff", "caf"),
    ):
        if head.startswith(prefix):
            return name
    return _sniff_mpeg(head)


def describe(head: bytes) -> str:
    """What ``head`` looks like, to be read after "it starts like"."""
    stripped = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for prefix, words in _NOT_AUDIO:
        if stripped.startswith(prefix):
            return words
    if head[:4] == b"RIFF":
        return "a RIFF file that is not a wav"
    printable = sum(byte in b"\t\r\n" or 32 <= byte < 127 for byte in head)
    return "text" if printable >= 0.9 * len(head) else "no format that is known here"


def _sniff_mpeg(head: bytes) -> str | None:
    start = _after_id3(head)
    if start is None:
        return "mp3"  # the tag is longer than what we see; mp3 is what carries such tags
    if head[start : start + 4] == b"fLaC":
        return "flac"
    for offset in range(start, min(len(head), start + _MPEG_SYNC_SEARCH) - 1):
        if head[offset] != 0xFF or head[offset + 1] & 0xE0 != 0xE0:
            continue
        if head[offset + 1] & 0xF6 == 0xF0:
            return "aac" if offset == start else None
        if _is_mpeg_audio_frame(head, offset):
            return "mp3"
    return None


def _after_id3(head: bytes) -> int | None:
    """Where the sound begins behind an ID3v2 tag (its size is four bytes of seven bits), None if not in
    ``head``."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return size + 10 if size + 10 < len(head) else None


def _is_mpeg_audio_frame(head: bytes, offset: int) -> bool:
    """Whether a layer II or III frame starts here and, if it is in sight, another one right behind it."""
    if offset + 4 > len(head):
        return False
    version, layer = head[offset + 1] >> 3 & 3, head[offset + 1] >> 1 & 3
    bit_rate_index, rate_index, padding = (
        head[offset + 2] >> 4,
        head[offset + 2] >> 2 & 3,
        head[offset + 2] >> 1 & 1,
    )
    if version == 1 or layer not in (1, 2) or bit_rate_index in (0, 15) or rate_index == 3:
        return False
    kilobits = _KILOBITS[version == 3, layer][bit_rate_index - 1]
    sample_rate = (44_100, 48_000, 32_000)[rate_index] >> (0 if version == 3 else 1 if version == 2 else 2)
    samples_per_byte = 72 if layer == 1 and version != 3 else 144
    following = offset + samples_per_byte * kilobits * 1_000 // sample_rate + padding
    return following + 1 >= len(head) or (head[following] == 0xFF and head[following + 1] & 0xE0 == 0xE0)


# ISO 11172-3 table of bit rates by (is MPEG-1, layer field: 1 is layer III, 2 is layer II).
_KILOBITS = {
    (True, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (False, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
