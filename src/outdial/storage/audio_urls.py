"""Audio by URL: what is known of each URL, and who fetches it now. A prompt's address is one of them.

One row a URL. Of all dialers one has it at a time (`take`), until it says how it went or its time runs out;
what it found is good for everybody until `fresh_until`, a failure as well, so that ten thousand calls ask a
server once. Each new content is a sound of its own whose clips are blobs (`sounds.clip_key`): a call that
plays the former content goes on with it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.audio.clip import BYTES_PER_MS, CODECS
from outdial.storage.tables import audio_urls, fetched_sounds

_KEYS_AT_ONCE = 500

_THIS = audio_urls.c.url_sha256 == bindparam("p_key")
_MINE = (_THIS, audio_urls.c.fetcher == bindparam("p_fetcher"))

# The same words on both databases.
_ADD = sa.text(
    "INSERT INTO audio_urls (url_sha256, url, failures, fresh_until, busy_until)"
    " VALUES (:key, :url, 0, 0, 0) ON CONFLICT DO NOTHING"
)

_TAKE = (
    sa.update(audio_urls)
    .where(
        _THIS,
        audio_urls.c.fresh_until <= bindparam("p_now"),
        audio_urls.c.busy_until <= bindparam("p_now"),
    )
    .values(
        fetcher=bindparam("p_fetcher"),
        busy_until=bindparam("p_until"),
    )
    .returning(audio_urls.c.sound_id, audio_urls.c.etag, audio_urls.c.last_modified, audio_urls.c.failures)
)

_LOOK = sa.select(
    audio_urls.c.sound_id, audio_urls.c.problem, audio_urls.c.fresh_until, audio_urls.c.busy_until
).where(_THIS)

# Against `keep`, `replace` and the like, which let held calls go in the same transaction.
_LOOK_AND_LOCK = _LOOK.with_for_update(read=True, skip_locked=True)


def _settle(**found: Any) -> sa.Update:
    """What a fetch found is known for a while, and nobody is fetching it any more."""
    return (
        sa.update(audio_urls)
        .where(*_MINE)
        .values(
            failures=0,
            checked_at=bindparam("p_now"),
            fresh_until=bindparam("p_fresh"),
            fetcher=None,
            busy_until=0,
            **found,
        )
    )


_KEEP = _settle(problem=None)
_REPLACE = _settle(
    problem=None,
    sound_id=bindparam("p_sound"),
    etag=bindparam("p_etag"),
    last_modified=bindparam("p_modified"),
)
_FAIL = _settle(problem=bindparam("p_problem"))

_RETRY = (
    sa.update(audio_urls)
    .where(*_MINE)
    .values(
        problem=bindparam("p_problem"),
        failures=audio_urls.c.failures + 1,
        checked_at=bindparam("p_now"),
        fetcher=None,
        busy_until=bindparam("p_until"),
    )
)

_GIVE_UP = (
    sa.update(audio_urls)
    .where(audio_urls.c.fetcher == bindparam("p_fetcher"))
    .values(fetcher=None, busy_until=0)
)

_INSERT_SOUND = sa.insert(fetched_sounds)

_FORMER = (
    sa.update(fetched_sounds)
    .where(
        fetched_sounds.c.url_sha256 == bindparam("p_key"),
        fetched_sounds.c.id != bindparam("p_sound"),
        fetched_sounds.c.replaced_at.is_(None),
    )
    .values(replaced_at=bindparam("p_now"))
)

_UNUSED = sa.select(audio_urls.c.url_sha256).where(
    audio_urls.c.checked_at < bindparam("p_before"),
    audio_urls.c.busy_until <= bindparam("p_now"),
    audio_urls.c.url.startswith(bindparam("p_scheme"), autoescape=False),
)

_CLIP_BYTES_PER_MS = BYTES_PER_MS * len(CODECS)

_BY_LAST_USE = (
    sa.select(
        audio_urls.c.url_sha256,
        audio_urls.c.busy_until,
        sa.func.sum(fetched_sounds.c.duration_ms * _CLIP_BYTES_PER_MS)
        .over(order_by=(audio_urls.c.checked_at.desc(), audio_urls.c.url_sha256))
        .label("bytes_until_here"),
    )
    .join(fetched_sounds, fetched_sounds.c.id == audio_urls.c.sound_id)
    .subquery()
)

_EXCESS = sa.select(_BY_LAST_USE.c.url_sha256).where(
    # Named a BigInteger: as the sum of integers it would be sent as one, and 5 GB is none.
    _BY_LAST_USE.c.bytes_until_here > bindparam("p_most", type_=sa.BigInteger),
    _BY_LAST_USE.c.busy_until <= bindparam("p_now"),
)


def _forget_sounds(which: sa.Select[Any]) -> sa.Update:
    return (
        sa.update(fetched_sounds)
        .where(fetched_sounds.c.url_sha256.in_(which), fetched_sounds.c.replaced_at.is_(None))
        .values(replaced_at=bindparam("p_at"))
    )


def _forget_urls(which: sa.Select[Any]) -> sa.Update:
    return (
        sa.update(audio_urls)
        .where(audio_urls.c.url_sha256.in_(which), audio_urls.c.sound_id.is_not(None))
        .values(sound_id=None, etag=None, last_modified=None, fresh_until=0)
    )


_REPLACED = (
    sa.select(fetched_sounds.c.id)
    .where(fetched_sounds.c.replaced_at < bindparam("p_before"))
    .order_by(fetched_sounds.c.replaced_at)
    .limit(bindparam("p_limit"))
)

_DELETE_SOUNDS = sa.delete(fetched_sounds).where(fetched_sounds.c.id.in_(bindparam("p_ids", expanding=True)))

_DELETE_URLS = sa.delete(audio_urls).where(
    audio_urls.c.checked_at < bindparam("p_before"),
    audio_urls.c.busy_until <= bindparam("p_now"),
    ~sa.exists().where(fetched_sounds.c.url_sha256 == audio_urls.c.url_sha256),
)


@dataclass(frozen=True, slots=True)
class Ready:
    """The sound of the URL, which is good until then (Unix milliseconds)."""

    sound_id: str
    until: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why the URL cannot be played, as a sentence; it is not asked again until then."""

    problem: str
    until: int


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody fetches it, or waits before the next try, until then at the latest."""

    until: int
    problem: str | None = None
    """What went wrong the last time, as a sentence."""


@dataclass(frozen=True, slots=True)
class Taken:
    """It is ours to fetch."""

    sound_id: str | None
    """What was fetched the last time, if anything; `etag` and `last_modified` are of this."""
    etag: str | None
    last_modified: str | None
    failures: int
    """Tries in a row that failed for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedSound:
    """A new content of a URL, whose clips are stored already."""

    id: str
    """UUID."""
    duration_ms: int
    source_format: str
    bytes: int
    etag: str | None
    last_modified: str | None


