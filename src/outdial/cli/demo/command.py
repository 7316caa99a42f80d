"""The command: server, requests, live view, proof, table."""

import asyncio
import json
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from outdial.audio.samples import welcome_mp3
from outdial.cli.client import ApiClient
from outdial.cli.demo.proof import LEAST_CORRELATION, Verdict, judge
from outdial.cli.demo.scenes import BRIDGE, IMPATIENT_BRIDGE, IMPATIENT_RING_S, SCENES, Scene
from outdial.cli.demo.server import DemoServer
from outdial.cli.demo.view import LiveView, verdict_table
from outdial.cli.follow import follow
from outdial.cli.output import JsonOption, console, print_json
from outdial.sandbox.heard import Heard, read_heard
from outdial.supervisor import exit_codes

app = typer.Typer(add_completion=False)

_HEARD_WITHIN_S = 5.0
_INTERRUPTED = 128 + signal.SIGINT


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the server running until Ctrl-C.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the main job in a minute: real calls over SIP and RTP to a simulated phone network.

    Everything happens on this machine, in a temporary folder and on free ports. Exit status 0 when every call
    went as it has to and the far end heard the very sound, 1 when anything differs.
    """
    out = Console(stderr=True, highlight=False) if as_json else console()
    with tempfile.TemporaryDirectory(prefix="outdial-demo-") as folder:
        status = asyncio.run(_until_stopped(out, Path(folder), keep=keep, as_json=as_json))
    raise typer.Exit(status)


async def _until_stopped(out: Console, folder: Path, *, keep: bool, as_json: bool) -> int:
    """Run the demo; Ctrl-C and SIGTERM end it in order, server included. Returns the exit status."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        good = await _run(out, folder, keep=keep, as_json=as_json)
    except asyncio.CancelledError:
        return _INTERRUPTED
    return exit_codes.OK if good else exit_codes.FAILED


async def _run(out: Console, folder: Path, *, keep: bool, as_json: bool) -> bool:
    started = time.monotonic()
    out.print("[bold]Starting[/] a server with the simulated phone network as its trunk …")
    async with DemoServer(folder) as server:
        await server.ready()
        async with asyncio.TaskGroup() as group:
            making = group.create_task(server.command("token", "create", "--name", "demo", "--json"))
            group.create_task(_add_impatient_trunk(server))
        token = json.loads(making.result())["token"]
        out.print(f"It answers at {server.url}; its dialer is ready.")
        async with ApiClient(server.url, token) as client:
            sound = await _upload(client, folder)
            out.print(
                f"[bold]Uploaded[/] welcome.mp3: {sound['duration_ms'] / 1000:.1f} seconds, id {sound['id']}."
            )
            out.print(f"[bold]Calling[/] {len(SCENES)} numbers, one request each:\n")
            verdicts = await _call_everybody(out, client, server, sound["id"])
        out.print(verdict_table(verdicts))
        if as_json:
            print_json([verdict.as_row() for verdict in verdicts])
        good = _conclude(out, verdicts, time.monotonic() - started)
        if keep:
            await _keep(out, server, token, sound["id"])
    return good


async def _add_impatient_trunk(server: DemoServer) -> None:
    """A second trunk to the same network, whose ring timeout is short, and a number on it."""
    ring_timeout = ("--ring-timeout", str(IMPATIENT_RING_S))
    await server.command("trunk", "add", "impatient", server.sandbox_address, *ring_timeout)
    await server.command("bridge", "add", IMPATIENT_BRIDGE, "--trunk", "impatient")


async def _upload(client: ApiClient, folder: Path) -> dict[str, Any]:
    file = folder / "welcome.mp3"
    file.write_bytes(welcome_mp3())
    row: dict[str, Any] = (await client.upload("voice/sounds", file, None))["data"]
    return row


async def _call_everybody(
    out: Console, client: ApiClient, server: DemoServer, sound_id: str
) -> Sequence[Verdict]:
    view = LiveView(out)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_call(client, scene, sound_id, view)) for scene in SCENES]
    statuses = [task.result() for task in tasks]
    recordings = server.data_dir / "sandbox"
    sip_call_ids = [status["attempts"][-1]["sip_call_id"] for status in statuses]
    heard = await _heard(recordings, sip_call_ids)
    blobs = server.data_dir / "blobs"
    await _stored(blobs, [attempt["recording"] for status in statuses for attempt in status["attempts"]])
    clips = blobs / "sounds" / sound_id
    return [
        judge(scene, status, heard.get(sip_call_id), clips, recordings, blobs)
        for scene, status, sip_call_id in zip(SCENES, statuses, sip_call_ids, strict=True)
    ]


