"""`outdial trunk`: carrier accounts."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

import sqlalchemy as sa
import typer

from outdial.api.trunk_request import CODECS, read_trunk_request
from outdial.cli.changes import assignments, checked, operator
from outdial.cli.database import with_database
from outdial.cli.output import JsonOption, console, print_fields, print_json, print_rows, utc
from outdial.cli.problems import CommandFailed
from outdial.cli.trunk_check import SENT_BACK, check_trunk
from outdial.dispatch.routes import to_line
from outdial.errors import InUse
from outdial.sip.registration.status import RegistrationStatus
from outdial.storage import administration, bridges, trunk_health, trunks, wake
from outdial.storage.database import Database
from outdial.storage.trunks import NewTrunk, Trunk
from outdial.supervisor.parts import wall_clock_ms
from outdial.telephony.registration import describe
from outdial.telephony.trunk import CallerIdMode
from outdial.telephony.user_agent import Reachability

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Add, list, check, switch and remove carrier accounts."
)

PASSWORD_VARIABLE = "TRUNK_PASSWORD"  # noqa: S105 - the name of a variable
_COLUMNS = {
    "name": "name",
    "host": "host",
    "port": "port",
    "username": "user",
    "state": "state",
    "calls": "calls",
    "reason": "because",
}
Name = Annotated[str, typer.Argument(help="Name of the trunk.", show_default=False)]
T = TypeVar("T")


@app.command()
def add(
    name: Name,
    host: Annotated[str, typer.Argument(help="Address of the carrier's proxy, as HOST or HOST:PORT.")],
    username: Annotated[str | None, typer.Option(help="Account at the carrier, if it wants a login.")] = None,
    password: Annotated[
        str | None,
        typer.Option(
            envvar=PASSWORD_VARIABLE,
            prompt=False,
            help="Its password. Better in the environment: others see command lines.",
        ),
    ] = None,
    auth_username: Annotated[
        str | None, typer.Option(help="For the login, where it is another name.")
    ] = None,
    from_user: Annotated[str | None, typer.Option(help="In From, in place of the bridge's number.")] = None,
    from_domain: Annotated[str | None, typer.Option(help="In From, in place of our address.")] = None,
    caller_id: Annotated[CallerIdMode, typer.Option(help="Where the carrier looks for our number.")] = (
        CallerIdMode.FROM
    ),
    privacy: Annotated[bool, typer.Option("--privacy", help="Ask to hide our number (RFC 3323).")] = False,
    codecs: Annotated[str, typer.Option(help="In the order of the offer, with commas.")] = ",".join(CODECS),
    dial_prefix: Annotated[str, typer.Option(help="Put before each dialled number, such as +.")] = "",
    ring_timeout: Annotated[int, typer.Option(min=1, max=180, help="Seconds until NOANSWER.")] = 45,
    max_call: Annotated[int, typer.Option(min=1, help="Seconds after which any call is ended.")] = 3600,
    session_expires: Annotated[
        int, typer.Option(help="Session-Expires to offer, in seconds from 90 on (RFC 4028); 0 offers none.")
    ] = 0,
    options_interval: Annotated[
        int,
        typer.Option(
            min=0,
            max=3600,
            help="Seconds between OPTIONS as a health check, 30 is usual; 0 sends none."
            " While nothing answers, calls stay in the queue.",
        ),
    ] = 0,
    register_expires: Annotated[
        int,
        typer.Option(
            help="Seconds to be registered for, 60 to 86400 (RFC 3261 section 10), 300 is usual; 0 registers"
            " nowhere. Calls stay in the queue until the carrier knows our address."
        ),
    ] = 0,
    calls_per_second: Annotated[
        float, typer.Option(min=0.01, help="New calls and legs to agents in a second.")
    ] = 10.0,
    max_concurrent: Annotated[int, typer.Option(min=1, help="Calls and legs to agents at once.")] = 100,
    network: Annotated[
        list[str] | None, typer.Option(help="CIDR network that the carrier also sends from; may be repeated.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option(help="Added to every INVITE, as 'Name: value'; may be repeated.")
    ] = None,
    keep_to_peer: Annotated[
        bool, typer.Option("--keep-to-peer", help="Ignore a Contact that may be a private address.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Add a trunk; give it numbers with `outdial bridge add`."""
    address, port = _host_and_port(host)
    given = {
        "name": name,
        "host": address,
        "port": port,
        "username": username,
        "password": password,
        "auth_username": auth_username,
        "from_user": from_user,
        "from_domain": from_domain,
        "caller_id_mode": caller_id.value,
        "privacy": privacy,
        "dial_prefix": dial_prefix,
        "codecs": codecs,
        "ring_timeout_s": ring_timeout,
        "max_call_s": max_call,
        "session_expires_s": session_expires,
        "options_interval_s": options_interval,
        "register_expires_s": register_expires,
        "calls_per_second": calls_per_second,
        "max_concurrent": max_concurrent,
        "keep_to_peer": keep_to_peer,
        "addresses": network or [],
        "headers": dict(_header(each) for each in header or []),
    }
    wanted = NewTrunk(**checked(read_trunk_request, given, NewTrunk, is_new=True))
    if (username is None) != (password is None):
        raise CommandFailed(f"A login needs --username and a password (in ${PASSWORD_VARIABLE}) together.")

    def insert(conn: sa.Connection) -> Trunk:
        if trunks.get_by_name(conn, name) is not None:
            raise CommandFailed(f"There is a trunk {name!r} already.")
        return administration.create_trunk(conn, operator(), wanted, now=wall_clock_ms())

    trunk = _run(insert)
    if as_json:
        print_json(_row(trunk))
    else:
        console().print(
            f"Added. Now give it a number: outdial bridge add NUMBER --trunk {name}", soft_wrap=True
        )


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List all trunks, whether they take calls, and how many run."""
    rows = _run(_with_health)
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, _COLUMNS, empty="There are no trunks yet: `outdial trunk add NAME HOST` adds one.")


@app.command()
def show(name: Name, as_json: JsonOption = False) -> None:
    """Show everything about one trunk but its password."""
    row = _row(_run(lambda conn: _the_trunk(conn, name)))
    if as_json:
        print_json(row)
    else:
        headers = [f"{each}: {value}" for each, value in row["headers"].items()]
        print_fields({**row, "headers": headers, "created_at": utc(row["created_at"])})


@app.command("set")
def set_(
    name: Name,
    values: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE...",
            help="As in the API's `admin/trunks`: host, port, codecs, max_concurrent, headers[X-Team] …;"
            f" what is left out stays. A password is better in ${PASSWORD_VARIABLE}, with password=env.",
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Change a trunk in place: `outdial trunk set carrier max_concurrent=200 codecs=PCMA,G722`."""
    given = assignments(values)
    if given.get("password") == "env":
        given["password"] = os.environ.get(PASSWORD_VARIABLE, "")
    wanted = checked(read_trunk_request, given, NewTrunk)

    def alter(conn: sa.Connection) -> Trunk:
        trunk = _the_trunk(conn, name)
        return administration.change_trunk(conn, operator(), trunk.id, wanted, now=wall_clock_ms())

    changed = _run(alter)
    if as_json:
        print_json(_row(changed))
    else:
        console().print(f"The trunk {changed.name} is changed; calls in progress keep what they have.")


