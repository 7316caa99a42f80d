"""What the calls of one request may cost, and whether the account can bear it."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from outdial.api.errors import ApiError, invalid
from outdial.api.recipients import refusals
from outdial.domain.call import NewCall
from outdial.domain.money import to_text
from outdial.domain.rating import Rate
from outdial.storage import credit, rates
from outdial.storage.credit import Credit, NotCovered


class Prices:
    """The rates of a request's numbers.

    A prepaid account does not call the `unpriced` ones. Raises ApiError 422 if that is all of them, 402 where
    the balance certainly does not do for the others.
    """

    def __init__(
        self, conn: sa.Connection, account_id: int, account: Credit, numbers: Sequence[str], talk_ms: int
    ) -> None:
        self._account_id = account_id
        self._prepaid = account.prepaid
        self._talk_ms = talk_ms
        self._rates = rates.match_all(conn, account_id, account.currency, numbers)
        self.unpriced: Mapping[str, str] = {}
        """Number → why it is not called."""
        if not self._prepaid:
            return
        self.unpriced = {number: _unpriced(number) for number in numbers if number not in self._rates}
        priced = [number for number in numbers if number in self._rates]
        if not priced:
            raise invalid({"to": refusals(self.unpriced.values())})
        needed = sum(self.reserved(number) for number in priced)
        if needed > account.available:
            raise _not_covered(account, needed, len(priced))

    def rate(self, number: str) -> Rate | None:
        """At which a call to `number` is accepted."""
        return self._rates.get(number)

    def reserved(self, number: str) -> int:
        """Units to hold back for a call to `number`."""
        return self._rates[number].charge(self._talk_ms) if self._prepaid else 0

    def reserve(self, conn: sa.Connection, calls: Sequence[NewCall], request_id: str, now: int) -> None:
        """Hold back what all calls need, in one entry. Raises ApiError 402."""
        needed = sum(call.reserved for call in calls)
        if not needed:
            return
        (call_id, note) = (calls[0].id, "") if len(calls) == 1 else (request_id, f"{len(calls)} calls")
        try:
            credit.reserve(conn, self._account_id, needed, call_id=call_id, now=now, note=note)
        except NotCovered as error:
            raise _not_covered(error.credit, needed, len(calls)) from error


def expected_charge(call: NewCall) -> int:
    """What the first started pulse of a call costs."""
    return 0 if call.rate is None else call.rate.charge(1)


def _unpriced(number: str) -> str:
    return f"{number} has no price, and the account is prepaid: calls to it cannot be made."


def _not_covered(account: Credit, needed: int, calls: int) -> ApiError:
    what = "this call" if calls == 1 else f"these {calls} calls"
    sentence = (
        f"The balance does not cover {what}: {to_text(needed)} {account.currency} needed,"
        f" {to_text(account.available)} available (balance {to_text(account.balance)},"
        f" reserved {to_text(account.reserved)})."
    )
    return ApiError(402, sentence, {"balance": [sentence]})
