"""The program: all commands, and what happens with what they raise."""

import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from outdial.cli.lazy import LazyGroup, add_placeholders
from outdial.cli.problems import CommandFailed
from outdial.errors import ConfigurationError, InvalidInput, OutdialError
from outdial.supervisor import exit_codes

app = typer.Typer(
    cls=LazyGroup,
    name="outdial",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
add_placeholders(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"outdial {version('outdial')}\n")
        raise typer.Exit


@app.callback()
def root(
    config: Annotated[
        Path | None,
        typer.Option(
            help="TOML file with settings. Unset: $OUTDIAL_CONFIG, else ./outdial.toml if it exists."
        ),
    ] = None,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where in the program an error came from.")
    ] = False,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Outdial: one HTTP request becomes a real phone call over your own SIP trunk."""
    if config is not None:
        os.environ["OUTDIAL_CONFIG"] = str(config.absolute())


def main() -> NoReturn:
    """Run the command line and exit with its status: a sentence for every error.

    A traceback only if asked.
    """
    try:
        app()
    except Exception as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(explain(error))
    sys.exit(exit_codes.OK)


def explain(error: Exception) -> int:
    """Write what went wrong to standard error; returns the exit status for it."""
    if isinstance(error, ExceptionGroup):  # of several tasks, the first one's error stands for all
        return explain(error.exceptions[0])
    match error:
        case CommandFailed():
            status = error.exit_code
        case ConfigurationError():
            status = exit_codes.CONFIGURATION
        case InvalidInput():
            status = exit_codes.USAGE
        case OutdialError():
            status = exit_codes.FAILED
        case _:
            sys.stderr.write(
                f"outdial: a fault of ours: {type(error).__name__}: {error}\n"
                "Run the same command as `outdial --traceback …` to see where, and please report it.\n"
            )
            return exit_codes.INTERNAL
    for line in str(error).splitlines():
        sys.stderr.write(f"outdial: {line}\n")
    return status
