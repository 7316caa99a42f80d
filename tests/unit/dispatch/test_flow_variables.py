"""What a flow knows of its call: times are the account's, the callee's clock is the number's."""

from pathlib import Path

import pytest
from tests.helpers.http_api import running_api
from tests.unit.webhooks.events import END_MS, call

from outdial.dispatch.flow_library import FlowLibrary
from outdial.dispatch.flow_variables import Zones, flow_variables
from outdial.flow.zones import zone_of
from outdial.storage import accounts


def test_times_are_in_the_account_s_zone() -> None:
    late = END_MS + 5 * 3_600_000  # 2019-08-16 20:10:14 UTC, the next day in Kolkata
    made = flow_variables(call(), Zones("Asia/Kolkata", "Asia/Dubai"), late)
    assert (made["start_at"], made["date"]) == ("2019-08-17 01:40:14", "2019-08-17")
    assert made["unixtime"] == late // 1000
    assert str(zone_of("account", made)) == "Asia/Kolkata"
    assert str(zone_of("callee", made)) == "Asia/Dubai"
    assert str(zone_of("callee", flow_variables(call(), Zones("Asia/Kolkata"), late))) == "Asia/Kolkata"


def test_a_variable_of_the_call_hides_nothing() -> None:
    given = {"to": "forged", "account": "forged", "caller": "forged", "date": "forged", "name": "Ann"}
    made = flow_variables(call(variables=given), Zones("No/Such"), END_MS)
    assert (made["to"], made["date"]) == ("918867135000", "2019-08-16")
    assert made["caller"] == {"country": "IN", "name": "Ann", "email": None, "timezone": None}
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
        zones = await FlowLibrary(api.database).zones(api.account_id, to)
    assert zones == Zones("Europe/Berlin", callee)
