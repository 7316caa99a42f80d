"""`admin/trunks`: carrier accounts. Add, list, change in place, switch, remove. Passwords are write-only."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response

from outdial.api.administrator import administrator
from outdial.api.answers import Page, family_body, family_time, ok
from outdial.api.auth import authenticate
from outdial.api.bodies import read_body
from outdial.api.context import context_of
from outdial.api.developer_webhooks import PAGES
from outdial.api.documentation import IDEMPOTENCY_KEY, TEXTS, body, errors, family, page_of, success
from outdial.api.errors import ApiError
from outdial.api.idempotency import create
from outdial.api.paths import number_in_path
from outdial.api.trunk_request import CALLER_ID_MODES, CODECS, read_trunk_request
from outdial.storage import administration, trunk_health, trunks
from outdial.storage.audit import without_secrets
from outdial.storage.trunk_health import TrunkHealth
from outdial.storage.trunks import NewTrunk, Trunk

router = APIRouter(prefix="/admin/trunks", tags=["admin"])

_FIELDS: dict[str, Any] = {
    "name": {"type": "string", "description": "For people; each trunk has its own."},
    "host": {"type": "string", "description": "Name or address of the carrier's proxy."},
    "port": {"type": "integer", "description": "5060 by default."},
    "username": {"type": "string", "description": "Account at the carrier, if it wants a login."},
    "password": {"type": "string", "description": "Its password; no answer ever shows it."},
    "auth_username": {"type": "string", "description": "For the login, where it is another name."},
    "from_user": {"type": "string", "description": "In From, in place of the bridge's number."},
    "from_domain": {"type": "string", "description": "In From, in place of our address."},
    "caller_id_mode": {
        "type": "string",
        "enum": list(CALLER_ID_MODES),
        "description": "Where the carrier looks for our number; from by default.",
    },
    "privacy": {"type": "boolean", "description": "Ask to hide our number (RFC 3323)."},
    "dial_prefix": {"type": "string", "description": "Put before each dialled number, such as +."},
    "codecs": {
        **TEXTS,
        "description": f"In the order of the offer, with commas between or as a list: {', '.join(CODECS)}.",
    },
    "ptime_ms": {"type": "integer", "enum": [10, 20, 30, 40, 60], "description": "20 by default."},
    "ring_timeout_s": {"type": "integer", "description": "Seconds until NOANSWER; 45 by default."},
    "max_call_s": {"type": "integer", "description": "Seconds after which any call is ended."},
    "session_expires_s": {
        "type": "integer",
        "description": "Session-Expires to offer, from 90 on (RFC 4028); 0 offers none.",
    },
    "options_interval_s": {
        "type": "integer",
        "description": "Seconds between OPTIONS as a health check; 0 sends none.",
    },
    "register_expires_s": {
        "type": "integer",
        "description": "Seconds for which we ask to be registered (RFC 3261 section 10), 60 to 86400, 300 is"
        " usual; 0 registers nowhere. Calls wait until the carrier knows our address.",
    },
    "calls_per_second": {
        "type": "number",
        "description": "New calls and legs to agents in a second; 10 by default.",
    },
    "max_concurrent": {"type": "integer", "description": "Calls and legs to agents at once; 100 by default."},
    "keep_to_peer": {"type": "boolean", "description": "Ignore a Contact that may be a private address."},
    "addresses": {
        **TEXTS,
        "description": "CIDR networks that the carrier also sends from, with commas between or as a list.",
    },
    "headers": {"type": "object", "description": "Added to every INVITE: `headers[X-Account]=7`."},
    "enabled": {"type": "boolean", "description": "0 holds its calls in the queue."},
}
_EXAMPLE_BODY = {"name": "carrier", "host": "sip.example.com", "username": "4711", "password": "…"}
_EXAMPLE = {
    "id": 1,
    "name": "carrier",
    "host": "sip.example.com",
    "port": 5060,
    "transport": "udp",
    "username": "4711",
    "password": "(set)",
    "auth_username": None,
    "from_user": None,
    "from_domain": None,
    "dial_prefix": "",
    "caller_id_mode": "from",
    "privacy": False,
    "codecs": ["PCMA", "PCMU", "G722"],
    "ptime_ms": 20,
    "ring_timeout_s": 45,
    "max_call_s": 3600,
    "session_expires_s": 0,
    "options_interval_s": 0,
    "register_expires_s": 0,
    "calls_per_second": 10.0,
    "max_concurrent": 100,
    "keep_to_peer": False,
    "addresses": [],
    "headers": {},
    "enabled": True,
    "created_at": "2019-08-16 15:09:51",
}

_HEALTHY = _EXAMPLE | {
    "register_expires_s": 300,
    "health": {
        "state": "up",
        "calls": 3,
        "since": None,
        "held_until": None,
        "reason": None,
        "registrations": [
            {
                "contact": "sip:4711@203.0.113.7:5060",
                "registered_until": "2019-08-16 15:14:51",
                "problem": None,
                "sip_code": None,
            }
        ],
    },
}


@router.post(
    "",
    summary="Add a trunk",
    responses=success("Dialers know it at once.", family("The trunk is added.", _EXAMPLE))
    | errors(400, 401, 409, 413, 415, 422),
    openapi_extra=body(_FIELDS, ["name", "host"], _EXAMPLE_BODY) | {"parameters": [IDEMPOTENCY_KEY]},
)
async def add(request: Request) -> Response:
    """Add a carrier account; give it numbers with `admin/bridges`."""
    admin = await administrator(request)
    form = await read_body(request)
    wanted = NewTrunk(**read_trunk_request(form, is_new=True))
    _check_login(wanted)
    actor, now = admin.actor, admin.now_ms()
    return await create(
        request,
        admin.principal,
        form,
        lambda conn: administration.create_trunk(conn, actor, wanted, now=now),
        lambda added: family_body("The trunk is added.", _row(added)),
    )


@router.get(
    "",
    summary="List trunks",
    responses=success("The oldest first.", page_of("trunks", _HEALTHY)) | errors(401, 422),
    openapi_extra={"parameters": PAGES},
)
async def list_trunks(request: Request) -> Response:
    """Show all trunks, page by page, with their health.

    `state` is `up`; `held` while a trunk that failed is given no calls, until `held_until`; `failing` when it
    is tried again and no call got through yet, `since` and `reason` say since when and why; `unregistered`
    while it wants to know our address and does not; or `off`. Held calls wait and lose no attempt. `calls`
    are those in progress, `registrations` our addresses at the trunk, one of each dialer.
    """
    await authenticate(request)
    page = Page(request)
    context = context_of(request)
    found = await context.database.read(trunks.find_all)
    shown = page.cut(found)
    health = await context.database.read(trunk_health.of_trunks, shown, now=context.now_ms())
    rows = [_row(each, health[each.id]) for each in shown]
    return page.answer(f"{len(found)} trunks.", rows, len(found))


@router.get(
    "/{trunk_id}",
    summary="Show one trunk",
    responses=success("The trunk.", family("The trunk.", _HEALTHY)) | errors(401, 404),
)
async def get(request: Request, trunk_id: str) -> Response:
    """Show everything about a trunk but its password, and its health as in the list."""
    await authenticate(request)
    number = number_in_path("trunk", trunk_id)
    context = context_of(request)
    trunk = await context.database.read(administration.the_trunk, number)
    health = await context.database.read(trunk_health.of_trunks, [trunk], now=context.now_ms())
    return ok("The trunk.", _row(trunk, health[number]))


@router.put(
    "/{trunk_id}",
    summary="Change a trunk",
    responses=success(
        "Changed; calls in progress keep what they have.", family("The trunk is changed.", _EXAMPLE)
    )
    | errors(400, 401, 404, 409, 413, 415, 422),
    openapi_extra=body(_FIELDS, [], {"max_concurrent": 200}),
)
async def change(request: Request, trunk_id: str) -> Response:
    """Change a trunk in place; what is left out stays, the password too. An empty text removes a value."""
    admin = await administrator(request)
    number = number_in_path("trunk", trunk_id)
    form = await read_body(request)
    values = read_trunk_request(form, is_new=False)
    changed = await admin.run(administration.change_trunk, number, values, now=admin.now_ms())
    return ok("The trunk is changed.", _row(changed))


@router.delete(
    "/{trunk_id}",
    summary="Remove a trunk",
    responses=success("It is gone.", family("The trunk is removed.", {"id": 1})) | errors(401, 404, 409),
)
async def remove(request: Request, trunk_id: str) -> Response:
    """Remove a trunk that no bridge belongs to and no call was ever accepted for; 409 for any other."""
    admin = await administrator(request)
    number = number_in_path("trunk", trunk_id)
    await admin.run(administration.remove_trunk, number, now=admin.now_ms())
    return ok("The trunk is removed.", {"id": number})


def _check_login(wanted: NewTrunk) -> None:
    if (wanted.username is None) != (wanted.password is None):
        missing = "password" if wanted.password is None else "username"
        sentence = "A login needs username and password together."
        raise ApiError(422, sentence, {missing: [sentence]})


def _row(trunk: Trunk, health: TrunkHealth | None = None) -> dict[str, Any]:
    row = without_secrets(asdict(trunk)) | {"created_at": family_time(trunk.created_at)}
    if health is None:
        return row
    return row | {
        "health": {
            "state": health.state,
            "calls": health.calls,
            "since": family_time(health.since),
            "held_until": family_time(health.held_until),
            "reason": health.reason,
            "registrations": [
                {
                    "contact": each.contact,
                    "registered_until": family_time(each.registered_until),
                    "problem": each.problem,
                    "sip_code": each.sip_code,
                }
                for each in health.registrations
            ],
        }
    }
