"""Flows of other systems, as far as their steps map: a document, and what did not come along, by node."""

from collections.abc import Callable, Mapping
from typing import Any

from outdial.errors import InvalidInput
from outdial.flow.importing.drawing import Imported
from outdial.flow.importing.rapidpro import from_rapidpro
from outdial.flow.importing.twilio import from_twilio

SOURCES: Mapping[str, Callable[[Any, str | None], Imported]] = {
    "twilio": from_twilio,
    "rapidpro": from_rapidpro,
}
"""What can be read: the JSON of a Twilio Studio flow, and an export of RapidPro or TextIt (goflow)."""


def import_flow(source: str, exported: object, which: str | None = None) -> Imported:
    """Read a flow of another system; ``which`` names one where an export holds several.

    Raises InvalidInput for what is no such flow.
    """
    read = SOURCES.get(source)
    if read is None:
        raise InvalidInput(f"Flows can be imported from {', '.join(SOURCES)}, not from {source[:40]!r}.")
    return read(exported, which)
