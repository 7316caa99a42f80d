"""Flows, their versions, and what calls did in them."""

import dataclasses
import hashlib
import json
from functools import partial

import pytest

from outdial.dispatch.flow_library import FlowLibrary
from outdial.domain.flow_run import FlowRun
from outdial.domain.retry_policy import Done
from outdial.errors import NotFound
from outdial.storage import accounts, attempts, audit, cdrs, flow_runs, flows
from outdial.storage.audit import Actor
from outdial.storage.flow_runs import RunFilter
from outdial.storage.flows import FlowVersion
from tests.storage.world import World, outcome

ANNA = Actor(name="token 3", account_id=1, token_id=3, address="192.0.2.4")
BEN = Actor(name="ben")


async def test_a_draft_is_saved_only_over_the_revision_that_was_read(world: World) -> None:
    run, read = world.database.run, world.database.read
    flow = await run(flows.insert, world.account_id, name="a", draft="{}", now=5)
    assert await read(flows.get, world.account_id, flow.id) == flow
    saved = partial(flows.save, name="b", draft='{"x":1}', now=6)
    assert await run(saved, world.account_id, flow.id, revision=1)
    assert not await run(flows.save, world.account_id, flow.id, revision=1, name="c", draft="{}", now=7)
    found = await read(flows.get, world.account_id, flow.id)
    assert found == dataclasses.replace(flow, name="b", draft='{"x":1}', revision=2, updated_at=6)


async def test_versions_never_change_and_rolling_back_copies_nothing(world: World) -> None:
    run, read = world.database.run, world.database.read
    flow = await run(flows.insert, world.account_id, name="a", draft="1", now=5)
    assert await read(flows.published, world.account_id, [flow.id]) == {}
    one = await run(flows.publish, ANNA, world.account_id, flow.id, "one", note="first", now=6)
    again = await run(flows.publish, ANNA, world.account_id, flow.id, "one", note="the same", now=7)
    two = await run(flows.publish, ANNA, world.account_id, flow.id, "two", note="", now=8)
    assert one == again
    assert one is not None
    assert two is not None
    assert (one.version, two.version) == (1, 2)
    assert await read(flows.versions, flow.id) == [two, one]
    assert await run(flows.roll_back, BEN, world.account_id, flow.id, 1, now=9)
    assert await read(flows.published, world.account_id, [flow.id, 99]) == {flow.id: one}
    three = await run(flows.publish, ANNA, world.account_id, flow.id, "two", note="", now=10)
    assert three == two, "the newest version again, not a copy of it"
    assert await read(flows.get_version, flow.id, 1) == one
    assert await read(flows.get_version, flow.id, 3) is None


async def test_nothing_edits_a_version_that_was_published(world: World) -> None:
    run, read = world.database.run, world.database.read
    flow = await run(flows.insert, world.account_id, name="a", draft="one", now=5)
    this = (world.account_id, flow.id)
    kept: dict[int, FlowVersion] = {}

    async def publish(document: str, note: str, now: int) -> None:
        made = await run(flows.publish, BEN, *this, document, note=note, now=now)
        assert made is not None
        kept.setdefault(made.version, made)

    async def unchanged() -> None:
        assert {each.version: each for each in await read(flows.versions, flow.id)} == kept
        for each in kept.values():
            assert each.sha256 == hashlib.sha256(each.document.encode()).hexdigest()

    await publish("one", "first", 6)
    await publish("two", "second", 7)
    for step in (
        run(flows.save, *this, name="b", draft="of tomorrow", revision=1, now=8),
        publish("two", "the same with another note", 9),
        run(flows.roll_back, ANNA, *this, 1, now=10),
        run(flows.save, *this, name="c", draft="behind the one rolled back to", revision=2, now=11),
        publish("three", "", 12),
        publish("one", "the first again", 13),
        run(flows.roll_back, ANNA, *this, 2, now=14),
        run(flows.delete, ANNA, *this, now=15),
    ):
        await step
        await unchanged()
    assert [(each.document, each.note) for each in kept.values()] == [
        *(("one", "first"), ("two", "second"), ("three", ""), ("one", "the first again"))
    ]
    assert await run(flows.publish, BEN, *this, "five", note="", now=16) is None
    await unchanged()


