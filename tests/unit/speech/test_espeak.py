"""eSpeak NG, a program of Debian's: it speaks where it is installed, and says what to install where not."""

import pytest

from outdial.errors import SpeechUnavailable
from outdial.speech.espeak import Espeak
from outdial.speech.setup import SpeechOptions, open_voices
from outdial.speech.wav import parse_wav


def voice(voice_id: str):
    return next(each for each in Espeak.voices if each.id == voice_id)


@pytest.mark.parametrize(
    ("voice_id", "text"),
    [("espeak:hi+f3", "नमस्ते, यह आपके बैंक से कॉल है।"), ("espeak:en-us", "Hello, this is a call.")],
)
async def test_it_speaks(voice_id, text, tmp_path):
    await Espeak().speak(text, voice(voice_id), tmp_path / "out.wav")
    speech = parse_wav((tmp_path / "out.wav").read_bytes(), "espeak")
    assert 1 < len(speech.pcm) / speech.rate < 5
    assert abs(speech.pcm.astype(int)).max() > 1_000


async def test_a_text_is_never_an_option_of_the_program(tmp_path):
    await Espeak().speak("--version", voice("espeak:en-us"), tmp_path / "out.wav")
    assert len(parse_wav((tmp_path / "out.wav").read_bytes(), "espeak").pcm) > 10_000


async def test_without_the_program_there_is_a_sentence_that_helps(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SpeechUnavailable, match="apt install espeak-ng"):
        await Espeak().speak("Hello.", voice("espeak:en-us"), tmp_path / "out.wav")
    assert "espeak" not in {each.engine for each in open_voices(SpeechOptions(), None).all}


def test_languages_are_named_as_others_name_them():
    languages = {each.id: each.language for each in Espeak.voices}
    assert languages["espeak:es-419"] == "es-419"
    assert (languages["espeak:pt-br"], languages["espeak:cmn"]) == ("pt-BR", "zh")
    assert len({each.id for each in Espeak.voices}) == len(Espeak.voices)
