"""Commands that work on the server's own data: token, trunk, bridge, db, sandbox."""

import asyncio
import json
import threading
from pathlib import Path

import pytest
from tests.helpers.udp import silent_socket
from tests.unit.cli.conftest import Outdial

from outdial.cli.output import print_rows
from outdial.domain.call import NewCall
from outdial.sandbox.network import SandboxNetwork
from outdial.sandbox.options import PASSWORD, USERNAME, SandboxOptions
from outdial.storage import accounts, calls, schema, wake
from outdial.storage.database import Database
from outdial.supervisor import exit_codes


def test_tokens(outdial: Outdial) -> None:
    made = outdial("token", "create", "--name", "ci", "--days", "7", "--network", "10.0.0.0/8")
    assert (made.status, made.err) == (0, "")
    secret = made.out.strip()
    assert len(secret) == 40
    (row,) = json.loads(outdial("token", "list", "--json").out)
    assert (row["id"], row["name"], row["prefix"], row["valid"]) == (1, "ci", secret[:8], True)
    assert row["addresses"] == ["10.0.0.0/8"]
    for shown in (outdial("token", "list"), outdial("token", "list", "--json")):
        assert secret not in shown.out
    assert outdial("token", "revoke", "1").status == 0
    assert json.loads(outdial("token", "list", "--json").out)[0]["valid"] is False
    again = outdial("token", "revoke", "1")
    assert again.status == exit_codes.FAILED
    assert "There is no valid token 1" in again.err
    assert outdial("token", "create", "--network", "10.0.0.1/8").status == exit_codes.USAGE


def test_a_trunk_s_life(outdial: Outdial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUNK_PASSWORD", "s3kr1t")
    options = ("--username", "u", "--caller-id", "p_asserted_identity", "--codecs", "pcmu,g722")
    more = (
        "--header",
        "X-Account: 7",
        "--network",
        "192.0.2.0/24",
        "--dial-prefix",
        "+",
        "--ring-timeout",
        "20",
        "--options-interval",
        "30",
        "--session-expires",
        "1800",
    )
    added = outdial("trunk", "add", "carrier", "sip.example.com:5080", *options, *more, "--json")
    assert added.status == 0, added.err
    row = json.loads(outdial("trunk", "show", "carrier", "--json").out)
    assert (row["host"], row["port"], row["username"]) == ("sip.example.com", 5080, "u")
    assert (row["codecs"], row["caller_id_mode"]) == (["PCMU", "G722"], "p_asserted_identity")
    assert (row["headers"], row["addresses"]) == ({"X-Account": "7"}, ["192.0.2.0/24"])
    assert (row["dial_prefix"], row["ring_timeout_s"], row["enabled"]) == ("+", 20, True)
    assert (row["options_interval_s"], row["session_expires_s"]) == (30, 1800)
    shown = outdial("trunk", "show", "carrier")
    assert "X-Account: 7" in shown.out
    assert "(set)" in shown.out
    for result in (added, shown, outdial("trunk", "list", "--json")):
        assert "s3kr1t" not in result.out
    assert outdial("trunk", "disable", "carrier").status == 0
    assert json.loads(outdial("trunk", "list", "--json").out)[0]["enabled"] is False
    assert outdial("trunk", "enable", "carrier").status == 0
    assert "carrier" in outdial("trunk", "list").out


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("add", "t", "host:0"), exit_codes.USAGE, "HOST or HOST:PORT"),
        (("add", "t", "bad host"), exit_codes.USAGE, "host should be a name or an address"),
        (("add", "t", "host", "--header", "Via: x"), exit_codes.USAGE, "'Via' is not a header"),
        (("add", "t", "host", "--codecs", "opus"), exit_codes.USAGE, "PCMA, PCMU, G722"),
        (("add", "t", "host", "--header", "novalue"), exit_codes.USAGE, "Name: value"),
        (("add", "t", "host", "--network", "x"), exit_codes.USAGE, "192.0.2.0/24"),
        (("add", "t", "host", "--username", "u"), exit_codes.FAILED, "TRUNK_PASSWORD"),
        (("add", "t", "host", "--session-expires", "30"), exit_codes.USAGE, "90 or more"),
        (("remove", "nobody"), exit_codes.FAILED, "There is no trunk 'nobody'"),
        (("show", "nobody"), exit_codes.FAILED, "There is no trunk 'nobody'"),
        (("disable", "nobody"), exit_codes.FAILED, "There is no trunk 'nobody'"),
    ],
)
def test_trunks_that_cannot_be(outdial: Outdial, arguments: tuple[str, ...], status: int, words: str) -> None:
    result = outdial("trunk", *arguments)
    assert result.status == status
    assert words in result.err
    assert "Traceback" not in result.err


