"""Where what callees say is kept: one file an attempt, written by the media worker while the call runs."""

from pathlib import Path

import structlog

from outdial.domain.call import Lease
from outdial.telephony.media.recording import EXTENSIONS

_log = structlog.get_logger(__name__)


class Recordings:
    """A folder of recordings. A key is a path below the data folder, as the CDR names it.

    A file holds the wire bytes of its codec, 8 bytes a millisecond, and can be read at any moment: a dialer
    that dies leaves what was said up to the last second.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def begin(self, lease: Lease) -> Path:
        """Return the file that an attempt records into."""
        return self._folder / f"{lease.call_id.replace(':', '-')}-{lease.number}"

    def keep(self, lease: Lease, codec: str | None) -> str | None:
        """Name the file of an attempt that is over by its codec, and return its key.

        One in which nobody was heard is removed: then there is no recording, and None is returned. So it is
        when the disk refuses, which must not cost the attempt its outcome; the file then stays as it is.
        """
        try:
            return self._keep(self.begin(lease), codec)
        except OSError as error:
            _log.warning("recording_not_kept", call_id=lease.call_id, error=str(error))
            return None

    def _keep(self, file: Path, codec: str | None) -> str | None:
        if codec is None or not file.exists() or file.stat().st_size == 0:
            file.unlink(missing_ok=True)
            return None
        kept = file.rename(file.with_name(file.name + EXTENSIONS[codec]))
        return f"{self._folder.name}/{kept.name}"
