"""Prompts by the key of their content: what is to be said, whoever asks for it.

What becomes of one is kept where that of audio URLs is (`storage.audio_urls`, `storage.held_calls`), under
the prompt's address: rendered by one process at a time, good for everybody, forgotten when nobody asks any
more.
"""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.prompt import SCHEME, Prompt
from outdial.storage.tables import calls, prompts

# The same words on both databases.
_ADD = sa.text(
    "INSERT INTO prompts (key, prompt, asked_at) VALUES (:key, :prompt, :now)"
    " ON CONFLICT (key) DO UPDATE SET asked_at = excluded.asked_at"
)
_GET = sa.select(prompts.c.prompt).where(prompts.c.key == bindparam("p_key"))

_ADDRESS: sa.ColumnElement[str] = sa.literal_column(f"'{SCHEME}'") + prompts.c.key
# A literal, because PostgreSQL's generic plans use a partial index only for a literal condition.
_WANTED = sa.exists().where(calls.c.audio_url == _ADDRESS, calls.c.state == sa.literal_column("'queued'"))
_DELETE_UNUSED = sa.delete(prompts).where(prompts.c.asked_at < bindparam("p_before"), ~_WANTED)


def put(conn: sa.Connection, wanted: Collection[Prompt], *, now: int) -> None:
    """Add prompts, or note that they are asked for again."""
    # In one order, so that two requests with the same prompts never wait for each other in a circle.
    by_key = {prompt.key: prompt.to_json() for prompt in wanted}
    if by_key:
        conn.execute(_ADD, [{"key": key, "prompt": by_key[key], "now": now} for key in sorted(by_key)])


def get(conn: sa.Connection, key: str) -> Prompt | None:
    """Return the prompt of this key."""
    text = conn.scalars(_GET, {"p_key": key}).one_or_none()
    return None if text is None else Prompt.from_json(text)


def delete_unused(conn: sa.Connection, *, asked_before: int) -> int:
    """Delete prompts that nobody asked for since then and that no queued call waits for.

    A call that is being made has found the sound, which is kept at least as long from then on.
    """
    return conn.execute(_DELETE_UNUSED, {"p_before": asked_before}).rowcount
