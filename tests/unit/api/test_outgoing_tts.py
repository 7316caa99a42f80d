"""Calls that say a text: what is stored for them, and everything that can be wrong with a request."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.http_api import BRIDGE, START_MS, Api

from outdial.domain.prompt import Prompt, is_prompt, key_of
from outdial.speech.engine import Gender, Voice
from outdial.speech.voices import Voices
from outdial.storage import accounts, calls, prompts


def _form(**changes: str) -> dict[str, str]:
    return {"bridge": BRIDGE, "to": "918867135000", "text": "Hello there."} | changes


async def _prompts(api: Api, **json: Any) -> list[Prompt]:
    """The prompts of the calls that a request is accepted as."""
    status, answer = await api.call("POST", "outgoing/tts", json=_form() | json)
    assert status == 200, answer
    stored = []
    for row in answer["data"]:
        call = await api.database.read(calls.get, row["id"])
        assert call is not None
        assert call.audio_url is not None
        assert is_prompt(call.audio_url)
        prompt = await api.database.read(prompts.get, key_of(call.audio_url))
        assert prompt is not None
        stored.append(prompt)
    return stored


async def test_a_text_is_accepted_like_a_sound(api: Api) -> None:
    status, answer = await api.call("POST", "outgoing/tts", data=_form(customid="7"))
    assert (status, answer["message"]) == (200, "1 numbers accepted for delivery.")
    assert (answer["data"][0]["mobile"], answer["data"][0]["customid"]) == ("918867135000", "7")
    [prompt] = await _prompts(api)
    assert prompt == Prompt(voice="pico:en-US", parts=("Hello there.",), tries=1, delay_ms=0)


@pytest.mark.parametrize("style", ["dots", "brackets", "nested"])
async def test_options_by_dots_brackets_and_objects(api: Api, style: str) -> None:
    options = {
        "break.identifier": "|",
        "break.time": "1.25",
        "voice.language": "es",
        "voice.gender": "male",
        "iteration_tries": "3",
    }
    sent: dict[str, Any] = options
    if style == "brackets":
        sent = {
            f"{outer}[{inner}]" if inner else outer: value
            for name, value in options.items()
            for outer, _, inner in [name.partition(".")]
        }
    if style == "nested":
        sent = {
            "break": {"identifier": "|", "time": 1.25},
            "voice": {"language": "es", "gender": "male"},
            "iteration_tries": 3,
        }
    form = _form(text="Hola. | Adiós.") | sent
    kind = "json" if style == "nested" else "data"
    status, answer = await api.call("POST", "outgoing/tts", **{kind: form})
    assert status == 200, answer
    call = await api.database.read(calls.get, answer["data"][0]["id"])
    assert call is not None
    stored = await api.database.read(prompts.get, key_of(call.audio_url or ""))
    assert stored == Prompt(voice="pico:es-ES", parts=("Hola.", 1_250, "Adiós."), tries=3, delay_ms=500)


async def test_the_pause_between_two_times_is_not_that_of_a_break(api: Api) -> None:
    options = {"break.identifier": "|", "break.time": "1", "iteration_tries": "2", "iteration_delay": "2.75"}
    [prompt] = await _prompts(api, text="Hello. | There.", **options)
    assert (prompt.parts, prompt.tries, prompt.delay_ms) == (("Hello.", 1_000, "There."), 2, 2_750)
    [once] = await _prompts(api, iteration_delay="2.75")
    assert (once.tries, once.delay_ms) == (1, 0), "a pause that is never heard is no other prompt"


async def test_each_number_has_its_text_and_equal_texts_are_one_prompt(api: Api) -> None:
    text = "Dear {{name}}, your number {{to|slice:-4}} has the code {{otp@digits}} and {{n@number}} points."
    first, second = await _prompts(
        api,
        to="918867135000,918867135001",
        text=text,
        variables={"name": "Asha", "otp": "47", "n": "1200", "to": "hidden"},
    )
    assert first.parts == (
        "Dear Asha, your number 5000 has the code four, seven and one thousand two hundred points.",
    )
    assert second.parts[0] == str(first.parts[0]).replace("5000", "5001")
    same = await _prompts(api, to="918867135000,918867135001")
    assert same[0] == same[1]


async def test_a_voice_by_its_id_and_by_its_language(api: Api) -> None:
    assert (await _prompts(api, voiceid="pico:en-GB"))[0].voice == "pico:en-GB"
    assert (await _prompts(api, **{"voice.language": "en_gb"}))[0].voice == "pico:en-GB"
    assert (await _prompts(api, **{"voice.language": "en-IN"}))[0].voice == "pico:en-US"


def _voice(name: str, language: str, gender: Gender, *, for_words: bool = False) -> Voice:
    return Voice("several", name, language, gender, frozenset({"one"}) if for_words else None)


class _Several:
    """An engine with voices of either gender; it is asked for none here."""

    name = "several"
    revision = "1"
    voices: Sequence[Voice] = (
        _voice("recorded", "de-DE", "male", for_words=True),
        _voice("ann", "en-US", "female"),
        _voice("ben", "en-US", "male"),
        _voice("sky", "en-US", "neutral"),
        _voice("joy", "en-GB", "female"),
        _voice("eva", "es-ES", "female"),
        _voice("leo", "es-ES", "male"),
        _voice("mia", "es-MX", "female"),
        _voice("uwe", "de-DE", "male"),
    )

    async def speak(self, text: str, voice: Voice, out: Path) -> None:
        raise AssertionError(text)


@pytest.mark.parametrize(
    ("wishes", "name"),
    [
        ({}, "ann"),
        ({"gender": "female"}, "ann"),
        ({"gender": "male"}, "ben"),
        ({"gender": "Male"}, "ben"),
        ({"gender": "neutral"}, "sky"),
        ({"language": "es"}, "eva"),
        ({"language": "es", "gender": "female"}, "eva"),
        ({"language": "es", "gender": "male"}, "leo"),
        ({"language": "es-MX"}, "mia"),
        ({"language": "es-MX", "gender": "male"}, "mia"),  # the region is what was asked for first
        ({"language": "es-AR", "gender": "male"}, "leo"),
        ({"language": "en-GB"}, "joy"),
        ({"language": "en-GB", "gender": "male"}, "joy"),
        ({"language": "en", "gender": "neutral"}, "sky"),
        ({"language": "de", "gender": "female"}, "uwe"),  # a wish is no reason not to call
    ],
    ids=str,
)
async def test_language_and_gender_choose_the_voice(api: Api, wishes: dict[str, str], name: str) -> None:
    vars(api.context.voices).update(vars(Voices([_Several()])))
    [prompt] = await _prompts(api, **{f"voice.{wish}": value for wish, value in wishes.items()})
    assert prompt.voice == f"several:{name}"


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"break.identifier": "##"}, ("One.", 500, "Two, || three.")),
        ({"break.time": "9"}, ("One. ## Two, || three.",)),
        ({"break.identifier": "##", "break.time": "0"}, ("One.", "Two, || three.")),
        ({"break.identifier": "##", "break.time": "60"}, ("One.", 60_000, "Two, || three.")),
        ({"break.identifier": "##", "break.time": "0.25"}, ("One.", 250, "Two, || three.")),
        ({"break.identifier": "||", "break.time": 2}, ("One. ## Two,", 2_000, "three.")),
        ({"break.identifier": ".", "break.time": "1"}, ("One", 1_000, "## Two, || three", 1_000)),
        ({"break.identifier": "e ", "break.time": "1"}, ("One. ## Two, || three.",)),  # its space counts
        ({"break.identifier": "Q", "break.time": "1"}, ("One. ## Two, || three.",)),
    ],
    ids=str,
)
async def test_breaks_stand_where_their_mark_does(
    api: Api, options: dict[str, Any], parts: tuple[str | int, ...]
) -> None:
    [prompt] = await _prompts(api, text="One. ## Two, || three.", **options)
    assert prompt.parts == parts


@pytest.mark.parametrize("tries", [1, 2, 10])
async def test_a_text_is_said_as_often_as_was_asked(api: Api, tries: int) -> None:
    [prompt] = await _prompts(api, iteration_tries=tries)
    assert (prompt.tries, prompt.delay_ms) == (tries, 500 if tries > 1 else 0)
    [text] = await _prompts(api, iteration_tries=str(tries))
    assert text == prompt


async def test_where_the_number_comes_from(api: Api) -> None:
    [prompt] = await _prompts(api, text="{{caller.provider}} {{caller.region}}")
    assert prompt.parts == ("Tata Docomo India",)


async def test_the_date_is_the_account_s(api: Api) -> None:
    await api.database.run(accounts.update, api.account_id, {"time_zone": "Pacific/Auckland"})
    [prompt] = await _prompts(api, text="{{date}}")
    assert prompt.parts == ("2019-08-17",)


async def test_dates_and_times_are_those_of_the_request(api: Api) -> None:
    [prompt] = await _prompts(api, text="{{unixtime}} {{from}} {{caller.country}}")
    assert prompt.parts == (f"{START_MS // 1000} {BRIDGE} IN",)


WRONG = (
    ({"text": ""}, "text", "text is missing"),
    ({"text": "x" * 4_001}, "text", "4001 characters long; 4000"),
    ({"text": "{{a"}, "text", "not a Liquid template"),
    ({"text": "{{a@roman}}"}, "text", "@roman"),
    ({"text": "{{a@play}}", "variables[a]": "b"}, "text", "@play is for flows"),
    ({"text": "{{nothing}}"}, "text", "nothing to say"),
    ({"text": "{{a}}{{a}}", "variables[a]": "x" * 3_000}, "text", "6001 characters|6000 characters"),
    ({"text": "a|" * 150, "break.identifier": "|"}, "text", "more than the 100 breaks"),
    ({"voiceid": "pico:xx"}, "voiceid", "no voice 'pico:xx'"),
    ({"voice.language": "tlh"}, "voice.language", "No voice speaks 'tlh'; there are de-DE, en-GB"),
    ({"voice.gender": "robot"}, "voice.gender", "female, male or neutral"),
    ({"iteration_tries": "0"}, "iteration_tries", "from 1 to 10"),
    ({"iteration_tries": "11"}, "iteration_tries", "from 1 to 10"),
    ({"iteration_delay": "-1"}, "iteration_delay", "seconds from 0 to 60"),
    ({"break.time": "61"}, "break.time", "seconds from 0 to 60"),
    ({"break.identifier": "x" * 41}, "break.identifier", "over 40 characters"),
    ({"bridge": "1"}, "bridge", "no bridge 1"),
    ({"to": "7"}, "to", "7"),
)


async def test_what_is_wrong_is_said(api: Api) -> None:
    for changes, name, sentence in WRONG:
        status, answer = await api.call("POST", "outgoing/tts", data=_form(**changes))
        assert (status, list(answer["errors"])) == (422, [name]), changes
        assert re.search(sentence, answer["errors"][name][0]), answer


async def test_without_any_engine_a_text_is_refused(api: Api) -> None:
    api.context.voices._voices.clear()
    status, answer = await api.call("POST", "outgoing/tts", data=_form())
    assert (status, list(answer["errors"])) == (422, ["text"])
    assert "No speech engine" in answer["message"]


async def test_the_voices_are_listed(api: Api) -> None:
    status, answer = await api.call("GET", "voice/voices")
    assert status == 200
    assert len(answer["data"]) == 6
    assert answer["data"][0] == {
        "id": "pico:en-US",
        "engine": "pico",
        "name": "en-US",
        "language": "en-US",
        "gender": "female",
        "default": True,
    }

    async def ids(query: str) -> list[str]:
        return [row["id"] for row in (await api.call("GET", f"voice/voices?{query}"))[1]["data"]]

    assert await ids("language=en") == ["pico:en-US", "pico:en-GB"]
    assert await ids("language=en_gb&gender=female") == ["pico:en-GB"]
    assert await ids("gender=male") == []
    assert (await api.call("GET", "voice/voices?gender=x"))[0] == 422
