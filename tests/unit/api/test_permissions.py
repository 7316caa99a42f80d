"""A token does what its scopes say, at every endpoint; times are in its account's time zone."""

from functools import partial
from ipaddress import ip_network
from typing import Any

import pytest
import sqlalchemy as sa
from tests.helpers.http_api import Api
from tests.helpers.poll import until

from outdial.api.app import create_api
from outdial.api.auth import Principal
from outdial.api.permissions import NEEDED, needed_scope
from outdial.domain.scope import Scope
from outdial.storage import accounts, tables, tokens

ENDPOINTS = [
    (method.upper(), path, needed_scope(method.upper(), path))
    for path, operations in create_api().openapi()["paths"].items()
    for method in operations
    if path.startswith("/api/")
]


async def token_with(api: Api, *scopes: str, account_id: int | None = None) -> dict[str, str]:
    """The header of a new token with these scopes."""
    secret = f"token-{'-'.join(scopes)}-{account_id}"
    await api.database.run(
        tokens.insert,
        account_id=account_id or api.account_id,
        name="x",
        new_secret=lambda: secret,
        now=1,
        scopes=scopes,
    )
    return {"Authorization": f"Bearer {secret}"}


async def test_no_endpoint_opens_without_its_scope(api: Api) -> None:
    headers = {scopes: await token_with(api, *scopes) for scopes in _wanted_tokens()}
    for method, path, scope in ENDPOINTS:
        status, answer = await api.call(method, path, headers=headers[()])
        if scope is None:
            assert status != 403, path
            continue
        sentence = f"This token lacks the scope {scope}, which this endpoint needs."
        assert (status, answer["message"]) == (403, sentence), path
        assert (await api.call(method, path, headers=headers[_others(scope)]))[0] == 403, path
        for enough in _larger(scope):
            status, answer = await api.call(method, path, headers=headers[(enough,)])
            assert status not in (401, 403), (path, answer)


def _wanted_tokens() -> set[tuple[Scope, ...]]:
    scopes = {scope for _, _, scope in ENDPOINTS if scope is not None}
    enough = {(each,) for scope in scopes for each in _larger(scope)}
    return {(), *enough, *(_others(scope) for scope in scopes)}


def _others(scope: Scope) -> tuple[Scope, ...]:
    return tuple(each for each in Scope if each not in _larger(scope))


def _larger(scope: Scope) -> set[Scope]:
    larger: set[Scope] = {scope} if scope is Scope.ADMIN else {scope, Scope.ACCOUNT}
    return larger | {Scope.CALLS} if scope is Scope.CALLS_READ else larger


def test_every_endpoint_stands_in_the_table_and_its_scope_in_the_description() -> None:
    paths: dict[str, Any] = create_api().openapi()["paths"]
    for method, path, scope in ENDPOINTS:
        rest = path.removeprefix("/api/v1")
        assert any(rest == each or rest.startswith(f"{each}/") for each in NEEDED), path
        roles = [] if scope is None else [scope.value]
        assert paths[path][method.lower()]["security"] == [{"bearer": roles}, {"access_token": roles}]


def test_what_is_not_in_the_table_is_an_administrator_s() -> None:
    assert needed_scope("GET", "/api/v1/forgotten") is Scope.ADMIN
    assert needed_scope("GET", "/api/v1/outgoing-else") is Scope.ADMIN


async def test_times_are_in_the_account_s_time_zone(api: Api) -> None:
    kolkata = await api.database.run(accounts.insert, name="b", now=1, time_zone="Asia/Kolkata")
    headers = await token_with(api, "webhooks", account_id=kolkata.id)
    body = {"name": "crm", "uri": "https://example.com/calls"}
    status, answer = await api.call("POST", "developer/webhooks", json=body, headers=headers)
    assert (status, answer["data"]["created_at"]) == (200, "2019-08-16 20:39:51")
    status, answer = await api.call("POST", "developer/webhooks", json=body)
    assert (status, answer["data"]["created_at"]) == (200, "2019-08-16 15:09:51")


async def test_a_day_is_a_day_of_the_account_s_time_zone(api: Api) -> None:
    from zoneinfo import ZoneInfo

    from starlette.datastructures import QueryParams

    from outdial.api.call_filter import read_call_filter
    from outdial.api.local_time import use_zone

    use_zone(ZoneInfo("Europe/Berlin"))
    for day, hours in (("2024-03-31", 23), ("2024-10-27", 25), ("2024-08-16", 24)):
        wanted = read_call_filter(QueryParams(date=day))
        assert wanted is not None
        assert wanted.submitted_before - wanted.submitted_from == hours * 3_600_000
    summer = read_call_filter(QueryParams(date="2024-08-16"))
    assert summer is not None
    assert summer.submitted_from == 1_723_759_200_000


@pytest.mark.parametrize("end", ["time", "revocation", "account"])
async def test_a_token_ends_with_its_time_its_revocation_and_its_account(api: Api, end: str) -> None:
    other = await api.database.run(accounts.insert, name="other", now=1)
    token, secret = await api.database.run(
        tokens.insert,
        account_id=other.id,
        name="x",
        new_secret=lambda: "t" * 32,
        now=1,
        expires_at=api.clock.now + 5_000 if end == "time" else None,
    )
    headers = {"Authorization": f"Bearer {secret}"}
    assert (await api.call("GET", "auth/me", headers=headers))[0] == 200
    if end == "revocation":
        await api.database.run(tokens.revoke, other.id, token.id, now=api.clock.now)
    if end == "account":
        query = sa.update(tables.accounts).where(tables.accounts.c.id == other.id).values(closed_at=1)
        await api.database.run(lambda conn: conn.execute(query).rowcount)
    api.clock.now += 5_000  # what is known of a token is looked up again by then
    assert (await api.call("GET", "auth/me", headers=headers))[0] == 401


async def test_a_token_for_other_addresses_is_refused(api: Api) -> None:
    for network, status in (("192.0.2.0/24", 403), ("127.0.0.0/8", 200)):
        _, secret = await api.database.run(
            tokens.insert,
            account_id=api.account_id,
            name="x",
            new_secret=partial(str, f"token for {network}"),
            now=1,
            addresses=[network],
        )
        headers = {"Authorization": f"Bearer {secret}"}
        assert (await api.call("GET", "auth/me", headers=headers))[0] == status


@pytest.mark.parametrize(
    ("address", "may"),
    [("192.0.2.7", True), ("192.0.3.7", False), ("2001:db8::1", False), ("unknown", False), ("", False)],
)
def test_a_token_for_some_addresses_wants_one_that_can_be_read(address: str, may: bool) -> None:
    principal = Principal(
        account_id=1,
        token_id=1,
        networks=(ip_network("192.0.2.0/24"),),
    )
    assert principal.may_come_from(address) is may


async def test_a_token_knows_when_it_was_used_last(api: Api) -> None:
    headers = await token_with(api, Scope.CALLS)
    _, first = await api.call("GET", "auth/me", headers=headers)
    token_id = first["data"]["token"]["id"]

    async def used() -> bool:
        token = await api.database.read(tokens.get, api.account_id, token_id)
        return token is not None and token.last_used_at is not None

    await until(used, "the use of the token to be noted")
