"""`outdial backup`: the database and all sounds in one file."""

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from outdial.cli.output import JsonOption, console, print_json
from outdial.cli.problems import CommandFailed
from outdial.config import Settings, load_settings
from outdial.storage import archive
from outdial.supervisor.parts import why
from outdial.supervisor.prepare import current_revision

app = typer.Typer(add_completion=False)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="File to write; `.gz` at its end compresses it.")],
    as_json: JsonOption = False,
) -> None:
    """Write the database and all sounds and recordings into one file; the server may run meanwhile.

    The file holds the passwords of trunks and what people said, and can be read by you alone. What is in an
    object store stays there. See the guide to backups before a restored server dials.
    """
    settings = load_settings()
    current_revision(settings)
    try:
        manifest = archive.write(
            file, settings.resolved_database_url, blobs_folder(settings), version=version("outdial")
        )
    except OSError as error:
        raise CommandFailed(f"{file} cannot be written: {why(error)}.") from None
    if as_json:
        print_json({"file": str(file), "bytes": file.stat().st_size, **asdict(manifest)})
        return
    stored = (
        "no sounds (they are in an object store)" if manifest.blobs is None else f"{manifest.blobs} files"
    )
    console().print(f"Wrote {file}: the database (revision {manifest.revision}) and {stored}.")


def blobs_folder(settings: Settings) -> Path | None:
    """The folder of the blob store; None if it is an object store."""
    url = settings.blobs.url
    if url is None:
        return settings.data_dir / "blobs"
    return Path(url.removeprefix("file://")) if url.startswith("file://") else None
