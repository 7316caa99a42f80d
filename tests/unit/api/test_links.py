"""Addresses in answers begin with `api.public_url`, wherever a request was sent to."""

from dataclasses import replace
from pathlib import Path

from tests.helpers.http_api import running_api
from tests.helpers.written_calls import ANSWERED, CALL_ID, claim, finish, new_call

from outdial.domain.retry_policy import Done
from outdial.storage import calls

PUBLIC = "https://voice.example.com/out"
ID = "70fa87e0-9df9-4327-bc80-a561c48703d8-1-1"
SOUND = "39888925-718e-43bb-a8b1-d4a3e1f0c2b7"


async def test_every_link_begins_with_the_public_address(tmp_path: Path) -> None:
    async with running_api(tmp_path, public_url=PUBLIC) as api:
        await api.database.run(calls.insert_calls, [new_call(api)])
        recorded = replace(ANSWERED, recording_key=f"recordings/{ID}.alaw")
        await finish(api, await claim(api), recorded, Done())
        await api.add_sound(SOUND)
        audio = f"{PUBLIC}/api/v1/voice/recordings/{ID}/audio"

        _, log = await api.call("GET", "voice/calls?name=campaign")
        assert log["data"][0]["audio"] == audio
        assert log["links"]["first"] == f"{PUBLIC}/api/v1/voice/calls?name=campaign&page=1&per_page=15"
        assert log["meta"]["path"] == f"{PUBLIC}/api/v1/voice/calls"
        _, text = await api.call("GET", "voice/calls.csv")
        assert audio in text
        _, found = await api.call("GET", f"outgoing/callstatus?id={CALL_ID}")
        assert found["data"]["attempts"][0]["recording_url"] == audio
        _, found = await api.call("GET", "voice/recordings")
        assert found["data"][0]["audio"] == audio
        _, found = await api.call("GET", "voice/sounds")
        assert found["data"][0]["audio_url"] == f"{PUBLIC}/api/v1/voice/sounds/{SOUND}/audio"