@app.command()
def enable(name: Name, as_json: JsonOption = False) -> None:
    """Let a trunk take calls again."""
    _switch(name, enabled=True, as_json=as_json)


@app.command()
def disable(name: Name, as_json: JsonOption = False) -> None:
    """Hold a trunk's calls in the queue; calls in progress go on."""
    _switch(name, enabled=False, as_json=as_json)


@app.command()
def remove(name: Name, as_json: JsonOption = False) -> None:
    """Remove a trunk that no bridge belongs to and that no call was ever accepted for."""

    def delete(conn: sa.Connection) -> None:
        trunk = _the_trunk(conn, name)
        numbers = [each.number for each in bridges.find_all(conn) if trunk.id in each.ways]
        if numbers:
            raise CommandFailed(
                f"The trunk {name!r} has bridges: {', '.join(numbers)}."
                " Remove them first, with `outdial bridge remove`."
            )
        administration.remove_trunk(conn, operator(), trunk.id, now=wall_clock_ms())

    try:
        _run(delete)
    except InUse:
        raise CommandFailed(
            f"The records of calls name the trunk {name!r}, so it stays;"
            f" `outdial trunk disable {name}` keeps it from making calls."
        ) from None
    if as_json:
        print_json({"name": name})
    else:
        console().print(f"The trunk {name} is removed.")


