"""Requests that carry a file: `multipart/form-data`, with the file on disk until the request is answered."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request

from outdial.api.bodies import MULTIPART, bounded, parameters_of
from outdial.api.context import context_of
from outdial.api.errors import ApiError, invalid
from outdial.api.multipart import FileTarget, boundary_of, read_multipart
from outdial.api.scratch import scratch_folder

_AROUND_THE_FILE = 1024 * 1024
"""Bytes that a body may have beside its file: boundaries, headers and the other fields."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came, and what came with it."""

    file: Path
    file_name: str
    """As the sender calls it, without folders; may be empty."""
    file_bytes: int
    parameters: Mapping[str, Any]
    """The other fields, as `read_body` returns them."""

    @property
    def folder(self) -> Path:
        """Where the file is, alone, and where what is made of it may go."""
        return self.file.parent


@asynccontextmanager
async def uploaded(request: Request, field: str, *, limit: int, what: str) -> AsyncIterator[Upload]:
    """Read a body whose part `field` is a file of at most `limit` bytes; its folder goes with the request.

    `what` names it for a person: `the sound file`. Raises ApiError 400 and 413 as `read_multipart`, 415 for
    another type of body, 422 without a file.
    """
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != MULTIPART:
        raise ApiError(415, f"Send {what} as {MULTIPART}, in a field with the name {field}.")
    async with scratch_folder(context_of(request)) as folder:
        form = await read_multipart(
            bounded(request, limit, around=_AROUND_THE_FILE),
            boundary_of(content_type),
            file=FileTarget(field, folder / "source", limit),
        )
        parameters = parameters_of(request, form)
        if form.file_name is not None and not form.file_bytes:
            raise invalid({field: [f"{field} is an empty file."]})
        if form.file_name is None:
            raise invalid({field: [f"{field} is missing: send {what} in a field with the name {field}."]})
        name = Path(form.file_name.replace("\\", "/")).name
        yield Upload(folder / "source", name, form.file_bytes, parameters)
