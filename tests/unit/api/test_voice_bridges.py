"""What an account may call from is listed for it, and for nobody else."""

from tests.helpers.http_api import BRIDGE, Api

from outdial.domain.scope import Scope
from outdial.storage import accounts, bridges, tokens


async def test_an_account_sees_its_own_numbers(api: Api) -> None:
    other = await api.database.run(accounts.insert, name="other", now=1)
    for number, account_id in (("12025550100", api.account_id), ("12025550101", other.id)):
        await api.database.run(
            bridges.insert, number=number, account_id=account_id, trunk_id=api.trunk_id, now=api.clock()
        )
    await api.database.run(bridges.limit, BRIDGE, calls_per_second=2.5, max_concurrent=None)
    await api.database.run(bridges.pause, BRIDGE, now=1)
    status, answer = await api.call("GET", "voice/bridges")
    assert status == 200
    assert answer["data"] == [
        {
            "id": 2,
            "bridge": "12025550100",
            "display_name": "",
            "status": "active",
            "calls_per_second": None,
            "max_concurrent": None,
            "created_at": "2019-08-16 15:09:51",
        },
        {
            "id": 1,
            "bridge": BRIDGE,
            "display_name": "",
            "status": "paused",
            "calls_per_second": 2.5,
            "max_concurrent": None,
            "created_at": "2019-08-16 15:09:51",
        },
    ]
    assert answer["meta"]["total"] == 2
    _, second = await api.call("GET", "voice/bridges?per_page=1&page=2")
    assert [each["bridge"] for each in second["data"]] == [BRIDGE]
    assert (await api.call("GET", f"voice/bridges/{BRIDGE}"))[1]["data"] == answer["data"][1]
    assert (await api.call("GET", "voice/bridges/12025550101"))[0] == 404
    assert (await api.call("GET", "voice/bridges/no"))[0] == 404


async def test_any_token_may_ask(api: Api) -> None:
    await api.database.run(
        tokens.insert,
        account_id=api.account_id,
        name="sounds",
        new_secret=lambda: "s" * 32,
        now=1,
        scopes=[Scope.SOUNDS],
    )
    status, _ = await api.call("GET", "voice/bridges", headers={"Authorization": f"Bearer {'s' * 32}"})
    assert status == 200