async def test_the_audit_log_says_who_let_new_calls_get_what(world: World) -> None:
    run, read = world.database.run, world.database.read
    flow = await run(flows.insert, world.account_id, name="a", draft="1", now=5)
    this = (world.account_id, flow.id)
    one = await run(flows.publish, ANNA, *this, "one", note="", now=6)
    await run(flows.publish, BEN, *this, "one", note="nothing new", now=7)
    two = await run(flows.publish, BEN, *this, "two", note="", now=8)
    await run(flows.roll_back, ANNA, *this, 1, now=9)
    await run(flows.roll_back, ANNA, *this, 1, now=10)
    await run(flows.publish, ANNA, *this, "two", note="", now=11)
    await run(flows.delete, BEN, *this, now=12)
    await run(flows.delete, ANNA, *this, now=13)
    assert one is not None
    assert two is not None
    assert [each.published_by for each in await read(flows.versions, flow.id)] == ["ben", "token 3"]
    found, _ = await read(audit.find, thing="flow", thing_id=str(flow.id))
    assert [(each.at, each.actor, each.action, each.before, each.after) for each in found[::-1]] == [
        (6, "token 3", "publish", {"published": None}, {"published": 1}),
        (8, "ben", "publish", {"published": 1}, {"published": 2}),
        (9, "token 3", "roll_back", {"published": 2}, {"published": 1}),
        (11, "token 3", "publish", {"published": 1}, {"published": 2}),
        (12, "ben", "remove", {"name": "a", "published": 2}, None),
    ]
    first = found[-1]
    assert (first.account_id, first.token_id, first.address) == (1, 3, "192.0.2.4")


async def test_a_dialer_runs_the_version_that_a_call_is_pinned_to(world: World) -> None:
    run = world.database.run
    flow = await run(flows.insert, world.account_id, name="a", draft="{}", now=5)
    for number, entry in enumerate(("first", "second"), start=1):
        document = {"schema_version": 1, "entry": entry, "nodes": {entry: {"type": "hang_up"}}}
        await run(
            flows.publish, ANNA, world.account_id, flow.id, json.dumps(document), note="", now=5 + number
        )
    library = FlowLibrary(world.database)
    for version, entry in ((1, "first"), (2, "second"), (1, "first")):
        loaded, _ = await library.load(world.account_id, flow.id, version, "918867135000")
        assert loaded.flows[loaded.main].entry == entry
    with pytest.raises(NotFound, match="no version 3"):
        await library.load(world.account_id, flow.id, 3, "918867135000")


async def test_another_account_sees_and_changes_nothing(world: World) -> None:
    run, read = world.database.run, world.database.read
    other = await run(accounts.insert, name="b", now=5)
    flow = await run(flows.insert, world.account_id, name="a", draft="{}", now=5)
    assert await read(flows.get, other.id, flow.id) is None
    assert not await run(flows.save, other.id, flow.id, name="c", draft="{}", revision=1, now=7)
    assert await run(flows.publish, ANNA, other.id, flow.id, "x", note="", now=7) is None
    assert not await run(flows.roll_back, BEN, other.id, flow.id, 1, now=7)
    assert await read(flows.versions, flow.id) == []
    assert await read(audit.find, thing="flow") == ([], 0)
    assert not await run(flows.delete, ANNA, other.id, flow.id, now=7)
    assert (await read(flows.find, other.id))[1] == 0


