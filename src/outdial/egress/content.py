"""The body of an answer: as it came, or decompressed without ever holding more than a piece of it.

We ask for no compression (`Accept-Encoding: identity`), but stores that hold a file compressed send it so
anyway. A decompression bomb turns a few kilobytes into gigabytes, so the caller counts the pieces as they
come out and stops.
"""

import zlib
from collections.abc import Iterator
from typing import Protocol

from outdial.errors import EgressBadAnswer

PIECE_BYTES = 256 * 1024
"""Most that one step of decompression gives: about a millisecond of work."""


class Decoder(Protocol):
    """Undoes one Content-Encoding (RFC 9110 §8.4)."""

    def decode(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what `chunk` holds, in pieces of at most PIECE_BYTES if it was compressed."""
        ...

    def finish(self) -> None:
        """Check that the body was complete. Raises EgressBadAnswer."""
        ...


def decoder_for(encoding: str, host: str) -> Decoder:
    """Return the decoder of a `Content-Encoding` header. Raises EgressBadAnswer for one that is not known."""
    match encoding.strip().lower():
        case "" | "identity":
            return _Identity()
        case "gzip" | "x-gzip":
            return _Inflater(host, 16 + zlib.MAX_WBITS)
        case "deflate":
            return _Inflater(host, zlib.MAX_WBITS)
        case _:
            raise EgressBadAnswer(
                f"{host} sent a compressed body ({encoding[:40]!r}) although none was asked for."
            )


class _Identity:
    def decode(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk

    def finish(self) -> None:
        """Whether all of it came is checked by the HTTP parser."""


class _Inflater:
    """gzip and deflate (RFC 1950, RFC 1952). Several members of gzip follow each other (RFC 1952 §2.2)."""

    def __init__(self, host: str, window_bits: int) -> None:
        self._host = host
        self._window_bits = window_bits
        self._inflate = zlib.decompressobj(window_bits)

    def decode(self, chunk: bytes) -> Iterator[bytes]:
        rest = chunk
        # Output that is still inside when all input is taken comes with the next chunk: the checksum at the
        # end is always a later one.
        while rest:
            if self._inflate.eof:
                self._inflate = zlib.decompressobj(self._window_bits)
            try:
                piece = self._inflate.decompress(rest, PIECE_BYTES)
            except zlib.error:
                raise EgressBadAnswer(f"{self._host} sent a body that cannot be decompressed.") from None
            rest = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if piece:
                yield piece

    def finish(self) -> None:
        if not self._inflate.eof:
            raise EgressBadAnswer(f"{self._host} sent a compressed body without its end.")