def test_a_second_trunk_of_that_name(outdial: Outdial) -> None:
    assert outdial("trunk", "add", "t", "192.0.2.1").status == 0
    assert "There is a trunk 't' already" in outdial("trunk", "add", "t", "192.0.2.2").err


def test_a_trunk_that_is_not_there_fails_its_check(outdial: Outdial) -> None:
    outdial(
        "trunk", "add", "gone", "127.0.0.1:9"
    )  # the discard port: the kernel answers that nobody is there
    result = outdial("trunk", "check", "gone", "--wait", "0.1", "--json")
    assert result.status == exit_codes.FAILED
    assert json.loads(result.out)["status"] is None
    assert "Nothing takes SIP at 127.0.0.1:9, or there is no way to it" in result.err


def test_a_trunk_that_says_nothing_fails_its_check(outdial: Outdial) -> None:
    with silent_socket() as ((host, port), _):
        outdial("trunk", "add", "mute", f"{host}:{port}")
        result = outdial("trunk", "check", "mute", "--wait", "0.1")
    assert result.status == exit_codes.FAILED
    assert f"{host}:{port} did not answer OPTIONS" in result.err


class SandboxInThread:
    """A registrar beside the test: commands have event loops of their own."""

    def __init__(self, folder: Path) -> None:
        self._network = SandboxNetwork(SandboxOptions(folder, port=0, record=False), lambda: 0)
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self._loop.run_until_complete(self._network.start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._network.stop())
        self._loop.close()

    def __enter__(self) -> SandboxNetwork:
        self._thread.start()
        assert self._ready.wait(30)
        return self._network

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)


