"""`outdial flow results`: what callees did in a flow of a server."""

import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from outdial.cli.client import ApiClient, with_client
from outdial.cli.options import URL_DEFAULT, TokenOption, UrlOption
from outdial.cli.output import JsonOption, console, print_json, print_rows
from outdial.cli.problems import CommandFailed
from outdial.supervisor import exit_codes

_MOST_SHOWN = 100

_RUNS = {
    "id": "to",
    "ended": "ended",
    "version": "version",
    "result": "result",
    "path": "path",
    "call": "call",
}
_COUNTS = {"version": "version", "node": "node", "exit": "exit", "count": "times", "results": "results"}


def results(
    flow: Annotated[int, typer.Argument(help="Id of the flow.")],
    first: Annotated[
        str | None, typer.Option("--from", help="Calls that ended on this day or later, as 2019-08-16.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="Calls that ended on this day or before.")] = None,
    version: Annotated[int | None, typer.Option(help="Calls of this version only.")] = None,
    result: Annotated[str | None, typer.Option(help="Calls with this result only.")] = None,
    counts: Annotated[
        bool, typer.Option("--counts", help="Sum up: visits of each node, and what came of each exit.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="All of it as CSV.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the CSV into this file.")
    ] = None,
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what callees did in a flow: the newest 100 calls, all of them as CSV, or counts."""
    given = {"from": first, "to": last, "version": version, "result": result}
    query = {name: str(value) for name, value in given.items() if value is not None}
    kind = "counts" if counts else "results"
    if as_csv or output is not None:
        _write(_download(f"flows/{flow}/{kind}.csv", query, url, token), output)
        return

    async def work(client: ApiClient) -> Any:
        more = {} if counts else {"per_page": str(_MOST_SHOWN)}
        return (await client.get(f"flows/{flow}/{kind}", **query, **more))["data"]

    found = with_client(url, token, work)
    if as_json:
        print_json(found)
    elif counts:
        _show_counts(found)
    else:
        print_rows([_run(row) for row in found], _RUNS, empty="No call went through this flow in that time.")


def _download(path: str, query: dict[str, str], url: str, token: str | None) -> bytes:
    async def work(client: ApiClient) -> bytes:
        return await client.download(f"{path}?{urlencode(query)}" if query else path)

    return with_client(url, token, work)


def _write(content: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(content.decode())
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise CommandFailed(f"{output} cannot be written: {error.strerror}.", exit_codes.USAGE) from None
    console().print(f"Saved as {output}.", soft_wrap=True)


def _run(row: dict[str, Any]) -> dict[str, Any]:
    flow = row["flow"]
    return {
        "id": row["to"],
        "ended": row["ended_at"],
        "version": flow["version"],
        "result": flow["result"],
        "path": " > ".join(step["node"] for step in flow["path"]),
        "call": row["call_id"],
    }


def _show_counts(found: dict[str, Any]) -> None:
    rows = [
        {
            "version": version["version"],
            "node": node["node"],
            "exit": exit_,
            "count": each["count"],
            "results": ", ".join(f"{name} {runs}" for name, runs in each["results"].items()),
        }
        for version in found["versions"]
        for node in version["nodes"]
        for exit_, each in [*node["exits"].items(), *_ended(node)]
    ]
    print_rows(rows, _COUNTS, empty="No call went through this flow in that time.")
    if not found["complete"]:
        console().print(
            f"Only the oldest {found['counted']} runs are counted: give --from and --to for fewer days."
        )


def _ended(node: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [("(end)", {"count": node["ended_here"], "results": {}})] if node["ended_here"] else []
