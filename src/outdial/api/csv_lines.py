"""Lines of CSV (RFC 4180) that no spreadsheet takes for formulas."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Iterable
from typing import Any

from starlette.responses import StreamingResponse

MEDIA_TYPE = "text/csv; charset=utf-8"

_FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""What makes Excel, LibreOffice or Sheets take a cell for a formula: OWASP, CSV injection."""
_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,20})?")


def csv_lines(rows: Iterable[Iterable[Any]]) -> str:
    """The rows as lines; lists and objects are written as JSON, None as nothing."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def csv_download(lines: AsyncIterator[str], name: str) -> StreamingResponse:
    """200 with lines as they come, to be saved as a file with this name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines, media_type=MEDIA_TYPE, headers=headers)


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            text = value
        case bool() | list() | dict():
            text = json.dumps(value, ensure_ascii=False)
        case _:
            text = str(value)
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
