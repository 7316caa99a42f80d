"""Where the sound behind an address comes from: fetched if it is a URL, rendered if it is a prompt's."""

from dataclasses import dataclass
from math import inf
from typing import Protocol

from outdial.domain.prompt import is_prompt
from outdial.egress.urls import parse_target
from outdial.storage.audio_urls import FetchedSound, Taken
from outdial.storage.database import Database


@dataclass(frozen=True, slots=True)
class Content:
    """A new content, whose clips are stored."""

    sound: FetchedSound


@dataclass(frozen=True, slots=True)
class NotModified:
    """The content is as it was (RFC 9110 §15.4.5)."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is nothing to play, as a sentence that names the host or the voice."""

    problem: str
    temporary: bool
    wait_s: float = 0.0
    """Where it is an outage of what is ours: for about so long calls wait for its end, beyond a few tries."""

    @classmethod
    def slow(cls, address: str, seconds: float, *, wait_s: float = 0.0) -> "Failed":
        """It took too long."""
        if is_prompt(address):
            return cls(f"The text could not be spoken within {seconds:g} seconds.", True, wait_s)
        host = parse_target(address).host
        return cls(f"{host} could not be fetched and decoded within {seconds:g} seconds.", True, wait_s)

    @classmethod
    def store_away(cls) -> "Failed":
        """The blob store cannot be reached: as with sounds that were uploaded, calls wait until it can."""
        return cls("The store of sounds cannot be reached just now.", temporary=True, wait_s=inf)


class AudioSource(Protocol):
    """Makes sounds of addresses of one kind."""

    most_s: float
    """How long one may take, all in all."""

    async def fetch(self, address: str, known: Taken, *, sound_id: str) -> Content | NotModified | Failed:
        """Make the sound behind `address`, unless it is what is `known`; store its clips as `sound_id`."""
        ...

    async def tidy(self, database: Database, *, now: int) -> None:
        """Delete what nobody needs any more."""
        ...


class AudioSources:
    """Both kinds of addresses as one source."""

    def __init__(self, urls: AudioSource, prompts: AudioSource) -> None:
        self._urls = urls
        self._prompts = prompts

    def most_s(self, address: str) -> float:
        """How long this address may take."""
        return self._of(address).most_s

    async def fetch(self, address: str, known: Taken, *, sound_id: str) -> Content | NotModified | Failed:
        """See AudioSource."""
        return await self._of(address).fetch(address, known, sound_id=sound_id)

    async def tidy(self, database: Database, *, now: int) -> None:
        """See AudioSource."""
        await self._prompts.tidy(database, now=now)
        await self._urls.tidy(database, now=now)

    def _of(self, address: str) -> AudioSource:
        return self._prompts if is_prompt(address) else self._urls