def test_a_trunk_that_wants_our_address_is_checked_by_registering(
    outdial: Outdial, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    announced: list[str] = []
    monkeypatch.setattr(wake, "announce", lambda _, channel: announced.append(channel))
    with SandboxInThread(tmp_path) as network:
        host, port = network.address
        monkeypatch.setenv("TRUNK_PASSWORD", PASSWORD)
        options = ("--username", USERNAME, "--register-expires", "300")
        assert outdial("trunk", "add", "box", f"{host}:{port}", *options).status == 0
        announced.clear()
        good = outdial("trunk", "check", "box", "--json")
        assert good.status == 0, good.err
        row = json.loads(good.out)
        assert (row["registered"], row["problem"], row["status"]) == (True, None, 200)
        assert announced == [wake.REGISTRATIONS], "the server's address may have been replaced"
        assert network._switchboard is not None
        assert network._switchboard.registrar.bindings == {}, "it was taken back"
        assert "box registered sip:outdial@" in outdial("trunk", "check", "box").out
        outdial("trunk", "set", "box", "password=wrong")
        announced.clear()
        bad = outdial("trunk", "check", "box", "--json")
        assert bad.status == exit_codes.FAILED
        assert "box does not register us: wrong user name or password, SIP 403 Forbidden." in bad.err
        assert (json.loads(bad.out)["registered"], json.loads(bad.out)["sip_code"]) == (False, 403)
        assert announced == []


def test_a_registrar_that_says_nothing_fails_the_check(outdial: Outdial) -> None:
    with silent_socket() as ((host, port), _):
        outdial("trunk", "add", "mute", f"{host}:{port}", "--from-user", "7", "--register-expires", "300")
        result = outdial("trunk", "check", "mute", "--wait", "0.1")
    assert result.status == exit_codes.FAILED
    assert "mute does not register us: it does not answer REGISTER." in result.err


def test_what_is_registered_is_an_account(outdial: Outdial) -> None:
    refused = outdial("trunk", "add", "t", "192.0.2.1", "--register-expires", "300")
    assert "What is registered is an account: give its username" in refused.err
    assert refused.status != 0
    assert outdial("trunk", "add", "t", "192.0.2.1").status == 0
    assert "What is registered is an account" in outdial("trunk", "set", "t", "register_expires_s=300").err
    assert outdial("trunk", "set", "t", "from_user=7", "register_expires_s=300").status == 0
    for wrong in ("59", "86401", "soon"):
        result = outdial("trunk", "set", "t", f"register_expires_s={wrong}")
        assert "register_expires_s should be 0, or 60 to 86400 seconds." in result.err
    assert "from_domain should be a name" in outdial("trunk", "set", "t", "from_domain=a b").err
    assert outdial("trunk", "set", "t", "register_expires_s=0", "from_domain=").status == 0


def test_a_trunk_is_removed_when_its_bridges_are(outdial: Outdial) -> None:
    outdial("trunk", "add", "t", "192.0.2.1")
    outdial("bridge", "add", "918068280000", "--trunk", "t")
    refused = outdial("trunk", "remove", "t")
    assert refused.status == exit_codes.FAILED
    assert "has bridges: 918068280000" in refused.err
    outdial("bridge", "remove", "918068280000")
    assert json.loads(outdial("trunk", "remove", "t", "--json").out) == {"name": "t"}
    assert "There are no trunks yet" in outdial("trunk", "list").out


def test_a_bridge_with_further_trunks(outdial: Outdial) -> None:
    for name in ("t", "u", "v"):
        outdial("trunk", "add", name, "192.0.2.1")
    add = ("bridge", "add", "918068280000", "--trunk", "t")
    assert "no trunk 'w'" in outdial(*add, "--further-trunk", "w").err
    assert "should be others" in outdial(*add, "--further-trunk", "t").err
    assert outdial(*add, "--further-trunk", "v", "--further-trunk", "u").status == 0
    (row,) = json.loads(outdial("bridge", "list", "--json").out)
    assert (row["trunk"], row["further_trunks"], row["further_trunk_ids"]) == ("t", "v, u", [3, 2])
    assert "has bridges: 918068280000" in outdial("trunk", "remove", "u").err
    outdial("bridge", "set", "918068280000", "further_trunk_ids=")
    assert outdial("trunk", "remove", "u").status == 0


def test_a_trunk_that_calls_were_accepted_for_stays(outdial: Outdial, tmp_path: Path) -> None:
    outdial("trunk", "add", "t", "192.0.2.1")
    call = NewCall(
        id="c:1",
        account_id=1,
        bridge="918068280000",
        trunk_id=1,
        to="918867135000",
        submitted_at=1,
        due_at=1,
        sound_id="s",
    )

    async def accept() -> None:
        async with Database(f"sqlite:///{tmp_path / 'data' / 'outdial.db'}") as database:
            assert (await database.run(accounts.insert, name="a", now=1)).id == 1
            await database.run(calls.insert_calls, [call])

    asyncio.run(accept())
    refused = outdial("trunk", "remove", "t")
    assert refused.status == exit_codes.FAILED
    assert "outdial trunk disable t" in refused.err
    assert outdial("trunk", "show", "t").status == 0


def test_an_id_stays_whole_in_a_narrow_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    sound = "39888925-718e-43bb-a8b1-d4a3e1f0c2b7"
    row = {"id": sound, "name": "a name that is long enough to be folded in a table of 80 columns" * 2}
    print_rows([row], {"id": "id", "name": "name"}, empty="")
    assert sound in capsys.readouterr().out


def test_only_sentences_are_folded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    row = {
        "id": "39888925-718e-43bb-a8b1-d4a3e1f0c2b7:1",
        "to": "918867135000",
        "status": "CONGESTION",
        "sent": "2026-11-26 22:30:19",
        "uri": "https://example.com/calls",
        "why": "example.com could not be connected to within 5 seconds, as it was before",
    }
    print_rows([row], {key: key for key in row}, empty="")
    shown = capsys.readouterr().out
    assert [value for key, value in row.items() if key != "why" and value not in shown] == []
    assert row["why"] not in shown
    assert {len(line.rstrip()) for line in shown.splitlines()} <= set(range(150))


def test_bridges(outdial: Outdial) -> None:
    outdial("trunk", "add", "t", "192.0.2.1")
    assert outdial("bridge", "add", "+91 80682 80000", "--trunk", "t", "--display-name", "Shop").status == 0
    (row,) = json.loads(outdial("bridge", "list", "--json").out)
    assert (row["number"], row["trunk"], row["display_name"]) == ("918068280000", "t", "Shop")
    changed = outdial("bridge", "set", "918068280000", "max_concurrent=20", "paused=1")
    assert changed.out == "The bridge 918068280000 is changed.\n"
    (row,) = json.loads(outdial("bridge", "list", "--json").out)
    assert (row["max_concurrent"], row["calls_per_second"], row["paused"]) == (20, None, True)
    outdial("bridge", "set", "918068280000", "max_concurrent=", "paused=0")
    (row,) = json.loads(outdial("bridge", "list", "--json").out)
    assert (row["max_concurrent"], row["paused"]) == (None, False)
    assert "whole number" in outdial("bridge", "set", "918068280000", "max_concurrent=x").err
    assert "no bridge 1555" in outdial("bridge", "set", "15550100000", "paused=1").err
    assert "already" in outdial("bridge", "add", "918068280000", "--trunk", "t").err
    assert "no trunk 'u'" in outdial("bridge", "add", "918068280001", "--trunk", "u").err
    assert outdial("bridge", "add", "hello", "--trunk", "t").status == exit_codes.USAGE
    assert outdial("bridge", "remove", "918068280000").status == 0
    assert outdial("bridge", "remove", "918068280000").status == exit_codes.FAILED
    assert "There are no bridges yet" in outdial("bridge", "list").out


def test_the_database(outdial: Outdial, tmp_path: Path) -> None:
    before = outdial("db", "check", "--json")
    assert before.status == exit_codes.FAILED
    assert json.loads(before.out)["ok"] is False
    upgraded = json.loads(outdial("db", "upgrade", "--json").out)
    assert upgraded["before"] is None
    assert upgraded["after"]
    assert "already" in outdial("db", "upgrade").out
    assert outdial("db", "check").status == 0
    assert outdial("db", "path").out.strip() == str(tmp_path / "data" / "outdial.db")


def test_a_password_in_a_database_url_is_never_shown(
    outdial: Outdial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTDIAL_DATABASE_URL", "postgresql+psycopg://u:s3kr1t@127.0.0.1:1/db")
    assert outdial("db", "path").out.strip() == "postgresql+psycopg://u:***@127.0.0.1:1/db"
    for command in (("db", "check"), ("db", "upgrade"), ("token", "list")):
        result = outdial(*command)
        assert result.status == exit_codes.CONFIGURATION, command
        assert "s3kr1t" not in result.out + result.err
        assert "cannot be reached" in result.err, command


def test_the_numbers_of_the_sandbox(outdial: Outdial, tmp_path: Path) -> None:
    rows = json.loads(outdial("sandbox", "--numbers", "--json").out)
    assert {"number": "12025550102", "description": "busy (486)"} in rows
    (tmp_path / "phones.toml").write_text('[phones.12025550150]\ndescription = "mine"')
    assert "mine" in outdial("sandbox", "--numbers", "--phones", "phones.toml").out
    (tmp_path / "phones.toml").write_text("[phones.x]\n")
    result = outdial("sandbox", "--numbers", "--phones", "phones.toml")
    assert result.status == exit_codes.CONFIGURATION


def test_wrong_settings_are_one_sentence_and_78(outdial: Outdial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTDIAL_API__PROT", "1")
    for command in (("token", "list"), ("db", "path"), ("sandbox", "--numbers")):
        result = outdial(*command)
        assert result.status == exit_codes.CONFIGURATION
        assert (
            result.err
            == "outdial: OUTDIAL_API__PROT: there is no such setting; did you mean OUTDIAL_API__PORT?\n"
        )


def test_a_named_config_file_is_read(
    outdial: Outdial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OUTDIAL_DATA_DIR")
    monkeypatch.setenv("OUTDIAL_CONFIG", "unset by the option")
    (tmp_path / "o.toml").write_text('data_dir = "other"')
    assert outdial("--config", "o.toml", "db", "path").out.strip() == str(tmp_path / "other" / "outdial.db")


def test_help_and_version(outdial: Outdial) -> None:
    assert "serve" in outdial("--help").out
    assert outdial("--version").out.startswith("outdial ")
    assert "Did you mean 'sounds'" in outdial("sond").err
    assert outdial("token", "--help").status == 0


def test_a_fault_of_ours_asks_for_a_report(outdial: Outdial, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("outdial.cli.db.load_settings", broken)
    result = outdial("db", "path")
    assert result.status == exit_codes.INTERNAL
    assert "a fault of ours: RuntimeError: boom" in result.err
    assert "Traceback" not in result.err


@pytest.mark.postgres
def test_a_shared_database_is_upgraded_only_when_somebody_says_so(
    outdial: Outdial, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    schema.downgrade(postgres_url, "base")
    monkeypatch.setenv("OUTDIAL_DATABASE_URL", postgres_url)
    refused = outdial("token", "list")
    assert refused.status == exit_codes.CONFIGURATION
    assert "run `outdial db upgrade`" in refused.err
    assert outdial("db", "upgrade").status == 0
    assert outdial("token", "create").status == 0
    assert outdial("db", "check").status == 0
