"""`outdial recording`: what callees said, over the server's HTTP API."""

from pathlib import Path
from typing import Annotated, Any

import typer

from outdial.cli.call_log import Bridge, Mobile, Name, Since, Until, filters
from outdial.cli.client import ApiClient, with_client
from outdial.cli.options import URL_DEFAULT, TokenOption, UrlOption
from outdial.cli.output import JsonOption, console, print_json, print_rows
from outdial.cli.problems import CommandFailed
from outdial.supervisor import exit_codes

app = typer.Typer(no_args_is_help=True, add_completion=False, help="List, save and delete recordings.")

_PER_PAGE = 100
_COLUMNS = {
    "id": "id",
    "type": "of",
    "call_to": "to",
    "name": "campaign",
    "duration": "duration",
    "recorded_at": "at",
}

RecordingId = Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.", show_default=False)]


@app.command("list")
def list_(
    mobile: Mobile = None,
    bridge: Bridge = None,
    name: Name = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="As many, the newest.")] = 20,
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """List recordings, the newest first: of whole calls, and messages of flows."""
    query = filters(mobile=mobile, bridge=bridge, name=name, start_date=since, end_date=until)

    async def work(client: ApiClient) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        page = 1
        size = min(limit, _PER_PAGE)
        while len(rows) < limit:
            answer = await client.get("voice/recordings", **query, page=page, per_page=size)
            rows += answer["data"]
            if answer["links"]["next"] is None:
                break
            page += 1
        return rows[:limit]

    rows = with_client(url, token, work)
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, _COLUMNS, empty="There are no such recordings.")


@app.command()
def save(
    recording_id: RecordingId,
    file: Annotated[Path | None, typer.Argument(help="Unset: ID.wav.", show_default=False)] = None,
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Save a recording as a WAV file."""
    target = file or Path(f"{recording_id}.wav")

    async def work(client: ApiClient) -> int:
        # Asked for first, so that what is not there leaves no empty file.
        await client.get(f"voice/recordings/{recording_id}")
        try:
            with target.open("wb") as out:
                return await client.save(f"voice/recordings/{recording_id}/audio", out)
        except OSError as error:
            raise CommandFailed(f"{target} cannot be written: {error.strerror}.", exit_codes.USAGE) from None

    size = with_client(url, token, work)
    if as_json:
        print_json({"file": str(target), "bytes": size})
    else:
        console().print(f"Saved as {target}.", soft_wrap=True)


@app.command()
def delete(
    recording_id: RecordingId,
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete a recording for good; the call and its outcome stay."""

    async def work(client: ApiClient) -> Any:
        return await client.delete(f"voice/recordings/{recording_id}")

    answer = with_client(url, token, work)
    if as_json:
        print_json(answer["data"])
    else:
        console().print(answer["message"])
