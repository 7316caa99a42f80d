"""Claiming from the queues of one trunk: its places are shared out among the accounts, in turn.

Each account and bridge has a queue of its own on a trunk: a stretch of `ix_calls_due`, whose front is found
without reading what waits behind it. Places are shared out among the accounts that have something due, in
turn from claim to claim (the trunk's row in the pacing ledger notes who was served last), so that ten
thousand calls of one do not delay the single call of another. Within an account the longest due come first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.pace_ledger import Limits
from outdial.storage import due_queues, paces
from outdial.storage.due_queues import Queue
from outdial.storage.paces import Ledger
from outdial.storage.queue_claim import Claimant, Leased, lease_due
from outdial.storage.statement import Statement
from outdial.storage.tables import trunks

WHILE_FULL_MS = 100
"""How soon to look again at what has due calls and no place: places come back by other dialers, too."""

_TRUNK = Statement(
    sa.select(trunks.c.calls_per_second, trunks.c.max_concurrent).where(trunks.c.id == bindparam("p_trunk"))
)


def claim_from(
    conn: sa.Connection, claimant: Claimant, trunk: int, count: int, queues: Sequence[Queue]
) -> tuple[list[Leased], int | None]:
    """Claim up to `count` calls of `queues`, the first of a trunk's, as its limits and theirs allow.

    Returns also when there may be more, Unix milliseconds; None for not by time alone.
    """
    now = claimant.now
    limits = Limits(*_TRUNK.execute(conn, {"p_trunk": trunk}).one())
    ledger = paces.lock(conn, paces.TRUNK, trunk, limits, now=now)
    if ledger is None:
        return [], now
    if len(queues) == due_queues.MOST:
        queues = list(due_queues.walk(conn, trunk, after=ledger.served + 1)) or queues
    later = [queue.due_at for queue in queues if queue.due_at > now]
    if ledger.left == 0:
        full = ledger.free_at == now
        return [], min([*later, now + WHILE_FULL_MS if full else ledger.free_at])
    sharing = _Sharing(conn, claimant, trunk, ledger, later)
    claimed = sharing.share_out([queue for queue in queues if queue.due_at <= now], min(count, ledger.left))
    return claimed, min(sharing.later, default=None)


@dataclass(slots=True)
class _Sharing:
    """One claim from one trunk."""

    conn: sa.Connection
    claimant: Claimant
    trunk: int
    ledger: Ledger
    """The trunk's own."""
    later: list[int]
    """When there may be more, Unix milliseconds."""
    locked: dict[tuple[str, int], Ledger] = field(default_factory=dict)
    """Of accounts and bridges."""

    def share_out(self, due: Sequence[Queue], places: int) -> list[Leased]:
        """Lease calls of `due` queues for so many places."""
        turns = self._in_turn(due)
        claimed: list[Leased] = []
        while places > len(claimed) and turns:
            part = max(1, (places - len(claimed)) // len(turns))
            for account, own in list(turns.items()):
                wanted = min(part, places - len(claimed))
                found = self._of_account(own, wanted)
                claimed += found
                self.ledger.served = account if found else self.ledger.served
                if not own:
                    del turns[account]
        if turns:
            self.later.append(self.ledger.free_at)
        for each in (self.ledger, *self.locked.values()):
            each.store(self.conn)
        return claimed

    def _in_turn(self, due: Sequence[Queue]) -> dict[int, list[Queue]]:
        """The queues by account, beginning behind the account that was served last; with what limits them."""
        turns: dict[int, list[Queue]] = {}
        served = self.ledger.served
        for queue in sorted(due, key=lambda each: (each.account_id <= served, each.account_id, each.due_at)):
            if all(
                self._limit(queue, kind, thing, limits, name)
                for kind, thing, limits, name in (
                    (paces.ACCOUNT, queue.account_id, queue.account_limits, None),
                    (paces.BRIDGE, queue.bridge_id, queue.bridge_limits, queue.bridge),
                )
                if thing is not None and limits != Limits()
            ):
                turns.setdefault(queue.account_id, []).append(queue)
        return turns

    def _limit(self, queue: Queue, kind: str, thing: int, limits: Limits, name: str | None) -> bool:
        """Have the ledger of an account or a bridge limit a queue; False while another dialer holds it."""
        ledger = self.locked.get((kind, thing)) or paces.lock(
            self.conn, kind, thing, limits, now=self.claimant.now, name=name
        )
        if ledger is None:
            return False
        self.locked[kind, thing] = ledger
        queue.ledgers.append(ledger)
        return True

    def _of_account(self, own: list[Queue], wanted: int) -> list[Leased]:
        """Lease up to `wanted` calls of an account; queues of `own` that have no more now are taken out."""
        claimed: list[Leased] = []
        while len(claimed) < wanted and own:
            queue = own[0]
            asked = min(wanted - len(claimed), queue.left())
            found = lease_due(self.conn, self.claimant, self.trunk, queue, asked) if asked > 0 else []
            for each in (self.ledger, *queue.ledgers):
                each.taken += len(found)
            claimed += found
            if len(found) < asked or queue.left() <= 0:
                own.pop(0)
                self.later += self._looked_at_again(queue)
        return claimed

    def _looked_at_again(self, queue: Queue) -> list[int]:
        """When a queue that gave less than it was asked for is due again."""
        held = [each for each in queue.ledgers if each.left <= 0]
        if held:
            return [max(self.claimant.now + WHILE_FULL_MS, *(each.free_at for each in held))]
        for left in due_queues.walk(self.conn, self.trunk, after=queue.account_id - 1):
            if left.account_id > queue.account_id:
                break
            if left.account_id == queue.account_id and left.bridge == queue.bridge:
                return [left.due_at]
        return []