async def test_flows_are_listed_by_a_part_of_their_name_and_gone_when_deleted(world: World) -> None:
    run, read = world.database.run, world.database.read
    made = [
        await run(flows.insert, world.account_id, name=name, draft="{}", now=5)
        for name in ("Payment 100%", "reminder", "payment b")
    ]
    found, total = await read(flows.find, world.account_id, name="PAYMENT", limit=1, offset=1)
    assert ([flow.name for flow in found], total) == (["payment b"], 2)
    assert (await read(flows.find, world.account_id, name="0%"))[1] == 1
    assert await run(flows.delete, ANNA, world.account_id, made[0].id, now=9)
    assert not await run(flows.delete, ANNA, world.account_id, made[0].id, now=9)
    assert await read(flows.get, world.account_id, made[0].id) is None
    assert (await read(flows.find, world.account_id))[1] == 2


async def test_a_run_is_kept_with_its_attempt(world: World) -> None:
    ((new,), dialer) = (await world.queue(), await world.dialer())
    call_id = new.id
    (claimed,) = await world.claim(dialer)
    flow = await world.database.run(flows.insert, world.account_id, name="a", draft="{}", now=5)
    step = {"flow": "", "node": "ask", "entered_at": 1, "exit": "1", "left_at": 2}
    ran = FlowRun(
        flow_id=flow.id, version=3, result="success", path=[step], variables={"age": 42}, tags=["warm"]
    )
    await world.database.run(flow_runs.insert, claimed.lease, ran, ended_at=500)
    assert await world.database.read(flow_runs.of_calls, [call_id]) == {(call_id, 1): ran}

    found = world.database.read
    later = RunFilter(ended_from=500, ended_before=501, version=3, result="success")
    ((stored,), total) = await found(flow_runs.find, world.account_id, flow.id, later, limit=10)
    assert (stored.call_id, stored.to, stored.run, total) == (call_id, new.to, ran, 1)
    for changes in ({"ended_from": 501}, {"ended_before": 500}, {"version": 2}, {"result": "failure"}):
        others = dataclasses.replace(later, **changes)
        assert await found(flow_runs.find, world.account_id, flow.id, others, limit=10) == ([], 0)
    assert await found(flow_runs.find, world.account_id + 1, flow.id, limit=10) == ([], 0)
    nothing = await found(flow_runs.following, world.account_id + 1, flow.id, after=None, limit=10)
    assert nothing == []


async def test_runs_are_read_part_by_part_without_a_gap(world: World) -> None:
    new = await world.queue(7)
    dialer = await world.dialer()
    flow = await world.database.run(flows.insert, world.account_id, name="a", draft="{}", now=5)
    for position, claimed in enumerate(await world.claim(dialer)):
        ran = FlowRun(flow_id=flow.id, version=1, result="success")
        await world.database.run(flow_runs.insert, claimed.lease, ran, ended_at=500 + position // 3)
    read: list[str] = []
    last = None
    for _ in range(10):
        part = await world.database.read(flow_runs.following, world.account_id, flow.id, after=last, limit=2)
        read += [each.call_id for each in part]
        if not part:
            break
        last = part[-1]
    assert sorted(read) == sorted(call.id for call in new)
    newest, total = await world.database.read(flow_runs.find, world.account_id, flow.id, limit=3, offset=2)
    assert [each.call_id for each in newest] == read[::-1][2:5]
    assert total == 7


async def test_the_record_of_an_attempt_has_its_run(world: World) -> None:
    await world.queue(2)
    flow = await world.database.run(flows.insert, world.account_id, name="a", draft="{}", now=5)
    ran = FlowRun(flow_id=flow.id, version=1, result="success", variables={"age": 42})
    first, second = await world.claim(await world.dialer())
    for call, run in ((first, ran), (second, None)):
        await world.database.run(attempts.mark_dialing, call.lease, now=world.now)
        ended = outcome(world.now, flow_run=run)
        assert await world.database.run(attempts.finish, call.lease, ended, Done(), now=world.now)
        (cdr,) = await world.database.read(cdrs.of_call, call.lease.call_id)
        assert cdr.outcome.flow_run == run
