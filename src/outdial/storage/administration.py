"""Changes that an administrator makes, each one transaction with its line of the audit log.

The HTTP API and the command line both make them here. They raise InvalidInput with a sentence for what cannot
be done, NotFound for what is not there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from outdial.domain.money import to_text
from outdial.errors import InUse, InvalidReference, NotFound
from outdial.storage import accounts, audit, bridges, calls, credit, tokens, trunks
from outdial.storage.accounts import Account
from outdial.storage.audit import Actor
from outdial.storage.bridges import Bridge
from outdial.storage.credit import NotCovered
from outdial.storage.database import Database
from outdial.storage.tokens import Token
from outdial.storage.trunks import NewTrunk, Trunk

Thing = TypeVar("Thing", Account, Bridge, Trunk)

_LIMITS = ("calls_per_second", "max_concurrent")
_CANCELLED_AT_ONCE = 500
"""Calls in one transaction when an account is closed: others get their turn in between."""


def create_account(conn: sa.Connection, actor: Actor, values: Mapping[str, Any], *, now: int) -> Account:
    """Add an account."""
    first = {name: value for name, value in values.items() if name in ("name", "time_zone")}
    added = accounts.insert(conn, now=now, **first)
    settings, limits, paused = _parts(values, added)
    _choose_terms(conn, added, settings)
    accounts.update(conn, added.id, settings)
    if limits:
        accounts.limit(conn, added.id, **limits)
    if paused:
        accounts.pause(conn, added.id, now=now)
    added = the_account(conn, added.id)
    audit.write(conn, actor, at=now, action="create", thing="account", thing_id=added.id, after=asdict(added))
    return added


def change_account(
    conn: sa.Connection, actor: Actor, account_id: int, values: Mapping[str, Any], *, now: int
) -> Account:
    """Change name, time zone, limits or terms."""
    before = the_account(conn, account_id)
    settings, limits, paused = _parts(values, before)
    _choose_terms(conn, before, settings)
    accounts.update(conn, account_id, settings)
    if limits:
        accounts.limit(conn, account_id, **limits)
    if paused is not None:
        accounts.pause(conn, account_id, now=now) if paused else accounts.resume(conn, account_id)
    after = the_account(conn, account_id)
    _note_change(conn, actor, "account", account_id, before, after, now)
    return after


def _choose_terms(conn: sa.Connection, account: Account, settings: dict[str, Any]) -> None:
    """Take what says how an account pays out of `settings`, and set it. Raises InUse."""
    prepaid = settings.pop("prepaid", account.prepaid)
    currency = settings.pop("currency", account.currency)
    if (prepaid, currency) == (account.prepaid, account.currency):
        return
    if currency != account.currency and (account.balance or account.reserved):
        raise InUse(f"The balance is in {account.currency}: the currency can change only at 0.", "currency")
    try:
        credit.set_terms(conn, account.id, prepaid=prepaid, currency=currency)
    except NotCovered as error:
        owed = f"{to_text(error.credit.available)} {error.credit.currency}"
        raise InUse(
            f"An account that owes cannot become prepaid: {owed} are available.", "prepaid"
        ) from error


async def close_account(database: Database, actor: Actor, account_id: int, *, now: int) -> Account:
    """Close an account: its tokens are no longer valid, and its waiting calls are cancelled.

    Closing it again cancels what a crash in between left over. Raises InUse for the first account, whose
    tokens administer the server.
    """
    closed = await database.run(_close, actor, account_id, now=now)
    while await database.run(calls.cancel_of_account, account_id, now=now, limit=_CANCELLED_AT_ONCE):
        pass
    return closed


def _close(conn: sa.Connection, actor: Actor, account_id: int, *, now: int) -> Account:
    before = the_account(conn, account_id)
    if before.closed_at is not None:
        return before
    if account_id == accounts.find_all(conn)[0].id:
        raise InUse(
            f"The account {account_id} is the server's own: its administrator's tokens would end with it."
            " Pause it if it shall not call."
        )
    accounts.update(conn, account_id, {"closed_at": now})
    audit.write(conn, actor, at=now, action="close", thing="account", thing_id=account_id)
    return the_account(conn, account_id)


def the_account(conn: sa.Connection, account_id: int) -> Account:
    """Return an account. Raises NotFound."""
    found = accounts.get(conn, account_id)
    if found is None:
        raise NotFound(f"There is no account {account_id}.")
    return found


def check_references(conn: sa.Connection, values: Mapping[str, Any]) -> None:
    """Look for the account and the trunks that a change names, if any. Raises InvalidReference."""
    wrong = {}
    if values.get("account_id") is not None and accounts.get(conn, values["account_id"]) is None:
        wrong["account_id"] = f"There is no account {values['account_id']}."
    if values.get("trunk_id") is not None and trunks.get(conn, values["trunk_id"]) is None:
        wrong["trunk_id"] = f"There is no trunk {values['trunk_id']}."
    for each in values.get("further_trunk_ids") or ():
        if trunks.get(conn, each) is None:
            wrong["further_trunk_ids"] = f"There is no trunk {each}."
    if wrong:
        raise InvalidReference(wrong)


def create_token(
    conn: sa.Connection,
    actor: Actor,
    *,
    account_id: int,
    name: str,
    scopes: Sequence[str],
    new_secret: Callable[[], str],
    now: int,
    addresses: Sequence[str] = (),
    expires_at: int | None = None,
) -> tuple[Token, str]:
    """Make a token; returns it with its secret, which is kept nowhere."""
    check_references(conn, {"account_id": account_id})
    if the_account(conn, account_id).closed_at is not None:
        raise InvalidReference({"account_id": f"The account {account_id} is closed."})
    token, secret = tokens.insert(
        conn,
        account_id=account_id,
        name=name,
        new_secret=new_secret,
        now=now,
        scopes=scopes,
        addresses=addresses,
        expires_at=expires_at,
    )
    row = {each: getattr(token, each) for each in ("account_id", "name", "scopes", "addresses", "expires_at")}
    audit.write(conn, actor, at=now, action="create", thing="token", thing_id=token.id, after=row)
    return token, secret


def revoke_token(conn: sa.Connection, actor: Actor, account_id: int, token_id: int, *, now: int) -> None:
    """Make a token invalid."""
    if not tokens.revoke(conn, account_id, token_id, now=now):
        raise NotFound(f"There is no valid token {token_id}.")
    audit.write(conn, actor, at=now, action="revoke", thing="token", thing_id=token_id)


def create_trunk(conn: sa.Connection, actor: Actor, wanted: NewTrunk, *, now: int) -> Trunk:
    """Add a trunk; its name must be new."""
    if trunks.get_by_name(conn, wanted.name) is not None:
        raise InUse(f"There is a trunk {wanted.name!r} already.", "name")
    _check_registration(wanted)
    added = trunks.insert(conn, wanted, now=now)
    audit.write(conn, actor, at=now, action="create", thing="trunk", thing_id=added.id, after=asdict(added))
    return added


def change_trunk(
    conn: sa.Connection, actor: Actor, trunk_id: int, values: Mapping[str, Any], *, now: int
) -> Trunk:
    """Change some of a trunk's settings; calls that are dialled from now on use them."""
    before = the_trunk(conn, trunk_id)
    settings = {name: getattr(before, name) for name in NewTrunk.__slots__}
    wanted = replace(NewTrunk(**settings), **values)
    namesake = trunks.get_by_name(conn, wanted.name)
    if namesake is not None and namesake.id != trunk_id:
        raise InUse(f"There is a trunk {wanted.name!r} already.", "name")
    _check_registration(wanted)
    trunks.update(conn, trunk_id, wanted)
    after = the_trunk(conn, trunk_id)
    _note_change(conn, actor, "trunk", trunk_id, before, after, now)
    return after