async def _call(client: ApiClient, scene: Scene, sound_id: str, view: LiveView) -> dict[str, Any]:
    """The page's request for one number, then its status until it is done."""
    form = {"bridge": scene.bridge, "to": scene.number, "audio": sound_id, "name": "obd_api_call"}
    accepted = (await client.post_form("outgoing/send", form))["data"][0]
    view.accepted(scene)
    status: dict[str, Any] = {}
    async for progress in follow(client, accepted["id"], with_trace=False):
        status = progress.status
        view.progress(scene, status)
    return status


async def _heard(recordings: Path, sip_call_ids: Sequence[str]) -> dict[str, Heard]:
    """The far end's records by Call-ID, once all are there: it writes each just after its call."""
    found: dict[str, Heard] = {}
    try:
        async with asyncio.timeout(_HEARD_WITHIN_S):
            while not found.keys() >= set(sip_call_ids):
                found = {each.call_id: each for each in read_heard(recordings)}
                await asyncio.sleep(0.05)
    except TimeoutError:
        pass  # the verdict names who is missing
    return found


async def _stored(blobs: Path, keys: Sequence[str | None]) -> None:
    """Wait for our own recordings: they are taken to the blob store in the background."""
    files = [blobs / key for key in keys if key]
    try:
        async with asyncio.timeout(_HEARD_WITHIN_S):
            while not all(file.exists() for file in files):  # noqa: ASYNC110 - another process makes them
                await asyncio.sleep(0.05)
    except TimeoutError:
        pass  # the verdict names what is missing


def _conclude(out: Console, verdicts: Sequence[Verdict], elapsed_s: float) -> bool:
    bad = [verdict for verdict in verdicts if verdict.problems]
    for verdict in bad:
        for problem in verdict.problems:
            out.print(f"[red]✗[/] {verdict.scene.number} ({verdict.scene.title}): {problem}.")
        out.print(f"  What the server says: {verdict.status['explanation']}")
    if bad:
        out.print(f"\n[red]{len(bad)} of {len(verdicts)} calls differ from what is expected.[/]")
        return False
    lowest = min(each.correlation.peak for each in verdicts if each.correlation and each.scene.heard)
    reply = min(each.reply.peak for each in verdicts if each.reply and each.scene.heard)
    out.print(
        f"[green]All {len(verdicts)} calls went as they have to[/], in {elapsed_s:.0f} seconds. The far end"
        f" heard the very sound (correlation at least {lowest:.3f}, {LEAST_CORRELATION} is asked for), its"
        f" own voice is in our recordings (at least {reply:.3f}), and the keys pressed there arrived."
    )
    return True


async def _keep(out: Console, server: DemoServer, token: str, sound_id: str) -> None:
    out.print(
        f"""
The server runs on until Ctrl-C:

    address  {server.url}   (documentation at {server.url}/docs)
    token    {token}
    data     {server.data_dir}   (for `outdial trunk`, `bridge`, `token` and `db`)

Place a call yourself, and ask how it went:

    curl -X POST '{server.url}/api/v1/outgoing/send' \\
        -H 'Authorization: Bearer {token}' \\
        -d 'bridge={BRIDGE}' -d 'to=12025550108' \\
        -d 'audio={sound_id}' -d 'name=obd_api_call'

    curl -H 'Authorization: Bearer {token}' '{server.url}/api/v1/outgoing/callstatus?id=…'

or watch one, message by message:

    OUTDIAL_URL={server.url} OUTDIAL_TOKEN={token} \\
        .venv/bin/outdial call --bridge {BRIDGE} --to 12025550109 --sound {sound_id}

or see what the server knows:

    OUTDIAL_DATA_DIR={server.data_dir} .venv/bin/outdial trunk list
""",
        soft_wrap=True,
    )
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:  # Ctrl-C: the demo is over, and its result stands
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
