"""`outdial sounds`: announcements on the server, over its HTTP API."""

from pathlib import Path
from typing import Annotated, Any

import typer

from outdial.cli.client import ApiClient, with_client
from outdial.cli.options import URL_DEFAULT, TokenOption, UrlOption
from outdial.cli.output import JsonOption, console, print_fields, print_json, print_rows
from outdial.cli.problems import CommandFailed
from outdial.supervisor import exit_codes

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Upload, list, fetch and delete sounds.")

_COLUMNS = {
    "id": "id",
    "name": "name",
    "duration": "duration",
    "created": "created (UTC)",
}
_PER_PAGE = 100
_TO_THE_MINUTE = len("2019-08-16 15:00")
"""Of a time: the table fits into 80 columns without the seconds."""

SoundId = Annotated[str, typer.Argument(help="Id of the sound.", show_default=False)]


@app.command()
def upload(
    file: Annotated[Path, typer.Argument(help="mp3, wav, ogg, m4a, flac …", show_default=False)],
    name: Annotated[str | None, typer.Option(help="Name to show. Unset: the file's name.")] = None,
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Upload a sound; prints its id."""

    async def work(client: ApiClient) -> Any:
        return await client.upload("voice/sounds", file, name)

    sound = with_client(url, token, work)["data"]
    if as_json:
        print_json(sound)
    else:
        print_fields(sound)


@app.command("list")
def list_(url: UrlOption = URL_DEFAULT, token: TokenOption = None, as_json: JsonOption = False) -> None:
    """List all sounds, the newest first."""

    async def work(client: ApiClient) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        page = 1
        while True:
            answer = await client.get("voice/sounds", page=page, per_page=_PER_PAGE)
            rows += answer["data"]
            if answer["links"]["next"] is None:
                return rows
            page += 1

    rows = with_client(url, token, work)
    if as_json:
        print_json(rows)
    else:
        rows = [{**row, "created": row["created_at"][:_TO_THE_MINUTE]} for row in rows]
        print_rows(rows, _COLUMNS, empty="There are no sounds yet: `outdial sounds upload FILE` adds one.")


@app.command()
def get(
    sound: SoundId,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Save the audio here, as it was uploaded.")
    ] = None,
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one sound, or fetch its audio."""

    async def work(client: ApiClient) -> tuple[Any, bytes]:
        row = (await client.get(f"voice/sounds/{sound}"))["data"]
        return row, await client.download(f"voice/sounds/{sound}/audio") if output else b""

    row, audio = with_client(url, token, work)
    if output:
        try:
            output.write_bytes(audio)
        except OSError as error:
            raise CommandFailed(f"{output} cannot be written: {error.strerror}.", exit_codes.USAGE) from None
    if as_json:
        print_json(row)
    else:
        print_fields(row)
        if output:
            console().print(f"Saved as {output}.", soft_wrap=True)


@app.command()
def delete(
    sound: SoundId, url: UrlOption = URL_DEFAULT, token: TokenOption = None, as_json: JsonOption = False
) -> None:
    """Delete a sound; calls that still wait for it will fail."""

    async def work(client: ApiClient) -> Any:
        return await client.delete(f"voice/sounds/{sound}")

    answer = with_client(url, token, work)
    if as_json:
        print_json(answer["data"])
    else:
        console().print(answer["message"])