def _check_registration(wanted: NewTrunk) -> None:
    """Insist on an account to be registered. Raises InvalidReference."""
    if wanted.register_expires_s and not (wanted.username or wanted.from_user):
        wrong = "What is registered is an account: give its username, or a from_user."
        raise InvalidReference({"register_expires_s": wrong})


def remove_trunk(conn: sa.Connection, actor: Actor, trunk_id: int, *, now: int) -> None:
    """Remove a trunk that no bridge belongs to and no call was accepted for. Raises InUse."""
    trunk = the_trunk(conn, trunk_id)
    numbers = [each.number for each in bridges.find_all(conn) if trunk_id in each.ways]
    if numbers:
        raise InUse(
            f"The trunk {trunk.name!r} has bridges: {', '.join(numbers)}. Remove them, or give them other"
            " trunks first."
        )
    try:
        with conn.begin_nested():
            trunks.delete(conn, trunk_id)
    except IntegrityError:
        raise InUse(
            f"The records of calls name the trunk {trunk.name!r}, so it stays; switch it off instead."
        ) from None
    audit.write(conn, actor, at=now, action="remove", thing="trunk", thing_id=trunk_id, before=asdict(trunk))


def the_trunk(conn: sa.Connection, trunk_id: int) -> Trunk:
    """Return a trunk. Raises NotFound."""
    found = trunks.get(conn, trunk_id)
    if found is None:
        raise NotFound(f"There is no trunk {trunk_id}.")
    return found


