"""The child that reads one file of numbers. Its arguments: MEMORY_BYTES CPU_SECONDS MOST_ROWS
SUFFIX OUT TYPE VALUE.

The file is standard input. Each usable row goes to the file OUT as a line of JSON: `[digits, iso, type,
value]`. One JSON object goes to standard output: `{"rows", "usable", "invalid", "problems"}`, or
`{"unreadable": sentence}`.

A spreadsheet is a compressed archive that may unpack to any size, and its sheet may claim any number of
cells. So the reader has no secret in its environment, is killed after the wall time, and is bounded in
memory, processor time, what it writes and what it may open, as the decoder of sounds is.
"""

import codecs
import csv
import io
import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

import phonenumbers
from python_calamine import CalamineWorkbook

from outdial.api.number_file_kinds import ACCEPTED, SHEETS
from outdial.domain.country import check_country
from outdial.domain.phone_number import PhoneNumber
from outdial.domain.suppression import SuppressionType, read_type, read_value
from outdial.errors import InvalidInput

_MOST_PROBLEMS = 100
_MOST_UNPACKED = 1 << 30
_MOST_COLUMNS = 1_000
_RECEIVER = frozenset(
    {
        *("receiver", "mobile", "mobileno", "mobilenumber", "phone", "phoneno", "phonenumber", "number"),
        *("numbers", "msisdn", "telephone", "tel", "to", "contact", "unsubscriber"),
    }
)
_NO_LETTERS = re.compile(r"[^a-z]")

Row = list[str]


class Unreadable(InvalidInput):
    """The file cannot be used at all; the message says why."""


def main(arguments: list[str]) -> None:
    """Read standard input; the outcome is printed, never the exit status."""
    memory_bytes, cpu_seconds, most_rows = map(int, arguments[:3])
    suffix, out, kind, value = arguments[3:7]
    _load_all()
    with open(0, "rb", buffering=0) as upload, Path(out).open("w", encoding="utf-8") as usable:
        _confine(memory_bytes, cpu_seconds)
        try:
            reader = _Reader(usable, SuppressionType(kind), value, most_rows)
            answer = reader.read(_rows(upload, suffix))
        except Unreadable as error:
            answer = {"unreadable": str(error)}
        except MemoryError:
            answer = {"unreadable": f"reading this file takes too much memory; {ACCEPTED}"}
    sys.stdout.write(json.dumps(answer))


def _load_all() -> None:
    """Import what is imported at first use while files can still be opened: codecs, tables of countries."""
    for codec in ("utf-8-sig", "utf-16", "cp437"):
        codecs.lookup(codec)
    phonenumbers.PhoneMetadata.load_all()


def _confine(memory_bytes: int, cpu_seconds: int) -> None:
    for kind, limit in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, 1 << 29),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))


def _rows(upload: BinaryIO, suffix: str) -> Iterator[Row]:
    head = upload.read(8)
    upload.seek(0)
    if head.startswith(b"PK"):
        return _sheet_rows(_checked_archive(upload.read()))
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return _sheet_rows(upload.read())
    if suffix in SHEETS:
        raise Unreadable(f"this file is named {suffix} and is no spreadsheet; if it is text, name it .csv")
    return _text_rows(upload, head)


