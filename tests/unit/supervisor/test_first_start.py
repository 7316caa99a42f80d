"""What a first start adds, and that a second one changes nothing."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from outdial.config import Settings, load_settings
from outdial.errors import ConfigurationError
from outdial.storage import accounts, bridges, schema, tokens, trunks
from outdial.storage.database import Database
from outdial.supervisor.first_start import first_start
from outdial.supervisor.prepare import prepare_database
from outdial.supervisor.role import Role
from outdial.supervisor.roles.api import api_options, listen
from outdial.supervisor.roles.dialer import (
    dispatch_options,
    media_options,
    media_workers_on,
    user_agent_options,
)
from outdial.supervisor.roles.sandbox import sandbox_options
from outdial.supervisor.serve import role_command, roles_to_run


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return load_settings()


async def _everything(settings: Settings) -> list[Any]:
    async with Database(settings.resolved_database_url) as database:
        return [
            await database.read(query) for query in (accounts.find_all, trunks.find_all, bridges.find_all)
        ]


def test_a_first_start_makes_folder_database_and_account(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    first_start(settings, sandbox=False)
    assert "outdial token create" in capsys.readouterr().out
    assert settings.data_dir.stat().st_mode & 0o777 == 0o700
    found_accounts, found_trunks, found_bridges = asyncio.run(_everything(settings))
    assert [account.name for account in found_accounts] == ["default"]
    assert (found_trunks, found_bridges) == ([], [])


def test_a_second_start_changes_nothing_and_is_silent_once_there_is_a_token(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    first_start(settings, sandbox=True)
    before = asyncio.run(_everything(settings))

    async def make_token() -> None:
        async with Database(settings.resolved_database_url) as database:
            await database.run(tokens.insert, account_id=1, name="x", new_secret=lambda: "x" * 32, now=1)

    asyncio.run(make_token())
    capsys.readouterr()
    first_start(settings, sandbox=True)
    assert asyncio.run(_everything(settings)) == before
    assert capsys.readouterr().out == ""


def test_the_sandbox_gets_a_trunk_and_a_bridge_that_follow_its_port(settings: Settings) -> None:
    first_start(settings, sandbox=True)
    moved = load_settings(sandbox={"port": 6070})
    first_start(moved, sandbox=True)
    _, found_trunks, found_bridges = asyncio.run(_everything(moved))
    (trunk,), (bridge,) = found_trunks, found_bridges
    assert (trunk.name, trunk.host, trunk.port, trunk.username) == ("sandbox", "127.0.0.1", 6070, "outdial")
    assert (bridge.number, bridge.trunk_id) == ("12025550199", trunk.id)


def test_an_old_embedded_database_is_migrated(settings: Settings) -> None:
    assert prepare_database(settings) is True
    assert prepare_database(settings) is False
    assert schema.current_revision(settings.resolved_database_url) == schema.newest_revision()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"data_dir = .*this folder cannot be made"):
        prepare_database(load_settings(data_dir=tmp_path / "file" / "data"))


def test_settings_reach_the_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings(
        sip={"bind_address": "127.0.0.2", "port": 1, "public_address": "192.0.2.1"},
        media={"workers": 3, "fill_to": 9, "port_min": 2000, "port_max": 3000, "rtp_timeout_seconds": 7}
        | {"public_address": "192.0.2.2"},
        dispatch={"max_concurrent": 5, "lease_seconds": 6, "drain_seconds": 7},
        limits={"upload_bytes": 2048, "sound_seconds": 9, "recipients": 10, "retries": 4},
        sandbox={"port": 11},
    )
    agent = user_agent_options(settings)
    assert (agent.bind_address, agent.port) == ("127.0.0.2", 1)
    assert (agent.public_address, agent.media_address) == ("192.0.2.1", "192.0.2.2")
    media = media_options(settings)
    assert (media.workers, media.fill_to, media.port_min, media.port_max) == (3, 9, 2000, 3000)
    assert media.rtp_timeout_s == 7
    dispatch = dispatch_options(settings)
    assert (dispatch.lease_s, dispatch.drain_s) == (6, 7)
    api = api_options(settings)
    assert (api.upload_bytes, api.sound_ms, api.recipients, api.retries) == (2048, 9000, 10, 4)
    assert sandbox_options(settings).port == 11
    assert media_options(load_settings()).workers >= 1


def test_a_port_that_is_taken_is_said() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            ConfigurationError, match=rf"api\.port = {port}: cannot listen there .Address already in use.;"
        ):
            listen("127.0.0.1", port)
    with pytest.raises(ConfigurationError, match=r"api\.host = 'no\.such\.host\.invalid'"):
        listen("no.such.host.invalid", 0)


def test_roles_end_in_the_order_in_which_they_need_each_other() -> None:
    assert roles_to_run(sandbox=False) == (Role.API, Role.DIALER, Role.WEBHOOKS)
    assert roles_to_run(sandbox=True) == (Role.API, Role.DIALER, Role.WEBHOOKS, Role.SANDBOX)
    assert list(role_command(Role.API, parent_pid=7))[-4:] == ["--role", "api", "--parent", "7"]


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (2, 2), (3, 2), (4, 3), (16, 15)])
def test_audio_gets_all_cores_but_one_and_both_of_two(cores: int, workers: int) -> None:
    assert media_workers_on(cores) == workers
