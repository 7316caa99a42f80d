"""Past calls: `outdial call list`, `show` and `export`, over the server's HTTP API."""

from pathlib import Path
from typing import Annotated, Any

import typer

from outdial.cli.client import ApiClient, with_client
from outdial.cli.options import URL_DEFAULT, TokenOption, UrlOption
from outdial.cli.output import JsonOption, console, print_fields, print_json, print_rows
from outdial.cli.problems import CommandFailed
from outdial.supervisor import exit_codes

_PER_PAGE = 100
_COLUMNS = {
    "id": "id",
    "call_to": "to",
    "name": "campaign",
    "status": "status",
    "duration": "talked",
    "charges": "charges",
    "submitted_at": "sent",
}

Mobile = Annotated[str | None, typer.Option(help="Calls to this number.")]
Bridge = Annotated[str | None, typer.Option(help="Calls from this number of ours.")]
Name = Annotated[str | None, typer.Option(help="Calls of this campaign.")]
Status = Annotated[str | None, typer.Option(help="How they ended: ANSWER, BUSY, NOANSWER …")]
State = Annotated[str | None, typer.Option(help="queued, leased or done.")]
Customid = Annotated[str | None, typer.Option(help="Calls that were sent with this customid.")]
Since = Annotated[
    str | None, typer.Option(help="Sent then or later, as in 2019-08-16 or '2019-08-16 15:00:00'.")
]
Until = Annotated[str | None, typer.Option(help="Sent then or earlier; of a day, all of it counts.")]


def list_(
    mobile: Mobile = None,
    bridge: Bridge = None,
    name: Name = None,
    status: Status = None,
    state: State = None,
    customid: Customid = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="As many, the newest.")] = 20,
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """List past calls, the newest first. Times are in the account's zone."""
    query = filters(
        mobile=mobile,
        bridge=bridge,
        name=name,
        status=status,
        state=state,
        customid=customid,
        start_date=since,
        end_date=until,
    )

    async def work(client: ApiClient) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while len(rows) < limit:
            behind = {"after": rows[-1]["id"]} if rows else {}
            wanted = min(_PER_PAGE, limit - len(rows))
            answer = await client.get("voice/calls", **query, **behind, per_page=wanted)
            rows += answer["data"]
            if answer["links"]["next"] is None:
                break
        return rows

    rows = with_client(url, token, work)
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, _COLUMNS, empty="There are no such calls.")


def show(
    call_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.", show_default=False)],
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one past call with its attempts, and in a sentence what became of it."""

    async def work(client: ApiClient) -> Any:
        row = (await client.get(f"voice/calls/{call_id}"))["data"]
        status = (await client.get("outgoing/callstatus", id=call_id))["data"]
        return {**row, "explanation": status["explanation"]}

    row = with_client(url, token, work)
    if as_json:
        print_json(row)
        return
    attempts, explanation = row.pop("attempts"), row.pop("explanation")
    print_fields({**row, "what happened": explanation})
    for attempt in attempts:
        console().print()
        print_fields({name: value for name, value in attempt.items() if name != "quality"})


def export(
    file: Annotated[Path, typer.Argument(help="Where to write it; it is replaced.", show_default=False)],
    mobile: Mobile = None,
    bridge: Bridge = None,
    name: Name = None,
    status: Status = None,
    state: State = None,
    customid: Customid = None,
    since: Since = None,
    until: Until = None,
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Save all such calls as CSV, however many they are."""
    query = filters(
        mobile=mobile,
        bridge=bridge,
        name=name,
        status=status,
        state=state,
        customid=customid,
        start_date=since,
        end_date=until,
    )

    async def work(client: ApiClient) -> int:
        try:
            with file.open("wb") as out:
                return await client.save("voice/calls.csv", out, **query)
        except OSError as error:
            raise CommandFailed(f"{file} cannot be written: {error.strerror}.", exit_codes.USAGE) from None

    size = with_client(url, token, work)
    if as_json:
        print_json({"file": str(file), "bytes": size})
    else:
        console().print(f"Saved as {file}.", soft_wrap=True)


def filters(**given: str | None) -> dict[str, str]:
    """The filters of a query that were given."""
    return {key: value for key, value in given.items() if value is not None}
