"""Accounts, tokens, trunks, bridges and sounds."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from outdial.storage import accounts, bridges, sounds, tokens, trunks
from tests.storage.world import BRIDGE, World


async def test_accounts(world: World) -> None:
    added = await world.database.run(accounts.insert, name="b", now=5, time_zone="Asia/Kolkata")
    assert await world.database.read(accounts.get, added.id) == added
    assert await world.database.read(accounts.get, 99) is None
    assert [account.name for account in await world.database.read(accounts.find_all)] == ["test", "b"]


async def test_only_the_hash_of_a_token_is_stored(world: World) -> None:
    token, secret = await world.database.run(
        tokens.insert,
        account_id=world.account_id,
        name="ci",
        new_secret=lambda: "s3cret-s3cret-s3cret",
        now=10,
        scopes=["calls"],
        addresses=["192.0.2.0/24"],
    )
    assert secret == "s3cret-s3cret-s3cret"
    assert token.prefix == "s3cret-s"
    found = await world.database.read(tokens.find, secret, now=11)
    assert found == token
    assert (token.scopes, token.addresses) == (("calls",), ("192.0.2.0/24",))
    assert await world.database.read(tokens.find, "s3cret-s", now=11) is None
    (listed,) = await world.database.read(tokens.of_account, world.account_id)
    assert secret not in repr(listed)


async def test_tokens_expire_and_are_revoked(world: World) -> None:
    run, read = world.database.run, world.database.read

    async def make(secret: str, expires_at: int | None = None) -> tokens.Token:
        token, _ = await run(
            tokens.insert,
            account_id=world.account_id,
            name=secret,
            new_secret=lambda: secret,
            now=10,
            expires_at=expires_at,
        )
        return token

    await make("short", expires_at=20)
    assert await read(tokens.find, "short", now=19) is not None
    assert await read(tokens.find, "short", now=20) is None
    token = await make("long")
    assert not await run(tokens.revoke, world.account_id + 1, token.id, now=30)
    assert await run(tokens.revoke, world.account_id, token.id, now=30)
    assert not await run(tokens.revoke, world.account_id, token.id, now=31)
    assert await read(tokens.find, "long", now=30) is None


async def test_use_of_a_token_is_noted_once_a_minute(world: World) -> None:
    token, secret = await world.database.run(
        tokens.insert, account_id=world.account_id, name="", new_secret=lambda: "x" * 32, now=10
    )
    noted = []
    for now in (100, 60_100, 60_101):
        await world.database.run(tokens.note_use, token.id, now=now)
        found = await world.database.read(tokens.find, secret, now=now)
        assert found is not None
        noted.append(found.last_used_at)
    assert noted == [100, 100, 60_101]


async def test_trunks(world: World) -> None:
    run, read = world.database.run, world.database.read
    settings = trunks.NewTrunk(
        name="carrier",
        host="sip.example.net",
        port=5080,
        username="me",
        password="hush",
        dial_prefix="+",
        codecs=("G722", "PCMU"),
        addresses=("198.51.100.0/24",),
        headers={"X-Account": "7"},
        caller_id_mode="p_asserted_identity",
        privacy=True,
        keep_to_peer=True,
        calls_per_second=0.5,
    )
    added = await run(trunks.insert, settings, now=9)
    assert await read(trunks.get, added.id) == added
    assert await read(trunks.get_by_name, "carrier") == added
    assert [trunk.name for trunk in await read(trunks.find_all)] == ["trunk", "carrier"]
    assert "hush" not in repr(added)
    with pytest.raises(IntegrityError):
        await run(trunks.insert, settings, now=9)
    changed = replace(settings, host="192.0.2.9", password="other")
    assert await run(trunks.update, added.id, changed)
    stored = await read(trunks.get, added.id)
    assert stored is not None
    assert (stored.host, stored.password, stored.created_at) == ("192.0.2.9", "other", 9)
    assert not await run(trunks.update, 99, replace(settings, name="z"))
    assert await read(trunks.get, 99) is None
    assert await read(trunks.get_by_name, "nobody") is None


async def test_a_trunk_is_removed_unless_a_bridge_or_a_call_names_it(world: World) -> None:
    run, read = world.database.run, world.database.read
    added = await run(trunks.insert, trunks.NewTrunk(name="spare", host="192.0.2.1"), now=9)
    assert await run(trunks.delete, added.id)
    assert await read(trunks.get, added.id) is None
    assert not await run(trunks.delete, added.id)

    with pytest.raises(IntegrityError):
        await run(trunks.delete, world.trunk_id)
    await world.queue()
    for bridge in await read(bridges.find_all):
        assert await run(bridges.delete, bridge.number)
    with pytest.raises(IntegrityError):
        await run(trunks.delete, world.trunk_id)
    assert await read(trunks.get, world.trunk_id) is not None


async def test_bridges(world: World) -> None:
    run, read = world.database.run, world.database.read
    added = await run(
        bridges.insert,
        number="918068280000",
        account_id=world.account_id,
        trunk_id=world.trunk_id,
        now=3,
        display_name="Clinic",
    )
    assert await read(bridges.get_by_number, "918068280000") == added
    assert await read(bridges.get_by_number, "1") is None
    assert [bridge.number for bridge in await read(bridges.find_all)] == [BRIDGE, "918068280000"]
    with pytest.raises(IntegrityError):
        await run(bridges.insert, number=BRIDGE, account_id=world.account_id, trunk_id=world.trunk_id, now=3)
    assert await run(bridges.delete, "918068280000")
    assert not await run(bridges.delete, "918068280000")
    with pytest.raises(IntegrityError):
        await run(bridges.insert, number="1", account_id=world.account_id, trunk_id=99, now=3)


async def test_sounds(world: World) -> None:
    run, read = world.database.run, world.database.read
    made = [
        sounds.Sound(
            id=f"id-{at}",
            account_id=world.account_id,
            name="hello",
            duration_ms=1200,
            source_format="mp3",
            bytes=20_000,
            sha256="0" * 64,
            created_at=at,
        )
        for at in (1, 2, 3)
    ]
    for sound in made:
        await run(sounds.insert, sound)
    assert await read(sounds.get, world.account_id, "id-2") == made[1]
    assert await read(sounds.get, world.account_id + 1, "id-2") is None
    assert await read(sounds.of_account, world.account_id, limit=2) == [made[2], made[1]]
    assert await read(sounds.of_account, world.account_id, offset=2) == [made[0]]
    assert await run(sounds.delete, world.account_id, "id-2", now=9)
    assert not await run(sounds.delete, world.account_id, "id-2", now=9)
    assert await read(sounds.get, world.account_id, "id-2") is None
    assert await read(sounds.count, world.account_id) == 2
    assert sounds.clip_key("a", "PCMA") == "sounds/a/PCMA.clip"
    assert sounds.source_key("a") == "sounds/a/source"
