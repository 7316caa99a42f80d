"""A backup: one tar file with a manifest, the database and the blobs of a local store.

The database is copied first. Blobs are written before the rows that name them and removed after them, so
every row of the copy finds its blobs, but for sounds that are deleted while the backup is written.
"""

import io
import json
import os
import tarfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from outdial.errors import InvalidInput, StorageError
from outdial.storage import dump, schema
from outdial.storage.blobs import MARK
from outdial.storage.engine import is_sqlite

_MANIFEST, _DATABASE, _BLOBS = "manifest.json", "database", "blobs"
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an archive holds."""

    format: int
    version: str
    """Of Outdial, which wrote it."""
    revision: str
    """Of the database's schema."""
    kind: str
    """`sqlite` or `postgresql`."""
    blobs: int | None
    """How many objects are in it; None when the store is a remote one, which has backups of its own."""


def write(file: Path, url: str, blobs: Path | None, *, version: str) -> Manifest:
    """Write a backup of the database at `url` and the folder `blobs` to `file`, whole or not at all.

    Raises InvalidInput if the file is there already, StorageError if the database is empty or refuses, and
    OSError.
    """
    if file.exists():
        raise InvalidInput(f"{file} is there already; a backup never replaces another one.")
    revision = schema.current_revision(url)
    if revision is None:
        raise StorageError("The database is empty: there is nothing to back up.")
    part = file.with_name(f"{file.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # it holds trunks' passwords
    try:
        with (
            os.fdopen(descriptor, "wb") as out,
            TemporaryDirectory(dir=file.parent, prefix=".outdial-backup-") as folder,
            tarfile.open(fileobj=out, mode="w:gz" if file.suffix in (".gz", ".tgz") else "w") as tar,
        ):
            dump.dump(url, Path(folder) / _DATABASE)
            objects = [] if blobs is None or not blobs.is_dir() else _objects(blobs)
            tar.add(Path(folder) / _DATABASE, _DATABASE)
            written = 0
            for path in objects:
                with suppress(FileNotFoundError):  # deleted meanwhile
                    tar.add(path, f"{_BLOBS}/{path.relative_to(blobs or path)}", recursive=False)
                    written += 1
            manifest = Manifest(
                format=_FORMAT,
                version=version,
                revision=revision,
                kind="sqlite" if is_sqlite(url) else "postgresql",
                blobs=None if blobs is None else written,
            )
            _add_text(tar, _MANIFEST, json.dumps(asdict(manifest), indent=2))
            tar.close()
            out.flush()
            os.fsync(out.fileno())
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    return manifest


def read(file: Path, url: str, blobs: Path | None) -> Manifest:
    """Bring a backup into the empty database at `url` and the empty folder `blobs`.

    Raises InvalidInput for a file that is no such backup or does not fit, or a target that is not empty,
    StorageError if the database refuses, and OSError.
    """
    if schema.current_revision(url) is not None:
        raise InvalidInput("The database is not empty; a backup is restored into an empty one only.")
    if blobs is not None and blobs.is_dir() and _objects(blobs):
        raise InvalidInput(f"{blobs} is not empty; a backup is restored into an empty folder only.")
    near = file.parent if blobs is None else blobs.parent
    near.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(dir=near, prefix=".outdial-restore-") as name:
        folder = Path(name)
        try:
            with tarfile.open(file) as tar:
                tar.extractall(folder, filter="data")
            manifest = Manifest(**json.loads((folder / _MANIFEST).read_text()))
        except (tarfile.TarError, FileNotFoundError, ValueError, TypeError, EOFError) as error:
            raise InvalidInput(f"{file} is not a complete backup of Outdial: {error}.") from None
        _check(manifest, file, url, blobs)
        if blobs is not None and manifest.blobs:
            if blobs.is_dir():
                (blobs / MARK).unlink(missing_ok=True)
                blobs.rmdir()
            (folder / _BLOBS).rename(blobs)
        dump.load(url, folder / _DATABASE)  # last: a database that is there finds its sounds
    return manifest


def _check(manifest: Manifest, file: Path, url: str, blobs: Path | None) -> None:
    kind = "sqlite" if is_sqlite(url) else "postgresql"
    if manifest.kind != kind:
        raise InvalidInput(
            f"{file} holds a database of the kind {manifest.kind}, the setting database_url names {kind}."
        )
    if manifest.format != _FORMAT or not schema.is_known(manifest.revision):
        raise InvalidInput(
            f"{file} was written by Outdial {manifest.version}, which is newer than this version;"
            f" restore it with {manifest.version} or later."
        )
    if blobs is None and manifest.blobs:
        raise InvalidInput(
            f"{file} holds {manifest.blobs} sounds and recordings; unset blobs.url, so that they have a"
            " folder to go to."
        )


def _objects(blobs: Path) -> list[Path]:
    return sorted(path for path in blobs.rglob("*") if path.is_file() and path.name != MARK)


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    entry = tarfile.TarInfo(name)
    content = text.encode()
    entry.size, entry.mode = len(content), 0o600
    tar.addfile(entry, io.BytesIO(content))
