"""Read a `multipart/form-data` body as it arrives: fields into memory, the file straight to disk, both
bounded.

The framework's own form reader spools a file before anybody can refuse it; this one stops at the first
byte over the limit.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from outdial.api.errors import ApiError, invalid

_MAX_FIELDS = 100
_MAX_FIELD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class FileTarget:
    """Which part is a file, where it goes, and how many bytes it may have."""

    field: str
    path: Path
    limit: int


@dataclass(slots=True)
class MultipartForm:
    """What was read. `file_name` is None when no file came."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    file_name: str | None = None
    file_bytes: int = 0


def boundary_of(content_type: str) -> bytes:
    """The boundary parameter of a Content-Type. Raises ApiError 400 when there is none."""
    boundary = _parameter(content_type, "boundary")
    if not boundary:
        raise ApiError(400, "The Content-Type multipart/form-data needs a boundary.")
    return boundary.encode("latin-1", "replace")


async def read_multipart(
    chunks: AsyncIterator[bytes], boundary: bytes, *, file: FileTarget | None = None
) -> MultipartForm:
    """Read all parts; the part that `file` names is written to its path.

    Raises ApiError 400 for a body that is not multipart, 413 for a file over its limit or too many or too
    large fields, 422 for a second file, or one where a text is expected.
    """
    reader = _Reader(file)
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": reader.part_begins,
                "on_header_field": reader.header_name,
                "on_header_value": reader.header_value,
                "on_header_end": reader.header_ends,
                "on_headers_finished": reader.headers_end,
                "on_part_data": reader.data,
                "on_part_end": reader.part_ends,
                "on_end": reader.body_ends,
            },
        )
        async for chunk in chunks:
            parser.write(chunk)
        parser.finalize()
    except MultipartParseError as error:
        raise ApiError(400, "The body is not multipart/form-data as its Content-Type says.") from error
    finally:
        reader.close()
    if not reader.complete:
        raise ApiError(400, "The multipart body ends before its closing boundary.")
    return reader.form


class _Reader:
    def __init__(self, target: FileTarget | None) -> None:
        self.form = MultipartForm()
        self.complete = False
        self._target = target
        self._file: BinaryIO | None = None
        self._headers: dict[str, str] = {}
        self._header = (bytearray(), bytearray())
        self._name = ""
        self._value = bytearray()

    def part_begins(self) -> None:
        self._headers = {}
        self._value = bytearray()

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def header_ends(self) -> None:
        name, value = (bytes(part).decode("utf-8", "replace") for part in self._header)
        self._headers[name.lower()] = value
        self._header = (bytearray(), bytearray())

    def headers_end(self) -> None:
        disposition = self._headers.get("content-disposition", "")
        self._name = _parameter(disposition, "name") or ""
        if self._target is None or self._name != self._target.field:
            if _parameter(disposition, "filename"):
                raise invalid({self._name: [self._not_a_file()]})
            return
        if self.form.file_name is not None:
            raise invalid({self._name: [f"Send one file as {self._name}, not several."]})
        self.form.file_name = _parameter(disposition, "filename") or ""
        self._file = self._target.path.open("wb")

    def _not_a_file(self) -> str:
        if self._target is None:
            return f"{self._name[:40]} should be a text, not a file."
        return f"Send the file in a field with the name {self._target.field}, not {self._name[:40]}."

    def data(self, data: bytes, start: int, end: int) -> None:
        if self._target is not None and self._file is not None:
            self.form.file_bytes += end - start
            if self.form.file_bytes > self._target.limit:
                raise too_large(self._target.limit)
            self._file.write(memoryview(data)[start:end])
            return
        self._value.extend(memoryview(data)[start:end])
        if len(self._value) > _MAX_FIELD_BYTES:
            raise ApiError(413, f"The field {self._name[:40]!r} is longer than {_MAX_FIELD_BYTES} bytes.")

    def part_ends(self) -> None:
        if self._file is not None:
            self.close()
            return
        if len(self.form.fields) >= _MAX_FIELDS:
            raise ApiError(413, f"A multipart body may have {_MAX_FIELDS} fields.")
        try:
            self.form.fields.append((self._name, self._value.decode()))
        except UnicodeDecodeError:
            raise ApiError(400, f"The field {self._name[:40]!r} is not UTF-8.") from None

    def body_ends(self) -> None:
        self.complete = True

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def too_large(limit: int) -> ApiError:
    """413 for a body over `limit` bytes."""
    shown = f"{limit / (1024 * 1024):g} MB" if limit >= 1024 * 1024 else f"{limit} bytes"
    return ApiError(413, f"This is larger than the {shown} that are accepted.")


def _parameter(header: str, name: str) -> str | None:
    message = Message()
    message["content-type"] = header
    value = message.get_param(name)
    return value if isinstance(value, str) else (value[2] if value else None)