def look(conn: sa.Connection, url: str, *, now: int) -> Ready | Unusable | Busy | None:
    """Return what is known of `url` now; None if it has to be fetched."""
    return _known(conn.execute(_LOOK, {"p_key": _key(url)}).one_or_none(), now)


def look_and_lock(conn: sa.Connection, url: str, *, now: int) -> Ready | Unusable | Busy | None:
    """Like `look`; what is known does not change until the end of this transaction.

    Busy until `now` if that is being written at this moment: it is not waited for.
    """
    parameters = {"p_key": _key(url)}
    row = conn.execute(_LOOK_AND_LOCK, parameters).one_or_none()
    if row is None and conn.execute(_LOOK, parameters).one_or_none() is not None:
        return Busy(now)
    return _known(row, now)


def take(
    conn: sa.Connection, url: str, *, fetcher: str, now: int, busy_until: int
) -> Ready | Unusable | Busy | Taken:
    """Return what is known of `url`; if that is too old and nobody is at it, take it until `busy_until`.

    `fetcher` is unique for each try, so that who comes too late has nothing to say any more.
    """
    known = look(conn, url, now=now)
    if known is not None:
        return known
    key = _key(url)
    conn.execute(_ADD, {"key": key, "url": url})
    taken = conn.execute(
        _TAKE, {"p_key": key, "p_fetcher": fetcher, "p_now": now, "p_until": busy_until}
    ).one_or_none()
    if taken is not None:
        return Taken(*taken)
    return look(conn, url, now=now) or Busy(busy_until)  # somebody was quicker


def keep(conn: sa.Connection, url: str, *, fetcher: str, now: int, fresh_until: int) -> bool:
    """Note that the content is as it was; False if somebody else has the URL meanwhile."""
    parameters = {"p_key": _key(url), "p_fetcher": fetcher, "p_now": now, "p_fresh": fresh_until}
    return conn.execute(_KEEP, parameters).rowcount == 1


