"""The flows of calls as they run: published versions, parsed once, with those that they may jump to."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, Protocol

import sqlalchemy as sa

from outdial.dispatch.agent_call import JOINABLE
from outdial.dispatch.flow_variables import Locality
from outdial.domain.number_origin import NOWHERE, Origin, is_asked_by, origin_of
from outdial.domain.number_zone import zones_of_number
from outdial.errors import NotFound
from outdial.flow.definition import Flow, Library, parse_flow
from outdial.flow.jumps import MOST_FLOWS, jumps_of
from outdial.flow.step import Step
from outdial.flow.steps.conference import ConferenceStep
from outdial.flow.steps.connect import ConnectStep
from outdial.flow.steps.record import RecordStep
from outdial.storage import accounts, flows
from outdial.storage.flows import FlowVersion

_MOST_KEPT = 500


class Reader(Protocol):
    """The part of `storage.database.Database` that is used here."""

    async def read(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a query."""
        ...


@dataclass(frozen=True, slots=True)
class _Parsed:
    flow: Flow
    speaks_of_caller: bool


class FlowLibrary:
    """A published version never changes, so what was parsed is good for ever."""

    def __init__(self, database: Reader) -> None:
        self._database = database
        self._parsed: dict[tuple[int, int], _Parsed] = {}

    async def load(self, account_id: int, flow_id: int, version: int, to: str) -> tuple[Library, Locality]:
        """The library of a call to `to` that is pinned to this version of a flow, and where that call is.

        What it may jump to is what is published now. Raises NotFound, InvalidFlow.
        """
        main = self._parsed.get((flow_id, version))
        if main is None:
            stored = await self._database.read(flows.get_version, flow_id, version)
            if stored is None:
                raise NotFound(f"The flow {flow_id} has no version {version}.")
            main = self._parse(stored)
        found = {str(flow_id): main}
        if jumps_of(main.flow):
            await self._add_targets(account_id, found)
        library = Library(str(flow_id), {name: parsed.flow for name, parsed in found.items()})
        # Where a number comes from costs a process half a second, in a thread, and 27 MB, once.
        asked = any(parsed.speaks_of_caller for parsed in found.values())
        origin = await asyncio.to_thread(origin_of, to) if asked else NOWHERE
        return library, await self._locality(account_id, to, origin)

    async def _locality(self, account_id: int, to: str, origin: Origin) -> Locality:
        account = await self._database.read(accounts.get, account_id)
        callee = zones_of_number(to)
        return Locality(
            account="UTC" if account is None else account.time_zone,
            callee=callee[0].key if len(callee) == 1 else None,
            origin=origin,
        )

    async def _add_targets(self, account_id: int, found: dict[str, _Parsed]) -> None:
        """Add what is jumped to, and what is jumped to from there; a target that is missing is left out."""
        asked = set(found)
        while wanted := {each for parsed in found.values() for each in jumps_of(parsed.flow)} - asked:
            asked |= wanted
            ids = [int(each) for each in wanted if each.isdecimal()]
            published = await self._database.read(_published, account_id, ids)
            for flow_id, stored in published.items():
                if len(found) < MOST_FLOWS:
                    found[str(flow_id)] = self._parse(stored)

    def _parse(self, stored: FlowVersion) -> _Parsed:
        key = (stored.flow_id, stored.version)
        parsed = self._parsed.get(key)
        if parsed is None:
            flow = parse_flow(json.loads(stored.document))
            parsed = _Parsed(flow, is_asked_by(stored.document))
            if len(self._parsed) >= _MOST_KEPT:
                self._parsed.pop(next(iter(self._parsed)))
            self._parsed[key] = parsed
        return parsed


def is_mixed(library: Library) -> bool:
    """Whether calls may be joined to others or listened to for silence, which takes a codec of G.711."""
    return _has(library, ConnectStep | ConferenceStep | RecordStep)


def why_not_offered(library: Library, codecs: Sequence[str]) -> str | None:
    """A sentence for a call that no codec suited; None if all `codecs` of the trunk were offered."""
    left_out = [codec for codec in codecs if codec not in JOINABLE]
    if not left_out or not is_mixed(library):
        return None
    offered = [codec for codec in codecs if codec in JOINABLE] or JOINABLE
    return (
        f"It was offered {' and '.join(offered)} and not {' or '.join(left_out)}, because its flow connects,"
        " confers or records."
    )


def is_gathered(library: Library) -> bool:
    """Whether calls may meet other calls of the dialer."""
    return _has(library, ConferenceStep)


def _has(library: Library, kinds: UnionType | type[Step]) -> bool:
    return any(
        isinstance(node.step, kinds) for flow in library.flows.values() for node in flow.nodes.values()
    )


def _published(conn: sa.Connection, account_id: int, flow_ids: list[int]) -> dict[int, FlowVersion]:
    return flows.published(conn, account_id, flow_ids)