@app.command()
def check(
    name: Name,
    wait: Annotated[float, typer.Option(min=0.1, max=32, help="Seconds to wait for an answer.")] = 5.0,
    as_json: JsonOption = False,
) -> None:
    """Ask the trunk for a sign of life (SIP OPTIONS), from a socket of this command's own.

    Any answer counts (exit status 0), none in time does not (1): some carriers take calls and do not answer
    OPTIONS. At a trunk that wants to know our address the command registers, and takes that back; what counts
    then is that it was registered.
    """
    trunk = _run(lambda conn: _the_trunk(conn, name))
    try:
        found = asyncio.run(check_trunk(to_line(trunk), wait_s=wait))
    except OSError as error:
        reason = error.strerror or str(error)
        raise CommandFailed(f"{trunk.host}:{trunk.port} cannot be reached: {reason}.") from None
    if found.registration is not None and found.registration.registered:
        # A trunk that keeps one address of an account has forgotten the server's.
        _run(lambda conn: wake.announce(conn, wake.REGISTRATIONS))
    answer = found.options
    if as_json:
        print_json({"name": name, **asdict(answer), **_registration(found.registration)})
    elif answer.status is not None:
        console().print(f"{name} answered {answer.status} {answer.reason} in {answer.round_trip_ms:.0f} ms.")
    if found.registration is not None:
        _tell_registration(name, found.registration, as_json=as_json)
    elif answer.status is None:
        raise CommandFailed(_why_no_answer(trunk, answer))


def _tell_registration(name: str, status: RegistrationStatus, *, as_json: bool) -> None:
    if not status.registered:
        raise CommandFailed(f"{name} does not register us: {describe(status)}.")
    if not as_json:
        console().print(
            f"{name} registered {status.contact}, and forgot it again; the server registers its own address:"
            " `outdial trunk list` says whether it is.",
            soft_wrap=True,
        )


def _registration(status: RegistrationStatus | None) -> dict[str, Any]:
    if status is None:
        return {}
    problem = None if status.registered else describe(status)
    return {"registered": status.registered, "problem": problem, "sip_code": status.status}


def _why_no_answer(trunk: Trunk, answer: Reachability) -> str:
    if answer.reason == SENT_BACK:
        return (
            f"Nothing takes SIP at {trunk.host}:{trunk.port}, or there is no way to it: the network sent our"
            " request back. Are the address and the port right, and is the far end running?"
        )
    return (
        f"{trunk.host}:{trunk.port} did not answer OPTIONS ({answer.round_trip_ms / 1000:.1f} s):"
        " is the address right, and does a firewall let UDP through?"
        " Some carriers take calls and do not answer OPTIONS: then a call is the test."
    )


def _switch(name: str, *, enabled: bool, as_json: bool) -> None:
    def switch(conn: sa.Connection) -> None:
        trunk = _the_trunk(conn, name)
        administration.change_trunk(conn, operator(), trunk.id, {"enabled": enabled}, now=wall_clock_ms())

    _run(switch)
    if as_json:
        print_json({"name": name, "enabled": enabled})
    else:
        console().print(f"The trunk {name} is {'on' if enabled else 'off: its calls wait'}.")


def _run(query: Callable[[sa.Connection], T]) -> T:
    async def work(database: Database) -> T:
        return await database.run(query)

    return with_database(work)


def _the_trunk(conn: sa.Connection, name: str) -> Trunk:
    trunk = trunks.get_by_name(conn, name)
    if trunk is None:
        raise CommandFailed(f"There is no trunk {name!r}; `outdial trunk list` shows all of them.")
    return trunk


def _with_health(conn: sa.Connection) -> list[dict[str, Any]]:
    found = trunks.find_all(conn)
    health = trunk_health.of_trunks(conn, found, now=wall_clock_ms())
    return [_row(trunk) | asdict(health[trunk.id]) for trunk in found]


def _row(trunk: Trunk) -> dict[str, Any]:
    row = asdict(trunk)
    return {**row, "password": "(set)" if row["password"] else None}


def _host_and_port(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon:
        return text, 5060
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise typer.BadParameter(f"{text!r} is not HOST or HOST:PORT", param_hint="HOST")
    return host, int(port)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or "\n" in text or "\r" in text:
        raise typer.BadParameter(f"{text!r} is not 'Name: value'", param_hint="--header")
    return name.strip(), value.strip()
