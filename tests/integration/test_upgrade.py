"""A database of the first version, upgraded: nothing is lost, what waited is dialled; and versions that do
not fit each other.
"""

# ruff: noqa: E501 - rows of SQL are easier to compare unbroken

import hashlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.helpers.system import System

from outdial.audio.clip import BYTES_PER_MS, CODECS
from outdial.storage import cdrs, schema, sounds
from outdial.storage.blobs import Blobs
from outdial.storage.engine import writer_engine

pytestmark = pytest.mark.timeout(180)

SECRET = "a-token-of-the-first-version-0001"
SOUND = "39888925-718e-43bb-a8b1-d4a3e1f0c2b7"
SOUND_MS = 200
BUSY = "12025550102"
CALLS = {
    "old:queued": ("12025550100", "queued", "NULL", "NULL", "NULL"),
    "old:retry": (BUSY, "queued", "NULL", "'BUSY'", "'rejected'"),
    "old:done": ("12025550101", "done", "900", "'ANSWER'", "'completed'"),
    "old:dialing": ("12025550103", "leased", "NULL", "NULL", "NULL"),
    "old:answered": ("12025550104", "leased", "NULL", "NULL", "NULL"),
}
ROWS = (
    f"""
INSERT INTO accounts (name, time_zone, created_at) VALUES ('default', 'Asia/Kolkata', 1);
INSERT INTO tokens (account_id, name, prefix, sha256, scopes, addresses, created_at)
  VALUES (1, 'first', 'a-token', '{hashlib.sha256(SECRET.encode()).hexdigest()}', '[]', '[]', 1);
INSERT INTO trunks (name, host, port, transport, username, password, dial_prefix, caller_id_mode, privacy, codecs,
  ptime_ms, ring_timeout_s, max_call_s, session_expires_s, options_interval_s, calls_per_second, max_concurrent,
  keep_to_peer, addresses, headers, enabled, created_at)
  VALUES ('sandbox', '127.0.0.1', 5070, 'udp', 'outdial', 'secret', '', 'from', false, '["PCMA"]',
  20, 45, 3600, 1800, 60, 10.0, 100, false, '[]', '{{}}', true, 1);
INSERT INTO bridges (number, account_id, trunk_id, display_name, created_at) VALUES ('12025550199', 1, 1, '', 1);
INSERT INTO sounds (id, account_id, name, duration_ms, source_format, bytes, sha256, created_at)
  VALUES ('{SOUND}', 1, 'welcome', {SOUND_MS}, 'wav', 1600, '', 1);
INSERT INTO dialers (id, host, pid, started_at, renewed_at, lease_until)
  VALUES ('old dialer', 'old', 1, 100, 500, 600);
"""
    + "".join(
        f"""
INSERT INTO calls (id, account_id, bridge, trunk_id, to_number, iso, sound_id, name, customid, customid1, variables,
  retries, interval_minutes, submitted_at, due_at, state, fence, dialer_id, attempts_started, attempts_spent,
  trunk_faults, disposition, reason, done_at)
  VALUES ('{call_id}', 1, '12025550199', 1, '{to}', 'US', '{SOUND}', 'c', 'mine', '', '{{"otp": "1234"}}',
  1, 5, 100, 200, '{state}', 1, {"'old dialer'" if state == "leased" else "NULL"},
  {0 if call_id == "old:queued" else 1}, {0 if state == "leased" or call_id == "old:queued" else 1}, 0,
  {disposition}, {reason}, {done_at});
"""
        for call_id, (to, state, done_at, disposition, reason) in CALLS.items()
    )
    + """
INSERT INTO attempts (call_id, number, fence, dialer_id, state, claimed_at, dialing_at, answered_at, ended_at) VALUES
  ('old:retry', 1, 1, 'old dialer', 'ended', 100, 110, NULL, 150),
  ('old:done', 1, 1, 'old dialer', 'ended', 100, 110, 200, 900),
  ('old:dialing', 1, 1, 'old dialer', 'dialing', 100, 110, NULL, NULL),
  ('old:answered', 1, 1, 'old dialer', 'answered', 100, 110, 300, NULL);
INSERT INTO cdrs (call_id, number, dialer_id, disposition, reason, hangup_by, dialing_at, answered_at, ended_at,
  ring_ms, talk_ms, sip_call_id, sip_code, sip_reason, dtmf, codec, ptime_ms, played_ms) VALUES
  ('old:retry', 1, 'old dialer', 'BUSY', 'rejected', 'callee', 110, NULL, 150, 0, 0, 'x', 486, 'Busy Here', '',
  NULL, NULL, 0),
  ('old:done', 1, 'old dialer', 'ANSWER', 'completed', 'system', 110, 200, 900, 0, 700, 'y', 200, 'OK', '12',
  'PCMA', 20, 200);
"""
)


