"""The rate that a call was accepted at, as its row holds it."""

import json
from functools import lru_cache

from outdial.domain.rating import Rate


@lru_cache(maxsize=4096)
def to_json(rate: Rate) -> str:
    """Write a rate; the many calls of a list share a few."""
    return json.dumps(
        [
            rate.prefix,
            rate.first_pulse_s,
            rate.next_pulse_s,
            rate.first_price,
            rate.next_price,
            rate.connection_fee,
        ]
    )


@lru_cache(maxsize=4096)
def from_json(text: str) -> Rate:
    """Read what `to_json` wrote."""
    prefix, first_pulse_s, next_pulse_s, first_price, next_price, connection_fee = json.loads(text)
    return Rate(
        prefix=prefix,
        first_pulse_s=first_pulse_s,
        next_pulse_s=next_pulse_s,
        first_price=first_price,
        next_price=next_price,
        connection_fee=connection_fee,
    )
