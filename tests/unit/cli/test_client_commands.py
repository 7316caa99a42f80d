"""Commands that talk to a server over HTTP: sounds and call."""

import json
from pathlib import Path

import pytest
from tests.helpers.http_api import BRIDGE, START_MS
from tests.helpers.written_calls import new_call
from tests.unit.cli.conftest import ApiInThread, Outdial

from outdial.audio.samples import welcome_mp3
from outdial.cli import call, call_log
from outdial.cli.client import ApiClient
from outdial.cli.follow import Progress
from outdial.domain.call import AttemptOutcome, Lease
from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.domain.retry_policy import Done
from outdial.storage import attempts, calls, claims, leases, recordings
from outdial.supervisor import exit_codes

TO = "918867135000"


@pytest.fixture
def mp3(tmp_path: Path) -> str:
    file = tmp_path / "welcome.mp3"
    file.write_bytes(welcome_mp3())
    return str(file)


def test_sounds(outdial: Outdial, api_server: ApiInThread, mp3: str, tmp_path: Path) -> None:
    assert "There are no sounds yet" in outdial("sounds", "list").out
    uploaded = json.loads(outdial("sounds", "upload", mp3, "--name", "Grüße", "--json").out)
    assert uploaded["name"] == "Grüße"
    assert "welcome.mp3" in outdial("sounds", "upload", mp3).out
    assert len(json.loads(outdial("sounds", "list", "--json").out)) == 2
    got = outdial("sounds", "get", uploaded["id"], "--output", str(tmp_path / "back.mp3"), "--json")
    assert json.loads(got.out) == uploaded
    assert (tmp_path / "back.mp3").read_bytes() == welcome_mp3()
    assert outdial("sounds", "delete", uploaded["id"]).status == 0
    gone = outdial("sounds", "get", uploaded["id"])
    assert (gone.status, gone.err) == (exit_codes.FAILED, f"outdial: There is no sound {uploaded['id']}.\n")


def test_uploads_that_cannot_be(outdial: Outdial, api_server: ApiInThread, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no sound at all")
    refused = outdial("sounds", "upload", "notes.txt")
    assert refused.status == exit_codes.USAGE
    assert "not audio" in refused.err
    assert "cannot be read" in outdial("sounds", "upload", "nowhere.mp3").err


def test_a_call_is_placed(outdial: Outdial, api_server: ApiInThread, mp3: str) -> None:
    placed = outdial("call", "--to", TO, "--bridge", BRIDGE, "--audio", mp3, "--no-follow", "--json")
    assert placed.status == 0, placed.err
    assert json.loads(placed.out)["mobile"] == TO


def test_cancelling(outdial: Outdial, api_server: ApiInThread, mp3: str) -> None:
    placed = outdial("call", "--to", TO, "--bridge", BRIDGE, "--audio", mp3, "--no-follow", "--json")
    call_id = json.loads(placed.out)["id"]
    request_id = call_id.partition(":")[0]
    done = outdial("cancel", request_id)
    assert done.out == "1 calls are cancelled, 0 are being hung up, 0 had ended.\n"
    again = outdial("cancel", request_id, "--json")
    assert json.loads(again.out) == {"id": request_id, "cancelled": 0, "hanging_up": 0, "ended": 1}
    one = outdial("cancel", call_id)
    assert (one.status, one.err) == (exit_codes.FAILED, "outdial: The call has ended already.\n")


def test_pausing(outdial: Outdial, api_server: ApiInThread, mp3: str) -> None:
    command = ("call", "--to", TO, "--bridge", BRIDGE, "--audio", mp3, "--name", "spring", "--no-follow")
    call_id = outdial(*command).out.strip()
    request_id = call_id.partition(":")[0]
    assert outdial("campaign", "paused").out == "Nothing is paused.\n"
    assert outdial("campaign", "pause", "spring").out == "1 calls wait.\n"
    assert json.loads(outdial("campaign", "pause", request_id, "--request", "--json").out) == {"waiting": 0}
    assert "spring" in outdial("campaign", "paused").out
    assert len(json.loads(outdial("campaign", "paused", "--json").out)) == 2
    assert outdial("campaign", "resume", "spring").out == "It goes on.\n"
    assert outdial("campaign", "resume", "spring").out == "It was not paused.\n"


def _end_the_call(server: ApiInThread, disposition: Disposition) -> None:
    """Do what a dialer would."""
    assert server.api is not None
    now = START_MS
    server.run(leases.register, "d", host="h", pid=1, now=now, lease_until=now + 10**9)
    found = server.run(
        claims.claim_due, dialer_id="d", now=now, limit=1, free_by_trunk={server.api.trunk_id: 1}
    )
    (claimed,) = found.calls
    entries = [
        {
            "at": now,
            "direction": "sent",
            "peer": "192.0.2.1:5060",
            "summary": f"INVITE sip:{TO}@x",
            "text": "INVITE",
        },
        {
            "at": now + 51,
            "direction": "received",
            "peer": "192.0.2.1:5060",
            "summary": "486 Busy Here (INVITE)",
        },
    ]
    outcome = AttemptOutcome(
        disposition=disposition,
        reason=EndReason.REJECTED,
        hangup_by=HangupBy.CALLEE,
        ended_at=now + 60,
        sip_code=486,
        sip_reason="Busy Here",
    )
    assert server.run(attempts.mark_dialing, claimed.lease, now=now)
    assert server.run(attempts.finish, claimed.lease, outcome, Done(), now=now, trace=entries)


def test_past_calls(outdial: Outdial, api_server: ApiInThread, mp3: str, tmp_path: Path) -> None:
    assert outdial("call", "list").out == "There are no such calls.\n"
    place = ("call", "--to", TO, "--bridge", BRIDGE, "--audio", mp3, "--no-follow")
    first, second = (outdial(*place, "--name", name).out.strip() for name in ("diwali", "holi"))
    assert [row["id"] for row in json.loads(outdial("call", "list", "--json").out)] == [second, first]
    assert second in outdial("call", "list", "--name", "holi").out
    assert len(json.loads(outdial("call", "list", "--limit", "1", "--json").out)) == 1
    shown = json.loads(outdial("call", "show", first, "--json").out)
    assert (shown["name"], shown["attempts"]) == ("diwali", [])
    assert shown["explanation"].startswith("Waits for")
    assert "diwali" in outdial("call", "show", first).out
    assert f"what happened  {shown['explanation']}" in outdial("call", "show", first).out
    assert outdial("call", "show", "x:1").err == "outdial: There is no call x:1.\n"
    assert outdial("call", "export", "log.csv", "--name", "diwali").out == "Saved as log.csv.\n"
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert (lines[0].split(",")[0], lines[1].split(",")[0], len(lines)) == ("id", first, 2)
    refused = outdial("call", "list", "--status", "fine")
    assert (refused.status, "status should be one of ANSWER" in refused.err) == (exit_codes.USAGE, True)
    assert "cannot be written" in outdial("call", "export", "no/where.csv").err


def test_recordings(outdial: Outdial, api_server: ApiInThread, tmp_path: Path) -> None:
    assert outdial("recording", "list").out == "There are no such recordings.\n"
    assert api_server.api is not None
    api = api_server.api
    api_server.run(calls.insert_calls, [new_call(api, "a:1", name="diwali")])
    for number in (1, 2, 3):
        lease, key = Lease("a:1", number, 1, "d"), f"recordings/a-1-{number}.ulaw"
        api_server.run(recordings.add, lease, key, "PCMU", recorded_at=START_MS + number, duration_ms=9)
        blob = tmp_path / "api" / "blobs" / key
        blob.parent.mkdir(exist_ok=True, parents=True)
        blob.write_bytes(bytes(80))
    rows = json.loads(outdial("recording", "list", "--json").out)
    assert [row["id"] for row in rows] == ["a-1-3", "a-1-2", "a-1-1"]
    assert len(json.loads(outdial("recording", "list", "--limit", "2", "--json").out)) == 2
    assert "a-1-1" in outdial("recording", "list", "--name", "diwali").out
    assert "a-1-1" not in outdial("recording", "list", "--name", "holi").out
    assert outdial("recording", "save", "a-1-1").out == "Saved as a-1-1.wav.\n"
    assert (tmp_path / "a-1-1.wav").read_bytes()[:4] == b"RIFF"
    assert json.loads(outdial("recording", "save", "a-1-1", "x.wav", "--json").out)["bytes"] == 44 + 160
    assert "cannot be written" in outdial("recording", "save", "a-1-1", "no/where.wav").err
    assert outdial("recording", "delete", "a-1-1").out == "The recording is deleted.\n"
    assert outdial("recording", "save", "a-1-1", "y.wav").err == "outdial: There is no recording a-1-1.\n"
    assert not (tmp_path / "y.wav").exists()


def test_the_list_goes_on_behind_a_hundred(
    outdial: Outdial, api_server: ApiInThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_log, "_PER_PAGE", 2)
    assert api_server.api is not None
    new = [new_call(api_server.api, f"a:{number}") for number in range(5)]
    api_server.run(calls.insert_calls, new)
    rows = json.loads(outdial("call", "list", "--json").out)
    assert [row["id"] for row in rows] == [f"a:{number}" for number in (4, 3, 2, 1, 0)]
    assert len(json.loads(outdial("call", "list", "--json", "--limit", "3").out)) == 3


def test_a_call_that_is_over_is_shown_as_a_ladder(
    outdial: Outdial, api_server: ApiInThread, mp3: str
) -> None:
    call_id = outdial("call", "--to", TO, "--bridge", BRIDGE, "--audio", mp3, "--no-follow").out.strip()
    _end_the_call(api_server, Disposition.BUSY)
    shown = outdial("call", "--trace", call_id)
    assert shown.status == 0, shown.err
    assert f"INVITE sip:{TO}@x" in shown.out
    assert "◀" in shown.out
    assert "The callee was busy (SIP 486 Busy Here)." in shown.out
    entries = json.loads(outdial("call", "--trace", call_id, "--json").out)["entries"]
    assert [entry["offset_ms"] for entry in entries] == [0, 51]
    assert outdial("call", "--trace", call_id, "--attempt", "2").status == exit_codes.USAGE
    assert outdial("call", "--trace", "nothing").status == exit_codes.FAILED


@pytest.fixture
def _busy_at_once(api_server: ApiInThread, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call is over before the first look at it."""
    real = ApiClient.get
    ended = False

    async def get(self: ApiClient, path: str, **query: str | int) -> object:
        nonlocal ended
        if not ended:
            ended = True
            _end_the_call(api_server, Disposition.BUSY)
        return await real(self, path, **query)

    monkeypatch.setattr(ApiClient, "get", get)


@pytest.mark.usefixtures("_busy_at_once")
def test_a_call_is_followed_as_json(outdial: Outdial, mp3: str) -> None:
    result = outdial("call", "--to", TO, "--bridge", BRIDGE, "--audio", mp3, "--json")
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [line["event"] for line in lines] == ["accepted", "trace", "trace", "ended"]
    assert lines[-1]["status"] == "BUSY"
    assert result.status == exit_codes.FAILED


@pytest.mark.usefixtures("_busy_at_once")
def test_a_call_is_followed_as_a_ladder(outdial: Outdial, mp3: str) -> None:
    result = outdial("call", "--to", TO, "--bridge", BRIDGE, "--audio", mp3, "--full")
    assert result.status == exit_codes.FAILED
    order = ["call ", "192.0.2.1:5060", f" INVITE sip:{TO}@x ", "▶", "◀", "486 Busy Here", "BUSY", "was busy"]
    places = [result.out.index(words) for words in order]
    assert places == sorted(places)


def test_what_is_waited_for_between_two_attempts_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    view = call._LadderView(full=False)
    waiting = {"state": "queued", "explanation": "The callee was busy. It is tried again at 15:14."}
    view.progress(Progress({"state": "queued", "explanation": "It waits."}, 0, []))
    for attempt in (1, 1, 2):
        view.progress(Progress({"state": "leased", "explanation": "It rings."}, attempt, []))
        view.progress(Progress(waiting, attempt, []))
    assert capsys.readouterr().out == f"\n{waiting['explanation']}\n" * 2


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--to", TO),
        ("--to", TO, "--bridge", BRIDGE),
        ("--to", TO, "--bridge", BRIDGE, "--sound", "x", "--audio", "y"),
        ("--to", TO, "--bridge", BRIDGE, "--audio", "nowhere.mp3"),
        ("--to", f"{TO},{TO}", "--bridge", BRIDGE, "--sound", "x"),
        ("--to", TO, "--bridge", "1", "--sound", "x"),
        ("--to", TO, "--bridge", BRIDGE, "--sound", "https://example.com/a", "--retries", "11"),
        ("--to", TO, "--bridge", BRIDGE, "--sound", "https://example.com/a", "--webhook", "99"),
    ],
)
def test_calls_that_cannot_be(outdial: Outdial, api_server: ApiInThread, arguments: tuple[str, ...]) -> None:
    result = outdial("call", *arguments)
    assert result.status == exit_codes.USAGE
    assert result.err.startswith("outdial: ")


def test_no_server_no_token_and_a_wrong_token(
    outdial: Outdial, api_server: ApiInThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTDIAL_TOKEN", "wrong")
    denied = outdial("sounds", "list")
    assert (denied.status, "not valid" in denied.err) == (exit_codes.DENIED, True)
    monkeypatch.delenv("OUTDIAL_TOKEN")
    denied = outdial("sounds", "list")
    assert (denied.status, "outdial token create" in denied.err) == (exit_codes.DENIED, True)
    monkeypatch.setenv("OUTDIAL_URL", "http://127.0.0.1:9")
    away = outdial("sounds", "list")
    assert (away.status, "No server answers at" in away.err) == (exit_codes.UNAVAILABLE, True)
    monkeypatch.setenv("OUTDIAL_URL", "nonsense")
    assert outdial("sounds", "list").status == exit_codes.USAGE