@pytest.fixture
async def system(tmp_path: Path, database_url: str) -> AsyncIterator[System]:
    """What the first version left behind."""
    schema.downgrade(database_url, "base")
    schema.upgrade(database_url, "0001")
    _execute(database_url, ROWS)
    running = System(tmp_path, database_url, settings={"dispatch.lease_seconds": 20})
    running._token = SECRET
    blobs = Blobs(f"file://{running.data_dir / 'blobs'}")
    for codec in CODECS:
        await blobs.put(sounds.clip_key(SOUND, codec), b"\x55" * (SOUND_MS * BYTES_PER_MS))
    yield running
    await running.close()


async def test_nothing_is_lost_and_what_waited_is_dialled(system: System) -> None:
    if not system.database_url.startswith("sqlite"):
        status, said = _command(system, "serve", "--sandbox")
        assert (status, "at revision 0001" in said, "run `outdial db upgrade`" in said) == (78, True, True)
        status, said = _command(system, "db", "upgrade")
        assert (status, f"from 0001 to revision {schema.newest_revision()}" in said) == (0, True)
    server = await system.start()

    assert (await system.done("old:queued"))["status"] == "ANSWER"
    retried = await system.done("old:retry")
    assert [(each["status"], each["sip_code"]) for each in retried["attempts"]] == [("BUSY", 486)] * 2
    done = await system.callstatus("old:done")
    assert (done["status"], done["dtmf"], done["customid"]) == ("ANSWER", "12", "mine")
    for call_id, ended in (("old:dialing", "CHANUNAVAIL"), ("old:answered", "ANSWER")):
        row = await system.done(call_id)
        assert (row["status"], row["attempts"][0]["reason"]) == (ended, "interrupted")
    assert sorted(heard.number for heard in system.heard()) == sorted((CALLS["old:queued"][0], BUSY))
    assert len(system.read(cdrs.of_call, "old:done")) == 1
    listed = (await system.request("GET", "voice/sounds"))[1]["data"]
    assert [each["name"] for each in listed] == ["welcome"]
    assert await server.stop() == 0


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path, database_url: str) -> None:
    system = System(tmp_path, database_url)
    _execute(database_url, "UPDATE alembic_version SET version_num = '9999';")
    for arguments in (("serve",), ("serve", "--role", "dialer"), ("db", "upgrade"), ("token", "list")):
        status, said = _command(system, *arguments)
        assert status == 78, said
        assert "at revision 9999, which a newer version of Outdial made" in said
        assert "Traceback" not in said
    status, said = _command(system, "db", "check")
    assert (status, "A newer version of Outdial made it" in said) == (1, True)
    assert schema.current_revision(database_url) == "9999"


def _execute(url: str, statements: str) -> None:
    engine = writer_engine(url)
    with engine.begin() as conn:
        for statement in statements.split(";\n"):
            if statement.strip():
                conn.execute(sa.text(statement.replace(":", "\\:")))
    engine.dispose()


def _command(system: System, *arguments: str) -> tuple[int, str]:
    """Run `outdial` on the settings of a system: its status, and all that it wrote."""
    done = subprocess.run(
        [sys.executable, "-m", "outdial", *arguments],
        env=system.environment(),
        cwd=system.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr
