"""What a builder of flows asks the API for: what there is to build of, and what a prompt sounds like."""

from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest
from tests.helpers.http_api import Api

from outdial.audio.compare import correlate
from outdial.audio.tone import beep
from outdial.speech.level import active_level
from outdial.speech.wav import parse_wav, write_wav


async def test_the_step_types_come_with_their_settings_and_exits(api: Api) -> None:
    status, answer = await api.call("GET", "flows/steps")
    assert (status, answer["message"]) == (200, "20 step types.")
    steps = {each["type"]: each for each in answer["data"]["steps"]}
    (seconds,) = steps["wait"]["settings"]
    assert seconds["schema"] == {"type": "number", "minimum": 0.1, "maximum": 600, "description": "How long."}
    assert [each["pattern"] for each in steps["switch"]["exits"]] == [r"\S.{0,99}", None]
    for step in steps.values():
        for each in step["settings"]:
            schema = {**each["schema"], "$defs": answer["data"]["definitions"]}
            if each["name"] in step["example"]["settings"]:
                jsonschema.validate(step["example"]["settings"][each["name"]], schema)


async def test_the_schema_is_there_for_editors(api: Api) -> None:
    async with api.session.get(f"{api.url}/api/v1/flows/schema", headers=api.bearer) as answer:
        assert (answer.status, answer.content_type) == (200, "application/schema+json")
        schema = await answer.json(content_type=None)
    jsonschema.validate({"schema_version": 1, "entry": "a", "nodes": {"a": {"type": "hang_up"}}}, schema)
    for path in ("steps", "schema"):
        status, _ = await api.call("GET", f"flows/{path}", headers={})
        assert status == 401


async def _listen(api: Api, **request: object):
    async with api.session.post(
        f"{api.url}/api/v1/flows/preview", json=request, headers=api.bearer
    ) as answer:
        assert (answer.status, answer.content_type) == (200, "audio/wav"), await answer.text()
        return parse_wav(await answer.read(), "preview")


async def test_a_prompt_is_heard_with_its_variables_pauses_and_beeps(api: Api) -> None:
    spoken = await _listen(api, prompt="Your code is {{otp@digits}}.", variables={"otp": "47"})
    assert spoken.rate == 16_000
    assert active_level(spoken.pcm, spoken.rate) == pytest.approx(-20, abs=3)
    longer = await _listen(
        api, prompt=["Your code is {{otp@digits}}.", {"pause": 1}, {"beep": True}], variables={"otp": "47"}
    )
    assert len(longer.pcm) == len(spoken.pcm) + 16_000 + len(beep(16_000))
    assert correlate(longer.pcm[-len(beep(16_000)) :], beep(16_000), 16_000).peak > 0.99


async def test_each_language_has_its_voice(api: Api) -> None:
    prompt = {"by_language": {"en-US": "Thank you.", "es-ES": "Muchas gracias a todos."}}
    english = await _listen(api, prompt=prompt, language="en-US")
    spanish = await _listen(api, prompt=prompt, language="es-ES", voice="pico:es-ES")
    assert len(spanish.pcm) > len(english.pcm) * 1.2


async def test_a_stored_sound_is_heard(api: Api, tmp_path: Path) -> None:
    form = aiohttp.FormData()
    write_wav(tmp_path / "beep.wav", beep(16_000).tobytes(), 16_000)
    form.add_field("audio", (tmp_path / "beep.wav").read_bytes(), filename="beep.wav")
    status, answer = await api.call("POST", "voice/sounds", data=form)
    assert status == 200, answer
    sound = answer["data"]
    heard = await _listen(api, prompt={"sound": sound["id"]})
    assert len(heard.pcm) / 16 == pytest.approx(sound["duration_ms"], abs=60)
    assert correlate(heard.pcm, beep(16_000), 16_000).peak > 0.9


@pytest.mark.parametrize(
    ("request_", "name", "sentence"),
    [
        ({}, "prompt", "prompt is missing"),
        ({"prompt": {"speak": "Hello"}}, "prompt", "an object with one of text, sound"),
        ({"prompt": "{{name"}, "prompt", "not a Liquid template"),
        ({"prompt": "Hello.", "language": "English"}, "language", "a language such as en or en-US"),
        ({"prompt": "Hello.", "voice": "pico:xx"}, "prompt", "No voice 'pico:xx' is on this server."),
        ({"prompt": "नमस्ते", "language": "hi-IN"}, "prompt", "No voice 'hi-IN' is on this server."),
        ({"prompt": {"sound": "00000000-0000-4000-8000-000000000000"}}, "prompt", "There is no sound"),
        ({"prompt": {"url": "https://example.com/a.mp3"}}, "prompt", "listen to it at its address"),
        ({"prompt": "a b " * 501}, "prompt", "2000 are spoken in a preview"),
        ({"prompt": "{{name}}"}, "prompt", "There is nothing to hear"),
        ({"prompt": [{"pause": 60}] * 3}, "prompt", "longer than the 120 seconds"),
        ({"prompt": "Hello.", "variables": [1]}, "variables", "variables"),
    ],
)
async def test_what_cannot_be_heard_is_said(
    api: Api, request_: dict[str, Any], name: str, sentence: str
) -> None:
    status, answer = await api.call("POST", "flows/preview", json=request_)
    assert status == 422, answer
    assert sentence in answer["errors"][name][0]


async def test_nothing_is_left_behind(api: Api) -> None:
    await _listen(api, prompt="Hello.")
    await api.call("POST", "flows/preview", json={"prompt": {"url": "https://example.com/a.mp3"}})
    work = api.context.options.work_dir
    assert not work.exists() or list(work.iterdir()) == []
