"""`outdial call`: place a call and watch it, show the stored ladder of a past one, or list past ones."""

from pathlib import Path
from typing import Annotated, Any

import typer

from outdial.cli import call_log
from outdial.cli.client import ApiClient, with_client
from outdial.cli.flow_files import read_variables
from outdial.cli.follow import Progress, follow
from outdial.cli.ladder import ladder, ladder_head, ladder_line, message_lines
from outdial.cli.options import URL_DEFAULT, TokenOption, UrlOption
from outdial.cli.output import JsonOption, console, print_fields, print_json, print_json_line
from outdial.cli.problems import CommandFailed
from outdial.supervisor import exit_codes

app = typer.Typer(add_completion=False)
app.command("list")(call_log.list_)
app.command("show")(call_log.show)
app.command("export")(call_log.export)


@app.callback(invoke_without_command=True)
def call(
    context: typer.Context,
    to: Annotated[str | None, typer.Option(help="Number to call, with country code.")] = None,
    bridge: Annotated[str | None, typer.Option(help="Our number, as `outdial bridge list` shows it.")] = None,
    sound: Annotated[str | None, typer.Option(help="Id of the sound to play, or its URL.")] = None,
    audio: Annotated[Path | None, typer.Option(help="File to upload and play.")] = None,
    flow: Annotated[int | None, typer.Option(help="Id of the published flow to run.")] = None,
    variable: Annotated[
        list[str] | None, typer.Option(help="A variable of the call, NAME=VALUE; may be repeated.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the campaign.")] = "",
    interval: Annotated[
        int, typer.Option(help="Minutes until a call that nobody answered is tried again.")
    ] = 0,
    retries: Annotated[
        int | None, typer.Option(help="How often, at most. Unset: `limits.retries` of the server.")
    ] = None,
    webhook: Annotated[
        int | None, typer.Option(help="Id of a webhook that is told, beside those that are subscribed.")
    ] = None,
    trace: Annotated[
        str | None, typer.Option(help="Show the ladder of this past call.", metavar="ID")
    ] = None,
    attempt: Annotated[int | None, typer.Option(help="Which attempt of --trace. Unset: the last.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Show whole SIP messages.")] = False,
    follow_it: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Watch the call until it ends.")
    ] = True,
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Place a call and follow it live, message by message; or show a past call with --trace.

    Exit status 0 when the call was answered, 1 when it was not.
    """
    if context.invoked_subcommand is not None:
        return
    if trace is not None:
        _show_trace(trace, attempt, full=full, url=url, token=token, as_json=as_json)
        return
    if to is None or bridge is None or [sound, audio, flow].count(None) != 2:
        raise CommandFailed(
            "Give --to, --bridge and one of --sound, --audio or --flow; or --trace ID for a past call.",
            exit_codes.USAGE,
        )
    form = {"to": to, "bridge": bridge, "name": name, "interval": str(interval)}
    form |= {
        key: str(value) for key, value in (("retries", retries), ("webhook_id", webhook)) if value is not None
    }
    form |= {f"variables[{key}]": value for key, value in read_variables(variable or []).items()}
    if "," in to:
        raise CommandFailed("This command follows one call: give one number in --to.", exit_codes.USAGE)

    async def work(client: ApiClient) -> dict[str, Any]:
        if flow is not None:
            form["ivr_id"] = str(flow)
        else:
            form["audio"] = (
                sound or (await client.upload("voice/sounds", _existing(audio), None))["data"]["id"]
            )
        accepted = (await client.post_form("outgoing/send", form))["data"][0]
        if not follow_it:
            return {"accepted": accepted}
        show = _JsonView() if as_json else _LadderView(full=full)
        show.accepted(accepted)
        status: dict[str, Any] = {}
        async for progress in follow(client, accepted["id"]):
            show.progress(progress)
            status = progress.status
        show.ended(status)
        return status

    status = with_client(url, token, work)
    if "accepted" in status:
        if as_json:
            print_json(status["accepted"])
        else:
            console().print(status["accepted"]["id"])
        return
    if status["status"] != "ANSWER":
        raise typer.Exit(exit_codes.FAILED)


def _existing(file: Path | None) -> Path:
    if file is None or not file.is_file():
        raise CommandFailed(f"There is no file {file}.", exit_codes.USAGE)
    return file


class _LadderView:
    """The live ladder for people."""

    def __init__(self, *, full: bool) -> None:
        self._console = console()
        self._width = self._console.width
        self._full = full
        self._attempt = 0
        self._waiting_after = 0

    def accepted(self, row: dict[str, Any]) -> None:
        self._console.print(f"call [bold]{row['id']}[/] to {row['mobile']}", soft_wrap=True)

    def progress(self, progress: Progress) -> None:
        if progress.entries and progress.attempt != self._attempt:
            self._attempt = progress.attempt
            peer = next((str(entry["peer"]) for entry in progress.entries if entry["peer"]), "")
            for line in ["", *ladder_head(peer, self._width)]:
                self._console.print(line, soft_wrap=True)
        for entry in progress.entries:
            self._console.print(ladder_line(entry, self._width), soft_wrap=True)
            if self._full:
                for line in message_lines(entry):
                    self._console.print(line, soft_wrap=True)
        if progress.status["state"] == "queued" and progress.attempt > self._waiting_after:
            self._waiting_after = progress.attempt
            self._console.print(f"\n{progress.status['explanation']}", soft_wrap=True)

    def ended(self, status: dict[str, Any]) -> None:
        self._console.print()
        print_fields(
            {
                "status": status["status"],
                "duration": status["duration"],
                "dtmf": status["dtmf"] or None,
                "what happened": status["explanation"],
            }
        )


class _JsonView:
    """One JSON value on each line: the accepted call, each trace entry, the final status."""

    def accepted(self, row: dict[str, Any]) -> None:
        print_json_line({"event": "accepted", **row})

    def progress(self, progress: Progress) -> None:
        for entry in progress.entries:
            print_json_line({"event": "trace", "attempt": progress.attempt, **entry})

    def ended(self, status: dict[str, Any]) -> None:
        print_json_line({"event": "ended", **status})


def _show_trace(
    call_id: str, attempt: int | None, *, full: bool, url: str, token: str | None, as_json: bool
) -> None:
    async def work(client: ApiClient) -> tuple[Any, Any]:
        query = {"id": call_id} if attempt is None else {"id": call_id, "attempt": str(attempt)}
        trace = (await client.get("outgoing/trace", **query))["data"]
        return trace, (await client.get("outgoing/callstatus", id=call_id))["data"]

    trace, status = with_client(url, token, work)
    if as_json:
        print_json(trace)
        return
    out = console()
    out.print(f"call [bold]{call_id}[/] to {status['mobile']}, attempt {trace['attempt']}", soft_wrap=True)
    out.print()
    for line in ladder(trace["entries"], width=out.width, full=full):
        out.print(line, soft_wrap=True)
    if trace["cut"]:
        out.print("[yellow]The trace was longer than what is kept; this is its beginning.[/]")
    out.print(f"\n{status['explanation']}", soft_wrap=True)
