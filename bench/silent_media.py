"""A media client that does nothing: what is measured with it is signalling, dispatch and storage."""

from collections.abc import Sequence
from pathlib import Path

from outdial.domain.call import MediaQuality
from outdial.sdp.agreement import AgreedMedia
from outdial.telephony.media.client import MediaClient
from outdial.telephony.media.client_stream import MediaStream, OnEvent
from outdial.telephony.media.events import PlayFinished
from outdial.telephony.media.options import MediaOptions


class SilentStream(MediaStream):
    """Every clip is over as soon as it begins."""

    def __init__(self, client: "SilentMedia", port: int, on_event: OnEvent) -> None:
        self._silent = client
        self.number = 0
        self.port = port
        self.on_event = on_event

    def connect(self, media: AgreedMedia, *, announced_event_payload_type: int | None = None) -> None:
        pass

    def play(self, play_id: str, clips: Sequence[Path]) -> None:
        self.on_event(PlayFinished(play_id, 0, completed=True))

    def stop_playing(self) -> None:
        pass

    async def close(self) -> MediaQuality:
        self._silent.closed += 1
        return MediaQuality()


class SilentMedia(MediaClient):
    """Hands out port numbers; ``closed`` counts the legs that are over."""

    def __init__(self) -> None:
        super().__init__(MediaOptions())
        self.closed = 0

    async def open(
        self,
        on_event: OnEvent,
        *,
        record_to: Path | None = None,
        beside: MediaStream | None = None,
        gathered: bool = False,
    ) -> MediaStream:
        return SilentStream(self, 10_000, on_event)
