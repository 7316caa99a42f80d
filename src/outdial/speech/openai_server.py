"""Speech servers that speak OpenAI's protocol: `POST <base>/audio/speech` is answered with the audio.

Many do: the service itself, and servers for one's own machine with Kokoro, Piper and other models. The base
URL is the operator's, so it may be a private address; the key goes into one header and nowhere else.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from outdial.egress.client import EgressClient
from outdial.egress.message import Answer, EgressRequest
from outdial.egress.urls import parse_target
from outdial.errors import EgressBadAnswer, EgressError, SpeechAway, SpeechUnavailable, Unspeakable
from outdial.speech.engine import Voice

_AWAY = frozenset({401, 403, 404, 405, 408, 409, 425, 429})
"""Statuses below 500 that say nothing about the text: our key, our address or our pace is not accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechServer:
    """Where the server is and what it is asked."""

    base_url: str
    """Up to and with the version: `https://speech.example/v1`."""
    key: str | None = field(default=None, repr=False)
    model: str = "tts-1"
    voices: Sequence[Voice] = ()
    timeout_s: float = 20.0
    """For one try."""
    retry_delays_s: tuple[float, ...] = (0.5,)
    """The waits after tries that failed for now."""
    most_bytes: int = 64 * 1024 * 1024


class OpenAiServer:
    """Has texts said by a server."""

    name = "http"

    def __init__(self, client: EgressClient, server: SpeechServer) -> None:
        self._client = client
        self._server = server
        self._host = parse_target(server.base_url).host
        self.voices: Sequence[Voice] = tuple(server.voices)
        self.revision = f"1 {server.base_url} {server.model}"

    async def speak(self, text: str, voice: Voice, out: Path) -> None:
        """Write what the server answers, a WAV file, to `out`."""
        for delay in self._server.retry_delays_s:
            try:
                await self._ask(text, voice, out)
            except SpeechAway:
                await asyncio.sleep(delay)
            else:
                return
        await self._ask(text, voice, out)

    async def _ask(self, text: str, voice: Voice, out: Path) -> None:
        headers = {"Content-Type": "application/json", "Accept": "audio/wav"}
        if self._server.key is not None:
            headers["Authorization"] = f"Bearer {self._server.key}"
        body = {"model": self._server.model, "voice": voice.name, "input": text, "response_format": "wav"}
        request = EgressRequest(
            url=f"{self._server.base_url.rstrip('/')}/audio/speech",
            method="POST",
            headers=headers,
            body=json.dumps(body).encode(),
            total_s=self._server.timeout_s,
        )
        try:
            answer = await self._client.download(request, out, most_bytes=self._server.most_bytes)
        except EgressError as error:
            sentence = f"The speech server failed: {error}"
            away = error.temporary or isinstance(error, EgressBadAnswer)
            raise (SpeechAway if away else SpeechUnavailable)(sentence) from error
        self._judge(answer)

    def _judge(self, answer: Answer) -> None:
        """Raise for a status that is no success; the server's own words may hold the text, or the key."""
        if answer.ok:
            return
        sentence = f"The speech server {self._host} answered HTTP {_shown(answer.status)}."
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in _AWAY:
            raise SpeechAway(sentence)
        raise Unspeakable(sentence)


def _shown(status: int) -> str:
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)
