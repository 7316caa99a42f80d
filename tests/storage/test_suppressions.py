"""Which calls a suppression forbids, and that the same wish twice is one row."""

import pytest

from outdial.domain.suppression import SuppressionType
from outdial.storage import suppressions
from outdial.storage.suppressions import SERVER, NewSuppression, SuppressionFilter
from tests.storage.world import BRIDGE, CALLEE, World

ALL, TAG, SENDER, SERVICE = (
    SuppressionType.ALL,
    SuppressionType.TAG,
    SuppressionType.SENDER,
    SuppressionType.SERVICE,
)


async def _add(world: World, new: NewSuppression, owner: int | None = None) -> bool:
    _, added = await world.database.run(
        suppressions.add,
        world.account_id if owner is None else owner,
        new,
        source="api",
        now=world.now,
    )
    return added


async def _blocked(world: World, to: str = CALLEE, **changes: str) -> bool:
    found = await world.database.read(
        suppressions.blocking, world.account_id, to, **({"bridge": BRIDGE, "tag": "spring"} | changes)
    )
    return found is not None


@pytest.mark.parametrize(
    ("kind", "value", "other"),
    [
        (ALL, "", {"to": "12025550101"}),
        (TAG, "spring", {"tag": "autumn"}),
        (SENDER, BRIDGE, {"bridge": "12025550198"}),
        (SERVICE, "voice", {"service": "fax"}),
    ],
)
async def test_a_suppression_forbids_what_its_type_says_and_no_more(
    world: World, kind: SuppressionType, value: str, other: dict[str, str]
) -> None:
    assert not await _blocked(world)
    await _add(world, NewSuppression(receiver=CALLEE, type=kind, value=value))
    assert await _blocked(world)
    assert not await _blocked(world, **other)


async def test_a_campaign_without_a_name_is_in_no_tag(world: World) -> None:
    await _add(world, NewSuppression(receiver=CALLEE, type=TAG, value="spring"))
    assert not await _blocked(world, tag="")


async def test_the_list_of_the_server_holds_for_every_account(world: World) -> None:
    await _add(world, NewSuppression(receiver=CALLEE), owner=SERVER)
    assert await _blocked(world)
    await _add(world, NewSuppression(receiver="12025550107"), owner=world.account_id + 1)
    assert not await _blocked(world, "12025550107")


async def test_the_same_wish_twice_is_one_row(world: World) -> None:
    new = NewSuppression(receiver=CALLEE, iso="US", type=TAG, value="spring")
    assert [await _add(world, new), await _add(world, new)] == [True, False]
    assert await _add(world, NewSuppression(receiver=CALLEE))
    assert await _add(world, new, owner=SERVER)
    found, total = await world.database.read(suppressions.find, world.account_id)
    assert ([each.type for each in found], total) == ([ALL, TAG], 2)
    assert (found[1].receiver, found[1].iso, found[1].value, found[1].source) == (
        CALLEE,
        "US",
        "spring",
        "api",
    )


async def test_many_at_once_count_only_the_new_ones(world: World) -> None:
    run, account = world.database.run, world.account_id
    rows = [NewSuppression(receiver=str(12025550100 + n)) for n in range(5)]
    assert await run(suppressions.add_many, account, rows[:3], source="import", now=1) == 3
    assert await run(suppressions.add_many, account, [*rows, rows[4]], source="import", now=2) == 2
    assert await run(suppressions.add_many, account, [], source="import", now=3) == 0
    assert (await world.database.read(suppressions.find, account))[1] == 5


async def test_lists_are_filtered_and_cut_into_pages(world: World) -> None:
    run, read, account = world.database.run, world.database.read, world.account_id
    rows = [NewSuppression(receiver=str(12025550100 + n), iso="US") for n in range(3)]
    rows.append(NewSuppression(receiver="4930901820", iso="DE", type=TAG, value="x"))
    await run(suppressions.add_many, account, rows, source="import", now=1)
    page, total = await read(suppressions.find, account, SuppressionFilter(iso="US"), limit=2, offset=2)
    assert (len(page), total) == (1, 3)
    page, total = await read(suppressions.find, account, SuppressionFilter(type=TAG, value="x"))
    assert ([each.receiver for each in page], total) == (["4930901820"], 1)
    assert await run(suppressions.delete_all, account, SuppressionFilter(iso="US")) == 3
    assert await run(suppressions.delete_all, account) == 1
    assert await run(suppressions.delete_all, account) == 0


async def test_change_and_delete_are_the_owner_s_alone(world: World) -> None:
    run, read, account = world.database.run, world.database.read, world.account_id
    row, _ = await run(suppressions.add, account, NewSuppression(receiver=CALLEE), source="api", now=1)
    changed = NewSuppression(receiver="12025550107", iso="US", type=SENDER, value=BRIDGE)
    assert not await run(suppressions.update, account + 1, row.id, changed, now=2)
    assert await run(suppressions.update, account, row.id, changed, now=2)
    found = await read(suppressions.get, account, row.id)
    assert found is not None
    assert (found.receiver, found.type, found.value, found.updated_at) == ("12025550107", SENDER, BRIDGE, 2)
    other, _ = await run(suppressions.add, account, NewSuppression(receiver=CALLEE), source="api", now=3)
    assert not await run(suppressions.update, account, other.id, changed, now=4)
    assert await run(suppressions.update, account, row.id, changed, now=5)
    assert not await run(suppressions.delete, account + 1, row.id)
    assert await run(suppressions.delete, account, row.id)
    assert await read(suppressions.get, account, row.id) is None
