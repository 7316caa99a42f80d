"""Recorded words: the English set is complete, and a set that is not is refused with a sentence."""

import json

import numpy as np
import pytest

from outdial.audio.compare import correlate
from outdial.domain.prompt import Prompt
from outdial.domain.saying import GRAMMARS, say_digits, say_number
from outdial.errors import ConfigurationError, SpeechFailed, SpeechUnavailable, Unspeakable
from outdial.flow.problem import Place
from outdial.flow.prompt_kind import PROMPT
from outdial.flow.prompt_template import PromptTemplate
from outdial.speech.flow_prompt import Spoken, known_voices, prompt_of
from outdial.speech.level import active_level
from outdial.speech.pico import Pico
from outdial.speech.recorded import MANIFEST, RATE, RecordedWords
from outdial.speech.render import render
from outdial.speech.voices import Voices
from outdial.speech.wav import parse_wav


@pytest.fixture(scope="module")
def english():
    engine = RecordedWords()
    return engine, next(voice for voice in engine.voices if voice.language == "en")


def test_every_word_of_english_and_every_letter_is_recorded(english):
    words = english[0]._sets["en"].files
    letters = {chr(code) for code in range(ord("a"), ord("z") + 1)}
    assert {word.lower() for word in GRAMMARS["en"].vocabulary} | letters == set(words)


def test_every_recording_is_a_word_at_its_level(english):
    for word, file in english[0]._sets["en"].files.items():
        pcm = english[0]._pcm(file)
        assert 0.3 < len(pcm) / RATE < 1.0, word
        assert active_level(pcm, RATE) == pytest.approx(-20, abs=2.5), word
        assert np.abs(pcm).max() < 0.95 * 32_768, word


def test_no_recording_is_cut_and_none_waits(english):
    """It begins and ends quietly, and there is little silence around it: words follow each other."""
    for word, file in english[0]._sets["en"].files.items():
        pcm = english[0]._pcm(file).astype(float)
        loud = np.flatnonzero(np.abs(pcm) > np.abs(pcm).max() / 30)
        assert loud[0] / RATE < 0.2, word
        assert (len(pcm) - loud[-1]) / RATE < 0.3, word
        assert max(np.abs(pcm[:80]).max(), np.abs(pcm[-80:]).max()) < 0.012 * 32_768, word


def _below_1_khz(pcm):
    """The part of the power of some frames that lies where voices do, and an s does not."""
    power = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm)))) ** 2
    return power[: 1_000 * len(pcm) // RATE].sum() / power.sum()


@pytest.mark.parametrize(
    ("words", "frames"),
    [
        ("c cent cents second september seven seventeen seventy six sixteen sixth sixty star", slice(0, 3)),
        ("cents fils minus pence six", slice(-3, None)),
    ],
)
def test_nothing_is_said_around_a_word(english, words, frames):
    """Speech engines that are given a single word may say "is six-uh": what begins or ends with an s is
    hiss there."""
    for word in words.split():
        pcm = english[0]._pcm(english[0]._sets["en"].files[word]).astype(float)
        each = pcm[: len(pcm) // 320 * 320].reshape(-1, 320)
        power = (each**2).mean(axis=1)
        heard = each[power > power.max() / 1_000]
        assert _below_1_khz(heard[frames].reshape(-1)) < 0.1, word


async def test_a_number_is_its_words_one_after_the_other(english, tmp_path):
    engine, voice = english

    async def say(text: str):
        await engine.speak(text, voice, tmp_path / "out.wav")
        return parse_wav((tmp_path / "out.wav").read_bytes(), "recorded").pcm

    whole = await say(" ".join(say_number("42", "en")))
    forty, two = await say("forty"), await say("two")
    assert len(whole) == len(forty) + len(two)
    assert correlate(whole, two, RATE).peak > 0.9
    assert correlate(forty, two, RATE).peak < 0.5
    paused = await say(", ".join(say_digits("42", "en")))
    assert len(paused) == len(await say("four two")) + int(0.2 * RATE)


async def test_it_is_a_voice_for_prompts_like_any_other(english, tmp_path):
    engine, voice = english
    out = await render(Prompt(voice=voice.id, parts=("one", 500, "A")), engine, voice, tmp_path)
    assert len(parse_wav(out.read_bytes(), "recorded").pcm) > RATE


async def test_a_word_that_is_not_recorded_is_named(english, tmp_path):
    with pytest.raises(Unspeakable, match="no word 'hello'"):
        await english[0].speak("one Hello", english[1], tmp_path / "out.wav")
    with pytest.raises(Unspeakable, match="nothing to say"):
        await english[0].speak("  ", english[1], tmp_path / "out.wav")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Forty-two", False),
        ("one - two", False),
        ("- {{n@digits}} -", True),
        ("One,  TWO!", True),
        ("1", False),
    ],
)
async def test_lint_finds_the_texts_that_cannot_be_said(english, tmp_path, text, said):
    voices = Voices([english[0]])
    (part,) = PROMPT.read({"text": text, "voice": english[1].id}, Place([])).parts
    found = known_voices(voices).words_missing(part.text, part.voice)
    assert (found is None) is said

    async def say():
        items = PromptTemplate((part,)).render(lambda each: each.render({"n": "4"}), "en", None)
        for item in items:
            assert isinstance(item, Spoken)
            await english[0].speak(prompt_of(item, voices).parts[0], english[1], tmp_path / "out.wav")

    if said:
        await say()
    else:
        with pytest.raises(Unspeakable):
            await say()


def _set(folder, **changes):
    folder.mkdir()
    (folder / "one.ogg").write_bytes(b"not a sound")
    manifest = {"language": "es-MX", "gender": "male", "words": {"Uno": "one.ogg"}} | changes
    (folder / MANIFEST).write_text(json.dumps(manifest))


async def test_a_language_is_added_as_a_folder(tmp_path):
    _set(tmp_path / "mexico")
    engine = RecordedWords(tmp_path)
    voice = next(each for each in engine.voices if each.name == "mexico")
    assert (voice.id, voice.language, voice.gender) == ("recorded:mexico", "es-MX", "male")
    with pytest.raises(SpeechFailed, match=r"one\.ogg"):
        await engine.speak("uno", voice, tmp_path / "out.wav")


@pytest.mark.parametrize(
    "changes", [{"words": None}, {"words": {"a": "missing.ogg"}}, {"gender": "?"}, {"words": []}]
)
def test_a_set_that_is_not_whole_is_refused_by_its_file(tmp_path, changes):
    _set(tmp_path / "bad", **changes)
    with pytest.raises(ConfigurationError, match=r"bad/manifest\.json"):
        RecordedWords(tmp_path)


def test_recorded_words_are_never_chosen_for_a_text(english):
    voices = Voices([english[0], Pico()])
    assert voices.default is not None
    assert voices.default.engine == "pico"
    chosen = voices.choose("en")
    assert chosen is not None
    assert chosen.engine == "pico"
    assert Voices([english[0]]).default is None


def test_the_choice_of_a_voice():
    voices = Voices([Pico()], default="pico:es-ES")

    def chosen(language=None, gender=None):
        voice = voices.choose(language, gender)
        return voice and voice.id

    assert chosen() == "pico:es-ES"
    assert chosen(gender="male") == "pico:es-ES"
    assert chosen("en") == "pico:en-US"
    assert chosen("EN_GB") == "pico:en-GB"
    assert chosen("xx") is None
    assert Voices([], default="x").choose("en") is None
    with pytest.raises(SpeechUnavailable, match="outdial voices"):
        voices.find("x:y")