def create_bridge(conn: sa.Connection, actor: Actor, values: Mapping[str, Any], *, now: int) -> Bridge:
    """Add a number of ours; it must be new."""
    check_references(conn, values)
    _check_ways(values["trunk_id"], values.get("further_trunk_ids", ()))
    if bridges.get_by_number(conn, values["number"]) is not None:
        raise InUse(f"There is a bridge {values['number']} already.", "number")
    first = ("number", "account_id", "trunk_id", "display_name")
    added = bridges.insert(conn, now=now, **{name: values[name] for name in first if name in values})
    bridges.update(conn, added.id, {name: values[name] for name in values if name == "further_trunk_ids"})
    _, limits, paused = _parts(values, added)
    if limits:
        bridges.limit(conn, added.number, **limits)
    if paused:
        bridges.pause(conn, added.number, now=now)
    added = the_bridge(conn, added.id)
    audit.write(conn, actor, at=now, action="create", thing="bridge", thing_id=added.id, after=asdict(added))
    return added


def change_bridge(
    conn: sa.Connection, actor: Actor, bridge_id: int, values: Mapping[str, Any], *, now: int
) -> Bridge:
    """Give a number another account, other trunks or display name; calls that wait for a trunk go on waiting
    for it, or go by one of the new ones when it is one of them and takes no calls.
    """
    before = the_bridge(conn, bridge_id)
    check_references(conn, values)
    _check_ways(
        values.get("trunk_id", before.trunk_id), values.get("further_trunk_ids", before.further_trunk_ids)
    )
    settings, limits, paused = _parts(values, before)
    bridges.update(conn, bridge_id, settings)
    if limits:
        bridges.limit(conn, before.number, **limits)
    if paused is not None:
        bridges.pause(conn, before.number, now=now) if paused else bridges.resume(conn, before.number)
    after = the_bridge(conn, bridge_id)
    _note_change(conn, actor, "bridge", bridge_id, before, after, now)
    return after


def _check_ways(first: int, further: Sequence[int]) -> None:
    if first in further:
        wrong = f"The trunk {first} is the first; the further trunks should be others."
        raise InvalidReference({"further_trunk_ids": wrong})


def remove_bridge(conn: sa.Connection, actor: Actor, bridge_id: int, *, now: int) -> Bridge:
    """Remove a number; calls that were accepted for it are still made."""
    bridge = the_bridge(conn, bridge_id)
    bridges.delete(conn, bridge.number)
    audit.write(
        conn, actor, at=now, action="remove", thing="bridge", thing_id=bridge_id, before=asdict(bridge)
    )
    return bridge


def the_bridge(conn: sa.Connection, bridge_id: int) -> Bridge:
    """Return a bridge. Raises NotFound."""
    found = bridges.get(conn, bridge_id)
    if found is None:
        raise NotFound(f"There is no bridge {bridge_id}.")
    return found


def _parts(
    values: Mapping[str, Any], before: Account | Bridge
) -> tuple[dict[str, Any], dict[str, Any], bool | None]:
    """What is a column of its own, the limits if one of them is given, and whether to pause."""
    settings = {name: value for name, value in values.items() if name not in (*_LIMITS, "paused")}
    limits = {name: values.get(name, getattr(before, name)) for name in _LIMITS}
    return settings, limits if any(name in values for name in _LIMITS) else {}, values.get("paused")


def _note_change(
    conn: sa.Connection, actor: Actor, thing: str, thing_id: int, before: Thing, after: Thing, now: int
) -> None:
    if before != after:
        audit.write(
            conn,
            actor,
            at=now,
            action="change",
            thing=thing,
            thing_id=thing_id,
            before=asdict(before),
            after=asdict(after),
        )