def _checked_archive(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Unreadable(f"this is not a whole xlsx file; {ACCEPTED}") from error
    if unpacked > _MOST_UNPACKED:
        raise Unreadable(
            f"this spreadsheet unpacks to {unpacked >> 20} MB, more than {_MOST_UNPACKED >> 20} MB"
        )
    return content


def _sheet_rows(content: bytes) -> Iterator[Row]:
    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
        rows = sheet.iter_rows()
    except Exception as error:  # the library raises a dozen kinds for a broken file
        raise Unreadable(f"this spreadsheet cannot be read; {ACCEPTED}") from error
    if sheet.width > _MOST_COLUMNS:
        raise Unreadable(f"the first sheet has {sheet.width} columns; {_MOST_COLUMNS} are accepted")
    for row in rows:
        yield [_cell(cell) for cell in row]


def _cell(value: object) -> str:
    """A number in a spreadsheet is a float: 918867135000.0."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _text_rows(upload: BinaryIO, head: bytes) -> Iterator[Row]:
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    content = io.TextIOWrapper(io.BufferedReader(upload), encoding, errors="replace", newline="")  # type: ignore[type-var]
    first = content.readline(64 * 1024)
    if "\x00" in first or first.count("\ufffd") > 8:
        raise Unreadable(f"this is neither text nor a spreadsheet; {ACCEPTED}")
    separator = max(",;\t|", key=first.count)
    content.seek(0)
    try:
        yield from csv.reader(content, delimiter=separator)
    except csv.Error as error:
        raise Unreadable(f"this is not a text file of rows ({error}); {ACCEPTED}") from error


class _Reader:
    """Finds the columns in the first row that holds anything, then reads row after row."""

    def __init__(self, usable: TextIO, kind: SuppressionType, value: str, most_rows: int) -> None:
        self._usable = usable
        self._kind = kind
        self._value = value
        self._most_rows = most_rows
        self._receivers: list[int] | None = [0]
        """Columns of numbers; None for every column."""
        self._type: int | None = None
        self._value_column: int | None = None
        self._iso: int | None = None
        self._counts = {"rows": 0, "usable": 0, "invalid": 0}
        self._problems: list[dict[str, object]] = []

    def read(self, rows: Iterator[Row]) -> dict[str, object]:
        """Read all rows. Raises Unreadable when they are more than the limit."""
        is_first = True
        for at, row in enumerate(rows, 1):
            if not any(cell.strip() for cell in row):
                continue
            if is_first:
                is_first = False
                if self._is_header(row):
                    continue
            self._counts["rows"] += 1
            if self._counts["rows"] > self._most_rows:
                raise Unreadable(f"this file has more than {self._most_rows} rows: send it in parts")
            self._take(at, row)
        if not self._counts["rows"]:
            names = "only a row of names, " if not is_first else ""
            raise Unreadable(f"this file holds {names}no numbers")
        return {**self._counts, "problems": self._problems}

    def _is_header(self, row: Row) -> bool:
        names = [_NO_LETTERS.sub("", cell.lower()) for cell in row]
        named = [at for at, name in enumerate(names) if name in _RECEIVER]
        numbers = [at for at, cell in enumerate(row) if _is_number(cell)]
        if named and not numbers:
            self._receivers = named[:1]
            self._type = names.index("type") if "type" in names else None
            self._value_column = names.index("value") if "value" in names else None
            self._iso = names.index("iso") if "iso" in names else None
            return True
        filled = [at for at, cell in enumerate(row) if cell.strip()]
        if numbers:
            self._receivers = None if len(numbers) > 1 and numbers == filled else numbers[:1]
            return False
        return not any(character.isdigit() for cell in row for character in cell)

    def _take(self, at: int, row: Row) -> None:
        columns = range(len(row)) if self._receivers is None else self._receivers
        for column in columns:
            text = row[column] if column < len(row) else ""
            if self._receivers is None and not text.strip():
                continue
            try:
                number = PhoneNumber.parse(text)
                if iso := _cell_of(row, self._iso):
                    check_country(number, iso)
                kind, value = self._kind_of(row)
            except InvalidInput as error:
                self._counts["invalid"] += 1
                if len(self._problems) < _MOST_PROBLEMS:
                    self._problems.append({"row": at, "message": str(error)})
            else:
                self._counts["usable"] += 1
                self._usable.write(json.dumps([number.digits, number.iso, kind, value]) + "\n")

    def _kind_of(self, row: Row) -> tuple[SuppressionType, str]:
        if not _cell_of(row, self._type):
            return self._kind, self._value
        kind = read_type(_cell_of(row, self._type))
        return kind, read_value(kind, _cell_of(row, self._value_column))


def _cell_of(row: Row, column: int | None) -> str:
    """A cell, empty where there is none."""
    return row[column].strip() if column is not None and column < len(row) else ""


def _is_number(text: str) -> bool:
    try:
        PhoneNumber.parse(text)
    except InvalidInput:
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1:])
