"""What a flow knows of its call: times are the account's, the callee's clock is the number's."""

import json
from pathlib import Path

import pytest
from tests.helpers.http_api import Api, running_api
from tests.unit.webhooks.events import END_MS, call

from outdial.dispatch.flow_library import FlowLibrary
from outdial.dispatch.flow_variables import Locality, flow_variables
from outdial.domain.number_origin import Origin
from outdial.flow.zones import zone_of
from outdial.storage import accounts, flows
from outdial.storage.audit import Actor

ANNA = Actor(name="anna")


def test_times_are_in_the_account_s_zone() -> None:
    late = END_MS + 5 * 3_600_000  # 2019-08-16 20:10:14 UTC, the next day in Kolkata
    made = flow_variables(call(), Locality("Asia/Kolkata", "Asia/Dubai"), late)
    assert (made["start_at"], made["date"]) == ("2019-08-17 01:40:14", "2019-08-17")
    assert made["unixtime"] == late // 1000
    assert str(zone_of("account", made)) == "Asia/Kolkata"
    assert str(zone_of("callee", made)) == "Asia/Dubai"
    assert str(zone_of("callee", flow_variables(call(), Locality("Asia/Kolkata"), late))) == "Asia/Kolkata"


def test_a_variable_of_the_call_hides_nothing() -> None:
    given = {"to": "forged", "account": "forged", "caller": "forged", "date": "forged", "name": "Ann"}
    made = flow_variables(call(variables=given), Locality("No/Such"), END_MS)
    assert (made["to"], made["date"]) == ("918867135000", "2019-08-16")
    assert made["caller"] == {
        "country": "IN",
        "provider": None,
        "region": None,
        "name": "Ann",
        "email": None,
        "timezone": None,
    }
    assert made["account"] == {"timezone": "No/Such"}


@pytest.mark.parametrize(
    ("to", "callee"),
    [
        ("918867135000", "Asia/Calcutta"),
        ("12125550100", "America/New_York"),
        ("18005550100", None),
        ("79161234567", None),
        ("0", None),
    ],
)
async def test_zones_of_a_call(tmp_path: Path, to: str, callee: str | None) -> None:
    async with running_api(tmp_path) as api:
        await api.database.run(accounts.update, api.account_id, {"time_zone": "Europe/Berlin"})
        flow_id = await _published(api, "Hello.")
        _, locality = await FlowLibrary(api.database).load(api.account_id, flow_id, 1, to)
    assert locality == Locality("Europe/Berlin", callee)


async def test_a_flow_that_asks_knows_where_the_callee_s_number_comes_from(tmp_path: Path) -> None:
    async with running_api(tmp_path) as api:
        flow_id = await _published(api, "{{caller.region}}, {{caller.provider}}")
        _, locality = await FlowLibrary(api.database).load(api.account_id, flow_id, 1, "918867135000")
    assert locality.origin == Origin("Tata Docomo", "India")
    made = flow_variables(call(), locality, END_MS)
    assert isinstance(made["caller"], dict)
    assert (made["caller"]["provider"], made["caller"]["region"]) == ("Tata Docomo", "India")


async def _published(api: Api, text: str) -> int:
    flow = {
        "schema_version": 1,
        "entry": "say",
        "nodes": {"say": {"type": "play", "settings": {"prompt": text}}},
    }
    draft = json.dumps(flow)
    stored = await api.database.run(flows.insert, account_id=api.account_id, name="f", draft=draft, now=1)
    await api.database.run(flows.publish, ANNA, api.account_id, stored.id, draft, note="", now=1)
    return stored.id
