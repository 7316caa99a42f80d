"""Variables stand in every recipient's row, so what they hold in all is bounded."""

import pytest
from tests.helpers.http_api import BRIDGE, Api


@pytest.mark.parametrize(("characters", "complaint"), [(8186, False), (8187, True), (1_000_000, True)])
async def test_what_variables_hold_in_all_is_bounded(api: Api, characters: int, complaint: bool) -> None:
    body = {
        "bridge": BRIDGE,
        "to": "918867135000",
        "audio": "unknown",
        "variables": {"letter": "x" * characters},
    }
    status, answer = await api.call("POST", "outgoing/send", json=body)
    assert status == 422
    assert ("variables" in answer["errors"]) is complaint
