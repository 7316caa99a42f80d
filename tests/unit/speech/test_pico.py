"""The offline engine really speaks: in every language, for as long as the text is, and never for ever."""

import asyncio

import pytest

from outdial.domain.prompt import Prompt
from outdial.errors import SpeechFailed, Unspeakable
from outdial.speech.child import ChildLimits
from outdial.speech.level import active_level
from outdial.speech.pico import Pico, plain
from outdial.speech.render import render
from outdial.speech.wav import parse_wav

SENTENCES = {
    "pico:en-US": "Hello, this is a call from your bank.",
    "pico:en-GB": "Hello, this is a call from your bank.",
    "pico:es-ES": "Hola, esta es una llamada de su banco.",
    "pico:de-DE": "Guten Tag, das ist ein Anruf Ihrer Bank.",
    "pico:fr-FR": "Bonjour, ceci est un appel de votre banque.",
    "pico:it-IT": "Buongiorno, questa è una chiamata della sua banca.",
}


def voice(voice_id: str):
    return next(each for each in Pico.voices if each.id == voice_id)


def test_every_voice_has_a_sentence_here():
    assert {each.id for each in Pico.voices} == set(SENTENCES)


@pytest.mark.parametrize("voice_id", SENTENCES)
async def test_a_sentence_takes_the_time_that_a_person_takes(voice_id, tmp_path):
    out = tmp_path / "out.wav"
    await Pico().speak(SENTENCES[voice_id], voice(voice_id), out)
    speech = parse_wav(out.read_bytes(), "pico")
    assert 1.5 < len(speech.pcm) / speech.rate < 5
    assert abs(speech.pcm.astype(int)).max() < 32_767  # nothing clips
    level = active_level(speech.pcm, speech.rate)
    assert level is not None
    assert level > -40


async def test_twice_the_text_takes_about_twice_as_long(tmp_path):
    async def length(text: str) -> int:
        await Pico().speak(text, voice("pico:en-US"), tmp_path / "out.wav")
        return len(parse_wav((tmp_path / "out.wav").read_bytes(), "pico").pcm)

    once, twice = await length("Press one to pay now."), await length("Press one to pay now. " * 2)
    assert 1.6 < twice / once < 2.4


async def test_a_process_of_its_own_says_the_same_text_in_the_same_way(tmp_path):
    for name in ("a", "b"):
        await Pico().speak("Good morning.", voice("pico:it-IT"), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("text", ["नमस्ते", "Hello, नमस्ते", "…", "<>"])
async def test_a_text_that_the_voice_has_no_sound_for_is_an_error_and_not_silence(text, tmp_path):
    with pytest.raises(Unspeakable, match="pico:en-US"):
        await Pico().speak(text, voice("pico:en-US"), tmp_path / "out.wav")


async def test_mark_up_is_not_obeyed_and_long_words_do_not_break_it(tmp_path):
    await Pico().speak("<speed level='20'>" + "a" * 3_000 + "</speed>", voice("pico:en-US"), tmp_path / "out")
    assert (tmp_path / "out").stat().st_size > 1_000


def test_what_pico_would_take_for_mark_up_is_gone():
    assert plain("a <b>c\x00d") == "a b c d"
    assert plain("x" * 250).split(" ") == ["x" * 100, "x" * 100, "x" * 50]


async def test_a_text_that_takes_too_long_is_given_up(tmp_path):
    engine = Pico(ChildLimits(wall_s=0.001))
    with pytest.raises(SpeechFailed, match=r"within 0\.001 seconds"):
        await engine.speak("Hello.", voice("pico:en-US"), tmp_path / "out.wav")


async def test_a_child_that_takes_more_than_it_may_is_a_failure(tmp_path):
    engine = Pico(ChildLimits(file_bytes=100))
    with pytest.raises(SpeechFailed, match="broke down"):
        await engine.speak("Hello.", voice("pico:en-US"), tmp_path / "out.wav")


async def test_a_prompt_has_its_pauses_and_repetitions_at_one_level(tmp_path):
    prompt = Prompt(voice="pico:en-US", parts=("Hello.", 1_000, "Good bye."), tries=2, delay_ms=700)
    plain_prompt = Prompt(voice="pico:en-US", parts=("Hello.", "Good bye."))
    lengths = []
    for each in (prompt, plain_prompt):
        speech = parse_wav((await render(each, Pico(), voice("pico:en-US"), tmp_path)).read_bytes(), "pico")
        lengths.append(len(speech.pcm) / speech.rate)
        assert active_level(speech.pcm, speech.rate) == pytest.approx(-20, abs=1)
    assert lengths[0] == pytest.approx(2 * (lengths[1] + 1.0) + 0.7, abs=0.001)


async def test_a_prompt_longer_than_allowed_is_refused_before_it_is_made(tmp_path):
    prompt = Prompt(voice="pico:en-US", parts=("Hello.", 60_000), tries=20)
    with pytest.raises(Unspeakable, match="600 seconds"):
        await render(prompt, Pico(), voice("pico:en-US"), tmp_path)


async def test_a_cancelled_text_leaves_no_process(tmp_path):
    speaking = asyncio.ensure_future(Pico().speak("Hello.", voice("pico:en-US"), tmp_path / "out.wav"))
    await asyncio.sleep(0)
    speaking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await speaking