def replace(
    conn: sa.Connection, url: str, sound: FetchedSound, *, fetcher: str, now: int, fresh_until: int
) -> bool:
    """Store a new content; False, and nothing written, if somebody else has the URL meanwhile."""
    key = _key(url)
    updated = conn.execute(
        _REPLACE,
        {
            "p_key": key,
            "p_fetcher": fetcher,
            "p_now": now,
            "p_fresh": fresh_until,
            "p_sound": sound.id,
            "p_etag": sound.etag,
            "p_modified": sound.last_modified,
        },
    )
    if updated.rowcount != 1:
        return False
    conn.execute(
        _INSERT_SOUND,
        {
            "id": sound.id,
            "url_sha256": key,
            "duration_ms": sound.duration_ms,
            "source_format": sound.source_format,
            "bytes": sound.bytes,
            "created_at": now,
            "replaced_at": None,
        },
    )
    conn.execute(_FORMER, {"p_key": key, "p_sound": sound.id, "p_now": now})
    return True


def fail(conn: sa.Connection, url: str, problem: str, *, fetcher: str, now: int, fresh_until: int) -> bool:
    """Note why the URL cannot be played; it is not asked again before `fresh_until`.

    False if somebody else has the URL meanwhile.
    """
    parameters = {
        "p_key": _key(url),
        "p_fetcher": fetcher,
        "p_problem": problem,
        "p_now": now,
        "p_fresh": fresh_until,
    }
    return conn.execute(_FAIL, parameters).rowcount == 1


def retry(conn: sa.Connection, url: str, problem: str, *, fetcher: str, now: int, retry_at: int) -> bool:
    """Note a failure that may pass: nobody asks before `retry_at`; False if somebody else has the URL."""
    parameters = {
        "p_key": _key(url),
        "p_fetcher": fetcher,
        "p_problem": problem,
        "p_now": now,
        "p_until": retry_at,
    }
    return conn.execute(_RETRY, parameters).rowcount == 1


def give_up(conn: sa.Connection, fetcher: str) -> None:
    """Let go of a URL that was taken and is not fetched after all: anybody may take it at once."""
    conn.execute(_GIVE_UP, {"p_fetcher": fetcher})


def forget_unused(conn: sa.Connection, *, now: int, checked_before: int, scheme: str = "") -> None:
    """Let go of the sounds of URLs that nobody has asked for since then; `replaced` gives them.

    Only of those that begin with `scheme`.
    """
    parameters = {"p_now": now, "p_before": checked_before, "p_scheme": scheme}
    conn.execute(_forget_sounds(_UNUSED), {**parameters, "p_at": now})
    conn.execute(_forget_urls(_UNUSED), parameters)


def forget_excess(conn: sa.Connection, *, now: int, most_bytes: int) -> None:
    """Let go of the sounds beyond `most_bytes` of clips, those that were checked the longest ago first."""
    keys = list(conn.scalars(_EXCESS, {"p_now": now, "p_most": most_bytes}))
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = sa.select(audio_urls.c.url_sha256).where(
            audio_urls.c.url_sha256.in_(keys[start : start + _KEYS_AT_ONCE])
        )
        conn.execute(_forget_sounds(some), {"p_at": now})
        conn.execute(_forget_urls(some))


def replaced(conn: sa.Connection, *, before: int, limit: int = 100) -> list[str]:
    """Return sounds that no URL leads to since before then: no call plays them any more."""
    return list(conn.scalars(_REPLACED, {"p_before": before, "p_limit": limit}))


def delete_sounds(conn: sa.Connection, sound_ids: Sequence[str]) -> None:
    """Delete the rows of sounds whose blobs are gone."""
    conn.execute(_DELETE_SOUNDS, {"p_ids": sound_ids})


def delete_unused(conn: sa.Connection, *, now: int, checked_before: int) -> int:
    """Delete URLs that nobody has asked for since then and that have no sound left; return how many."""
    return conn.execute(_DELETE_URLS, {"p_now": now, "p_before": checked_before}).rowcount


def _known(row: "sa.Row[*tuple[Any, ...]] | None", now: int) -> Ready | Unusable | Busy | None:
    if row is None:
        return None
    if row.fresh_until > now:
        if row.problem is not None:
            return Unusable(row.problem, row.fresh_until)
        if row.sound_id is not None:
            return Ready(row.sound_id, row.fresh_until)
    return Busy(row.busy_until, row.problem) if row.busy_until > now else None


def _key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
