"""What calls need of the rest of a dialer, as protocols, so that a test can stand in for it."""

from collections.abc import Callable
from typing import Any, Protocol

from outdial.storage.audio_urls import Busy, Ready, Unusable

Clock = Callable[[], int]
"""Unix milliseconds."""


class Store(Protocol):
    """The part of `storage.database.Database` that the runner uses."""

    async def run(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a write and wait until it is on disk."""
        ...

    async def run_patiently(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a write that can wait a little for company."""
        ...

    def post(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Queue a write."""
        ...


class AudioByUrl(Protocol):
    """Where sounds come from that are named by a URL. `dispatch.url_audio.UrlAudio` is one."""

    async def find(self, url: str, account_id: int) -> Ready | Unusable | Busy:
        """Return the sound, why there is none, or until when to hold calls that want it."""
        ...
