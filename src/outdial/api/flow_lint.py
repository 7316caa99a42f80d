"""Lint of a document with what its account has: sounds, and flows that were published."""

import asyncio
import json
from collections.abc import Callable, Iterable

import sqlalchemy as sa
from fastapi import Request

from outdial.api.auth import Principal
from outdial.api.context import context_of
from outdial.flow.lint import Finding, lint
from outdial.speech.flow_prompt import known_voices
from outdial.storage import flows, sounds


async def check(
    request: Request, principal: Principal, document: str, *, own: int | None = None
) -> list[Finding]:
    """What lint says of a document, looking for its sounds and flows in the account and for voices here.

    A flow may jump to itself, whose id is `own`.
    """
    read = json.loads(document)
    sounds_named: set[str] = set()
    flows_named: set[str] = set()

    def note(names: set[str]) -> Callable[[str], bool]:
        def there(name: str) -> bool:
            names.add(name)
            return True

        return there

    await asyncio.to_thread(lint, read, has_sound=note(sounds_named), has_flow=note(flows_named))
    voices = known_voices(context_of(request).voices)
    there_sounds, there_flows = await context_of(request).database.read(
        _existing, principal.account_id, sorted(sounds_named), sorted(flows_named)
    )
    there_flows |= {str(own)}
    return await asyncio.to_thread(
        lint,
        read,
        has_sound=there_sounds.__contains__,
        has_flow=there_flows.__contains__,
        voices=voices,
    )


def _existing(
    conn: sa.Connection, account_id: int, sound_ids: list[str], flow_ids: list[str]
) -> tuple[set[str], set[str]]:
    found = {each for each in sound_ids if sounds.get(conn, account_id, each) is not None}
    return found, set(map(str, flows.published(conn, account_id, flow_numbers(flow_ids))))


def flow_numbers(names: Iterable[str]) -> list[int]:
    """The ids among what jumps name."""
    return [int(name) for name in names if name.isascii() and name.isdigit() and len(name) <= 18]
