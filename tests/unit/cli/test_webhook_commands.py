"""`outdial webhook`, against a running API and a real endpoint."""

import asyncio
import json
import os
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from tests.helpers.endpoint import Endpoint, endpoint
from tests.unit.cli.conftest import ApiInThread, Outdial

from outdial.supervisor import exit_codes


@pytest.fixture
def receiver() -> Iterator[Endpoint]:
    """An endpoint beside the test: commands have event loops of their own."""
    ready, found, stop = threading.Event(), [], []

    async def serve() -> None:
        stop.append((asyncio.get_running_loop(), asyncio.Event()))
        async with endpoint() as running:
            found.append(running)
            ready.set()
            await stop[0][1].wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(30)
    yield found[0]
    loop, event = stop[0]
    loop.call_soon_threadsafe(event.set)
    thread.join(30)


def test_the_life_of_a_webhook(outdial: Outdial, api_server: ApiInThread, receiver: Endpoint) -> None:
    assert "There are no webhooks yet" in outdial("webhook", "list").out
    added = outdial(
        "webhook", "add", "crm", receiver.url, "--header", "X-Team: billing", "--subscribe", "--json"
    )
    assert added.status == 0, added.err
    row = json.loads(added.out)
    assert (row["status"], row["headers"]) == (1, {"X-Team": "billing"})
    assert row["secret"].startswith("whsec_")

    listed = outdial("webhook", "list")
    assert "crm" in listed.out
    assert "failing since" in listed.out
    assert row["secret"] not in listed.out + outdial("webhook", "show", str(row["id"])).out
    assert json.loads(outdial("webhook", "list", "--name", "nobody", "--json").out) == []
    assert json.loads(outdial("webhook", "show", str(row["id"]), "--json").out)["name"] == "crm"

    assert "is verified" in outdial("webhook", "verify", str(row["id"])).out
    receiver.answers_challenges = False
    refused = outdial("webhook", "verify", str(row["id"]))
    assert refused.status == exit_codes.USAGE
    assert "should answer the challenge" in refused.err

    assert "Nothing was sent" in outdial("webhook", "deliveries", str(row["id"])).out
    assert json.loads(outdial("webhook", "deliveries", str(row["id"]), "--json").out) == []
    assert "There is no delivery 1" in outdial("webhook", "replay", str(row["id"]), "1").err

    assert "is removed" in outdial("webhook", "remove", str(row["id"])).out
    gone = outdial("webhook", "remove", str(row["id"]), "--json")
    assert (gone.status, gone.err) == (exit_codes.FAILED, f"outdial: There is no webhook {row['id']}.\n")


def test_an_endpoint_that_does_not_answer_fails_the_command(
    outdial: Outdial, api_server: ApiInThread, receiver: Endpoint
) -> None:
    receiver.answers_challenges = False
    added = outdial("webhook", "add", "crm", receiver.url)
    assert added.status == exit_codes.FAILED
    assert "not verified" in added.err
    assert "whsec_" in added.out  # the webhook is there, and this is the only time that its secret is
    assert added.err.endswith("Mend that, then: outdial webhook verify 1\n")


def test_an_endpoint_that_was_mended_is_subscribed(
    outdial: Outdial, api_server: ApiInThread, receiver: Endpoint
) -> None:
    receiver.answers_challenges = False
    added = outdial("webhook", "add", "crm", receiver.url, "--subscribe")
    assert "outdial webhook verify 1 --subscribe" in added.err
    receiver.answers_challenges = True
    assert outdial("webhook", "verify", "1", "--subscribe").status == 0
    assert [each["webhook_id"] for each in _subscriptions()] == [1]


def test_a_header_is_a_name_and_a_value(outdial: Outdial, api_server: ApiInThread) -> None:
    added = outdial("webhook", "add", "crm", "https://example.com/", "--header", "nonsense")
    assert added.status == exit_codes.USAGE


def _subscriptions() -> list[dict[str, Any]]:
    request = urllib.request.Request(
        f"{os.environ['OUTDIAL_URL']}/api/v1/developer/subscriptions",
        headers={"Authorization": f"Bearer {os.environ['OUTDIAL_TOKEN']}"},
    )
    with urllib.request.urlopen(request) as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]
    return found
