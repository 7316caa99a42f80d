"""Tables against arithmetic that was written independently (numpy)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.audio import g711
from outdial.telephony.media.g711_mix import add, level, translate

ALL = bytes(range(256))


def test_the_laws_are_translated_as_by_way_of_samples() -> None:
    assert translate(ALL, "PCMU", "PCMA") == g711.encode_pcma(g711.decode_pcmu(ALL))
    assert translate(ALL, "PCMA", "PCMU") == g711.encode_pcmu(g711.decode_pcma(ALL))
    assert translate(ALL, "PCMA", "PCMA") == ALL


@given(st.binary(min_size=80, max_size=480), st.binary(min_size=480, max_size=480))
def test_a_sum_is_the_sum_of_the_samples(one: bytes, other: bytes) -> None:
    other = other[: len(one)]
    samples = g711.decode_pcmu(one).astype(np.int32) + g711.decode_pcmu(other)
    assert add(one, other) == g711.encode_pcmu(samples.clip(-32_767, 32_767).astype(np.int16))


@pytest.mark.parametrize(("codec", "silence"), [("PCMU", 0xFF), ("PCMA", 0xD5)])
def test_silence_has_no_level_and_a_voice_has_one(codec: str, silence: int) -> None:
    encode = g711.encode_pcmu if codec == "PCMU" else g711.encode_pcma
    voice = (3000 * np.sin(np.arange(160) / 5)).astype(np.int16)
    hiss = (60 * np.sin(np.arange(160) / 2)).astype(np.int16)
    assert level(bytes((silence,)) * 160, codec) == 0
    assert level(encode(hiss), codec) <= 2
    assert 40 < level(encode(voice), codec) < 80
