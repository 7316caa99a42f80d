"""Where the sound behind an address comes from: fetched if it is a URL, rendered if it is a prompt's."""

from dataclasses import dataclass
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

    @classmethod
    def slow(cls, address: str, seconds: float) -> "Failed":
        """It took too long."""
        if is_prompt(address):
            return cls(f"The text could not be spoken within {seconds:g} seconds.", temporary=True)
        host = parse_target(address).host
        return cls(f"{host} could not be fetched and decoded within {seconds:g} seconds.", temporary=True)


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
