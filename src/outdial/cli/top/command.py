"""The command: reads `/metrics` again and again, until it is told to stop."""

import asyncio
import time
from dataclasses import asdict
from typing import Annotated

import typer
from rich.live import Live

from outdial.cli.client import ApiClient
from outdial.cli.options import URL_DEFAULT, UrlOption
from outdial.cli.output import JsonOption, console, print_json, print_json_line
from outdial.cli.problems import CommandFailed
from outdial.cli.top.reading import Reading, figures, read
from outdial.cli.top.view import view
from outdial.supervisor import exit_codes

app = typer.Typer(add_completion=False)


@app.command()
def top(
    url: UrlOption = URL_DEFAULT,
    token: Annotated[
        str | None,
        typer.Option("--metrics-token", help="`metrics.token`; on the server's own machine none is needed."),
    ] = None,
    interval: Annotated[
        float, typer.Option(min=0.2, max=60, help="Seconds between two readings; rates are over them.")
    ] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Show one view, after one interval, and end.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show calls in progress, pace, queue, outcomes, webhooks, media and problems, live; Ctrl-C ends it.

    With --json, one object for each interval.
    """
    try:
        asyncio.run(_watch(url, token, interval, once=once, as_json=as_json))
    except KeyboardInterrupt:
        raise typer.Exit(exit_codes.OK) from None


async def _watch(url: str, token: str | None, interval: float, *, once: bool, as_json: bool) -> None:
    async with ApiClient(url, token) as client:
        before = await _read(client)
        if once or as_json:
            while True:
                await asyncio.sleep(interval)
                now = await _read(client)
                shown = figures(before, now)
                if not as_json:
                    console().print(view(shown, url))
                elif once:
                    print_json(asdict(shown))
                else:
                    print_json_line(asdict(shown))
                if once:
                    return
                before = now
        await _live(client, before, url, interval)


async def _live(client: ApiClient, before: Reading, url: str, interval: float) -> None:
    """A server that stops answering is said in the title, and looked for again: it may be restarting."""
    shown = figures(before, before)
    with Live(view(shown, url), console=console(), screen=True, auto_refresh=False) as live:
        while True:
            await asyncio.sleep(interval)
            try:
                now = await _read(client)
            except CommandFailed as problem:
                live.update(view(shown, f"{problem} These are the last figures."), refresh=True)
                continue
            shown, before = figures(before, now), now
            live.update(view(shown, f"{url}, every {interval:g} s; Ctrl-C ends"), refresh=True)


async def _read(client: ApiClient) -> Reading:
    return read(await client.metrics(), time.monotonic())
