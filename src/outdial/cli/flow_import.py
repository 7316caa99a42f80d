"""`outdial flow import`, `pull` and `push`: flows come from other systems, and come and go to a server."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from outdial.cli.client import ApiClient, with_client
from outdial.cli.flow_files import read_flow, read_json, said, show_warnings, write_flow
from outdial.cli.options import URL_DEFAULT, TokenOption, UrlOption
from outdial.cli.output import JsonOption, console, print_json
from outdial.flow.importing import import_flow

Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write the flow into this file.")]


def import_(
    file: Annotated[Path, typer.Argument(help="What was exported there: a file of JSON.")],
    source: Annotated[str, typer.Option("--from", help="Where it comes from: twilio or rapidpro.")],
    flow: Annotated[str | None, typer.Option(help="Name or uuid of one, if it holds several flows.")] = None,
    output: Output = None,
    as_json: JsonOption = False,
) -> None:
    """Make a flow of one of Twilio Studio or RapidPro; what does not come along is said on standard error."""
    made = import_flow(source, read_json(file), flow)
    if as_json:
        notes = [asdict(note) for note in made.notes]
        print_json({"name": made.name, "document": made.document, "notes": notes})
        return
    write_flow(made.document, output)
    for note in made.notes:
        sys.stderr.write(f"{note}\n")


def pull(
    flow: Annotated[str, typer.Argument(help="Id on the server: 23 is its draft, 23@2 its version 2.")],
    output: Output = None,
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = True,
) -> None:
    """Fetch a flow from a server, in its one form of text."""
    write_flow(read_flow(flow, url, token), output)


def push(
    file: Annotated[Path, typer.Argument(help="A flow: a file of JSON.")],
    flow: Annotated[
        int | None, typer.Option("--id", help="Of the flow whose draft it becomes. Unset: a new flow.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What people call it. Unset: its `name`, or the file's.")
    ] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Let new calls get it at once.")] = False,
    note: Annotated[str, typer.Option(help="With --publish: what is new.")] = "",
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Store a flow on a server, as a new one or as the draft of one that is there."""
    document = read_json(file)
    own = document.get("name") if isinstance(document, dict) else None
    form: dict[str, Any] = {"document": document}
    if name or flow is None:
        form["name"] = name or (own if isinstance(own, str) and own.strip() else file.stem)

    async def work(client: ApiClient) -> list[dict[str, Any]]:
        method, path = ("POST", "flows") if flow is None else ("PUT", f"flows/{flow}")
        answers = [await client.send_json(method, path, form)]
        if publish:
            path = f"flows/{answers[0]['data']['id']}/publish"
            answers.append(await client.send_json("POST", path, {"note": note}))
        return answers

    answers = with_client(url, token, work)
    if as_json:
        print_json(answers[-1]["data"])
        return
    for answer in answers:
        console().print(answer["message"], soft_wrap=True, markup=False)
    for problem in answers[-1]["data"].get("problems") or []:
        console().print(f"not to be published yet: {said(problem)}", soft_wrap=True, markup=False)
    show_warnings(answers[-1]["data"])
