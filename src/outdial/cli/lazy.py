"""A group of commands that imports a command only when it is run.

`outdial --help` or a mistyped name should not wait for SIP, SQL and audio libraries to load.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

COMMANDS: Mapping[str, tuple[str, str]] = {
    "serve": ("outdial.cli.serve", "Run the server: the API, a dialer and its media workers."),
    "demo": ("outdial.cli.demo", "Show the main job in a minute: real calls, heard at the far end."),
    "sandbox": ("outdial.cli.sandbox", "Run the simulated phone network on its own, or list its numbers."),
    "call": ("outdial.cli.call", "Place a call and follow it live; list, show and export past ones."),
    "cancel": ("outdial.cli.cancel", "Cancel a call, or all calls of a request."),
    "recording": ("outdial.cli.recording", "List, save and delete recordings."),
    "campaign": ("outdial.cli.campaign", "Pause campaigns and requests, and let them go on."),
    "sounds": ("outdial.cli.sounds", "Upload, list, fetch and delete sounds."),
    "flow": ("outdial.cli.flow", "Check, walk through, test and compare flows."),
    "say": ("outdial.cli.say", "Speak a text into a file, as a callee would hear it."),
    "voices": ("outdial.cli.voices", "List the voices that texts can be spoken in."),
    "token": ("outdial.cli.token", "Make, list and revoke API tokens."),
    "trunk": ("outdial.cli.trunk", "Add, list, check, switch and remove carrier accounts."),
    "bridge": ("outdial.cli.bridge", "Add, list, change and remove our numbers."),
    "webhook": (
        "outdial.cli.webhook",
        "Add, list, verify and remove webhooks; see and repeat deliveries.",
    ),
    "suppression": (
        "outdial.cli.suppression",
        "Numbers that are not called: add, list, import, remove, check.",
    ),
    "rate": ("outdial.cli.rate", "List, set, import, remove and try prices."),
    "top": ("outdial.cli.top", "Show calls, queue, outcomes, webhooks and problems live."),
    "retention": ("outdial.cli.retention", "Remove what is older than it may be kept, now."),
    "forget": ("outdial.cli.forget", "Take a number out of the records of its past calls."),
    "account": ("outdial.cli.account", "Add, list, change and close accounts; their credit."),
    "audit": ("outdial.cli.audit", "Show who changed what, when and from where."),
    "openapi": ("outdial.cli.openapi", "Print the OpenAPI description of the HTTP API."),
    "backup": (
        "outdial.cli.backup",
        "Write the database and all sounds into one file, while the server runs.",
    ),
    "restore": ("outdial.cli.restore", "Bring a backup into an empty database and data folder."),
    "db": ("outdial.cli.db", "Upgrade, check and locate the database."),
}
"""Name → module with an `app`, and the line that `outdial --help` shows."""


def load(name: str) -> Any:
    """The command `name` with all of its options."""
    module, _ = COMMANDS[name]
    command = get_command(import_module(module).app)
    command.name = name
    return command


class LazyGroup(TyperGroup):
    """Holds a line of help for each command, and the command itself from when it is run."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Load the command that `args` name."""
        if args and args[0] in COMMANDS:
            self.commands[args[0]] = load(args[0])
        return super().resolve_command(ctx, args)


def add_placeholders(app: typer.Typer) -> None:
    """Give `app` its lines of help."""
    for name, (_, line) in COMMANDS.items():
        app.command(name, help=line)(_placeholder)


def _placeholder() -> None:
    """Never run: `LazyGroup` puts the command in its place first."""
